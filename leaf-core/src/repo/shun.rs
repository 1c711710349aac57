//! Artifacts that this repository bans.
//!
//! A banned artifact is neither taken nor asked for nor told of. One that is here already goes when the ban is
//! applied.
//!
//! Source: Fossil `src/shun.c`; `src/rebuild.c`.

use super::{Repo, RepoError, RepoTx};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;

/// A ban.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shunned {
    /// What is banned.
    pub hash: ArtifactHash,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub comment: Option<String>,
}

impl Repo {
    /// All bans, by name.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn shunned(&self) -> Result<Vec<Shunned>, RepoError> {
        let mut statement = self
            .db
            .prepare_cached("SELECT uuid, coalesce(mtime, 0), scom FROM shun ORDER BY uuid")?;
        let rows = statement.query_map([], |row| {
            Ok(Shunned {
                hash: row.get(0)?,
                since: Timestamp::from_unix(row.get(1)?),
                comment: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl RepoTx<'_> {
    /// Bans an artifact. What is here stays until [`apply_shun`](Self::apply_shun).
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn shun(&self, hash: &ArtifactHash, comment: Option<&str>, now: Timestamp) -> Result<(), RepoError> {
        self.db
            .prepare_cached("INSERT OR IGNORE INTO shun(uuid, mtime, scom) VALUES (?1, ?2, ?3)")?
            .execute((hash.hex().as_str(), now.unix(), comment))?;
        Ok(())
    }

    /// Lifts a ban. `false` when there was none.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn unshun(&self, hash: &ArtifactHash) -> Result<bool, RepoError> {
        let mut statement = self.db.prepare_cached("DELETE FROM shun WHERE uuid = ?1")?;
        Ok(statement.execute([hash.hex().as_str()])? > 0)
    }

    /// Removes banned artifacts that are here; deltas that hang on them are expanded first. The derived tables
    /// are to be rebuilt afterwards. Returns how many went.
    ///
    /// # Errors
    ///
    /// Those of [`Repo::content`], [`RepoError::Sqlite`].
    pub fn apply_shun(&self) -> Result<u64, RepoError> {
        let mut statement = self
            .db
            .prepare("SELECT rid FROM blob WHERE uuid IN (SELECT uuid FROM shun)")?;
        let gone = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<Rid>, _>>()?;
        for &rid in &gone {
            let mut statement = self.db.prepare_cached("SELECT rid FROM delta WHERE srcid = ?1")?;
            let hanging = statement
                .query_map([rid], |row| row.get(0))?
                .collect::<Result<Vec<Rid>, _>>()?;
            for rid in hanging {
                self.undelta(rid)?;
            }
            for table in ["delta", "private", "phantom", "unclustered", "unsent", "blob"] {
                self.db
                    .prepare_cached(&format!("DELETE FROM {table} WHERE rid = ?1"))?
                    .execute([rid])?;
            }
            self.cache.borrow_mut().forget(rid);
        }
        if !gone.is_empty() {
            self.note_removal()?;
        }
        Ok(gone.len() as u64)
    }
}
