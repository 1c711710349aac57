//! What a client says, and what it is answered.
//!
//! Source: NATS client protocol (docs.nats.io, reference/nats-protocol); what nats-server 2.9.10 and 2.15.1
//! answer (`tests/nats`).

use super::conn::{Close, Conn, PeerKind, Stage, Sub};
use super::route::Origin;
use super::{BrokerEvent, NatsBroker};
use crate::nats::op::{ClientOp, Message};
use crate::nats::subject::{is_literal, is_valid};
use crate::nats::{BadOp, Scan, scan_client, write};
use crate::time::Timestamp;

/// Where brokers of a cluster write replies that they pass on.
const BROKERS_OWN: [&[u8]; 2] = [b"_R_.", b"_GR_."];

impl NatsBroker {
    /// Acts on one operation of a client and says how many bytes it was; `None` if it is not whole.
    pub(super) fn client_step(
        &mut self,
        slot: u32,
        input: &[u8],
        now: Timestamp,
    ) -> Result<Option<usize>, BadOp> {
        let Some(conn) = self.conns.get(slot) else {
            return Ok(None);
        };
        let is_before_connect = conn.stage == Stage::ExpectConnect;
        if is_before_connect && conn.is_guarded && !matches!(input.first(), Some(b'C' | b'c')) {
            self.close(slot, Close::Authorization);
            return Ok(Some(input.len()));
        }
        let (op, used) = match scan_client(input, &self.limits)? {
            Scan::More(_) => return Ok(None),
            Scan::Op(op, used) => (op, used),
        };
        match op {
            ClientOp::Publish(message) => self.client_publish(slot, &message, now),
            ClientOp::Subscribe { subject, queue, sid } => self.client_subscribe(slot, subject, queue, sid),
            ClientOp::Unsubscribe { sid, max } => self.client_unsubscribe(slot, sid, max),
            ClientOp::Ping => {
                self.say(slot, &[b"PONG"]);
                let owes = |conn: &mut Conn| std::mem::take(&mut conn.owes_info);
                if self.conns.get_mut(slot).is_some_and(owes) {
                    self.say_info_with(slot, |info| {
                        info.connect_info = true;
                        info.remote_account = "$G".into();
                    });
                }
            }
            ClientOp::Pong => {
                if let Some(conn) = self.conns.get_mut(slot) {
                    conn.pings_out = 0;
                }
            }
            ClientOp::Connect(json) => self.client_connect(slot, json, now)?,
            ClientOp::Error(text) => {
                let text = String::from_utf8_lossy(text).into_owned();
                self.close(slot, Close::Peer(text));
            }
            ClientOp::Info(_) | ClientOp::Ok => {}
        }
        Ok(Some(used))
    }

    /// Lets a client in that needs no credentials and has not said anything.
    pub(super) fn admit_unasked(&mut self, slot: u32) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        if let Some(grant) = self.gate.admit(&conn.visitor, &conn.connect) {
            conn.is_publish_open = grant.publish.is_open();
            conn.grant = grant;
            conn.stage = Stage::Open;
        }
    }

    fn client_connect(&mut self, slot: u32, json: &[u8], now: Timestamp) -> Result<(), BadOp> {
        let Some(conn) = self.conns.get_mut(slot) else {
            return Ok(());
        };
        let mut connect = conn.connect.clone();
        connect.take(json).map_err(|_| BadOp::Arguments)?;
        if !connect.leaf_mesh.is_empty() {
            // What it asked for as a client is named otherwise on a link.
            self.forget_subs(slot);
            if let Some(conn) = self.conns.get_mut(slot) {
                conn.kind = PeerKind::Mesh { is_ours: false };
            }
            self.link_connect(slot, connect, now);
            return Ok(());
        }
        // A leaf node that was sent to the port of clients: it names no library but has an id.
        if connect.lang.is_empty() && !connect.server_id.is_empty() {
            self.close(slot, Close::WrongPeer("attempted to connect to client port"));
            return Ok(());
        }
        if !(0..=1).contains(&connect.protocol) {
            self.close(slot, Close::Protocol);
            return Ok(());
        }
        let grant = match connect.account.is_empty() {
            true => self.gate.admit(&conn.visitor, &connect),
            false => None,
        };
        let is_first = !std::mem::replace(&mut conn.is_introduced, true);
        let (is_verbose, lacks_headers) = (connect.verbose, connect.no_responders && !connect.headers);
        conn.owes_info = is_first && connect.protocol > 0;
        conn.connect = connect;
        let Some(grant) = grant else {
            self.close(slot, Close::Authorization);
            return Ok(());
        };
        conn.is_publish_open = grant.publish.is_open();
        conn.grant = grant;
        let was_waiting = std::mem::replace(&mut conn.stage, Stage::Open) != Stage::Open;
        if was_waiting {
            // What counted the time for a CONNECT now counts that to the first PING.
            conn.ping_due = Timestamp(now.0.saturating_add(self.limits.first_ping_ms));
        }
        let id = conn.id;
        if lacks_headers {
            self.close(slot, Close::Responders);
            return Ok(());
        }
        match is_first {
            true => self.events.push_back(BrokerEvent::Opened { id, peer: None }),
            // Whoever it is now, it did not ask for what was asked for before.
            false => self.forget_subs(slot),
        }
        if is_verbose {
            self.say(slot, &[b"+OK"]);
        }
        Ok(())
    }

    fn forget_subs(&mut self, slot: u32) {
        let subs = self.conns.get_mut(slot).map(Conn::take_subs);
        for key in subs.into_iter().flatten() {
            self.drop_sub(key);
        }
    }

    fn client_publish(&mut self, slot: u32, message: &Message<'_>, now: Timestamp) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        conn.traffic.in_messages = conn.traffic.in_messages.saturating_add(1);
        let bytes = u64::try_from(message.payload.len()).unwrap_or(u64::MAX);
        conn.traffic.in_bytes = conn.traffic.in_bytes.saturating_add(bytes);
        let (is_verbose, is_pedantic) = (conn.connect.verbose, conn.connect.pedantic);
        let (is_echoed, wants_none) = (conn.connect.echo, conn.connect.no_responders);
        if message.header_bytes > 0 && !conn.connect.headers {
            // A client that never said it knows headers may not send them.
            self.close(slot, Close::Arguments);
            return;
        }
        if !conn.is_publish_open && !self.may_publish(slot, message, now) {
            return;
        }
        if message.reply.is_some_and(|reply| !self.may_reply(slot, reply)) {
            return;
        }
        if is_pedantic && !is_literal(message.subject) {
            self.complain(slot, "Invalid Publish Subject");
        }
        if is_verbose {
            self.say(slot, &[b"+OK"]);
        }
        let origin = Origin {
            slot,
            kind: PeerKind::Client,
            is_echoed,
            queues: b"",
        };
        let delivered = self.route(origin, message, now);
        if delivered == 0
            && wants_none
            && let Some(reply) = message.reply
        {
            self.say_nobody_heard(slot, message.subject, reply);
        }
    }

    fn may_publish(&mut self, slot: u32, message: &Message<'_>, now: Timestamp) -> bool {
        let Some(conn) = self.conns.get_mut(slot) else {
            return false;
        };
        let is_allowed = conn.grant.publish.allows(message.subject)
            || conn
                .grant
                .responses
                .is_some_and(|rule| conn.owed.take(message.subject, rule, now));
        if !is_allowed {
            let subject = String::from_utf8_lossy(message.subject).into_owned();
            self.complain(
                slot,
                &format!("Permissions Violation for Publish to \"{subject}\""),
            );
            return false;
        }
        true
    }

    /// Replies that go where only brokers write are refused; whether one may publish to where the reply goes is
    /// not asked, as it is somebody else who does.
    fn may_reply(&mut self, slot: u32, reply: &[u8]) -> bool {
        if BROKERS_OWN.iter().any(|own| reply.starts_with(own)) {
            let reply = String::from_utf8_lossy(reply).into_owned();
            self.complain(
                slot,
                &format!("Permissions Violation for Publish with Reply of \"{reply}\""),
            );
            return false;
        }
        true
    }

    /// A 503 to the publisher itself, on the subscription that waits for the reply.
    fn say_nobody_heard(&mut self, slot: u32, subject: &[u8], reply: &[u8]) {
        let own = |key: &u32| self.subs.get(*key).is_some_and(|sub| sub.slot == slot);
        let Some(key) = self.sublist.find(reply).plain.iter().copied().find(own) else {
            return;
        };
        let (Some(sub), Some(conn)) = (self.subs.get(key), self.conns.get_mut(slot)) else {
            return;
        };
        let mut header = b"NATS/1.0 503\r\nNats-Subject: ".to_vec();
        header.extend_from_slice(subject);
        header.extend_from_slice(b"\r\n\r\n");
        let message = Message {
            subject: reply,
            reply: None,
            header_bytes: header.len(),
            payload: &header,
        };
        write::delivery(&mut conn.out, &message, &sub.sid, true);
        self.mark_dirty(slot);
    }

    fn client_subscribe(&mut self, slot: u32, subject: &[u8], queue: Option<&[u8]>, sid: &[u8]) {
        let Some(conn) = self.conns.get(slot) else { return };
        let is_verbose = conn.connect.verbose;
        if conn.subs.len() >= self.limits.subscriptions_max {
            self.complain(slot, "maximum subscriptions exceeded");
            return;
        }
        if conn.subs.contains_key(sid) {
            // The first one stays, and this one is not looked at.
            if is_verbose {
                self.say(slot, &[b"+OK"]);
            }
            return;
        }
        if !is_valid(subject) {
            self.complain(slot, "Invalid Subject");
            return;
        }
        if !conn.grant.may_subscribe(subject, queue) {
            let mut text = format!(
                "Permissions Violation for Subscription to \"{}\"",
                String::from_utf8_lossy(subject)
            );
            if let Some(queue) = queue {
                text.push_str(&format!(" using queue \"{}\"", String::from_utf8_lossy(queue)));
            }
            self.complain(slot, &text);
            return;
        }
        let sub = Sub {
            slot,
            sid: sid.into(),
            subject: subject.into(),
            queue: queue.map(Into::into),
            weight: 1,
            max: None,
            delivered: 0,
            is_cut: conn.grant.subscribe.cuts(subject),
        };
        self.add_sub(sub, sid);
        if is_verbose {
            self.say(slot, &[b"+OK"]);
        }
    }

    fn client_unsubscribe(&mut self, slot: u32, sid: &[u8], max: Option<u64>) {
        let Some(conn) = self.conns.get(slot) else { return };
        let is_verbose = conn.connect.verbose;
        if let Some(key) = conn.subs.get(sid).copied() {
            match (max, self.subs.get_mut(key)) {
                (Some(max), Some(sub)) if sub.delivered < max => sub.max = Some(max),
                _ => self.drop_sub(key),
            }
        }
        if is_verbose {
            self.say(slot, &[b"+OK"]);
        }
    }

    /// An `-ERR` that does not end the connection.
    fn complain(&mut self, slot: u32, text: &str) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        write::error(&mut conn.out, text);
        self.mark_dirty(slot);
    }
}
