//! Opening repository files: the only place outside the core that touches SQLite, and only to connect.

use crate::error::{CliError, Exit};
use leaf_core::repo::Repo;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long a command waits for another process that writes to the same file.
const BUSY_MAX: Duration = Duration::from_secs(30);

/// Pages that a clone keeps in memory: negative, in KiB, as SQLite wants it. Names arrive in random order, and
/// each goes to another leaf of their index.
const CLONE_CACHE_KIB: i32 = -6_000;

/// What a connection is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// A file that does not exist yet.
    Create,
    /// Reading alone.
    Read,
    /// Reading and writing.
    Write,
}

/// Connects to `file`.
///
/// # Errors
///
/// When the file is not there, not accessible, or there already and to be created.
pub fn connect(file: &Path, access: Access) -> Result<Connection, CliError> {
    let exists = file.exists();
    let shown = file.display();
    if access != Access::Create && !exists {
        return Err(
            CliError::new(Exit::Usage, format!("there is no file {shown}")).next_step(
                "name a repository with -R FILE, make one with `leaf new`, or fetch one with `leaf clone`",
            ),
        );
    }
    if access == Access::Create && exists {
        return Err(
            CliError::new(Exit::Usage, format!("{shown} exists already")).next_step("choose another name")
        );
    }
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX
        | match access {
            Access::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
    if access == Access::Read {
        let recovered = roll_back(file);
        recovered.map_err(|error| CliError::storage(format!("cannot roll back {shown}"), &error))?;
    }
    let opened = Connection::open_with_flags(file, flags).and_then(|db| {
        db.busy_timeout(BUSY_MAX)?;
        Ok(db)
    });
    opened.map_err(|error| CliError::storage(format!("cannot open {shown}"), &error))
}

/// Rolls back what a killed program left half done: a connection for reading alone would refuse the file.
///
/// A journal that belongs to a writer at work is left alone by SQLite.
fn roll_back(file: &Path) -> rusqlite::Result<()> {
    let mut journal = file.as_os_str().to_owned();
    journal.push("-journal");
    if !Path::new(&journal).exists() {
        return Ok(());
    }
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_READ_WRITE;
    let db = Connection::open_with_flags(file, flags)?;
    db.busy_timeout(BUSY_MAX)?;
    db.pragma_query_value(None, "schema_version", |_| Ok(()))
}

/// Opens the repository in `file`.
///
/// # Errors
///
/// As [`connect`], and when the file holds no repository or an unfinished clone.
pub fn open(file: &Path, access: Access) -> Result<Repo, CliError> {
    let db = connect(file, access)?;
    Repo::open(db).map_err(|error| CliError::from(error).during(format!("cannot open {}", file.display())))
}

/// Lets a connection write without waiting for the disk.
///
/// For a clone that is under way: a program that is killed loses nothing by it. Only a machine that crashes may,
/// and then verification at the end of the clone tells. [`make_durable`] comes before that end.
///
/// # Errors
///
/// When the connection is not usable.
pub fn relax(db: &Connection) -> Result<(), CliError> {
    let set = db
        .pragma_update(None, "synchronous", "OFF")
        .and_then(|()| db.pragma_update(None, "cache_size", CLONE_CACHE_KIB));
    set.map_err(|error| CliError::storage("the database cannot be set up", &error))
}

/// Waits until all of `file` is on the disk.
///
/// # Errors
///
/// When the disk fails.
pub fn make_durable(file: &Path) -> Result<(), CliError> {
    let synced = std::fs::File::open(file).and_then(|file| file.sync_all());
    synced.map_err(|error| CliError::storage(format!("cannot write {}", file.display()), &error))
}
