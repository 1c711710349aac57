//! The `.fossil` file, out and in.
//!
//! An export is the file as it is at its begin, though others go on writing: first everything in the WAL is put
//! into the file, and then nothing more until the last export has ended. Commits meanwhile stay in the WAL, where
//! they are as safe. The file is read below SQLite, by the very handle that SQLite reads it with.

use super::setup;
use crate::engine::{Leaf, Task};
use crate::failure::Failed;
use crate::host::Store;
use crate::protocol::{
    Bytes, Code, ExportEnd, ExportRead, ExportSize, ImportBegin, ImportWrite, Info, LeafState, Nothing,
    Transfer,
};

/// Bytes of one piece.
const PIECE_MAX: u32 = 16 << 20;
/// Where the header of an SQLite file says whether it is in WAL mode.
const MODE_BYTES: [u64; 2] = [18, 19];
/// What it says when it is not: any program opens such a file.
const ROLLBACK_MODE: u8 = 1;

/// Begins an export. One that begins while another is under way gives what that one gives.
pub(super) fn export_begin(leaf: &Leaf, args: Transfer) -> Result<ExportSize, Failed> {
    leaf.with(|repo| {
        let mut exports = leaf.exports.borrow_mut();
        if exports.is_empty() {
            Store::freeze(repo.connection())?;
        }
        exports.insert(args.transfer);
        Ok(ExportSize {
            size: Store::frozen_size(repo.connection())?,
        })
    })
}

/// A piece of the file.
pub(super) fn export_read(leaf: &Leaf, args: &ExportRead) -> Result<Bytes, Failed> {
    if !leaf.exports.borrow().contains(&args.transfer) {
        return Err(gone());
    }
    leaf.with(|repo| {
        let mut piece = Store::read_frozen(repo.connection(), args.offset, args.length.min(PIECE_MAX))?;
        for place in MODE_BYTES {
            let byte = place
                .checked_sub(args.offset)
                .and_then(|index| usize::try_from(index).ok());
            if let Some(byte) = byte.and_then(|index| piece.get_mut(index)) {
                *byte = ROLLBACK_MODE;
            }
        }
        Ok(Bytes(piece.into()))
    })
}

/// Ends an export. One that is not under way has ended.
pub(super) fn export_end(leaf: &Leaf, args: &ExportEnd) -> Result<Nothing, Failed> {
    let mut exports = leaf.exports.borrow_mut();
    let was_frozen = !exports.is_empty();
    match &args.transfer {
        Some(transfer) => drop(exports.remove(transfer)),
        None => exports.clear(),
    }
    if was_frozen && exports.is_empty() {
        leaf.with(|repo| Store::thaw(repo.connection()))?;
    }
    Ok(Nothing {})
}

/// Begins an import.
pub(super) fn import_begin(leaf: &Leaf, args: ImportBegin) -> Result<Nothing, Failed> {
    if leaf.state() != LeafState::Empty {
        return Err(Failed::exists());
    }
    // One that was given up is thrown away.
    leaf.import.replace(None);
    // So is what a failed clone or create left.
    leaf.store.remove()?;
    let import = leaf.store.import(args.size)?;
    leaf.import.replace(Some((args.transfer, import)));
    Ok(Nothing {})
}

/// Takes the next bytes of it.
pub(super) fn import_write(leaf: &Leaf, args: &ImportWrite) -> Result<Nothing, Failed> {
    let mut import = leaf.import.borrow_mut();
    let (_, under_way) = import
        .as_mut()
        .filter(|(transfer, _)| *transfer == args.transfer)
        .ok_or_else(gone)?;
    if let Err(failed) = Store::import_more(under_way, &args.bytes.0) {
        import.take();
        return Err(failed);
    }
    Ok(Nothing {})
}

/// Ends it: what came is checked and opened, or thrown away.
pub(super) fn import_end(leaf: &Leaf, args: &Transfer, task: &Task) -> Result<Info, Failed> {
    if setup::is_made_by(leaf, task)? {
        return setup::info(leaf);
    }
    let (_, import) = leaf
        .import
        .borrow_mut()
        .take_if(|(transfer, _)| *transfer == args.transfer)
        .ok_or_else(gone)?;
    Store::import_end(import)?;
    let opened = leaf.reopen().and_then(|()| {
        leaf.with_any(|repo| {
            if let Some(fault) = repo.integrity()?.first() {
                let message = format!("the file is damaged: {fault}");
                return Err(Failed::new(Code::Refused, message));
            }
            setup::note_maker(repo, task)
        })
    });
    if let Err(failed) = opened {
        leaf.clear()?;
        return Err(failed);
    }
    setup::info(leaf)
}

/// The failure of a transfer that is not under way.
fn gone() -> Failed {
    Failed::new(
        Code::Aborted,
        "the transfer was cut off: the tab that held the repository ended, or another tab began one; begin again",
    )
}
