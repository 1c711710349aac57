//! From a message to those who get it.
//!
//! Each plain subscription gets it, of each queue group one member: one of this broker's own clients if any can
//! take it, else one behind a link, by weight. A link gets one frame, whatever wants it there.
//!
//! ```text
//!    from \ to   client   leaf node link      mesh link
//!    client        yes    yes                 yes
//!    spoke         yes    the other ones      yes
//!    hub           yes    spokes              yes
//!    mesh          yes    yes                 never, so nothing goes in a circle
//! ```
//!
//! From hub to hub nothing goes either: they may be of one cluster, and would hear it twice.
//!
//! Source: NATS core messaging and leaf nodes (docs.nats.io); what nats-server 2.9.10 and 2.15.1 do
//! (`tests/nats`).

use super::conn::{Conn, PeerKind, Stage, Sub};
use super::{NatsBroker, Table};
use crate::nats::op::Message;
use crate::nats::sublist::SubKey;
use crate::nats::write;
use crate::time::Timestamp;

/// Where a message came from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) slot: u32,
    pub(super) kind: PeerKind,
    /// Gets what it published.
    pub(super) is_echoed: bool,
    /// On a link, the queue groups whose turn it is here; a client leaves that to us.
    pub(super) queues: &'a [u8],
}

/// A link that gets a message, and for which queue groups.
#[derive(Debug, Default)]
pub(super) struct Turn {
    slot: u32,
    is_plain: bool,
    queues: Vec<SubKey>,
}

/// What routing needs again for each message; kept to allocate nothing.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    turns: Vec<Turn>,
    spent: Vec<SubKey>,
    touched: Vec<u32>,
}

/// Whether a message from the one may go to the other.
pub(super) fn may_pass(from: PeerKind, to: PeerKind) -> bool {
    use PeerKind::{Hub, Mesh};
    !matches!((from, to), (Mesh { .. }, Mesh { .. }) | (Hub, Hub))
}

impl NatsBroker {
    /// Delivers and says to how many.
    pub(super) fn route(&mut self, origin: Origin<'_>, message: &Message<'_>, now: Timestamp) -> usize {
        let mut scratch = std::mem::take(&mut self.scratch);
        let matched = self.sublist.find(message.subject);
        let mut delivered = 0_usize;
        let mut state = Delivery {
            conns: &mut self.conns,
            subs: &mut self.subs,
            origin,
            message,
            now,
            pending_max: self.limits.pending_bytes_max,
            scratch: &mut scratch,
        };
        for key in &matched.plain {
            delivered += usize::from(state.offer(*key));
        }
        for (name, members) in &matched.queues {
            if origin.kind.is_link() && !origin.queues.split(|b| *b == b' ').any(|queue| queue == &**name) {
                continue;
            }
            // Splitmix is plenty to spread work.
            self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let draw = usize::try_from((mixed >> 27) & 0x7fff_ffff).unwrap_or_default();
            delivered += usize::from(state.offer_group(members, draw));
        }
        state.send_turns();
        for slot in scratch.touched.drain(..) {
            self.mark_dirty(slot);
        }
        while let Some(key) = scratch.spent.pop() {
            self.drop_sub(key);
        }
        self.scratch = scratch;
        delivered
    }
}

struct Delivery<'a, 'm> {
    conns: &'a mut Table<Conn>,
    subs: &'a mut Table<Sub>,
    origin: Origin<'m>,
    message: &'a Message<'m>,
    now: Timestamp,
    pending_max: usize,
    scratch: &'a mut Scratch,
}

impl Delivery<'_, '_> {
    /// Gives a message to one subscription, if it may have it.
    fn offer(&mut self, key: SubKey) -> bool {
        let Some(sub) = self.subs.get_mut(key) else {
            return false;
        };
        let Some(conn) = self.conns.get_mut(sub.slot) else {
            return false;
        };
        if conn.stage != Stage::Open || (sub.slot == self.origin.slot && !self.origin.is_echoed) {
            return false;
        }
        if conn.kind.is_link() {
            return self.offer_link(key, false);
        }
        if sub.is_cut && !conn.grant.subscribe.allows(self.message.subject) {
            return false;
        }
        sub.delivered = sub.delivered.saturating_add(1);
        if let Some(max) = sub.max {
            if sub.delivered > max {
                return false;
            }
            if sub.delivered == max {
                self.scratch.spent.push(key);
            }
        }
        if !conn.is_publish_open
            && let (Some(rule), Some(reply)) = (conn.grant.responses, self.message.reply)
        {
            conn.owed.note(reply, rule, self.now);
        }
        write::delivery(&mut conn.out, self.message, &sub.sid, conn.connect.headers);
        count(conn, self.message);
        self.touch(key);
        true
    }

    /// One member of a group: ours if one can, else one behind a link.
    fn offer_group(&mut self, members: &[SubKey], draw: usize) -> bool {
        let count = members.len().max(1);
        let start = draw % count;
        let turned = |at: usize| members.get(start.wrapping_add(at) % count).copied();
        for key in (0..count).filter_map(turned) {
            let is_client = self
                .subs
                .get(key)
                .and_then(|sub| self.conns.get(sub.slot))
                .is_some_and(|conn| !conn.kind.is_link());
            if is_client && self.offer(key) {
                return true;
            }
        }
        let weight = |subs: &Table<Sub>, key: SubKey| subs.get(key).map_or(0, |sub| sub.weight as usize);
        let all: usize = members.iter().map(|key| weight(self.subs, *key)).sum();
        let mut mark = draw % all.max(1);
        let chosen = members.iter().position(|key| {
            let own = weight(self.subs, *key);
            let is_hit = mark < own;
            mark = mark.saturating_sub(own);
            is_hit
        });
        let start = chosen.unwrap_or(start);
        let turned = |at: usize| members.get(start.wrapping_add(at) % count).copied();
        (0..count)
            .filter_map(turned)
            .any(|key| self.offer_link(key, true))
    }

    /// Notes that a link gets the message; it is written once all its reasons are known.
    fn offer_link(&mut self, key: SubKey, is_queue: bool) -> bool {
        let Some(sub) = self.subs.get(key) else {
            return false;
        };
        let Some(conn) = self.conns.get(sub.slot) else {
            return false;
        };
        let is_possible = conn.kind.is_link()
            && conn.stage == Stage::Open
            && sub.slot != self.origin.slot
            && may_pass(self.origin.kind, conn.kind)
            && (conn.grant.subscribe.is_open() || conn.grant.subscribe.allows(self.message.subject));
        if !is_possible {
            return false;
        }
        let slot = sub.slot;
        let turns = &mut self.scratch.turns;
        let turn = match turns.iter().position(|turn| turn.slot == slot) {
            Some(at) => turns.get_mut(at),
            None => {
                turns.push(Turn {
                    slot,
                    ..Turn::default()
                });
                turns.last_mut()
            }
        };
        if let Some(turn) = turn {
            match is_queue {
                true => turn.queues.push(key),
                false => turn.is_plain = true,
            }
        }
        true
    }

    fn send_turns(&mut self) {
        let turns = std::mem::take(&mut self.scratch.turns);
        for turn in &turns {
            let queues: Vec<&[u8]> = turn
                .queues
                .iter()
                .filter_map(|key| self.subs.get(*key)?.queue.as_deref())
                .collect();
            let Some(conn) = self.conns.get_mut(turn.slot) else {
                continue;
            };
            write::link_delivery(
                &mut conn.out,
                self.message,
                &queues,
                turn.is_plain,
                conn.connect.headers,
            );
            count(conn, self.message);
            if !conn.is_dirty || conn.pending() > self.pending_max {
                self.scratch.touched.push(turn.slot);
            }
        }
        self.scratch.turns = turns;
        self.scratch.turns.clear();
    }

    fn touch(&mut self, key: SubKey) {
        let Some(slot) = self.subs.get(key).map(|sub| sub.slot) else {
            return;
        };
        if let Some(conn) = self.conns.get(slot)
            && (!conn.is_dirty || conn.pending() > self.pending_max)
        {
            self.scratch.touched.push(slot);
        }
    }
}

fn count(conn: &mut Conn, message: &Message<'_>) {
    conn.traffic.out_messages = conn.traffic.out_messages.saturating_add(1);
    let bytes = u64::try_from(message.payload.len()).unwrap_or(u64::MAX);
    conn.traffic.out_bytes = conn.traffic.out_bytes.saturating_add(bytes);
}
