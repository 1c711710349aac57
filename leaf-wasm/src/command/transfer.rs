//! The `.fossil` file, out and in.
//!
//! An export is the file as it is at its begin, though others go on writing: first everything in the WAL is put
//! into the file, and then nothing more until the last export has ended. Commits meanwhile stay in the WAL, where
//! they are as safe. The file is read below SQLite, by the very handle that SQLite reads it with.

use super::setup;
use crate::engine::Leaf;
use crate::failure::Failed;
use crate::host::Store;
use crate::protocol::{Bytes, Code, ExportRead, ExportSize, ImportBegin, Info, LeafState, Nothing};

/// Bytes of one piece.
const PIECE_MAX: u32 = 16 << 20;
/// Where the header of an SQLite file says whether it is in WAL mode.
const MODE_BYTES: [u64; 2] = [18, 19];
/// What it says when it is not: any program opens such a file.
const ROLLBACK_MODE: u8 = 1;

/// Begins an export.
pub(super) fn export_begin(leaf: &Leaf) -> Result<ExportSize, Failed> {
    leaf.with(|repo| {
        if leaf.exports.get() == 0 {
            Store::freeze(repo.connection())?;
        }
        leaf.exports.set(leaf.exports.get() + 1);
        Ok(ExportSize {
            size: Store::frozen_size(repo.connection())?,
        })
    })
}

/// A piece of the file.
pub(super) fn export_read(leaf: &Leaf, args: &ExportRead) -> Result<Bytes, Failed> {
    if leaf.exports.get() == 0 {
        return Err(Failed::new(
            Code::BadArguments,
            "no export is under way; begin one",
        ));
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

/// Ends an export.
pub(super) fn export_end(leaf: &Leaf) -> Result<Nothing, Failed> {
    let left = leaf.exports.get().saturating_sub(1);
    leaf.exports.set(left);
    if left == 0 {
        leaf.with(|repo| Store::thaw(repo.connection()))?;
    }
    Ok(Nothing {})
}

/// Begins an import.
pub(super) fn import_begin(leaf: &Leaf, args: &ImportBegin) -> Result<Nothing, Failed> {
    if leaf.state() != LeafState::Empty {
        return Err(Failed::new(
            Code::Exists,
            "there is a repository here already; use a leaf of another name",
        ));
    }
    // One that was given up is thrown away.
    leaf.import.replace(None);
    leaf.import.replace(Some(leaf.store.import(args.size)?));
    Ok(Nothing {})
}

/// Takes the next bytes of it.
pub(super) fn import_write(leaf: &Leaf, bytes: &Bytes) -> Result<Nothing, Failed> {
    let mut import = leaf.import.borrow_mut();
    let under_way = import
        .as_mut()
        .ok_or_else(|| Failed::new(Code::BadArguments, "no import is under way"))?;
    if let Err(failed) = Store::import_more(under_way, &bytes.0) {
        import.take();
        return Err(failed);
    }
    Ok(Nothing {})
}

/// Ends it: what came is checked and opened, or thrown away.
pub(super) fn import_end(leaf: &Leaf) -> Result<Info, Failed> {
    let import = leaf
        .import
        .take()
        .ok_or_else(|| Failed::new(Code::BadArguments, "no import is under way"))?;
    Store::import_end(import)?;
    let opened = leaf.reopen().and_then(|()| {
        leaf.with_any(|repo| {
            let faults = repo.integrity()?;
            match faults.first() {
                None => Ok(()),
                Some(fault) => Err(Failed::new(
                    Code::Refused,
                    format!("the file is damaged: {fault}"),
                )),
            }
        })
    });
    if let Err(failed) = opened {
        leaf.clear()?;
        return Err(failed);
    }
    setup::info(leaf)
}
