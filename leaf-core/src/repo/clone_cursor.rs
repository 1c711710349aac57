//! Where an unfinished clone goes on: config rows `leaf-clone-seqno` and `leaf-clone-source`.
//!
//! The first counts rows of the server that the second names by its server code; it means nothing to another.
//!
//! Source: Fossil `src/xfer.c`, card `clone_seqno`; stock keeps it for the time of one command only.

use super::{Repo, RepoError, RepoTx};
use crate::time::Timestamp;

/// Not synced or exported by Fossil, and gone when the clone is finished.
const SEQNO: &str = "leaf-clone-seqno";
/// Likewise.
const SOURCE: &str = "leaf-clone-source";

impl Repo {
    /// The row to ask for next: 1 at first, 0 when every artifact is here.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn clone_seqno(&self) -> Result<i64, RepoError> {
        let kept = self.config(SEQNO)?.and_then(|text| text.parse().ok());
        Ok(kept.filter(|seqno| *seqno >= 0).unwrap_or(1))
    }

    /// The server code of whom the clone was begun with. A clone from another begins anew.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn clone_source(&self) -> Result<Option<String>, RepoError> {
        self.config(SOURCE)
    }
}

impl RepoTx<'_> {
    /// Keeps the row to ask for next.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn set_clone_seqno(&self, seqno: i64, now: Timestamp) -> Result<(), RepoError> {
        self.set_config(SEQNO, &seqno.to_string(), now)
    }

    /// Keeps whose rows are counted.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn set_clone_source(&self, server: &str, now: Timestamp) -> Result<(), RepoError> {
        self.set_config(SOURCE, server, now)
    }

    /// Forgets both, as the clone is finished.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn drop_clone_cursor(&self) -> Result<(), RepoError> {
        self.unset_config(SEQNO)?;
        self.unset_config(SOURCE).map(drop)
    }
}
