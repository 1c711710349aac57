//! Invitations that were given out: config rows `leaf-invite:KEY`.
//!
//! The key is the public half of what the ticket stands for; the secret is nowhere here. A used or expired one is
//! kept for a while, so that whoever comes with it is told what is wrong.
//!
//! Source: ours.

use super::{Peer, Repo, RepoError, RepoTx};
use crate::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

/// How long an invitation is known that can no longer be used. Units: seconds.
const KEPT_S: i64 = 30 * 86_400;

/// An invitation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invite {
    /// The public half.
    ///
    /// Shape: 64 lower-case hex digits.
    pub key: String,
    /// What the guest is to be called; empty: as it calls itself.
    pub name: String,
    /// What it may do, in Fossil's letters.
    pub capabilities: String,
    /// Until when it may come.
    pub expires: Timestamp,
    /// Who came.
    pub used_by: Option<String>,
}

/// What became of somebody who came with an invitation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Admission {
    /// It is a peer now, or was made one by this very invitation before.
    Admitted(Peer),
    /// Somebody else came with it before.
    Used,
    /// It came too late.
    Expired,
    /// There is no such invitation.
    Unknown,
}

impl Repo {
    /// The invitation of that key.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn invite(&self, key: &str) -> Result<Option<Invite>, RepoError> {
        let sql = "SELECT substr(name, 13), coalesce(value->>'name', ''), coalesce(value->>'cap', ''),
                          coalesce(value->>'until', 0), value->>'used'
                     FROM config WHERE name = 'leaf-invite:' || ?1";
        let mut statement = self.db.prepare_cached(sql)?;
        Ok(statement.query_row([key], invite).optional()?)
    }

    /// Whether somebody who is no peer yet may be on the way.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn awaits_guests(&self, now: Timestamp) -> Result<bool, RepoError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM config WHERE name GLOB 'leaf-invite:*'
                      AND value->>'used' IS NULL AND value->>'until' > ?1)";
        let mut statement = self.db.prepare_cached(sql)?;
        Ok(statement.query_row([now.unix()], |row| row.get(0))?)
    }

    /// Whether there is anything to say to somebody with a ticket, if only that it is used or expired.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn has_invited(&self) -> Result<bool, RepoError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM config WHERE name GLOB 'leaf-invite:*')";
        let mut statement = self.db.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}

impl RepoTx<'_> {
    /// Keeps an invitation, and forgets those of long ago.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn add_invite(&self, invite: &Invite, now: Timestamp) -> Result<(), RepoError> {
        self.db
            .prepare_cached("DELETE FROM config WHERE name GLOB 'leaf-invite:*' AND value->>'until' < ?1")?
            .execute([now.unix().saturating_sub(KEPT_S)])?;
        let sql = "REPLACE INTO config(name, value, mtime) VALUES ('leaf-invite:' || ?1,
                      json_object('name', ?2, 'cap', ?3, 'until', ?4, 'used', ?5), ?6)";
        self.db.prepare_cached(sql)?.execute(params![
            invite.key,
            invite.name,
            invite.capabilities,
            invite.expires.unix(),
            invite.used_by,
            now.unix()
        ])?;
        Ok(())
    }

    /// Lets in the endpoint `id`, which calls itself `name` and has proved that it holds the invitation `key`.
    ///
    /// The same endpoint is let in again as long as it is a peer: an answer may have been lost.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn admit(&self, key: &str, id: &str, name: &str, now: Timestamp) -> Result<Admission, RepoError> {
        let Some(mut invite) = self.invite(key)? else {
            return Ok(Admission::Unknown);
        };
        match &invite.used_by {
            Some(by) if by == id => {
                return Ok(self.peer(id)?.map_or(Admission::Used, Admission::Admitted));
            }
            Some(_) => return Ok(Admission::Used),
            None if invite.expires <= now => return Ok(Admission::Expired),
            None => {}
        }
        let name = [&invite.name, name]
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or("", |name| name);
        let peer = Peer {
            id: id.to_owned(),
            name: name.to_owned(),
            capabilities: invite.capabilities.clone(),
            added: now,
            seen: Some(now),
        };
        self.set_peer(&peer, now)?;
        invite.used_by = Some(id.to_owned());
        self.add_invite(&invite, now)?;
        Ok(Admission::Admitted(peer))
    }
}

fn invite(row: &Row<'_>) -> rusqlite::Result<Invite> {
    Ok(Invite {
        key: row.get(0)?,
        name: row.get(1)?,
        capabilities: row.get(2)?,
        expires: Timestamp::from_unix(row.get(3)?),
        used_by: row.get(4)?,
    })
}
