//! A NATS client that outlives its connections: subscriptions stay, and are asked for again.
//!
//! ```text
//!    Away ──handle_connected──▶ ExpectInfo ──INFO──▶ ExpectPong ──PONG──▶ Ready ──▶ Away ...
//!      ▲                                                                   │
//!      └──────────── handle_disconnected, an -ERR, a silence ──────────────┘
//! ```
//!
//! The shell opens a stream when [`NatsClient::poll_dial`] is due, tells [`NatsClient::handle_connected`], moves
//! bytes, and says [`NatsClient::handle_disconnected`] when the stream is gone or the machine is
//! [`NatsClient::is_away`] again. What is published while away is not kept: it is told to whoever publishes.
//!
//! Source: NATS client protocol (docs.nats.io, reference/nats-protocol); what clients of NATS do about reconnects
//! and inboxes (docs.nats.io, using-nats/developer).

use super::dice::Dice;
use super::info::Connect;
use super::op::{Message, ServerOp};
use super::{BadOp, Scan, scan_server, write};
use crate::json::{self, Value};
use crate::limits::NatsLimits;
use crate::time::Timestamp;
use std::collections::VecDeque;

/// First wait before a connection is tried again; doubles.
const DIAL_WAIT_MS: i64 = 250;
/// Longest wait before a connection is tried again.
const DIAL_WAIT_MS_MAX: i64 = 15_000;
/// How long a server may take for a sign of life that is asked for out of turn.
const PROBE_MS: i64 = 5_000;
/// How long a server may take from the first byte to the first `PONG`.
const HANDSHAKE_MS_MAX: i64 = 10_000;

/// Why something cannot be had from a server.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NatsError {
    /// No connection now; the next one is on its way.
    #[error("no connection to the NATS server")]
    Away,
    /// The server wants other credentials.
    #[error("the NATS server does not let us in: {0}")]
    Denied(String),
    /// Nobody listens to the subject of a request.
    #[error("nobody answers to that subject")]
    NoResponders,
    /// The message is larger than the server takes.
    #[error("a message of {bytes} bytes, where the NATS server takes {max}")]
    PayloadTooLarge {
        /// Header and body.
        bytes: usize,
        /// What the server said it takes.
        max: usize,
    },
    /// The server speaks, but not NATS.
    #[error("this is no NATS server: {0}")]
    PeerProtocol(#[from] BadOp),
    /// The server ended the connection and said why.
    #[error("the NATS server says: {0}")]
    PeerSays(String),
    /// The server says nothing any more.
    #[error("the NATS server is silent")]
    PeerSilent,
    /// No reply in time.
    #[error("no reply in time")]
    TimedOut,
    /// A port that is for leaf nodes.
    #[error("this is the server's port for leaf nodes: clients have their own (4222 unless configured)")]
    WrongPort,
}

impl NatsError {
    /// Whether another attempt will end in the same way, until somebody changes something.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::WrongPort | Self::PeerProtocol(_))
    }
}

/// A message that came.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Arrival {
    /// Which subscription it is for.
    pub sid: u64,
    /// Its subject.
    pub subject: Vec<u8>,
    /// Where a reply is to go.
    pub reply: Option<Vec<u8>>,
    /// The header block, or nothing.
    pub header: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a shell is to know.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NatsEvent {
    /// The server let us in; subscriptions are in force.
    Ready {
        /// What the server calls itself.
        server: String,
    },
    /// A message for a subscription.
    Message(Arrival),
    /// A request ended.
    Reply {
        /// Which, as [`NatsClient::request`] named it.
        request: u64,
        /// The reply.
        reply: Result<Arrival, NatsError>,
    },
    /// The server complains and goes on.
    Complaint(String),
    /// The server is about to stop: it is left for another or for its successor.
    LameDuck,
    /// The connection ended, or could not be made.
    Lost(NatsError),
}

/// Signs a server's nonce: gives the public key or the claims (`jwt`), and the signature in base64.
pub type Signer = Box<dyn Fn(&str) -> Signed + Send>;

/// What proves a key.
#[derive(Clone, Debug, Default)]
pub struct Signed {
    /// The public key, for a server that knows it.
    pub nkey: Option<String>,
    /// The claims, for a server that knows who signed them.
    pub jwt: Option<String>,
    /// The signature, base64.
    pub signature: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Away,
    ExpectInfo,
    ExpectPong,
    Ready,
}

struct Wanted {
    subject: Vec<u8>,
    queue: Option<Vec<u8>>,
}

/// A client.
pub struct NatsClient {
    connect: Connect,
    signer: Option<Signer>,
    limits: NatsLimits,
    stage: Stage,
    payload_max: usize,
    unread: Vec<u8>,
    out: Vec<u8>,
    events: VecDeque<NatsEvent>,
    /// By their numbers, in order.
    subs: Vec<(u64, Wanted)>,
    /// Requests under way by their numbers, in order, and when they are given up.
    requests: Vec<(u64, Timestamp)>,
    inbox: Vec<u8>,
    next: u64,
    heard: Timestamp,
    due: Timestamp,
    pings_out: u32,
    /// Since when a sign of life is waited for that was asked for out of turn.
    probed: Option<Timestamp>,
    dial_due: Option<Timestamp>,
    dials: u32,
    dice: Dice,
}

/// The sid of the subscription that replies come by.
const INBOX_SID: u64 = 0;

impl NatsClient {
    /// A client that wants to connect at once. `seed` makes its inbox unlike any other's and spreads its
    /// attempts; `connect` may bring a name and credentials.
    pub fn new(
        connect: Connect,
        signer: Option<Signer>,
        limits: NatsLimits,
        seed: u64,
        now: Timestamp,
    ) -> Self {
        let inbox = format!("_INBOX.{seed:016x}").into_bytes();
        Self {
            connect: Connect {
                verbose: false,
                pedantic: false,
                echo: connect.echo,
                lang: "rust".into(),
                version: env!("CARGO_PKG_VERSION").into(),
                protocol: 1,
                headers: true,
                no_responders: true,
                ..connect
            },
            signer,
            limits,
            stage: Stage::Away,
            payload_max: limits.payload_bytes_max,
            unread: Vec::new(),
            out: Vec::new(),
            events: VecDeque::new(),
            subs: Vec::new(),
            requests: Vec::new(),
            inbox,
            next: 1,
            heard: now,
            due: now,
            pings_out: 0,
            probed: None,
            dial_due: Some(now),
            dials: 0,
            dice: Dice::new(seed),
        }
    }

    /// Whether there is no connection.
    pub fn is_away(&self) -> bool {
        self.stage == Stage::Away
    }

    /// Whether messages can be published.
    pub fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// What the server takes. Units: bytes of header and body.
    pub fn payload_max(&self) -> usize {
        self.payload_max
    }

    /// When to open a stream, or `None` while there is one.
    pub fn poll_dial(&self) -> Option<Timestamp> {
        self.dial_due
    }

    /// Tries at once, for somebody knows that the network is back.
    pub fn dial_now(&mut self, now: Timestamp) {
        if self.is_away() {
            self.dial_due = Some(now);
        }
    }

    /// Wants a sign of life soon, for the network is another or time has passed unseen: a connection that gives none
    /// is gone.
    pub fn probe(&mut self, now: Timestamp) {
        if self.is_ready() {
            self.out.extend_from_slice(b"PING\r\n");
            self.probed = Some(now);
            self.due = Timestamp(now.0.saturating_add(PROBE_MS));
        }
    }

    /// A stream is open.
    pub fn handle_connected(&mut self, now: Timestamp) {
        self.dial_due = None;
        self.unread.clear();
        self.out.clear();
        self.stage = Stage::ExpectInfo;
        self.heard = now;
        self.due = Timestamp(now.0.saturating_add(HANDSHAKE_MS_MAX));
        self.pings_out = 0;
        self.probed = None;
    }

    /// The stream is gone, or none could be opened.
    pub fn handle_disconnected(&mut self, now: Timestamp) {
        self.lose(NatsError::Away, now);
    }

    /// Takes whatever the stream gave, in pieces of any size.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Timestamp) {
        if self.is_away() {
            return;
        }
        self.heard = now;
        self.probed = None;
        let mut input = std::mem::take(&mut self.unread);
        input.extend_from_slice(bytes);
        let mut used = 0_usize;
        // A server may announce more than our own bound: what it takes, it may also send.
        let limits = NatsLimits {
            payload_bytes_max: self.limits.payload_bytes_max.max(self.payload_max),
            ..self.limits
        };
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            match scan_server(rest, &limits) {
                Ok(Scan::Op(op, bytes)) => {
                    used = used.saturating_add(bytes);
                    self.handle_op(op, now);
                    if self.is_away() {
                        return;
                    }
                }
                Ok(Scan::More(_)) => break,
                Err(bad) => return self.lose(bad.into(), now),
            }
        }
        input.drain(..used.min(input.len()));
        self.unread = input;
    }

    fn handle_op(&mut self, op: ServerOp<'_>, now: Timestamp) {
        match op {
            ServerOp::Info(json) => self.handle_info(json, now),
            ServerOp::Ping => self.out.extend_from_slice(b"PONG\r\n"),
            ServerOp::Pong => {
                self.pings_out = 0;
                if self.stage == Stage::ExpectPong {
                    self.stage = Stage::Ready;
                    self.dials = 0;
                    self.due = Timestamp(now.0.saturating_add(self.limits.ping_interval_ms));
                    self.events.push_back(NatsEvent::Ready {
                        server: self.connect.server_id.clone(),
                    });
                }
            }
            ServerOp::Ok => {}
            ServerOp::Error(text) => self.handle_error(&String::from_utf8_lossy(text), now),
            ServerOp::Message { sid, message } => self.handle_message(sid, &message),
        }
    }

    fn handle_info(&mut self, json: &[u8], now: Timestamp) {
        let Some(info) = ServerInfo::read(json) else {
            return self.lose(BadOp::Arguments.into(), now);
        };
        if info.max_payload > 0 {
            self.payload_max = info.max_payload;
        }
        if info.ldm {
            self.events.push_back(NatsEvent::LameDuck);
        }
        if self.stage != Stage::ExpectInfo {
            return;
        }
        if info.is_leafnode_port {
            return self.lose(NatsError::WrongPort, now);
        }
        let mut connect = self.connect.clone();
        connect.server_id = String::new();
        if let (Some(signer), false) = (&self.signer, info.nonce.is_empty()) {
            let signed = signer(&info.nonce);
            connect.nkey = signed.nkey;
            connect.jwt = signed.jwt;
            connect.sig = Some(signed.signature);
        }
        self.connect.server_id = info.server_name;
        let json = connect.write_client();
        write::line(&mut self.out, &[b"CONNECT", &json]);
        let inbox = [self.inbox.as_slice(), b".*"].concat();
        write::line(&mut self.out, &[b"SUB", &inbox, b"0"]);
        for (sid, wanted) in &self.subs {
            say_sub(&mut self.out, *sid, wanted);
        }
        self.out.extend_from_slice(b"PING\r\n");
        self.stage = Stage::ExpectPong;
    }

    fn handle_error(&mut self, text: &str, now: Timestamp) {
        let lower = text.to_ascii_lowercase();
        // These the server says and goes on; all others are its last word.
        let is_mild = lower.starts_with("permissions violation")
            || lower.starts_with("invalid subject")
            || lower.starts_with("invalid publish subject");
        if is_mild {
            self.events.push_back(NatsEvent::Complaint(text.into()));
        } else if lower.contains("authorization") || lower.contains("authentication") {
            self.lose(NatsError::Denied(text.into()), now);
        } else if lower.contains("leaf node port") {
            self.lose(NatsError::WrongPort, now);
        } else {
            self.lose(NatsError::PeerSays(text.into()), now);
        }
    }

    fn handle_message(&mut self, sid: &[u8], message: &Message<'_>) {
        let sid = std::str::from_utf8(sid)
            .ok()
            .and_then(|sid| sid.parse::<u64>().ok());
        let Some(sid) = sid else { return };
        let arrival = Arrival {
            sid,
            subject: message.subject.to_vec(),
            reply: message.reply.map(<[u8]>::to_vec),
            header: message.header().to_vec(),
            body: message.body().to_vec(),
        };
        if sid != INBOX_SID {
            // A server may still send what was asked for no longer.
            if place(&self.subs, sid).is_some() {
                self.events.push_back(NatsEvent::Message(arrival));
            }
            return;
        }
        let request = message.subject.rsplit(|byte| *byte == b'.').next();
        let request = request
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| digits.parse().ok());
        let Some(request) = request.filter(|request| remove(&mut self.requests, *request)) else {
            return;
        };
        let reply = match arrival.header.starts_with(b"NATS/1.0 503") {
            true => Err(NatsError::NoResponders),
            false => Ok(arrival),
        };
        self.events.push_back(NatsEvent::Reply { request, reply });
    }

    /// Asks for a subject; in force now or as soon as there is a connection.
    pub fn subscribe(&mut self, subject: &[u8], queue: Option<&[u8]>) -> u64 {
        let sid = self.next;
        self.next = self.next.saturating_add(1);
        let wanted = Wanted {
            subject: subject.to_vec(),
            queue: queue.map(<[u8]>::to_vec),
        };
        if matches!(self.stage, Stage::ExpectPong | Stage::Ready) {
            say_sub(&mut self.out, sid, &wanted);
        }
        self.subs.push((sid, wanted));
        sid
    }

    /// Asks for it no longer.
    pub fn unsubscribe(&mut self, sid: u64) {
        if remove(&mut self.subs, sid) && matches!(self.stage, Stage::ExpectPong | Stage::Ready) {
            write::line(&mut self.out, &[b"UNSUB", sid.to_string().as_bytes()]);
        }
    }

    /// Publishes a message.
    ///
    /// # Errors
    ///
    /// [`NatsError::Away`] and [`NatsError::PayloadTooLarge`]; nothing was sent then.
    pub fn publish(&mut self, message: &Message<'_>) -> Result<(), NatsError> {
        if !self.is_ready() {
            return Err(NatsError::Away);
        }
        let bytes = message.payload.len();
        if bytes > self.payload_max {
            return Err(NatsError::PayloadTooLarge {
                bytes,
                max: self.payload_max,
            });
        }
        write::publish(&mut self.out, message);
        Ok(())
    }

    /// Publishes a message and waits for one reply until `deadline`; gives the name of the request. `header` is a
    /// whole header block, or nothing.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish); what goes wrong later is said by [`NatsEvent::Reply`].
    pub fn request(
        &mut self,
        subject: &[u8],
        header: &[u8],
        body: &[u8],
        deadline: Timestamp,
    ) -> Result<u64, NatsError> {
        let request = self.next;
        let reply = [&self.inbox, format!(".{request}").as_bytes()].concat();
        self.publish(&Message {
            subject,
            reply: Some(&reply),
            header_bytes: header.len(),
            payload: &[header, body].concat(),
        })?;
        self.next = self.next.saturating_add(1);
        self.requests.push((request, deadline));
        Ok(request)
    }

    /// Takes what is to be written to the stream.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        (!self.out.is_empty()).then(|| std::mem::take(&mut self.out))
    }

    /// Takes what happened.
    pub fn poll_event(&mut self) -> Option<NatsEvent> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), or `None`.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let first = self.requests.iter().map(|(_, deadline)| *deadline).min();
        let own = (!self.is_away()).then_some(self.due);
        first.into_iter().chain(own).min()
    }

    /// Acts on deadlines up to `now`. A call too early does nothing.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let late: Vec<u64> = self
            .requests
            .iter()
            .filter(|(_, deadline)| *deadline <= now)
            .map(|(request, _)| *request)
            .collect();
        for request in late {
            remove(&mut self.requests, request);
            self.events.push_back(NatsEvent::Reply {
                request,
                reply: Err(NatsError::TimedOut),
            });
        }
        if self.is_away() || now < self.due {
            return;
        }
        let interval = self.limits.ping_interval_ms;
        let quiet_since = Timestamp(self.heard.0.saturating_add(interval));
        if self.stage != Stage::Ready || self.probed.is_some() {
            self.lose(NatsError::PeerSilent, now);
        } else if now < quiet_since {
            self.pings_out = 0;
            self.due = quiet_since;
        } else if self.pings_out >= self.limits.pings_out_max {
            self.lose(NatsError::PeerSilent, now);
        } else {
            self.pings_out = self.pings_out.saturating_add(1);
            self.out.extend_from_slice(b"PING\r\n");
            self.due = Timestamp(now.0.saturating_add(interval));
        }
    }

    /// Ends the connection and plans the next one: later each time, and not all clients at the same moment.
    fn lose(&mut self, why: NatsError, now: Timestamp) {
        if self.is_away() && self.dial_due.is_some_and(|due| due > now) {
            return;
        }
        self.stage = Stage::Away;
        self.unread = Vec::new();
        self.out = Vec::new();
        for (request, _) in std::mem::take(&mut self.requests) {
            self.events.push_back(NatsEvent::Reply {
                request,
                reply: Err(NatsError::Away),
            });
        }
        let wait = DIAL_WAIT_MS
            .saturating_mul(1_i64.checked_shl(self.dials.min(8)).unwrap_or(1))
            .min(DIAL_WAIT_MS_MAX);
        self.dials = self.dials.saturating_add(1);
        self.dial_due = Some(self.dice.later(now, wait));
        self.events.push_back(NatsEvent::Lost(why));
    }
}

/// Where a number is in a list that is in order.
fn place<T>(list: &[(u64, T)], number: u64) -> Option<usize> {
    list.binary_search_by_key(&number, |(number, _)| *number).ok()
}

/// Takes a number out of the list; whether it was there.
fn remove<T>(list: &mut Vec<(u64, T)>, number: u64) -> bool {
    let place = place(list, number);
    place.map(|place| list.remove(place)).is_some()
}

/// What of an `INFO` a client acts on.
#[derive(Default)]
struct ServerInfo {
    server_name: String,
    max_payload: usize,
    nonce: String,
    ldm: bool,
    is_leafnode_port: bool,
}

impl ServerInfo {
    fn read(json: &[u8]) -> Option<Self> {
        let mut info = Self::default();
        for (key, value) in json::read(json)? {
            match (key.as_str(), value) {
                ("server_name", Value::Text(name)) => info.server_name = name,
                ("max_payload", Value::Number(bytes)) => info.max_payload = usize::try_from(bytes).ok()?,
                ("nonce", Value::Text(nonce)) => info.nonce = nonce,
                ("ldm", Value::Bool(is_leaving)) => info.ldm = is_leaving,
                ("leafnode_urls", value) => info.is_leafnode_port = value != Value::Null,
                _ => {}
            }
        }
        Some(info)
    }
}

fn say_sub(out: &mut Vec<u8>, sid: u64, wanted: &Wanted) {
    let sid = sid.to_string();
    match &wanted.queue {
        None => write::line(out, &[b"SUB", &wanted.subject, sid.as_bytes()]),
        Some(queue) => write::line(out, &[b"SUB", &wanted.subject, queue, sid.as_bytes()]),
    }
}
