//! The broker: connections in, subscriptions kept, messages passed on.
//!
//! A shell calls [`NatsBroker::connect`] for each stream it accepts or dials, gives what it reads to
//! [`NatsBroker::handle_bytes`], then writes what [`NatsBroker::poll_dirty`] and [`NatsBroker::transmit`] have
//! for it, and calls [`NatsBroker::handle_timeout`] when [`NatsBroker::poll_timeout`] is due. One broker has one
//! owner, so there is no lock anywhere.
//!
//! Source: NATS client protocol; what nats-server 2.9.10 and 2.15.1 do (`tests/nats`).

mod access;
mod client;
mod conn;
mod link;
mod route;
mod table;

pub use access::{Gate, Grant, Known, OpenGate, Responses, Visitor};
pub use conn::{Close, ConnId, PeerKind, Traffic};

use super::info::{Connect, Info};
use super::sublist::{SubKey, Sublist};
use super::{BadOp, write};
use crate::limits::NatsLimits;
use crate::time::Timestamp;
use conn::{Conn, Stage, Sub};
use std::collections::VecDeque;
use table::Table;

/// What a broker is told of itself.
#[derive(Clone, Debug, Default)]
pub struct BrokerConfig {
    /// Unique for each start: 56 letters and digits, the first an `N`, as clients expect it.
    pub server_id: String,
    /// What its owner calls it.
    pub server_name: String,
    /// Where clients reach it.
    pub host: String,
    /// Where clients reach it.
    pub port: u16,
    /// Where leaf nodes reach it, `host:port`.
    pub leafnode_url: String,
    /// The mesh it takes part in; empty for none.
    pub mesh: String,
    /// The broker's part of the version.
    pub version: String,
    /// Seeds the choice of queue members.
    pub seed: u64,
}

/// What a shell may want to know.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum BrokerEvent {
    /// A connection was let in. On a link, `peer` is the other broker's id.
    Opened {
        /// Which.
        id: ConnId,
        /// The id of the broker behind a link.
        peer: Option<String>,
    },
    /// A connection ended; what is ready to be written to it is its last.
    Closed {
        /// Which.
        id: ConnId,
        /// Why.
        why: Close,
    },
}

/// What is known of a connection.
#[derive(Clone, Debug)]
pub struct ConnStat {
    /// Its name.
    pub id: ConnId,
    /// What kind of peer it is for.
    pub kind: PeerKind,
    /// Where it comes from.
    pub address: String,
    /// What it calls itself.
    pub name: String,
    /// Of its library.
    pub lang: String,
    /// Of its library.
    pub version: String,
    /// Whom it was let in as.
    pub user: String,
    /// Since when it is there.
    pub since: Timestamp,
    /// When it last said something.
    pub heard: Timestamp,
    /// Bytes that wait to be written.
    pub pending: usize,
    /// What it asked for.
    pub subjects: Vec<String>,
    /// What went through.
    pub traffic: Traffic,
}

/// What went through a broker since its start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct BrokerStat {
    /// Open connections.
    pub connections: usize,
    /// Connections there ever were.
    pub connections_ever: u32,
    /// Open subscriptions.
    pub subscriptions: usize,
    /// Connections that were ended because they did not read.
    pub slow_consumers: u64,
    /// Messages, in both directions, with what those of closed connections had.
    pub traffic: Traffic,
}

/// A NATS broker.
pub struct NatsBroker {
    config: BrokerConfig,
    limits: NatsLimits,
    gate: Box<dyn Gate>,
    conns: Table<Conn>,
    subs: Table<Sub>,
    sublist: Sublist,
    serial: u32,
    dirty: VecDeque<u32>,
    events: VecDeque<BrokerEvent>,
    due: Option<Timestamp>,
    dice: u64,
    scratch: route::Scratch,
    gone: Traffic,
    slow_consumers: u64,
    is_lame: bool,
    /// Set while a connection that is written to has more to read than is good for it.
    is_pressed: bool,
    /// Links there ever were that carried messages.
    joins: u32,
    /// Our own subject for finding circles, on all links.
    loop_subject: Box<[u8]>,
}

impl NatsBroker {
    /// A broker without connections.
    pub fn new(config: BrokerConfig, limits: NatsLimits, gate: Box<dyn Gate>) -> Self {
        let loop_subject = link::loop_subject(&config.server_id);
        Self {
            dice: config.seed,
            config,
            limits,
            gate,
            conns: Table::default(),
            subs: Table::default(),
            sublist: Sublist::default(),
            serial: 0,
            dirty: VecDeque::new(),
            events: VecDeque::new(),
            due: None,
            scratch: route::Scratch::default(),
            gone: Traffic::default(),
            slow_consumers: 0,
            is_lame: false,
            is_pressed: false,
            joins: 0,
            loop_subject: loop_subject.into(),
        }
    }

    /// Takes a stream that was accepted, or dialled. For an accepted one the broker speaks first.
    ///
    /// `connect` is what a dialled peer will be told; its ids are filled in here.
    pub fn connect(
        &mut self,
        kind: PeerKind,
        visitor: Visitor,
        connect: Option<Connect>,
        now: Timestamp,
    ) -> ConnId {
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let is_dialled = matches!(kind, PeerKind::Hub | PeerKind::Mesh { is_ours: true });
        let is_guarded = !is_dialled && self.gate.is_guarded(&visitor);
        let limit_ms = match is_guarded || kind.is_link() {
            true => self.limits.connect_ms_max,
            false => self.limits.first_ping_ms,
        };
        let due = Timestamp(now.0.saturating_add(limit_ms));
        let slot = self.conns.insert(|slot| Conn {
            id: ConnId { slot, serial },
            kind,
            stage: match is_dialled {
                true => Stage::ExpectInfo,
                false => Stage::ExpectConnect,
            },
            visitor,
            is_guarded,
            connect: connect.unwrap_or_default(),
            grant: Grant::default(),
            is_publish_open: true,
            owed: access::Owed::default(),
            unread: Vec::new(),
            out: Vec::new(),
            out_from: 0,
            written: 0,
            is_dirty: false,
            since: now,
            heard: now,
            ping_due: due,
            pings_out: 0,
            is_asked: false,
            is_introduced: false,
            owes_info: false,
            traffic: Traffic::default(),
            subs: std::collections::HashMap::new(),
            told: std::collections::HashMap::new(),
            peer_id: String::new(),
            joined: None,
            has_answered: false,
            rival: None,
            closed: None,
        });
        self.due = Some(self.due.map_or(due, |known| known.min(due)));
        if !is_dialled {
            self.say_info(slot);
            // Who needs no credentials may say anything before its CONNECT, or instead of it.
            if !is_guarded && kind == PeerKind::Client {
                self.admit_unasked(slot);
            }
            if self.is_crowded() {
                self.close(slot, Close::TooMany);
            }
        }
        ConnId { slot, serial }
    }

    /// Takes what was read. An id that is gone is ignored.
    pub fn handle_bytes(&mut self, id: ConnId, bytes: &[u8], now: Timestamp) {
        self.is_pressed = false;
        let Some(conn) = self.conn(id) else { return };
        conn.heard = now;
        let mut held = std::mem::take(&mut conn.unread);
        if held.is_empty() {
            let used = self.handle_input(id, bytes, now);
            if let (Some(conn), Some(rest)) = (self.conn(id), bytes.get(used..)) {
                // An idle connection keeps no buffer.
                held.extend_from_slice(rest);
                conn.unread = held;
            }
            return;
        }
        held.extend_from_slice(bytes);
        let used = self.handle_input(id, &held, now);
        held.drain(..used.min(held.len()));
        if held.is_empty() {
            held = Vec::new();
        }
        if let Some(conn) = self.conn(id) {
            conn.unread = held;
        }
    }

    /// Acts on all operations that are whole and says how many bytes they were.
    fn handle_input(&mut self, id: ConnId, input: &[u8], now: Timestamp) -> usize {
        let mut used = 0_usize;
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            let Some(conn) = self.conn(id).filter(|conn| conn.stage != Stage::Closed) else {
                return input.len();
            };
            let step = match conn.kind.is_link() {
                false => self.client_step(id.slot, rest, now),
                true => self.link_step(id.slot, rest, now),
            };
            match step {
                Ok(Some(bytes)) => used = used.saturating_add(bytes),
                Ok(None) => break,
                Err(bad) => {
                    self.close(
                        id.slot,
                        match bad {
                            BadOp::Arguments => Close::Arguments,
                            BadOp::Line => Close::Line,
                            BadOp::Payload { .. } => Close::Payload,
                            BadOp::Verb => Close::Verb,
                        },
                    );
                    return input.len();
                }
            }
        }
        used
    }

    /// Whether what was just handled went to somebody who is slow to read: the shell lets the writer wait for
    /// some milliseconds before it reads on.
    pub fn is_pressed(&self) -> bool {
        self.is_pressed
    }

    /// A connection that has something to be written, or has ended.
    pub fn poll_dirty(&mut self) -> Option<ConnId> {
        while let Some(slot) = self.dirty.pop_front() {
            if let Some(conn) = self.conns.get_mut(slot) {
                conn.is_dirty = false;
                return Some(conn.id);
            }
        }
        None
    }

    /// What is to be written. Say by [`sent`](Self::sent) how much was.
    pub fn transmit(&self, id: ConnId) -> &[u8] {
        let conn = self.conns.get(id.slot).filter(|conn| conn.id == id);
        conn.and_then(|conn| conn.out.get(conn.out_from..))
            .unwrap_or_default()
    }

    /// Notes that so many bytes of [`transmit`](Self::transmit) were written.
    pub fn sent(&mut self, id: ConnId, bytes: usize) {
        const KEPT: usize = 64 << 10;
        let Some(conn) = self.conn(id) else { return };
        conn.written = conn.written.wrapping_add(bytes as u64);
        conn.out_from = conn.out_from.saturating_add(bytes).min(conn.out.len());
        if conn.out_from == conn.out.len() {
            conn.out_from = 0;
            conn.out.clear();
            if conn.out.capacity() > KEPT {
                conn.out = Vec::new();
            }
        } else if conn.out_from > conn.out.len() / 2 {
            conn.out.drain(..conn.out_from);
            conn.out_from = 0;
        }
    }

    /// How many bytes were ever written to it: one that has something to be written and whose number does not grow
    /// is stuck.
    pub fn written(&self, id: ConnId) -> u64 {
        let conn = self.conns.get(id.slot).filter(|conn| conn.id == id);
        conn.map_or(0, |conn| conn.written)
    }

    /// The bounds it keeps.
    pub fn limits(&self) -> &NatsLimits {
        &self.limits
    }

    /// Why a connection ended, if it did. Write what is left of it, then [`disconnect`](Self::disconnect).
    pub fn closed(&self, id: ConnId) -> Option<&Close> {
        let conn = self.conns.get(id.slot).filter(|conn| conn.id == id);
        conn?.closed.as_ref()
    }

    /// Whether there are more connections than may be. The leaf itself takes no place.
    fn is_crowded(&self) -> bool {
        let max = self.limits.connections_max;
        self.conns.len() > max && self.guests().count() > max
    }

    /// Forgets a connection whose stream is closed.
    pub fn disconnect(&mut self, id: ConnId) {
        if self.conn(id).is_none() {
            return;
        }
        self.close(id.slot, Close::Gone);
        if let Some(conn) = self.conns.remove(id.slot) {
            add(&mut self.gone, conn.traffic);
        }
    }

    /// Acts on deadlines up to `now`. A call too early does nothing.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        let mut next: Option<Timestamp> = None;
        for slot in self.conns.keys() {
            self.check_deadline(slot, now);
            if let Some(conn) = self.conns.get(slot).filter(|conn| conn.stage != Stage::Closed) {
                next = Some(next.map_or(conn.ping_due, |known| known.min(conn.ping_due)));
            }
        }
        self.due = next;
    }

    fn check_deadline(&mut self, slot: u32, now: Timestamp) {
        let (interval, pings_max) = (self.limits.ping_interval_ms, self.limits.pings_out_max);
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        if now < conn.ping_due || conn.stage == Stage::Closed {
            return;
        }
        if !matches!(conn.stage, Stage::Listening | Stage::Open) {
            let why = match conn.kind {
                PeerKind::Client if conn.is_guarded => Close::AuthTimeout,
                PeerKind::Client => Close::Stale,
                _ => Close::WrongPeer("the other side says nothing that a broker says"),
            };
            self.close(slot, why);
            return;
        }
        // Who says something is alive; only what is silent is asked.
        let is_quiet = now.0.saturating_sub(conn.heard.0) >= interval;
        if !is_quiet && conn.is_asked {
            conn.pings_out = 0;
            conn.ping_due = Timestamp(conn.heard.0.saturating_add(interval));
            return;
        }
        if conn.pings_out >= pings_max {
            self.close(slot, Close::Stale);
            return;
        }
        conn.pings_out = conn.pings_out.saturating_add(1);
        conn.is_asked = true;
        conn.ping_due = Timestamp(now.0.saturating_add(interval));
        conn.out.extend_from_slice(b"PING\r\n");
        self.mark_dirty(slot);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.due
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<BrokerEvent> {
        self.events.pop_front()
    }

    /// Tells clients that this broker is about to stop; they go elsewhere if they know where.
    pub fn lame_duck(&mut self) {
        self.is_lame = true;
        for slot in self.conns.keys() {
            let is_told = self.conns.get(slot).is_some_and(|conn| {
                conn.kind == PeerKind::Client && conn.stage == Stage::Open && conn.connect.protocol > 0
            });
            if is_told {
                self.say_info(slot);
            }
        }
    }

    /// Ends all connections.
    pub fn shutdown(&mut self) {
        for slot in self.conns.keys() {
            self.close(slot, Close::Shutdown);
        }
    }

    /// Ends one connection.
    pub fn end(&mut self, id: ConnId, why: Close) {
        if self.conn(id).is_some() {
            self.close(id.slot, why);
        }
    }

    /// What went through since the start.
    pub fn stat(&self) -> BrokerStat {
        let mut traffic = self.gone;
        for conn in self.guests() {
            add(&mut traffic, conn.traffic);
        }
        BrokerStat {
            connections: self.guests().count(),
            connections_ever: self.serial,
            subscriptions: self.guests().map(|conn| conn.subs.len()).sum(),
            slow_consumers: self.slow_consumers,
            traffic,
        }
    }

    /// The open connections.
    pub fn conn_stats(&self) -> Vec<ConnStat> {
        let stat = |conn: &Conn| ConnStat {
            id: conn.id,
            kind: conn.kind,
            address: conn.visitor.address.clone(),
            name: conn.connect.name.clone(),
            lang: conn.connect.lang.clone(),
            version: conn.connect.version.clone(),
            user: conn.grant.user.clone(),
            since: conn.since,
            heard: conn.heard,
            pending: conn.pending(),
            subjects: conn
                .subs
                .values()
                .filter_map(|key| Some(String::from_utf8_lossy(&self.subs.get(*key)?.subject).into_owned()))
                .collect(),
            traffic: conn.traffic,
        };
        self.guests()
            .filter(|conn| conn.stage != Stage::Closed)
            .map(stat)
            .collect()
    }

    /// All but the leaf itself.
    fn guests(&self) -> impl Iterator<Item = &Conn> {
        let conns = self.conns.iter().map(|(_, conn)| conn);
        conns.filter(|conn| !matches!(conn.visitor.known, Known::Itself))
    }

    fn conn(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.conns.get_mut(id.slot).filter(|conn| conn.id == id)
    }

    /// What this broker says of itself to one connection.
    fn info(&self, conn: &Conn) -> Info {
        let is_spoke = conn.kind == PeerKind::Spoke;
        Info {
            server_id: self.config.server_id.clone(),
            server_name: self.config.server_name.clone(),
            version: self.config.version.clone(),
            go: "rust".into(),
            host: self.config.host.clone(),
            port: self.config.port,
            headers: true,
            auth_required: conn.is_guarded || is_spoke,
            tls_required: conn.visitor.is_encrypted,
            max_payload: self.limits.payload_bytes_max,
            proto: 1,
            client_id: conn.id.number(),
            client_ip: ip_of(&conn.visitor.address).to_owned(),
            nonce: match self.gate.wants_signatures() {
                true => conn.visitor.nonce.clone(),
                false => String::new(),
            },
            ldm: self.is_lame,
            leafnode_urls: is_spoke.then(|| vec![self.config.leafnode_url.clone()]),
            leaf_mesh: match is_spoke {
                true => String::new(),
                false => self.config.mesh.clone(),
            },
            ..Info::default()
        }
    }

    fn say_info(&mut self, slot: u32) {
        self.say_info_with(slot, |_| {});
    }

    fn say_info_with(&mut self, slot: u32, change: impl FnOnce(&mut Info)) {
        let Some(conn) = self.conns.get(slot) else { return };
        let mut info = self.info(conn);
        change(&mut info);
        let info = serde_json::to_vec(&info).unwrap_or_default();
        self.say(slot, &[b"INFO", &info, b""]);
    }

    fn say(&mut self, slot: u32, words: &[&[u8]]) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        write::line(&mut conn.out, words);
        self.mark_dirty(slot);
    }

    /// Notes that a connection has something to write, and ends it if it has too much.
    fn mark_dirty(&mut self, slot: u32) {
        let pending_max = self.limits.pending_bytes_max;
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        if !conn.is_dirty {
            conn.is_dirty = true;
            self.dirty.push_back(slot);
        }
        let pending = conn.pending();
        self.is_pressed |= pending > pending_max / 4 * 3;
        if pending > pending_max && conn.stage != Stage::Closed {
            self.slow_consumers = self.slow_consumers.saturating_add(1);
            conn.out = Vec::new();
            conn.out_from = 0;
            self.close(slot, Close::Slow);
        }
    }

    /// Ends a connection: what it asked for goes, what it is still to be told stays for the shell to write.
    fn close(&mut self, slot: u32, why: Close) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        if conn.stage == Stage::Closed {
            return;
        }
        conn.stage = Stage::Closed;
        conn.unread = Vec::new();
        if why.is_said() {
            write::error(&mut conn.out, &why.to_string());
        }
        let (id, is_link) = (conn.id, conn.kind.is_link());
        let subs = conn.take_subs();
        conn.closed = Some(why.clone());
        for key in subs {
            self.drop_sub(key);
        }
        self.events.push_back(BrokerEvent::Closed { id, why });
        self.mark_dirty(slot);
        if is_link {
            self.free_rivals(id);
        }
    }

    /// Takes a subscription in and tells the links.
    fn add_sub(&mut self, sub: Sub, name: &[u8]) {
        let (slot, subject, queue) = (sub.slot, sub.subject.clone(), sub.queue.clone());
        let key = self.subs.insert(|_| sub);
        if let Some(conn) = self.conns.get_mut(slot) {
            conn.subs.insert(name.into(), key);
        }
        self.sublist.insert(&subject, queue.as_deref(), key);
        self.tell_links(key, true);
    }

    /// Forgets a subscription and tells the links.
    fn drop_sub(&mut self, key: SubKey) {
        if self.subs.get(key).is_none() {
            return;
        }
        self.tell_links(key, false);
        let Some(sub) = self.subs.remove(key) else { return };
        self.sublist.remove(&sub.subject, sub.queue.as_deref(), key);
        if let Some(conn) = self.conns.get_mut(sub.slot) {
            let name = match conn.kind.is_link() {
                true => link::name_of(&sub.subject, sub.queue.as_deref()),
                false => sub.sid,
            };
            conn.subs.remove(&name);
        }
    }
}

fn add(sum: &mut Traffic, more: Traffic) {
    sum.in_messages = sum.in_messages.saturating_add(more.in_messages);
    sum.in_bytes = sum.in_bytes.saturating_add(more.in_bytes);
    sum.out_messages = sum.out_messages.saturating_add(more.out_messages);
    sum.out_bytes = sum.out_bytes.saturating_add(more.out_bytes);
}

fn ip_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}
