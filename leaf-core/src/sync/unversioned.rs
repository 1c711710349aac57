//! Unversioned files: the latest of each name wins.
//!
//! Between leaves a file travels as it is stored, compressed (`pragma leaf-uv-stored`); to others it is expanded.
//!
//! Source: Fossil `src/xfer.c` `send_unversioned_file()`, `xfer_accept_unversioned_file()`,
//! `send_unversioned_catalog()`; `src/unversioned.c` `unversioned_status()`.

use super::serving::{Serving, Stop, refuse};
use crate::id::ArtifactHash;
use crate::limits::Limits;
use crate::repo::{Cap, RepoError, RepoTx, UvBody as Store, UvStored};
use crate::time::Timestamp;
use crate::xfer::{Card, MessageWriter, Pragma, UvBody};

/// Puts a file into a message; `stored` when the peer takes it as it is stored.
pub(super) fn send(
    out: &mut MessageWriter,
    file: &UvStored,
    time_only: bool,
    stored: bool,
) -> Result<(), RepoError> {
    let expanded;
    let (size, body) = match (&file.hash, &file.content) {
        (None, _) => (0, UvBody::Deleted),
        (Some(_), None) => (file.size, UvBody::Omitted),
        (Some(_), Some(_)) if time_only => (file.size, UvBody::Omitted),
        (Some(_), Some(content)) if file.compressed && stored => (file.size, UvBody::Stored(content)),
        (Some(_), Some(_)) => {
            expanded = file.expand()?;
            (expanded.len() as u64, UvBody::Plain(&expanded))
        }
    };
    out.push(&Card::Uvfile {
        name: &file.name,
        mtime: file.mtime,
        hash: file.hash,
        size,
        body,
    });
    Ok(())
}

/// An `uvfile` card.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arriving<'a> {
    pub(super) name: &'a str,
    pub(super) mtime: i64,
    pub(super) hash: Option<ArtifactHash>,
    pub(super) size: u64,
    pub(super) body: UvBody<'a>,
}

impl Arriving<'_> {
    /// Keeps the file if it is later than ours. The repository verifies its hash.
    pub(super) fn store(&self, tx: &RepoTx<'_>, _limits: &Limits, now: Timestamp) -> Result<(), RepoError> {
        let body = match self.body {
            UvBody::Deleted => Store::Deleted,
            UvBody::Omitted => Store::Omitted,
            UvBody::Plain(content) => Store::Plain(content),
            UvBody::Stored(zblob) => Store::Stored {
                zblob,
                size: self.size,
            },
        };
        tx.uv_receive(self.name, self.mtime, self.hash.as_ref(), body, now)?;
        Ok(())
    }
}

impl Serving<'_> {
    pub(super) fn store_uv(
        &mut self,
        name: &str,
        mtime: i64,
        hash: Option<ArtifactHash>,
        size: u64,
        body: UvBody<'_>,
    ) -> Result<(), Stop> {
        self.need(Cap::WriteUnversioned, "not authorized to write unversioned files")?;
        Arriving {
            name,
            mtime,
            hash,
            size,
            body,
        }
        .store(self.writer(), &self.context.limits, self.context.now)?;
        self.served.uv_received += 1;
        Ok(())
    }

    /// Stock gives files to anybody; here it takes the right to read.
    pub(super) fn give_uv(&mut self, name: &str) -> Result<(), Stop> {
        if !self.may_read() {
            return refuse("not authorized to read");
        }
        let Some(file) = self.repo.uv_stored(name)? else {
            return Ok(());
        };
        if self.out.is_full() {
            let (hash, size) = (file.hash, file.size);
            self.out.push(&Card::Uvigot {
                name,
                mtime: file.mtime,
                hash,
                size,
            });
            return Ok(());
        }
        send(&mut self.out, &file, false, self.uv_stored)?;
        self.served.uv_sent += 1;
        Ok(())
    }

    /// Lists our files, once, if the client's are not the same.
    pub(super) fn compare_uv(&mut self, theirs: &[u8]) -> Result<(), Stop> {
        if !self.may_read() || core::mem::replace(&mut self.uv_catalog_sent, true) {
            return Ok(());
        }
        if let Some(tx) = self.tx {
            tx.keep_uv_hash(self.context.now)?;
        }
        if self.repo.uv_hash()?.as_bytes() != theirs {
            let ok = self.caps.has(Cap::WriteUnversioned);
            self.out.push(&Card::Pragma(if ok {
                Pragma::UvPushOk
            } else {
                Pragma::UvPullOnly
            }));
            self.send_uv_catalog()?;
        }
        Ok(())
    }

    pub(super) fn send_uv_catalog(&mut self) -> Result<(), RepoError> {
        self.uv_catalog_sent = true;
        for file in self.repo.uv_list()? {
            let size = if file.hash.is_some() { file.size } else { 0 };
            self.out.push(&Card::Uvigot {
                name: &file.name,
                mtime: file.mtime,
                hash: file.hash,
                size,
            });
        }
        Ok(())
    }
}
