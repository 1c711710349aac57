//! Verification: every artifact expanded and its hash checked, and what crosslinking needs noted on the way.
//!
//! ```text
//!   check_plan ──▶ CheckPart, CheckPart, ..   delta trees, of about equal work
//!   check      ──▶ Checked, Checked, ..       on any thread, with any read connection
//!   rebuild    ◀── all of them                one write transaction
//! ```
//!
//! Source: Fossil `src/rebuild.c`, `rebuild_step`; `src/content.c`, `test_integrity`.

mod links;
mod names;
mod plan;
mod recent;
mod walk;

use super::crosslink::CheckinFacts;
use super::{Repo, RepoError};
use crate::id::{ArtifactHash, Rid};

pub(super) use links::{LinkIndex, LinkedChange, Links};
pub(super) use names::{Key, Names};
pub use plan::CheckPart;

/// What one [`Repo::check`] found. Compact, and free to move between threads.
#[derive(Debug, Default)]
pub struct Checked {
    /// Artifacts expanded.
    pub artifacts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Artifacts that are not what their rows say.
    pub bad: Vec<BadRow>,
    /// Rows whose `size` is wrong, and the right number.
    pub(super) sizes: Vec<(Rid, i64)>,
    /// The rows by their names.
    pub(super) names: Names,
    /// The check-ins.
    pub(super) checkins: Vec<CheckinFacts>,
    /// The other structural artifacts.
    pub(super) others: Vec<Rid>,
    /// What check-ins change of their parents, as far as both were at hand at one time.
    pub(super) links: Links,
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
    /// Its delta hangs on itself, directly or over others.
    Cycle,
    /// Its delta does not apply.
    Delta,
    /// Its chain of deltas is too long.
    Depth,
    /// Its content has another hash.
    Hash,
    /// `blob.size` is another number.
    Size,
    /// It is a delta of an artifact that cannot be expanded.
    Source,
    /// Its compressed bytes cannot be expanded.
    Zblob,
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
    /// Artifacts that wait for the source of their delta.
    pub dangling: u64,
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

    /// Adds what one [`Repo::check`] found.
    pub fn add(&mut self, checked: &Checked) {
        self.artifacts += checked.artifacts;
        self.bytes += checked.bytes;
        self.bad.extend_from_slice(&checked.bad);
    }
}

impl Repo {
    /// Checks the whole file on this thread: [`check_file`](Self::check_file), and [`check`](Self::check) of
    /// everything.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport, RepoError> {
        let mut report = self.check_file()?;
        for part in self.check_plan(1)? {
            report.add(&self.check(&part, progress)?);
        }
        Ok(report)
    }

    /// Checks what has no part in [`check_plan`](Self::check_plan): the database itself, and what is missing.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn check_file(&self) -> Result<VerifyReport, RepoError> {
        let mut statement = self.db.prepare("PRAGMA integrity_check(20)")?;
        let said = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?;
        let phantoms: i64 = self
            .db
            .query_row("SELECT count(*) FROM blob WHERE size < 0", [], |row| row.get(0))?;
        let dangling: i64 = self.db.query_row(
            "WITH RECURSIVE waiting(rid) AS (
               SELECT delta.rid FROM delta JOIN blob ON blob.rid = srcid WHERE blob.size < 0
               UNION SELECT delta.rid FROM waiting JOIN delta ON srcid = waiting.rid)
             SELECT count(*) FROM waiting",
            [],
            |row| row.get(0),
        )?;
        Ok(VerifyReport {
            phantoms: phantoms.unsigned_abs(),
            dangling: dangling.unsigned_abs(),
            sqlite: said.into_iter().filter(|line| line != "ok").collect(),
            ..VerifyReport::default()
        })
    }
}
