//! Check-in locks: who is about to commit on a leaf.
//!
//! Source: Fossil `src/xfer.c` `page_xfer()`, pragmas `ci-lock` and `ci-unlock`; config rows `ci-lock-HASH`.

use super::{RepoError, RepoTx};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;
use rusqlite::params;

/// Age at which a lock is void, unless `lock-timeout` says otherwise. Units: seconds.
const LOCK_TIMEOUT_S: i64 = 60;

/// A lock that somebody else holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeldLock {
    /// Login name of the holder.
    pub user: String,
    /// Units: seconds since 1970.
    pub since: i64,
}

impl RepoTx<'_> {
    /// Takes the lock on `checkin` for `client`, or tells who holds it.
    ///
    /// Locks that are too old, or on a check-in that is no leaf any more, are dropped first.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository failed.
    pub fn ci_lock(
        &self,
        checkin: &ArtifactHash,
        client: &str,
        user: &str,
        now: Timestamp,
    ) -> Result<Option<HeldLock>, RepoError> {
        let timeout = self
            .config("lock-timeout")?
            .and_then(|text| text.trim().parse().ok());
        let void_before = now.unix().saturating_sub(timeout.unwrap_or(LOCK_TIMEOUT_S));
        let expired = "DELETE FROM config WHERE name GLOB 'ci-lock-*' AND json_valid(value) AND (mtime <= ?1
             OR NOT EXISTS (SELECT 1 FROM blob JOIN leaf USING (rid) WHERE uuid = substr(name, 9)))";
        self.db.prepare_cached(expired)?.execute([void_before])?;
        let name = format!("ci-lock-{checkin}");
        let held = "SELECT value ->> 'login', mtime, value ->> 'clientid' FROM config
             WHERE name = ?1 AND json_valid(value)";
        let mut held = self.db.prepare_cached(held)?;
        let mut rows = held.query([&name])?;
        if let Some(row) = rows.next()? {
            let holder: Option<String> = row.get(2)?;
            let user: Option<String> = row.get(0)?;
            let lock = HeldLock {
                user: user.unwrap_or_default(),
                since: row.get(1)?,
            };
            return Ok((holder.as_deref() != Some(client)).then_some(lock));
        }
        let take = "REPLACE INTO config (name, value, mtime)
             VALUES (?1, json_object('login', ?2, 'clientid', ?3), ?4)";
        self.db
            .prepare_cached(take)?
            .execute(params![name, user, client, now.unix()])?;
        Ok(None)
    }

    /// Drops every lock of `client`.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository failed.
    pub fn ci_unlock(&self, client: &str) -> Result<(), RepoError> {
        let drop = "DELETE FROM config WHERE name GLOB 'ci-lock-*'
             AND (NOT json_valid(value) OR value ->> 'clientid' = ?1)";
        self.db.prepare_cached(drop)?.execute([client])?;
        Ok(())
    }

    /// Whether the content of `rid` is here, if only as a delta of something that is not.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository failed.
    pub fn holds(&self, rid: Rid) -> Result<bool, RepoError> {
        let held = "SELECT EXISTS (SELECT 1 FROM blob WHERE rid = ?1 AND size >= 0)";
        Ok(self.db.prepare_cached(held)?.query_row([rid], |row| row.get(0))?)
    }
}
