//! Leaves that may call by key: config rows `leaf-peer:ENDPOINT-ID`.
//!
//! What a peer may do is said in Fossil's letters, as of a user. A row is no user: it has no password, and stock,
//! which does not know such rows, lets nobody in by them. They are in no group of configuration and so never leave
//! this repository by a sync.
//!
//! Source: ours; letters: Fossil `src/login.c` `login_set_capabilities()`.

use super::{Capabilities, Repo, RepoError, RepoTx};
use crate::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

/// A peer is noted again after so long: a sync that moves nothing is not to write. Units: seconds.
const SEEN_AGAIN_S: i64 = 3_600;

const COLUMNS: &str = "substr(name, 11), coalesce(value->>'name', ''), coalesce(value->>'cap', ''),
     coalesce(value->>'added', 0), value->>'seen'";

/// A leaf that may call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Peer {
    /// Its endpoint id.
    ///
    /// Shape: 64 lower-case hex digits.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it may do, in Fossil's letters.
    pub capabilities: String,
    /// Since when it may.
    pub added: Timestamp,
    /// When it called, to the hour; `None` if never.
    pub seen: Option<Timestamp>,
}

impl Repo {
    /// All peers, by name.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn peers(&self) -> Result<Vec<Peer>, RepoError> {
        let sql = format!("SELECT {COLUMNS} FROM config WHERE name GLOB 'leaf-peer:*' ORDER BY 2, 1");
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map([], peer)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The peer whose endpoint id is `id`.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn peer(&self, id: &str) -> Result<Option<Peer>, RepoError> {
        let sql = format!("SELECT {COLUMNS} FROM config WHERE name = 'leaf-peer:' || ?1");
        let mut statement = self.db.prepare_cached(&sql)?;
        Ok(statement.query_row([id], peer).optional()?)
    }

    /// What the letters of a peer grant, inheritance followed, besides what anybody may.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn capabilities_of_peer(&self, peer: &Peer) -> Result<Capabilities, RepoError> {
        Ok(self
            .capabilities_by(&peer.capabilities)?
            .union(self.capabilities_of_nobody()?))
    }
}

impl RepoTx<'_> {
    /// Adds a peer, or changes one.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn set_peer(&self, peer: &Peer, now: Timestamp) -> Result<(), RepoError> {
        let sql = "REPLACE INTO config(name, value, mtime)
             VALUES ('leaf-peer:' || ?1, json_object('name', ?2, 'cap', ?3, 'added', ?4, 'seen', ?5), ?6)";
        let (added, seen) = (peer.added.unix(), peer.seen.map(Timestamp::unix));
        self.db.prepare_cached(sql)?.execute(params![
            peer.id,
            peer.name,
            peer.capabilities,
            added,
            seen,
            now.unix()
        ])?;
        Ok(())
    }

    /// Takes a peer's rights away. `false` when it had none.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn remove_peer(&self, id: &str) -> Result<bool, RepoError> {
        self.unset_config(&["leaf-peer:", id].concat())
    }

    /// Notes that a peer has called, once an hour.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn note_peer_seen(&self, id: &str, now: Timestamp) -> Result<(), RepoError> {
        let sql = "UPDATE config SET value = json_set(value, '$.seen', ?2)
             WHERE name = 'leaf-peer:' || ?1 AND abs(?2 - coalesce(value->>'seen', 0)) > ?3";
        self.db
            .prepare_cached(sql)?
            .execute(params![id, now.unix(), SEEN_AGAIN_S])?;
        Ok(())
    }
}

impl Peer {
    /// Whether a call at `now` has to be noted.
    pub fn is_seen_again(&self, now: Timestamp) -> bool {
        self.seen
            .is_none_or(|seen| now.unix().abs_diff(seen.unix()) > SEEN_AGAIN_S.unsigned_abs())
    }
}

fn peer(row: &Row<'_>) -> rusqlite::Result<Peer> {
    Ok(Peer {
        id: row.get(0)?,
        name: row.get(1)?,
        capabilities: row.get(2)?,
        added: Timestamp::from_unix(row.get(3)?),
        seen: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_unix),
    })
}
