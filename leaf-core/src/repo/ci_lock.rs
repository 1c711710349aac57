//! Check-in locks: who is about to commit on a leaf.
//!
//! Source: Fossil `src/xfer.c` `page_xfer()`, pragmas `ci-lock` and `ci-unlock`; config rows `ci-lock-HASH`.

use super::column::text;
use super::{RepoError, RepoTx};
use crate::id::{ArtifactHash, Rid};
use crate::json::{self, Value, Writer};
use crate::time::Timestamp;

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
        for lock in self.ci_locks()? {
            let is_void = lock.since <= void_before || !lock.is_on_leaf;
            if lock.held.is_some() && is_void {
                self.unset_config(&lock.name)?;
            }
        }
        let name = format!("ci-lock-{checkin}");
        let locks = self.ci_locks()?.into_iter();
        let held = locks
            .filter(|lock| lock.name == name)
            .find_map(|lock| Some((lock.held?, lock.since)));
        if let Some(((user, holder), since)) = held {
            return Ok((holder != client).then_some(HeldLock { user, since }));
        }
        let mut json = Writer::default();
        json.text("login", user);
        json.text("clientid", client);
        self.set_config(&name, &String::from_utf8_lossy(&json.end()), now)?;
        Ok(None)
    }

    /// Drops every lock of `client`.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository failed.
    pub fn ci_unlock(&self, client: &str) -> Result<(), RepoError> {
        for lock in self.ci_locks()? {
            if lock.held.is_none_or(|(_, holder)| holder == client) {
                self.unset_config(&lock.name)?;
            }
        }
        Ok(())
    }

    fn ci_locks(&self) -> Result<Vec<Lock>, RepoError> {
        let locks = "SELECT name, CAST(value AS TEXT), mtime,
               EXISTS (SELECT 1 FROM blob JOIN leaf USING (rid) WHERE uuid = substr(name, 9))
             FROM config WHERE name GLOB 'ci-lock-*'";
        let mut locks = self.db.prepare_cached(locks)?;
        let locks = locks.query_map([], |row| {
            Ok(Lock {
                name: text(row, 0)?,
                held: read_lock(&text(row, 1)?),
                since: row.get(2)?,
                is_on_leaf: row.get(3)?,
            })
        })?;
        Ok(locks.collect::<Result<_, _>>()?)
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

/// A lock as it is stored.
struct Lock {
    name: String,
    /// Login and client; `None` when they cannot be read.
    held: Option<(String, String)>,
    since: i64,
    is_on_leaf: bool,
}

fn read_lock(value: &str) -> Option<(String, String)> {
    let (mut user, mut client) = (String::new(), String::new());
    for member in json::read(value.as_bytes())? {
        match (member.0.as_str(), member.1) {
            ("login", Value::Text(text)) => user = text,
            ("clientid", Value::Text(text)) => client = text,
            _ => {}
        }
    }
    Some((user, client))
}
