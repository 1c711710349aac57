//! Links to other brokers: leaf nodes in both roles, and the mesh between leaves.
//!
//! A link is told what this side wants (`LS+`, `LS-`), once however many want it, and of a queue group how many
//! members there are. What it is told differs by kind:
//!
//! ```text
//!    subscription of   told to a hub   told to a spoke   told to the mesh
//!    client            yes             yes               yes
//!    spoke             yes             the other ones    yes
//!    hub               no              yes               yes
//!    mesh              yes             yes               no
//! ```
//!
//! The mesh is complete or a message reaches those who are linked to its sender: nothing is passed from one
//! member to the next, so three that are linked all to all get each message once.
//!
//! A circle is found as the real ones find it, by a subject of our own that comes back (`$LDS`). But they cut
//! whatever it came back on, which may be a link that was good for days, and both ends may cut one each. So here:
//!
//! * Each link has a subject of its own, so one that comes back names both links that are of a circle. The one that
//!   was there first stays; an echo of a link that is gone says nothing.
//! * A new link is listened to first: until the other side has answered all that we had to say about circles it
//!   carries nothing, and what the other side asks for over it nobody is told, or a real one would find its own
//!   subject on the old link. One of ours reads it rightly, so its own is passed on at once: of two links that begin
//!   at the same moment the second is found out before it joins.
//! * Where both ends are ours and see it in different order, the smaller id decides and the other one waits.
//!
//! Two of a mesh that join the same hub make a circle. Each hears there of the other one, and the one with the
//! smaller id stays: what a hub says to find circles of its own is not told to the mesh, or it would cut any of them.
//!
//! Source: `$LDS` of nats-server, `server/leafnode.go`; leaf nodes as nats-server 2.9.10 and 2.15.1 speak them (`tests/nats`); the mesh is ours.

use super::conn::{Close, Conn, ConnId, PeerKind, Stage, Sub};
use super::route::Origin;
use super::{BrokerEvent, NatsBroker};
use crate::nats::info::{Connect, Info, Rights};
use crate::nats::op::{LeafOp, Message};
use crate::nats::subject::{is_literal, is_valid};
use crate::nats::sublist::SubKey;
use crate::nats::{BadOp, Scan, scan_leaf, write};
use crate::time::Timestamp;

/// What all brokers look for circles with.
const PROBES: &[u8] = b"$LDS.";

/// The name of a link's subscription: subjects and queues have no spaces.
pub(super) fn name_of(subject: &[u8], queue: Option<&[u8]>) -> Box<[u8]> {
    let mut name = subject.to_vec();
    if let Some(queue) = queue {
        name.push(b' ');
        name.extend_from_slice(queue);
    }
    name.into()
}

/// What a broker of this id asks for on all its links to leaf nodes: by it others know who is there.
pub(super) fn loop_subject(id: &str) -> Vec<u8> {
    format!("$LDS.{}", id.get(..23).unwrap_or(id)).into_bytes()
}

/// Whether it is there to find circles.
fn is_probe(subject: &[u8]) -> bool {
    subject.starts_with(PROBES)
}

/// Whether it is what the broker behind a link asks for on one of its links to find circles: it knows how to read
/// it, while others cut what it comes back on.
fn is_probe_of(peer: &Conn, subject: &[u8]) -> bool {
    subject
        .strip_prefix(&*loop_subject(&peer.peer_id))
        .is_some_and(|rest| rest.starts_with(b"."))
}

/// Whether a subscription of the one is told to the other.
fn is_told(owner: PeerKind, link: PeerKind) -> bool {
    use PeerKind::{Client, Hub, Mesh};
    !matches!(
        (owner, link),
        (_, Client) | (Hub, Hub) | (Mesh { .. }, Mesh { .. })
    )
}

/// Keeps to what a hub lets its spoke do: `import` is what it may send us, `export` what it takes.
fn restrict(conn: &mut Conn, import: Option<Rights>, export: Option<Rights>) {
    if let Some(import) = import {
        conn.grant.publish = import;
    }
    if let Some(export) = export {
        conn.grant.subscribe = export;
    }
}

impl NatsBroker {
    /// Acts on one operation of another broker and says how many bytes it was; `None` if it is not whole.
    pub(super) fn link_step(
        &mut self,
        slot: u32,
        input: &[u8],
        now: Timestamp,
    ) -> Result<Option<usize>, BadOp> {
        let (op, used) = match scan_leaf(input, &self.limits)? {
            Scan::More(_) => return Ok(None),
            Scan::Op(op, used) => (op, used),
        };
        let stage = self.conns.get(slot).map(|conn| conn.stage);
        match (op, stage) {
            (LeafOp::Ping, _) => self.say(slot, &[b"PONG"]),
            (LeafOp::Pong, _) => {
                if let Some(conn) = self.conns.get_mut(slot) {
                    conn.pings_out = 0;
                    conn.has_answered |= conn.stage == Stage::Listening;
                }
                self.join_if_ready(slot);
            }
            (LeafOp::Ok, _) => {}
            (LeafOp::Error(text), _) => {
                let text = String::from_utf8_lossy(text).into_owned();
                self.close(slot, Close::Peer(text));
            }
            (LeafOp::Info(json), _) => self.link_info(slot, json, now)?,
            (LeafOp::Connect(json), Some(Stage::ExpectConnect)) => {
                let connect = serde_json::from_slice(json).map_err(|_| BadOp::Arguments)?;
                self.link_connect(slot, connect, now);
            }
            (LeafOp::Subscribe { subject, queue }, Some(Stage::Listening | Stage::Open)) => {
                self.link_subscribe(slot, subject, queue)?;
            }
            (LeafOp::Unsubscribe { subject, queue }, Some(Stage::Listening | Stage::Open)) => {
                let name = name_of(subject, queue);
                let known = self.conns.get(slot).and_then(|conn| conn.subs.get(&name));
                if let Some(key) = known.copied() {
                    self.drop_sub(key);
                }
            }
            (LeafOp::Message { message, queues }, Some(Stage::Listening | Stage::Open)) => {
                self.link_message(slot, &message, queues, now);
            }
            _ => return Err(BadOp::Verb),
        }
        Ok(Some(used))
    }

    /// The other side's `INFO`: the first makes us answer with `CONNECT`.
    fn link_info(&mut self, slot: u32, json: &[u8], now: Timestamp) -> Result<(), BadOp> {
        let info: Info = serde_json::from_slice(json).map_err(|_| BadOp::Arguments)?;
        let Some(conn) = self.conns.get(slot) else {
            return Ok(());
        };
        match (conn.stage, conn.kind) {
            (Stage::ExpectInfo, _) if info.tls_required && !conn.visitor.is_encrypted => self.close(
                slot,
                Close::WrongPeer("the other side wants TLS, which does not begin on this link"),
            ),
            (Stage::ExpectInfo, PeerKind::Hub) if info.leafnode_urls.is_none() => self.close(
                slot,
                Close::WrongPeer(
                    "this is a port for clients: name the server's leaf node port (7422 unless configured)",
                ),
            ),
            (Stage::ExpectInfo, PeerKind::Mesh { .. }) if info.leaf_mesh != self.config.mesh => self.close(
                slot,
                Close::WrongPeer(match info.leaf_mesh.is_empty() {
                    true => "this is no leaf: link a nats-server by its leaf node port (--leafnode)",
                    false => "this leaf belongs to another mesh",
                }),
            ),
            // A good link is not given up for another one: what is on its way on it would be lost.
            (Stage::ExpectInfo, PeerKind::Mesh { .. }) if self.is_member_linked(&info.server_id) => {
                self.close(slot, Close::Duplicate);
            }
            (Stage::ExpectInfo, _) => {
                let Some(conn) = self.conns.get_mut(slot) else {
                    return Ok(());
                };
                conn.connect.server_id.clone_from(&self.config.server_id);
                conn.connect.name.clone_from(&self.config.server_name);
                conn.connect.version.clone_from(&self.config.version);
                conn.connect.headers = true;
                conn.peer_id.clone_from(&info.server_id);
                match conn.kind {
                    PeerKind::Hub => conn.connect.cluster.clone_from(&self.config.server_id),
                    _ => conn.connect.leaf_mesh.clone_from(&self.config.mesh),
                }
                restrict(conn, info.import, info.export);
                conn.stage = match info.info_on_connect {
                    true => Stage::ExpectSecondInfo,
                    false => conn.stage,
                };
                let is_last = !info.info_on_connect;
                let json = serde_json::to_vec(&conn.connect).unwrap_or_default();
                self.say(slot, &[b"CONNECT", &json]);
                if is_last {
                    self.open_link(slot, now);
                }
            }
            (Stage::ExpectSecondInfo, _) if info.connect_info => {
                let Some(conn) = self.conns.get_mut(slot) else {
                    return Ok(());
                };
                restrict(conn, info.import, info.export);
                self.open_link(slot, now);
            }
            // Addresses of a cluster may change while a link is open.
            _ => {}
        }
        Ok(())
    }

    /// The `CONNECT` of a broker that dialled us.
    pub(super) fn link_connect(&mut self, slot: u32, connect: Connect, now: Timestamp) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        if conn.kind == PeerKind::Spoke && !connect.lang.is_empty() {
            self.close(slot, Close::WrongPort);
            return;
        }
        if conn.kind != PeerKind::Spoke && connect.leaf_mesh != self.config.mesh {
            self.close(slot, Close::Peer("this leaf belongs to another mesh".into()));
            return;
        }
        let Some(grant) = self.gate.admit(&conn.visitor, &connect) else {
            self.close(slot, Close::Authorization);
            return;
        };
        if conn.kind == PeerKind::Spoke && connect.is_hub {
            conn.kind = PeerKind::Hub;
        }
        conn.peer_id.clone_from(&connect.server_id);
        conn.grant = grant;
        conn.connect = connect;
        self.open_link(slot, now);
    }

    /// Both sides know each other. A member of the mesh is told everything that is wanted here; on any other link
    /// it is found out first whether it closes a circle.
    fn open_link(&mut self, slot: u32, now: Timestamp) {
        if let Some(why) = self.refuses_link(slot) {
            self.close(slot, why);
            return;
        }
        let first_ping_ms = self.limits.first_ping_ms;
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        conn.is_publish_open = conn.grant.publish.is_open();
        conn.ping_due = Timestamp(now.0.saturating_add(first_ping_ms));
        conn.stage = Stage::Listening;
        if matches!(conn.kind, PeerKind::Mesh { .. }) {
            self.join(slot);
            return;
        }
        let id = conn.id;
        let of_link = self.link_probe(id);
        let of_all = self.loop_subject.clone();
        self.say(slot, &[b"LS+", &of_all]);
        self.say(slot, &[b"LS+", &of_link]);
        self.tell_all(slot, is_probe);
        // Its answer comes after all that the other side has to say about these.
        self.say(slot, &[b"PING"]);
    }

    /// What we ask for on this link alone.
    fn link_probe(&self, link: ConnId) -> Vec<u8> {
        let mut subject = self.loop_subject.to_vec();
        subject.extend_from_slice(format!(".{}", link.number()).as_bytes());
        subject
    }

    /// Joins a link that answered and that nothing speaks against.
    fn join_if_ready(&mut self, slot: u32) {
        let is_ready = self
            .conns
            .get(slot)
            .is_some_and(|conn| conn.stage == Stage::Listening && conn.has_answered && conn.rival.is_none());
        if is_ready {
            self.join(slot);
        }
    }

    /// From now on a link carries messages: it is told all that is wanted here, and others what it wants.
    fn join(&mut self, slot: u32) {
        self.joins = self.joins.saturating_add(1);
        let joins = self.joins;
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        conn.stage = Stage::Open;
        conn.joined = Some(joins);
        let (id, peer) = (conn.id, conn.peer_id.clone());
        let is_mesh = matches!(conn.kind, PeerKind::Mesh { .. });
        let mut wanted: Vec<SubKey> = conn
            .subs
            .iter()
            .filter(|(subject, _)| !is_probe_of(conn, subject))
            .map(|(_, key)| *key)
            .collect();
        // Others are told in the same order each time.
        wanted.sort_unstable();
        self.events
            .push_back(BrokerEvent::Opened { id, peer: Some(peer) });
        self.tell_all(slot, |subject| is_mesh || !is_probe(subject));
        for key in wanted {
            self.tell_links(key, true);
        }
        let hubs: Vec<u32> = self
            .conns
            .iter()
            .filter(|(_, conn)| conn.kind == PeerKind::Hub && conn.is_linked())
            .map(|(hub, _)| hub)
            .collect();
        for hub in hubs {
            if self.meets_member(hub) {
                self.close(hub, Close::Loop);
            }
        }
    }

    /// What we asked for on the link of this number came back over the one in `slot`: of the two the newer goes.
    fn meets_itself(&mut self, slot: u32, number: &[u8]) {
        let is_named = |conn: &Conn| conn.is_linked() && conn.id.number().to_string().as_bytes() == number;
        let found = self.conns.iter().find(|(_, conn)| is_named(conn));
        let Some((other, told)) = found else { return };
        let Some(heard) = self.conns.get(slot) else { return };
        // One that carries messages goes before one that is only listened to.
        let age = |conn: &Conn| (conn.joined.unwrap_or(u32::MAX), conn.id.serial);
        let (newer, older) = match age(heard) > age(told) {
            true => (slot, told.id),
            false => (other, heard.id),
        };
        if !self.is_left_to_peer(heard, told) {
            self.close(newer, Close::Loop);
        } else if let Some(newer) = self.conns.get_mut(newer) {
            newer.rival = Some(older);
        }
    }

    /// Whether these lead to the same broker, each hub of the other, and it finds that out and decides.
    fn is_left_to_peer(&self, one: &Conn, other: &Conn) -> bool {
        use PeerKind::{Hub, Spoke};
        matches!((one.kind, other.kind), (Hub, Spoke) | (Spoke, Hub))
            && one.peer_id == other.peer_id
            && one.peer_id < self.config.server_id
            && one.subs.contains_key(&*loop_subject(&one.peer_id))
    }

    /// A link is gone: what waited for that goes on.
    pub(super) fn free_rivals(&mut self, gone: ConnId) {
        for slot in self.conns.keys() {
            if let Some(conn) = self.conns.get_mut(slot).filter(|conn| conn.rival == Some(gone)) {
                conn.rival = None;
                self.join_if_ready(slot);
            }
        }
    }

    /// Whether a member of the mesh that goes before this one is heard of over this link to a hub.
    fn meets_member(&self, hub: u32) -> bool {
        let Some(hub) = self.conns.get(hub).filter(|conn| conn.kind == PeerKind::Hub) else {
            return false;
        };
        self.conns
            .iter()
            .filter(|(_, conn)| matches!(conn.kind, PeerKind::Mesh { .. }) && conn.stage == Stage::Open)
            .filter(|(_, conn)| conn.peer_id < self.config.server_id)
            .any(|(_, conn)| hub.subs.contains_key(&*loop_subject(&conn.peer_id)))
    }

    fn is_member_linked(&self, peer: &str) -> bool {
        self.conns.iter().any(|(_, conn)| {
            matches!(conn.kind, PeerKind::Mesh { .. }) && conn.stage == Stage::Open && conn.peer_id == peer
        })
    }

    /// A member of the mesh has one link to each other one. Where both dialled at the same moment, that which the
    /// smaller id dialled stays.
    fn refuses_link(&mut self, slot: u32) -> Option<Close> {
        let own_id = self.config.server_id.clone();
        let conn = self.conns.get(slot)?;
        let PeerKind::Mesh { is_ours } = conn.kind else {
            return None;
        };
        let peer = conn.peer_id.clone();
        if peer == own_id {
            return Some(Close::Duplicate);
        }
        let is_wanted = is_ours == (own_id < peer);
        let others: Vec<u32> = self
            .conns
            .iter()
            .filter(|(at, other)| *at != slot && other.stage == Stage::Open && other.peer_id == peer)
            .filter(|(_, other)| matches!(other.kind, PeerKind::Mesh { .. }))
            .map(|(at, _)| at)
            .collect();
        for other in others {
            let is_same_way = self
                .conns
                .get(other)
                .is_some_and(|other| other.kind == PeerKind::Mesh { is_ours });
            // One that came the same way again means that the first is dead and does not know it yet.
            if !is_wanted && !is_same_way {
                return Some(Close::Duplicate);
            }
            self.close(other, Close::Duplicate);
        }
        None
    }

    fn link_subscribe(
        &mut self,
        slot: u32,
        subject: &[u8],
        queue: Option<(&[u8], u32)>,
    ) -> Result<(), BadOp> {
        if let Some(rest) = subject.strip_prefix(&*self.loop_subject) {
            if let Some(number) = rest.strip_prefix(b".") {
                self.meets_itself(slot, number);
            }
            return Ok(());
        }
        if !is_valid(subject) {
            return Err(BadOp::Arguments);
        }
        let Some(conn) = self.conns.get(slot) else {
            return Ok(());
        };
        let name = name_of(subject, queue.map(|(queue, _)| queue));
        let weight = queue.map_or(1, |(_, weight)| weight);
        if let Some(key) = conn.subs.get(&name).copied() {
            // Only the number of members changed.
            self.tell_links(key, false);
            if let Some(sub) = self.subs.get_mut(key) {
                sub.weight = weight;
            }
            self.tell_links(key, true);
            return Ok(());
        }
        if conn.subs.len() >= self.limits.link_subscriptions_max {
            self.close(slot, Close::Permission);
            return Ok(());
        }
        let sub = Sub {
            slot,
            sid: Box::default(),
            subject: subject.into(),
            queue: queue.map(|(queue, _)| queue.into()),
            weight,
            max: None,
            delivered: 0,
            is_cut: false,
        };
        self.add_sub(sub, &name);
        if is_probe(subject) && self.meets_member(slot) {
            self.close(slot, Close::Loop);
        }
        Ok(())
    }

    fn link_message(&mut self, slot: u32, message: &Message<'_>, queues: &[u8], now: Timestamp) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        conn.traffic.in_messages = conn.traffic.in_messages.saturating_add(1);
        let bytes = u64::try_from(message.payload.len()).unwrap_or(u64::MAX);
        conn.traffic.in_bytes = conn.traffic.in_bytes.saturating_add(bytes);
        if !is_literal(message.subject) {
            return;
        }
        if !conn.is_publish_open && !conn.grant.publish.allows(message.subject) {
            // A hub that sends more than it said is not worth losing.
            if conn.kind != PeerKind::Hub {
                self.close(slot, Close::Permission);
            }
            return;
        }
        let origin = Origin {
            slot,
            kind: conn.kind,
            is_echoed: false,
            queues,
        };
        self.route(origin, message, now);
    }

    /// Tells one link all that is wanted here of these subjects.
    fn tell_all(&mut self, slot: u32, is_meant: impl Fn(&[u8]) -> bool) {
        let keys: Vec<SubKey> = self.subs.keys();
        for key in keys {
            if self.subs.get(key).is_some_and(|sub| is_meant(&sub.subject)) {
                self.tell_link(slot, key, true);
            }
        }
    }

    /// Tells all links that a subscription came or is about to go.
    pub(super) fn tell_links(&mut self, key: SubKey, is_added: bool) {
        let Some(sub) = self.subs.get(key) else { return };
        let is_probe = is_probe(&sub.subject);
        let links: Vec<u32> = self
            .conns
            .iter()
            .filter(|(_, conn)| conn.kind.is_link())
            .filter(|(_, conn)| conn.stage == Stage::Open || (is_probe && conn.stage == Stage::Listening))
            .map(|(slot, _)| slot)
            .collect();
        for slot in links {
            self.tell_link(slot, key, is_added);
        }
    }

    fn tell_link(&mut self, slot: u32, key: SubKey, is_added: bool) {
        let Some(sub) = self.subs.get(key) else { return };
        let owner = self
            .conns
            .get(sub.slot)
            .filter(|owner| {
                !owner.kind.is_link() || owner.joined.is_some() || is_probe_of(owner, &sub.subject)
            })
            .map(|owner| owner.kind);
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        if sub.slot == slot || !owner.is_some_and(|owner| is_told(owner, conn.kind)) {
            return;
        }
        let is_probe = is_probe(&sub.subject);
        if is_probe && owner == Some(PeerKind::Hub) && matches!(conn.kind, PeerKind::Mesh { .. }) {
            return;
        }
        // What it may not send need not be asked for.
        if !is_probe && !conn.grant.publish.touches(&sub.subject) {
            return;
        }
        let name = name_of(&sub.subject, sub.queue.as_deref());
        let known = conn.told.get(&name).copied().unwrap_or(0);
        let now = match is_added {
            true => known.saturating_add(sub.weight),
            false => known.saturating_sub(sub.weight),
        };
        let mut out = std::mem::take(&mut conn.out);
        match (&sub.queue, known, now) {
            (None, 0, 1..) => write::line(&mut out, &[b"LS+", &sub.subject]),
            (None, 1.., 0) => write::line(&mut out, &[b"LS-", &sub.subject]),
            (None, _, _) => {}
            (Some(queue), _, 0) => write::line(&mut out, &[b"LS-", &sub.subject, queue]),
            (Some(queue), _, _) => {
                let mut weight = Vec::new();
                write::decimal(&mut weight, now as usize);
                write::line(&mut out, &[b"LS+", &sub.subject, queue, &weight]);
            }
        }
        conn.out = out;
        match now {
            0 => drop(conn.told.remove(&name)),
            now => drop(conn.told.insert(name, now)),
        }
        self.mark_dirty(slot);
    }
}
