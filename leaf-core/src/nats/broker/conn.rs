//! One connection of the broker: what it was granted, what it asked for, what waits to be written to it.
//!
//! Source: NATS client protocol; what nats-server 2.9.10 and 2.15.1 do (`tests/nats`).

use super::access::{Grant, Owed, Visitor};
use crate::nats::info::Connect;
use crate::nats::sublist::SubKey;
use crate::time::Timestamp;
use std::collections::HashMap;

/// The name of a connection. Never used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnId {
    pub(super) slot: u32,
    pub(super) serial: u32,
}

impl ConnId {
    /// The number that clients see as `client_id`.
    pub fn number(self) -> u64 {
        u64::from(self.serial)
    }
}

/// What kind of peer a connection is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PeerKind {
    /// A client, or a leaf that joins the mesh: its `CONNECT` tells.
    Client,
    /// A broker that dialled us as its hub.
    Spoke,
    /// A broker that we dialled as a leaf node.
    Hub,
    /// A leaf of the mesh.
    Mesh {
        /// Whether this side dialled.
        is_ours: bool,
    },
}

impl PeerKind {
    /// Whether it is another broker.
    pub(super) fn is_link(self) -> bool {
        self != Self::Client
    }
}

/// Why a connection ended.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Close {
    /// A verb with impossible arguments; the peer is not told.
    #[error("malformed protocol arguments")]
    Arguments,
    /// No credentials, or wrong ones.
    #[error("Authorization Violation")]
    Authorization,
    /// No `CONNECT` in time.
    #[error("Authentication Timeout")]
    AuthTimeout,
    /// The same peer is linked already.
    #[error("duplicate link to the same leaf")]
    Duplicate,
    /// The other side went away.
    #[error("the connection ended")]
    Gone,
    /// A control line too long.
    #[error("maximum control line exceeded")]
    Line,
    /// Our own interest came back: some way leads in a circle.
    #[error("Loop detected for leafnode account=\"$G\". Delaying attempt to reconnect for 30s")]
    Loop,
    /// A message too big.
    #[error("Maximum Payload Violation")]
    Payload,
    /// The peer said `-ERR`.
    #[error("the peer says: {0}")]
    Peer(String),
    /// A link may not say that.
    #[error("Permissions Violation")]
    Permission,
    /// `no_responders` without `headers`.
    #[error("no responders requires headers support")]
    Responders,
    /// Does not read what it asked for.
    #[error("Slow Consumer")]
    Slow,
    /// Does not answer.
    #[error("Stale Connection")]
    Stale,
    /// The broker stops.
    #[error("Server Shutdown")]
    Shutdown,
    /// A version of the protocol that does not exist.
    #[error("invalid client protocol")]
    Protocol,
    /// More connections than allowed.
    #[error("maximum connections exceeded")]
    TooMany,
    /// Not the protocol.
    #[error("Unknown Protocol Operation")]
    Verb,
    /// What was dialled is no leaf node port, or what dialled it is a client.
    #[error("attempted to connect to leaf node port")]
    WrongPort,
    /// What was dialled as a leaf node or as a member of the mesh is something else; says what.
    #[error("{0}")]
    WrongPeer(&'static str),
}

impl Close {
    /// Whether the peer is told with an `-ERR`.
    pub(super) fn is_said(&self) -> bool {
        !matches!(
            self,
            Self::Arguments | Self::Gone | Self::Slow | Self::Shutdown | Self::Peer(_) | Self::WrongPeer(_)
        )
    }
}

/// A subscription.
#[derive(Debug)]
pub(super) struct Sub {
    pub(super) slot: u32,
    pub(super) sid: Box<[u8]>,
    pub(super) subject: Box<[u8]>,
    pub(super) queue: Option<Box<[u8]>>,
    /// Members of the queue group behind a link.
    pub(super) weight: u32,
    pub(super) max: Option<u64>,
    pub(super) delivered: u64,
    /// Each delivery is held against what is denied.
    pub(super) is_cut: bool,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// We dialled and wait for the other side's `INFO`.
    ExpectInfo,
    /// Waits for a `CONNECT`.
    ExpectConnect,
    /// We said `CONNECT`, and the other side promised another `INFO`.
    ExpectSecondInfo,
    /// A link on which both sides know each other, and which carries nothing before it is known to be in no circle.
    Listening,
    Open,
    Closed,
}

/// What went through a connection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// Messages it published.
    pub in_messages: u64,
    /// Their payloads.
    pub in_bytes: u64,
    /// Messages delivered to it.
    pub out_messages: u64,
    /// Their payloads.
    pub out_bytes: u64,
}

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing that happened, in any order"
)]
pub(super) struct Conn {
    pub(super) id: ConnId,
    pub(super) kind: PeerKind,
    pub(super) stage: Stage,
    pub(super) visitor: Visitor,
    pub(super) is_guarded: bool,
    pub(super) connect: Connect,
    pub(super) grant: Grant,
    pub(super) is_publish_open: bool,
    pub(super) owed: Owed,
    pub(super) unread: Vec<u8>,
    pub(super) out: Vec<u8>,
    /// How much of `out` is written.
    pub(super) out_from: usize,
    /// Bytes ever written.
    pub(super) written: u64,
    pub(super) is_dirty: bool,
    pub(super) since: Timestamp,
    pub(super) heard: Timestamp,
    pub(super) ping_due: Timestamp,
    pub(super) pings_out: u32,
    /// It was asked for a sign of life at least once.
    pub(super) is_asked: bool,
    /// It said `CONNECT`.
    pub(super) is_introduced: bool,
    /// It is still to be told where it was let in.
    pub(super) owes_info: bool,
    pub(super) traffic: Traffic,
    /// By the client's sid, or on a link by subject and queue.
    pub(super) subs: HashMap<Box<[u8]>, SubKey>,
    /// What a link was told that this side wants: how many times, or for a queue how many members.
    pub(super) told: HashMap<Box<[u8]>, u32>,
    /// The id of the broker behind a link.
    pub(super) peer_id: String,
    /// On a link, how many there were when it began to carry messages.
    pub(super) joined: Option<u32>,
    /// It answered a `PING`.
    pub(super) has_answered: bool,
    /// The other link of a circle, of which the other side has one cut: if it is that one, this one may join.
    pub(super) rival: Option<ConnId>,
    pub(super) closed: Option<Close>,
}

impl Conn {
    /// Whether it is a link on which both sides know each other.
    pub(super) fn is_linked(&self) -> bool {
        self.kind.is_link() && matches!(self.stage, Stage::Listening | Stage::Open)
    }

    /// Takes its subscriptions away, in the same order each time: others are told of it in that order.
    pub(super) fn take_subs(&mut self) -> Vec<SubKey> {
        let mut subs: Vec<SubKey> = self.subs.drain().map(|(_, key)| key).collect();
        subs.sort_unstable();
        subs
    }

    /// Bytes that wait to be written.
    pub(super) fn pending(&self) -> usize {
        self.out.len().saturating_sub(self.out_from)
    }
}
