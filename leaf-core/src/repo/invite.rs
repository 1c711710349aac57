//! Invitations that were given out: config rows `leaf-invite:KEY`.
//!
//! The key is the public half of what the ticket stands for; the secret is nowhere here. A used or expired one is
//! kept for a while, so that whoever comes with it is told what is wrong.
//!
//! Source: ours.

use super::{Guest, Repo, RepoError, RepoTx};
use crate::json::{self, Value, Writer};
use crate::time::Timestamp;

/// How the names of the rows begin.
const ROW: &str = "leaf-invite:";
/// How long an invitation is known that can no longer be used. Units: seconds.
const KEPT_S: i64 = 30 * 86_400;

/// An invitation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
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

/// Why somebody who came with an invitation is not let in, in the words that it hears.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAdmitted {
    /// Somebody else came with it before.
    #[error("this ticket was used before: each is good for one")]
    Used,
    /// It came too late.
    #[error("this ticket has expired")]
    Expired,
    /// There is no such invitation.
    #[error("this ticket is unknown here: it was withdrawn, or is long past")]
    Unknown,
}

impl Invite {
    fn read(key: &str, value: &str) -> Self {
        let mut invite = Self {
            key: key.to_owned(),
            ..Self::default()
        };
        for (name, value) in json::read(value.as_bytes()).unwrap_or_default() {
            match (name.as_str(), value) {
                ("name", Value::Text(text)) => invite.name = text,
                ("cap", Value::Text(text)) => invite.capabilities = text,
                ("until", Value::Number(seconds)) => invite.expires = Timestamp::from_unix(seconds),
                ("used", Value::Text(id)) => invite.used_by = Some(id),
                _ => {}
            }
        }
        invite
    }

    fn value(&self) -> String {
        let mut json = Writer::default();
        json.text("name", &self.name);
        json.text("cap", &self.capabilities);
        json.number("until", self.expires.unix());
        if let Some(id) = &self.used_by {
            json.text("used", id);
        }
        String::from_utf8_lossy(&json.end()).into_owned()
    }
}

impl Repo {
    /// The invitation of that key.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn invite(&self, key: &str) -> Result<Option<Invite>, RepoError> {
        let value = self.config(&[ROW, key].concat())?;
        Ok(value.map(|value| Invite::read(key, &value)))
    }

    /// Whether somebody who is no guest yet may be on the way.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn awaits_guests(&self, now: Timestamp) -> Result<bool, RepoError> {
        let is_open = |invite: &Invite| invite.used_by.is_none() && invite.expires > now;
        Ok(self.invites()?.iter().any(is_open))
    }

    /// Whether there is anything to say to somebody with a ticket, if only that it is used or expired.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn has_invited(&self) -> Result<bool, RepoError> {
        Ok(!self.invites()?.is_empty())
    }

    fn invites(&self) -> Result<Vec<Invite>, RepoError> {
        let rows = self.config_rows(ROW)?;
        Ok(rows.iter().map(|(key, value)| Invite::read(key, value)).collect())
    }
}

impl RepoTx<'_> {
    /// Keeps an invitation, and forgets those of long ago.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn add_invite(&self, invite: &Invite, now: Timestamp) -> Result<(), RepoError> {
        let oldest = now.unix().saturating_sub(KEPT_S);
        for old in self.invites()?.iter().filter(|old| old.expires.unix() < oldest) {
            self.unset_config(&[ROW, &old.key].concat())?;
        }
        self.set_config(&[ROW, &invite.key].concat(), &invite.value(), now)
    }

    /// Lets in the endpoint `id`, which calls itself `name` and has proved that it holds the invitation `key`.
    ///
    /// The same endpoint is let in again as long as it is a guest: an answer may have been lost.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn admit(
        &self,
        key: &str,
        id: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<Result<Guest, NotAdmitted>, RepoError> {
        let Some(mut invite) = self.invite(key)? else {
            return Ok(Err(NotAdmitted::Unknown));
        };
        match &invite.used_by {
            Some(by) if by == id => return Ok(self.guest(id)?.ok_or(NotAdmitted::Used)),
            Some(_) => return Ok(Err(NotAdmitted::Used)),
            None if invite.expires <= now => return Ok(Err(NotAdmitted::Expired)),
            None => {}
        }
        let name = [&invite.name, name]
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or("", |name| name);
        let guest = Guest {
            id: id.to_owned(),
            name: name.to_owned(),
            capabilities: invite.capabilities.clone(),
            added: now,
            seen: Some(now),
            place: String::new(),
        };
        self.set_guest(&guest, now)?;
        invite.used_by = Some(id.to_owned());
        self.add_invite(&invite, now)?;
        Ok(Ok(guest))
    }
}
