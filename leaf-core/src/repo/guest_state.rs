//! How it stands with a leaf that is called by key, or calls: config rows `leaf-guest-state:ENDPOINT-ID`.
//!
//! The program that serves the repository notes it, now and then, for others to read; so it says when that was. What is
//! noted no more is not so any more: that program may have been killed.
//!
//! Source: ours.

use super::{Repo, RepoError, RepoTx};
use crate::json::{self, Value, Writer};
use crate::time::Timestamp;

/// How the names of the rows begin.
const ROW: &str = "leaf-guest-state:";
/// Connected is who was so lately; whoever notes it does so more often. Units: seconds.
const FRESH_S: i64 = 150;

/// How a leaf is connected.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GuestState {
    /// When it was so.
    pub at: Timestamp,
    /// Since when the bytes are counted.
    pub since: Timestamp,
    /// Connections that are open.
    pub connections: i64,
    /// By a relay; else directly. Of no meaning without a connection.
    pub is_relayed: bool,
    /// Round-trip time. Units: microseconds.
    pub rtt_us: i64,
    /// What went there, as it goes over the wire. Units: bytes.
    pub sent: i64,
    /// What came. Units: bytes.
    pub received: i64,
}

impl GuestState {
    /// Whether it is connected, as far as is known at `now`.
    pub fn is_connected(&self, now: Timestamp) -> bool {
        self.connections > 0 && now.unix() - self.at.unix() < FRESH_S
    }

    fn read(value: &str) -> Self {
        let mut state = Self::default();
        for (name, value) in json::read(value.as_bytes()).unwrap_or_default() {
            match (name.as_str(), value) {
                ("at", Value::Number(seconds)) => state.at = Timestamp::from_unix(seconds),
                ("since", Value::Number(seconds)) => state.since = Timestamp::from_unix(seconds),
                ("connections", Value::Number(count)) => state.connections = count,
                ("relayed", Value::Bool(is_relayed)) => state.is_relayed = is_relayed,
                ("rtt_us", Value::Number(rtt)) => state.rtt_us = rtt,
                ("sent", Value::Number(bytes)) => state.sent = bytes,
                ("received", Value::Number(bytes)) => state.received = bytes,
                _ => {}
            }
        }
        state
    }

    fn value(&self) -> String {
        let mut json = Writer::default();
        json.number("at", self.at.unix());
        json.number("since", self.since.unix());
        json.number("connections", self.connections);
        json.bool("relayed", self.is_relayed);
        json.number("rtt_us", self.rtt_us);
        json.number("sent", self.sent);
        json.number("received", self.received);
        String::from_utf8_lossy(&json.end()).into_owned()
    }
}

impl Repo {
    /// How it stood with the guest `id` when that was noted last; `None` if it never was.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn guest_state(&self, id: &str) -> Result<Option<GuestState>, RepoError> {
        let value = self.config(&[ROW, id].concat())?;
        Ok(value.map(|value| GuestState::read(&value)))
    }
}

impl RepoTx<'_> {
    /// Notes how it stands with `id`, if that is a guest: one who was revoked leaves nothing.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn note_guest_state(&self, id: &str, state: &GuestState) -> Result<(), RepoError> {
        match self.guest(id)? {
            Some(_) => self.set_config(&[ROW, id].concat(), &state.value(), state.at),
            None => Ok(()),
        }
    }

    /// Forgets it.
    pub(super) fn forget_guest_state(&self, id: &str) -> Result<bool, RepoError> {
        self.unset_config(&[ROW, id].concat())
    }
}
