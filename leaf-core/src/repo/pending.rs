//! Stand-in for what is not here yet.
#![allow(missing_docs, clippy::all, unused)]
use super::{RepoError, RepoTx};
use crate::id::Rid;
impl RepoTx<'_> {
    pub fn crosslink(&self, r: &[Rid]) -> Result<(), RepoError> {
        todo!()
    }
}
