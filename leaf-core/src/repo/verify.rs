//! Verification: every artifact expanded and its hash checked, and what crosslinking needs noted on the way.
//!
//! Source: Fossil `src/rebuild.c`, `rebuild_step`; `src/content.c`, `test_integrity`.

use super::{Repo, RepoError};
use crate::id::{ArtifactHash, Rid};

/// Delta trees that one [`Repo::check`] goes through.
#[derive(Clone, Debug, Default)]
pub struct CheckPart {
    roots: Vec<Rid>,
}

/// What one [`Repo::check`] found. Compact, and free to move between threads.
#[derive(Debug, Default)]
pub struct Checked {
    /// Artifacts expanded.
    pub artifacts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Artifacts that are not what their rows say.
    pub bad: Vec<BadRow>,
}

/// An artifact that is not what its row says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadRow {
    /// Its row.
    pub rid: Rid,
    /// Its name.
    pub hash: ArtifactHash,
    /// What is wrong.
    pub why: Fault,
}

/// What can be wrong with a stored artifact.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Its content has another hash.
    Hash,
    /// `blob.size` is another number.
    Size,
    /// Its compressed bytes cannot be expanded.
    Zblob,
    /// Its delta does not apply.
    Delta,
    /// Its delta hangs on itself, or on nothing.
    Cycle,
}

/// What [`Repo::verify`] found.
#[derive(Clone, Debug, Default)]
pub struct VerifyReport {
    /// Artifacts expanded and checked.
    pub artifacts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Names without content.
    pub phantoms: u64,
    /// Artifacts that are not what their rows say.
    pub bad: Vec<BadRow>,
    /// What SQLite says of the file; empty when it is sound.
    pub sqlite: Vec<String>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.bad.is_empty() && self.sqlite.is_empty()
    }
}

impl Repo {
    /// Splits the artifacts into parts of about equal work, at most `parts` of them.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn check_plan(&self, parts: usize) -> Result<Vec<CheckPart>, RepoError> {
        todo!()
    }

    /// Expands and checks the artifacts of one part. Reads only, hence several parts may be checked at once,
    /// each with a connection of its own. `progress` hears of artifacts and bytes done since it last heard.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`]. What is wrong with an artifact is part of the result, not an error.
    pub fn check(&self, part: &CheckPart, progress: &mut dyn FnMut(u64, u64)) -> Result<Checked, RepoError> {
        todo!()
    }

    /// Checks the whole file.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport, RepoError> {
        todo!()
    }
}
