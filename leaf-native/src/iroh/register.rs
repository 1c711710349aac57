//! How it stands with each peer: connections, the way they take, bytes. For people, so it is noted in the repositories,
//! where `leaf peers list` and the page find it.
//!
//! A change of how peers are connected is noted within seconds; bytes and times once a minute, lest a repository be
//! written all the time for nothing.
//!
//! Source: iroh 1.4 `Connection::paths`, `Connection::stats`.

use super::guests::Guests;
use crate::world;
use iroh::EndpointId;
use iroh::endpoint::Connection;
use leaf_core::repo::{Guest, GuestState, Repo, RepoError};
use leaf_core::time::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::interval;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often bytes and times are noted. Units: seconds.
const NOTE_S: i64 = 60;

/// With whom this leaf is connected, or was.
#[derive(Debug)]
pub(super) struct Register {
    since: Timestamp,
    peers: Mutex<BTreeMap<EndpointId, Peer>>,
}

/// One of them.
#[derive(Debug, Default)]
struct Peer {
    open: Vec<Connection>,
    /// Bytes of connections that have ended.
    sent: u64,
    received: u64,
    noted: GuestState,
}

/// A connection that counts; until this is dropped.
pub(super) struct Entry {
    register: Arc<Register>,
    connection: Connection,
}

impl Default for Register {
    fn default() -> Self {
        Self {
            since: world::now(),
            peers: Mutex::default(),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut peers = self.register.peers();
        if let Some(peer) = peers.get_mut(&self.connection.remote_id()) {
            let own = self.connection.stable_id();
            peer.open.retain(|open| open.stable_id() != own);
            let (sent, received) = bytes(&self.connection);
            peer.sent += sent;
            peer.received += received;
        }
    }
}

impl Register {
    /// Counts a connection with a peer that is on a list.
    pub(super) fn enter(self: &Arc<Self>, connection: &Connection) -> Entry {
        let mut peers = self.peers();
        let peer = peers.entry(connection.remote_id()).or_default();
        peer.open.push(connection.clone());
        Entry {
            register: Arc::clone(self),
            connection: connection.clone(),
        }
    }

    /// Notes what changes, for as long as this is waited for.
    pub(super) async fn watch(&self, guests: &Guests) {
        let mut look = interval(LOOK);
        loop {
            look.tick().await;
            self.note(guests).await;
        }
    }

    /// Notes what has changed.
    pub(super) async fn note(&self, guests: &Guests) {
        let news = self.news(world::now());
        if news.is_empty() {
            return;
        }
        for (name, pool) in guests.pools().await {
            let news = news.clone();
            let noted = pool.run(move |repo, _| {
                repo.write(|tx| {
                    news.iter()
                        .try_for_each(|(id, state)| tx.note_guest_state(id, state))
                })
            });
            if let Ok(Err(error)) = noted.await {
                tracing::warn!(name, %error, "the repository takes no note of its peers");
            }
        }
    }

    /// What is worth noting, and counts as noted now.
    fn news(&self, now: Timestamp) -> Vec<(String, GuestState)> {
        let mut peers = self.peers();
        let news = peers.iter_mut().filter_map(|(id, peer)| {
            let state = peer.state(self.since, now);
            peer.is_worth_noting(&state).then(|| {
                peer.noted = state.clone();
                (id.to_string(), state)
            })
        });
        news.collect()
    }

    fn peers(&self) -> MutexGuard<'_, BTreeMap<EndpointId, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer {
    fn state(&self, since: Timestamp, now: Timestamp) -> GuestState {
        let mut ways = Vec::new();
        let (mut sent, mut received) = (self.sent, self.received);
        for connection in &self.open {
            let (out, back) = bytes(connection);
            sent += out;
            received += back;
            let paths = connection.paths();
            let way = paths.iter().find(iroh::endpoint::Path::is_selected);
            ways.extend(way.map(|path| (path.is_relay(), path.rtt())));
        }
        // Of several connections the best says most.
        let (is_relayed, rtt) = ways.into_iter().min().unwrap_or_default();
        GuestState {
            at: now,
            since,
            connections: self.open.len().try_into().unwrap_or(i64::MAX),
            is_relayed,
            rtt_us: rtt.as_micros().try_into().unwrap_or(i64::MAX),
            sent: sent.try_into().unwrap_or(i64::MAX),
            received: received.try_into().unwrap_or(i64::MAX),
        }
    }

    fn is_worth_noting(&self, state: &GuestState) -> bool {
        let noted = &self.noted;
        let is_over = state.connections == 0;
        state.connections != noted.connections
            || state.is_relayed != noted.is_relayed
            || is_over && (state.sent, state.received) != (noted.sent, noted.received)
            || !is_over && state.at.unix() - noted.at.unix() >= NOTE_S
    }
}

/// What went and came by a connection.
fn bytes(connection: &Connection) -> (u64, u64) {
    let stats = connection.stats();
    (stats.udp_tx.bytes, stats.udp_rx.bytes)
}

/// A peer and how it stands with it, for programs.
pub(crate) fn guest_json(guest: &Guest, state: Option<&GuestState>, now: Timestamp) -> Value {
    let state = state.map(|state| {
        json!({
            "at": state.at.iso(),
            "since": state.since.iso(),
            "connected": state.is_connected(now),
            "path": if state.is_relayed { "relayed" } else { "direct" },
            "rtt_us": state.rtt_us,
            "bytes_sent": state.sent,
            "bytes_received": state.received,
        })
    });
    json!({
        "id": guest.id,
        "name": guest.name,
        "capabilities": guest.capabilities,
        "added": guest.added.iso(),
        "seen": guest.seen.map(Timestamp::iso),
        "state": state,
    })
}

/// All peers of a repository, for programs.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn guests_json(repo: &Repo, now: Timestamp) -> Result<Vec<Value>, RepoError> {
    let guests = repo.guests()?.into_iter();
    guests
        .map(|guest| {
            let state = repo.guest_state(&guest.id)?;
            Ok(guest_json(&guest, state.as_ref(), now))
        })
        .collect()
}
