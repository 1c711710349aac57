//! Leaves that may call by key: config rows `leaf-guest:ENDPOINT-ID`.
//!
//! What a guest may do is said in Fossil's letters, as of a user. A row is no user: it has no password, and stock,
//! which does not know such rows, lets nobody in by them. They are in no group of configuration and so never leave
//! this repository by a sync.
//!
//! Source: ours; letters: Fossil `src/login.c` `login_set_capabilities()`.

use super::{Capabilities, Repo, RepoError, RepoTx};
use crate::json::{self, Value, Writer};
use crate::time::Timestamp;

/// How the names of the rows begin.
const ROW: &str = "leaf-guest:";
/// A guest is noted again after so long: a sync that moves nothing is not to write. Units: seconds.
const SEEN_AGAIN_S: u64 = 3_600;

/// A leaf that may call.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Guest {
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
    /// Where it can be called, as a URL; empty when that is not known.
    pub place: String,
}

impl Guest {
    /// Whether a call at `now` has to be noted.
    pub fn is_seen_again(&self, now: Timestamp) -> bool {
        self.seen
            .is_none_or(|seen| now.unix().abs_diff(seen.unix()) > SEEN_AGAIN_S)
    }

    fn read(id: &str, value: &str) -> Self {
        let mut guest = Self {
            id: id.to_owned(),
            ..Self::default()
        };
        for (name, value) in json::read(value.as_bytes()).unwrap_or_default() {
            match (name.as_str(), value) {
                ("name", Value::Text(text)) => guest.name = text,
                ("cap", Value::Text(text)) => guest.capabilities = text,
                ("added", Value::Number(seconds)) => guest.added = Timestamp::from_unix(seconds),
                ("place", Value::Text(text)) => guest.place = text,
                ("seen", Value::Number(seconds)) => guest.seen = Some(Timestamp::from_unix(seconds)),
                _ => {}
            }
        }
        guest
    }

    fn value(&self) -> String {
        let mut json = Writer::default();
        json.text("name", &self.name);
        json.text("cap", &self.capabilities);
        json.number("added", self.added.unix());
        if let Some(seen) = self.seen {
            json.number("seen", seen.unix());
        }
        if !self.place.is_empty() {
            json.text("place", &self.place);
        }
        String::from_utf8_lossy(&json.end()).into_owned()
    }
}

impl Repo {
    /// All guests, by name.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn guests(&self) -> Result<Vec<Guest>, RepoError> {
        let rows = self.config_rows(ROW)?;
        let mut guests: Vec<Guest> = rows.iter().map(|(id, value)| Guest::read(id, value)).collect();
        guests.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        Ok(guests)
    }

    /// The guest whose endpoint id is `id`.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn guest(&self, id: &str) -> Result<Option<Guest>, RepoError> {
        let value = self.config(&[ROW, id].concat())?;
        Ok(value.map(|value| Guest::read(id, &value)))
    }

    /// What the letters of a guest grant, inheritance followed, besides what anybody may.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn capabilities_of_guest(&self, guest: &Guest) -> Result<Capabilities, RepoError> {
        Ok(self
            .capabilities_by(&guest.capabilities)?
            .union(self.capabilities_of_nobody()?))
    }

    /// The config rows whose names begin with `prefix`: what follows that, and the value.
    pub(super) fn config_rows(&self, prefix: &str) -> Result<Vec<(String, String)>, RepoError> {
        let sql = "SELECT substr(name, 1 + length(?1)), coalesce(value, '') FROM config
                    WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl RepoTx<'_> {
    /// Adds a guest, or changes one.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn set_guest(&self, guest: &Guest, now: Timestamp) -> Result<(), RepoError> {
        self.set_config(&[ROW, &guest.id].concat(), &guest.value(), now)
    }

    /// Takes a guest's rights away. `false` when it had none.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn remove_guest(&self, id: &str) -> Result<bool, RepoError> {
        self.forget_guest_state(id)?;
        self.unset_config(&[ROW, id].concat())
    }

    /// Notes that a guest has called, once an hour.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn note_guest_seen(&self, id: &str, now: Timestamp) -> Result<(), RepoError> {
        match self.guest(id)? {
            Some(mut guest) if guest.is_seen_again(now) => {
                guest.seen = Some(now);
                self.set_guest(&guest, now)
            }
            _ => Ok(()),
        }
    }

    /// Notes where a guest can be called.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn note_guest_place(&self, id: &str, place: &str, now: Timestamp) -> Result<(), RepoError> {
        match self.guest(id)? {
            Some(mut guest) if guest.place != place => {
                place.clone_into(&mut guest.place);
                self.set_guest(&guest, now)
            }
            _ => Ok(()),
        }
    }
}
