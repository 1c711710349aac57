//! Receiving artifacts: what both sides do alike.
//!
//! Source: Fossil `src/xfer.c` `xfer_accept_file()`.

use crate::repo::{Incoming, Received, RepoError, RepoTx};

/// Verifies and stores an artifact.
///
/// A delta against what is shunned here cannot be used, and is nobody's fault: only its name is kept, and asked
/// for another time.
pub(super) fn receive(tx: &RepoTx<'_>, incoming: &Incoming<'_>) -> Result<Received, RepoError> {
    match tx.receive(incoming) {
        Err(RepoError::NoSuchArtifact { .. }) => {
            tx.phantom(&incoming.hash, incoming.private)?;
            Ok(Received::default())
        }
        received => received,
    }
}
