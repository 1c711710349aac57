//! The NATS broker: any connections that say anything, in any order, at any time.
//!
//! Input: what happens, one after the other, between zero bytes. `+` and a letter of those in [`kind`] connects;
//! `a` to `d` and bytes is what one of the first four connections says; `-` and one of these letters ends it; `t` and
//! a digit lets so many half seconds pass; `w` writes out what is ready; `l` tells that the broker is about to stop;
//! `s` stops it.
#![no_main]

use leaf_core::limits::NatsLimits;
use leaf_core::nats::broker::{BrokerConfig, ConnId, Gate, Grant, Known, NatsBroker, PeerKind, Visitor};
use leaf_core::nats::info::Connect;
use leaf_core::nats::op::{LeafOp, ServerOp};
use leaf_core::nats::{Scan, scan_leaf, scan_server};
use leaf_core::time::Timestamp;
use libfuzzer_sys::fuzz_target;

/// More connections than are allowed.
const CONNECTIONS_MAX: usize = 3;
const LIMITS: NatsLimits = NatsLimits {
    line_bytes_max: 128,
    info_bytes_max: 2048,
    payload_bytes_max: 256,
    pending_bytes_max: 8192,
    connections_max: CONNECTIONS_MAX,
    subscriptions_max: 4,
    link_subscriptions_max: 6,
    write_ms_max: 10_000,
    connect_ms_max: 1000,
    first_ping_ms: 1000,
    ping_interval_ms: 2000,
    pings_out_max: 2,
};

fuzz_target!(|input: &[u8]| {
    let mut whole = World::new(usize::MAX);
    let mut pieces = World::new(3);
    for step in input.split(|byte| *byte == 0) {
        whole.step(step);
        pieces.step(step);
    }
    whole.write_out();
    pieces.write_out();
    // Who took too much at once is cut at another moment.
    if whole.broker.stat().slow_consumers == 0 && pieces.broker.stat().slow_consumers == 0 {
        for (one, other) in whole.conns.iter().zip(&pieces.conns) {
            assert_eq!(shown(&one.heard), shown(&other.heard));
        }
    }
});

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn is_known(visitor: &Visitor) -> bool {
    matches!(visitor.known, Known::Itself)
}

/// Everybody may do everything, but for who calls itself `eve`.
struct Door;

impl Gate for Door {
    fn is_guarded(&self, visitor: &Visitor) -> bool {
        is_known(visitor)
    }

    fn admit(&mut self, visitor: &Visitor, connect: &Connect) -> Option<Grant> {
        let mut grant = Grant::default();
        match connect.user.as_deref() {
            Some("eve") => grant.publish.deny = vec!["secret.>".into(), "*.hidden".into()],
            Some("bob") => grant.subscribe.allow = Some(vec!["open.*".into()]),
            Some(_) => {}
            None if is_known(visitor) => return None,
            None => {}
        }
        Some(grant)
    }
}

/// Which connection a letter makes, and whether it has to say who it is.
fn kind(letter: u8) -> (PeerKind, bool) {
    match letter {
        b's' => (PeerKind::Spoke, false),
        b'S' => (PeerKind::Spoke, true),
        b'h' => (PeerKind::Hub, false),
        b'm' => (PeerKind::Mesh { is_ours: true }, false),
        b'n' => (PeerKind::Mesh { is_ours: false }, false),
        b'C' => (PeerKind::Client, true),
        _ => (PeerKind::Client, false),
    }
}

struct Conn {
    id: ConnId,
    /// What was written to it.
    heard: Vec<u8>,
}

/// A broker that is told what happens, in pieces of so many bytes.
struct World {
    broker: NatsBroker,
    conns: Vec<Conn>,
    now: Timestamp,
    piece_bytes: usize,
}

impl World {
    fn new(piece_bytes: usize) -> Self {
        let config = BrokerConfig {
            server_id: "NMIDDLE".into(),
            server_name: "fuzzed".into(),
            mesh: "mesh".into(),
            seed: 7,
            ..BrokerConfig::default()
        };
        Self {
            broker: NatsBroker::new(config, LIMITS, Box::new(Door)),
            conns: Vec::new(),
            now: Timestamp(1_000_000),
            piece_bytes,
        }
    }

    fn step(&mut self, step: &[u8]) {
        let Some((verb, rest)) = step.split_first() else {
            return;
        };
        match verb {
            b'+' => self.connect(rest.first().copied().unwrap_or_default()),
            b'a'..=b'd' => {
                if let Some(id) = self.id(*verb) {
                    for piece in rest.chunks(self.piece_bytes) {
                        self.broker.handle_bytes(id, piece, self.now);
                    }
                }
            }
            b'-' => {
                if let Some(id) = rest.first().and_then(|letter| self.id(*letter)) {
                    self.broker.disconnect(id);
                }
            }
            b't' => {
                let halves = rest.first().map_or(1, |digit| digit % 10);
                self.now = Timestamp(self.now.0 + i64::from(halves) * 500);
                self.broker.handle_timeout(self.now);
                // What is due was done.
                assert!(self.broker.poll_timeout().is_none_or(|due| due > self.now));
            }
            b'w' => self.write_out(),
            b'l' => self.broker.lame_duck(),
            b's' => self.broker.shutdown(),
            _ => {}
        }
        while self.broker.poll_event().is_some() {}
        for stat in self.broker.conn_stats() {
            assert!(stat.pending <= LIMITS.pending_bytes_max, "{stat:?}");
            assert!(stat.subjects.len() <= LIMITS.subscriptions_max.max(LIMITS.link_subscriptions_max));
        }
    }

    fn connect(&mut self, letter: u8) {
        let (kind, is_guarded) = kind(letter);
        let visitor = Visitor {
            address: "127.0.0.1:1".into(),
            known: if is_guarded {
                Known::Itself
            } else {
                Known::Stranger
            },
            ..Visitor::default()
        };
        let is_dialled = matches!(kind, PeerKind::Hub | PeerKind::Mesh { is_ours: true });
        let connect = is_dialled.then(Connect::default);
        let id = self.broker.connect(kind, visitor, connect, self.now);
        self.conns.push(Conn {
            id,
            heard: Vec::new(),
        });
    }

    /// The connection of a letter from `a` on.
    fn id(&self, letter: u8) -> Option<ConnId> {
        let at = letter.checked_sub(b'a')?;
        self.conns.get(usize::from(at)).map(|conn| conn.id)
    }

    /// What is ready is written, in two parts; who was to be cut off is gone then.
    fn write_out(&mut self) {
        while let Some(id) = self.broker.poll_dirty() {
            while let bytes @ [_, ..] = self.broker.transmit(id) {
                let part = bytes.split_at(bytes.len().div_ceil(2)).0.to_vec();
                self.broker.sent(id, part.len());
                if let Some(conn) = self.conns.iter_mut().find(|conn| conn.id == id) {
                    conn.heard.extend(part);
                }
            }
            if self.broker.closed(id).is_some() {
                self.broker.disconnect(id);
            }
        }
        if self.broker.stat().slow_consumers == 0 {
            self.conns.iter().for_each(|conn| all_are_operations(&conn.heard));
        }
    }
}

/// What a broker writes can be read: by a client, or by another broker, which one may turn out to be.
fn all_are_operations(mut heard: &[u8]) {
    let limits = NatsLimits::default();
    while !heard.is_empty() {
        let as_client = scan_server(heard, &limits);
        let as_leaf = scan_leaf(heard, &limits);
        let used = match (&as_client, &as_leaf) {
            (Ok(Scan::Op(op, used)), _) => {
                assert!(
                    !matches!(op, ServerOp::Info(json) if serde_json::from_slice::<leaf_core::nats::info::Info>(json).is_err())
                );
                *used
            }
            (_, Ok(Scan::Op(op, used))) => {
                assert!(
                    !matches!(op, LeafOp::Connect(json) if serde_json::from_slice::<Connect>(json).is_err())
                );
                *used
            }
            _ => panic!("{} is neither: {as_client:?}, {as_leaf:?}", shown(heard)),
        };
        heard = heard.split_at(used).1;
    }
}
