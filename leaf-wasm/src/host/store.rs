//! One repository file on the origin private file system.
//!
//! Each repository has a folder of its own, `edgesync-leaf/NAME`, with a pool of access handles that one worker
//! holds at a time; the file in it is not readable from outside, export makes a copy. The database is in WAL mode
//! with an exclusive lock: its index is then in this worker's memory, which is what lets WAL work without shared
//! memory. `tests/browser` kills tabs, renderers and browsers to show that no acknowledged transaction is lost.
//!
//! Source: `sqlite-wasm-vfs` `sahpool`; SQLite `wal.html` section 8.

use crate::failure::Failed;
use crate::protocol::Code;
use rsqlite_vfs::VfsFilesManager;
use rsqlite_vfs::transfer::{DbImport, DbTransfer, TransferError};
use rusqlite::{Connection, OpenFlags};
use sqlite_wasm_rs::WasmOsCallback;
use sqlite_wasm_vfs::sahpool::{OpfsSAHError, OpfsSAHPoolCfgBuilder, OpfsSAHPoolUtil, install};

/// The file's name within its pool.
const FILE: &str = "repository.fossil";
/// The folder that holds the folders of all repositories.
const FOLDER: &str = "edgesync-leaf";
/// The file, its WAL, a rollback journal while it changes between the two modes, and one to spare.
const SLOTS: usize = 4;
/// Pages kept in memory; negative: KiB.
const CACHE_KIB: i32 = -16_000;
/// Pages that the WAL grows to before they are put where they belong: SQLite's default.
const CHECKPOINT_PAGES: i32 = 1_000;

/// The storage of one repository. It lives as long as the worker.
pub(crate) struct Store {
    pool: &'static OpfsSAHPoolUtil,
}

/// A file on its way in.
pub(crate) type Import = DbImport<<OpfsSAHPoolUtil as DbTransfer>::Target<'static>>;

impl Store {
    /// Takes the storage of `name` for this worker.
    pub(crate) async fn open(name: &str) -> Result<Self, Failed> {
        let config = OpfsSAHPoolCfgBuilder::new()
            .directory(&format!("{FOLDER}/{name}"))
            .vfs_name(FOLDER)
            .initial_capacity(SLOTS)
            .build();
        let pool = install::<WasmOsCallback>(&config, true)
            .await
            .map_err(|error| refused(&error))?;
        Ok(Self {
            pool: Box::leak(Box::new(pool)),
        })
    }

    /// Whether a file is there, finished or not.
    pub(crate) fn exists(&self) -> Result<bool, Failed> {
        self.pool.contains(FILE).map_err(|error| refused(&error))
    }

    /// Opens the file, and makes it if need be.
    #[expect(
        clippy::unused_self,
        reason = "the pool must be there: it is SQLite's default VFS from then on"
    )]
    pub(crate) fn connect(&self) -> Result<Connection, Failed> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(FILE, flags)?;
        // Before the first access, or a file in WAL mode asks for shared memory.
        db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        db.pragma_update(None, "cache_size", CACHE_KIB)?;
        // SQLite answers with the mode it took, which would be another where WAL cannot be: that is as safe, and slower.
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        Ok(db)
    }

    /// Sets `db` up for a clone: few transactions, each of them large, that only add.
    ///
    /// A rollback journal keeps what is overwritten, and a clone overwrites little, while a WAL would write all of
    /// it twice. A killed browser loses nothing but the round at hand. A machine that crashes may lose more rounds:
    /// they are asked for again, and the verification at the end of the clone tells.
    pub(crate) fn relax(db: &Connection) -> Result<(), Failed> {
        db.pragma_update_and_check(None, "journal_mode", "TRUNCATE", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(())
    }

    /// Puts everything into the file, and nothing more until [`thaw`](Self::thaw).
    pub(crate) fn freeze(db: &Connection) -> Result<(), Failed> {
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        let busy: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            return Err(Failed::new(Code::Busy, "the database is in use; try again"));
        }
        Ok(())
    }

    /// Goes on as usual after a [`freeze`](Self::freeze).
    pub(crate) fn thaw(db: &Connection) -> Result<(), Failed> {
        db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        Ok(())
    }

    /// Bytes of the frozen file.
    pub(crate) fn frozen_size(db: &Connection) -> Result<u64, Failed> {
        main_file::size(db)
            .map_err(|code| Failed::new(Code::Storage, format!("the file cannot be measured ({code})")))
    }

    /// At most `length` bytes of the frozen file from `offset` on; fewer at its end.
    pub(crate) fn read_frozen(db: &Connection, offset: u64, length: u32) -> Result<Vec<u8>, Failed> {
        main_file::read(db, offset, length)
            .map_err(|code| Failed::new(Code::Storage, format!("the file cannot be read ({code})")))
    }

    /// Deletes the file. No connection may be open.
    pub(crate) fn remove(&self) -> Result<(), Failed> {
        self.pool.clear().map_err(|error| refused(&error))
    }

    /// Begins to take a file of `size` bytes in. None may be there.
    pub(crate) fn import(&self, size: u64) -> Result<Import, Failed> {
        self.pool
            .begin_import(FILE, size)
            .map_err(|error| refused(&error))
    }

    /// Takes the next bytes of it.
    pub(crate) fn import_more(import: &mut Import, bytes: &[u8]) -> Result<(), Failed> {
        import.write(bytes).map_err(|error| refused(&error))
    }

    /// Ends it: the file is there from now on.
    pub(crate) fn import_end(import: Import) -> Result<(), Failed> {
        import.finish().map_err(|error| refused(&error))
    }
}

/// The database file below SQLite, by the handle that SQLite has open; nobody else may have one.
#[expect(
    unsafe_code,
    reason = "SQLite gives its file handle and the functions on it as C pointers"
)]
mod main_file {
    use rusqlite::Connection;
    use rusqlite::ffi;
    use std::ffi::c_int;
    use std::ptr;

    /// Runs `work` on SQLite's handle of the file.
    fn with<T>(
        db: &Connection,
        work: impl FnOnce(*mut ffi::sqlite3_file, &ffi::sqlite3_io_methods) -> Result<T, c_int>,
    ) -> Result<T, c_int> {
        let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
        // SAFETY: the connection is open as long as it is borrowed, and FILE_POINTER stores one pointer.
        let asked = unsafe {
            ffi::sqlite3_file_control(
                db.handle(),
                c"main".as_ptr(),
                ffi::SQLITE_FCNTL_FILE_POINTER,
                ptr::from_mut(&mut file).cast(),
            )
        };
        // SAFETY: SQLite's handle lives as long as the connection, and so do its functions.
        let methods = unsafe { file.as_ref().and_then(|handle| handle.pMethods.as_ref()) };
        match methods {
            Some(methods) if asked == ffi::SQLITE_OK => work(file, methods),
            _ => Err(asked),
        }
    }

    /// Bytes of the file.
    pub(super) fn size(db: &Connection) -> Result<u64, c_int> {
        with(db, |file, methods| {
            let mut size = 0;
            let measure = methods.xFileSize.ok_or(ffi::SQLITE_MISUSE)?;
            // SAFETY: both are of this handle, and xFileSize stores one integer.
            match unsafe { measure(file, &raw mut size) } {
                ffi::SQLITE_OK => Ok(u64::try_from(size).unwrap_or_default()),
                code => Err(code),
            }
        })
    }

    /// Bytes of the file, fewer at its end.
    pub(super) fn read(db: &Connection, offset: u64, length: u32) -> Result<Vec<u8>, c_int> {
        let left = size(db)?.saturating_sub(offset);
        let length = u32::try_from(left).unwrap_or(u32::MAX).min(length);
        let mut bytes = vec![0; length as usize];
        let (Ok(amount), Ok(from)) = (c_int::try_from(length), i64::try_from(offset)) else {
            return Err(ffi::SQLITE_TOOBIG);
        };
        with(db, |file, methods| {
            let read = methods.xRead.ok_or(ffi::SQLITE_MISUSE)?;
            // SAFETY: the buffer has as many bytes as are asked for.
            match unsafe { read(file, bytes.as_mut_ptr().cast(), amount, from) } {
                ffi::SQLITE_OK => Ok(()),
                code => Err(code),
            }
        })?;
        Ok(bytes)
    }
}

/// Says why the file system refused.
fn refused(error: &OpfsSAHError) -> Failed {
    let text = error.to_string();
    let (code, step) = match error {
        OpfsSAHError::NotSupported => (
            Code::Unsupported,
            "; use https or localhost, and a window that is not private",
        ),
        _ if text.contains("QuotaExceeded") => (Code::QuotaExceeded, "; free some space"),
        _ if text.contains("NoModificationAllowed") => (Code::Locked, "; another tab holds this repository"),
        OpfsSAHError::Transfer(TransferError::ImportDb(_)) => (Code::Refused, "; it is no repository"),
        _ => (Code::Storage, ""),
    };
    Failed::new(code, format!("{text}{step}"))
}

#[cfg(test)]
pub(crate) mod tests;
