//! Crosslinking: from artifacts to the derived tables, in any order of arrival.
//!
//! Source: Fossil `src/manifest.c`, `manifest_crosslink`.

use super::{RepoError, RepoTx};
use crate::id::Rid;

/// What crosslinking met.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CrosslinkReport {
    /// Structural artifacts among those given.
    pub structural: usize,
}

impl RepoTx<'_> {
    /// Brings the derived tables up to date with artifacts whose content has just become available.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn crosslink(&self, settled: &[Rid]) -> Result<CrosslinkReport, RepoError> {
        todo!()
    }
}
