//! All derived tables at once, from what [`Repo::check`] noted.
//!
//! Source: Fossil `src/rebuild.c`, `rebuild_db`.

use super::verify::Checked;
use super::{Repo, RepoError, RepoTx};
use crate::time::Timestamp;

impl RepoTx<'_> {
    /// Makes all derived tables anew.
    ///
    /// # Errors
    ///
    /// [`RepoError::WrongContent`] when `checked` holds artifacts that are not what their rows say.
    pub fn rebuild(&self, checked: Vec<Checked>) -> Result<(), RepoError> {
        todo!()
    }
}

impl Repo {
    /// Makes a received clone a repository: all derived tables, and the mark that it is whole.
    ///
    /// # Errors
    ///
    /// As [`RepoTx::rebuild`]; the file stays unfinished.
    pub fn finish_clone(&mut self, checked: Vec<Checked>, now: Timestamp) -> Result<(), RepoError> {
        todo!()
    }
}
