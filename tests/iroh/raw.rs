//! What comes over the wire, byte for byte: an endpoint that is no leaf speaks to one, well and badly.
//!
//! Source: `leaf_core::peer`; EdgeSync `iroh-sidecar/src/acceptor.rs` for its own protocol.

use crate::leaf::{Guest, Host, wait_until};
use iroh::endpoint::{Connection, ConnectionError, RecvStream, SendStream, presets};
use iroh::{Endpoint, EndpointAddr, SecretKey};
use leaf_core::peer::{
    Answer, Ask, JOIN, JoinAnswer, JoinAsk, NATS, NATS_LEAF_EDGESYNC, Ticket, XFER, XFER_EDGESYNC,
    invite_seed, join_text,
};
use leaf_core::xfer::{ContentType, envelope};
use leaf_tests::oracle::{artifacts, column};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// How long something that has to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// An endpoint that says what it is told to.
struct Raw {
    runtime: Runtime,
    endpoint: Endpoint,
}

impl Raw {
    fn new() -> Self {
        let runtime = Runtime::new().expect("threads");
        let builder = Endpoint::builder(presets::Minimal).clear_ip_transports();
        let builder = builder.bind_addr("127.0.0.1:0").expect("an address");
        let endpoint = runtime.block_on(builder.bind()).expect("a socket");
        Self { runtime, endpoint }
    }

    fn id(&self) -> String {
        self.endpoint.id().to_string()
    }

    fn connect(&self, host: &Host, protocol: &[u8]) -> Connection {
        let connecting = self.endpoint.connect(place(host), protocol);
        self.run(connecting).expect("the handshake itself")
    }

    #[track_caller]
    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime
            .block_on(async { timeout(PATIENCE, work).await })
            .expect("in time")
    }

    /// Says `bytes` on a stream of its own, and that this is all.
    fn say(&self, connection: &Connection, bytes: &[u8]) -> (SendStream, RecvStream) {
        self.run(async {
            let (mut send, receive) = connection.open_bi().await.expect("a stream");
            // Who is refused early wants no more.
            drop(send.write_all(bytes).await);
            drop(send.finish());
            (send, receive)
        })
    }

    /// All that is answered to `bytes`; `None` when the stream or the connection breaks.
    fn ask(&self, connection: &Connection, bytes: &[u8]) -> Option<Vec<u8>> {
        let (_send, mut receive) = self.say(connection, bytes);
        self.run(receive.read_to_end(64 << 20)).ok()
    }

    /// What the broker answers to `bytes`, as far as `end`.
    #[track_caller]
    fn broker(&self, connection: &Connection, bytes: &[u8], end: &str) -> String {
        self.run(async {
            let (mut send, mut receive) = connection.open_bi().await.expect("a stream");
            send.write_all(bytes).await.expect("taken");
            let mut heard = String::new();
            while !heard.contains(end) {
                let piece = receive.read_chunk(4096).await.expect("a connection");
                let Some(piece) = piece else {
                    panic!("no more than {heard}")
                };
                heard.push_str(std::str::from_utf8(&piece).expect("text"));
            }
            heard
        })
    }

    /// What is answered to a line of a leaf and what stands behind it.
    #[track_caller]
    fn answer(&self, connection: &Connection, bytes: &[u8]) -> Answer {
        let answer = self.ask(connection, bytes).expect("an answer");
        let line = answer.split(|byte| *byte == b'\n').next().expect("a line");
        Answer::parse(line).expect("as a leaf speaks")
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.runtime.block_on(self.endpoint.close());
    }
}

/// Where a host is.
fn place(host: &Host) -> EndpointAddr {
    let url = host.server.by_key();
    let (id, query) = url["iroh://".len()..].split_once('?').expect("a place");
    let address = query
        .strip_prefix("addr=")
        .expect("an address")
        .replace("%3A", ":");
    EndpointAddr::new(id.parse().expect("a key")).with_ip_addr(address.parse().expect("an address"))
}

fn pull(host: &Host) -> Vec<u8> {
    let project = &column(&host.file, "SELECT value FROM config WHERE name='project-code'")[0];
    let cards = format!("pull {} {project}\n", "0".repeat(40));
    envelope::pack(cards.into_bytes(), ContentType::Compressed)
}

fn asked(body: &[u8]) -> Vec<u8> {
    let ask = Ask {
        place: None,
        content_type: ContentType::Compressed,
        bytes: body.len(),
    };
    [ask.write().as_slice(), body].concat()
}

#[test]
fn a_node_of_edgesync_syncs_by_its_own_protocol() {
    let (host, raw) = (Host::start(), Raw::new());
    host.allow_key(&raw.id(), "gio");
    let connection = raw.connect(&host, XFER_EDGESYNC);
    for _ in 0..2 {
        let reply = raw.ask(&connection, &pull(&host)).expect("an answer");
        let cards = envelope::unpack(&reply, ContentType::Compressed, 1 << 20).expect("a message");
        let cards = String::from_utf8_lossy(&cards);
        assert!(cards.contains("igot "), "{cards}");
    }
}

#[test]
fn a_stranger_gets_nothing_by_any_protocol() {
    let (host, raw) = (Host::start(), Raw::new());
    for protocol in [XFER, XFER_EDGESYNC, NATS, NATS_LEAF_EDGESYNC, JOIN] {
        let connection = raw.connect(&host, protocol);
        let pulled = match protocol {
            XFER => asked(&pull(&host)),
            XFER_EDGESYNC => pull(&host),
            _ => vec![1; 100],
        };
        let said = raw.run(async {
            if let Ok((mut send, mut receive)) = connection.open_bi().await {
                drop(send.write_all(&pulled).await);
                drop(send.finish());
                assert!(
                    receive.read_to_end(1 << 20).await.is_err(),
                    "nothing, not even an end"
                );
            }
            connection.closed().await
        });
        let ConnectionError::ApplicationClosed(close) = said else {
            panic!("it was not said why: {said}");
        };
        assert_eq!(close.error_code.into_inner(), 1);
        assert_eq!(&close.reason[..], b"not on the list of peers");
    }
}

#[test]
fn a_client_of_the_broker_may_do_what_its_letters_allow() {
    let (host, raw) = (Host::start(), Raw::new());
    host.allow_key(&raw.id(), "o");
    let project = &column(&host.file, "SELECT value FROM config WHERE name='project-code'")[0];
    let news = format!("fossil.{project}.commit");
    let connection = raw.connect(&host, NATS);
    let said =
        format!("CONNECT {{\"verbose\":false}}\r\nSUB {news} 1\r\nSUB a 2\r\nPUB {news} 2\r\nhi\r\nPING\r\n");
    let heard = raw.broker(&connection, &[&[1], said.as_bytes()].concat(), "PONG\r\n");
    assert!(heard.starts_with("INFO {"), "{heard}");
    assert!(!heard.contains("auth_required"), "{heard}");
    assert!(
        heard.contains("Permissions Violation for Subscription to \"a\""),
        "{heard}"
    );
    assert!(heard.contains("Permissions Violation for Publish"), "{heard}");
    assert_eq!(heard.matches("-ERR").count(), 2, "{heard}");
    assert!(!heard.contains("MSG"), "{heard}");

    // Who may write may say what is new.
    let writer = Raw::new();
    host.allow_key(&writer.id(), "gio");
    let said = format!("CONNECT {{}}\r\nSUB {news} 1\r\nPUB {news} 2\r\nhi\r\nPING\r\n");
    let connection = writer.connect(&host, NATS);
    let heard = writer.broker(&connection, &[&[1], said.as_bytes()].concat(), "PONG\r\n");
    assert!(heard.contains(&format!("MSG {news} 1 2\r\nhi\r\n")), "{heard}");
}

#[test]
fn who_links_its_broker_has_to_be_an_administrator() {
    let (host, guest, admin) = (Host::start(), Raw::new(), Raw::new());
    host.allow_key(&guest.id(), "gio");
    host.allow_key(&admin.id(), "a");
    let connection = admin.connect(&host, NATS_LEAF_EDGESYNC);
    let heard = admin.broker(&connection, b"CONNECT {}\r\nPING\r\n", "PONG\r\n");
    assert!(heard.starts_with("INFO {"), "{heard}");
    let connection = guest.connect(&host, NATS_LEAF_EDGESYNC);
    assert_eq!(guest.ask(&connection, b"CONNECT {}\r\n"), None);
    // Nor by the door of clients.
    let connection = guest.connect(&host, NATS);
    let heard = guest.broker(&connection, b"\x01CONNECT {\"leaf_mesh\":\"leaf\"}\r\n", "-ERR");
    assert!(heard.contains("Authorization Violation"), "{heard}");
}

#[test]
fn what_is_no_request_is_refused_and_changes_nothing() {
    let (host, raw) = (Host::start(), Raw::new());
    host.allow_key(&raw.id(), "gio");
    let before = artifacts(&host.file);
    let connection = raw.connect(&host, XFER);
    let endless = vec![b'a'; 100_000];
    let greedy = b"sync - application/x-fossil 99999999999\n".as_slice();
    let elsewhere = b"sync other-project application/x-fossil 0\n".as_slice();
    for bad in [b"".as_slice(), b"hello\n", &endless, greedy, elsewhere] {
        let answer = raw.answer(&connection, bad);
        assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
    }
    let longer = [asked(&pull(&host)), vec![0; 10]].concat();
    assert!(matches!(raw.answer(&connection, &longer), Answer::Refused(_)));
    let mut shorter = asked(&pull(&host));
    shorter.pop();
    assert_eq!(
        raw.ask(&connection, &shorter),
        None,
        "there is no answer to a half"
    );
    assert!(matches!(
        raw.answer(&connection, &asked(&pull(&host))),
        Answer::Message { .. }
    ));
    assert_eq!(artifacts(&host.file), before);
}

#[test]
fn a_peer_that_hangs_holds_up_nobody() {
    let (host, raw, guest) = (Host::start(), Raw::new(), Guest::new());
    host.allow_key(&raw.id(), "gio");
    host.allow(&guest, "gio");
    let mut hung = Vec::new();
    for _ in 0..6 {
        let connection = raw.connect(&host, XFER);
        for _ in 0..8 {
            let stream = raw.run(async {
                let (mut send, receive) = connection.open_bi().await.expect("a stream");
                send.write_all(b"sync - application/x-fossil 1000000\nabc")
                    .await
                    .expect("taken");
                (send, receive)
            });
            hung.push(stream);
        }
        hung.last().expect("some");
    }
    guest.clones(host.server.by_key(), &host.file, &[]);
    assert_eq!(hung.len(), 48);
}

#[test]
fn a_peer_has_few_connections_at_a_time() {
    let (host, raw) = (Host::start(), Raw::new());
    host.allow_key(&raw.id(), "gio");
    let open: Vec<Connection> = (0..8).map(|_| raw.connect(&host, XFER)).collect();
    for connection in &open {
        let answer = raw.answer(connection, &asked(&pull(&host)));
        assert!(matches!(answer, Answer::Message { .. }), "{answer:?}");
    }
    let one_more = raw.connect(&host, XFER);
    let ConnectionError::ApplicationClosed(close) = raw.run(one_more.closed()) else {
        panic!("it was not said why");
    };
    assert_eq!(&close.reason[..], b"too many connections");
}

#[test]
fn it_is_known_how_it_stands_with_a_peer() {
    let (host, raw) = (Host::start(), Raw::new());
    host.allow_key(&raw.id(), "gio");
    assert!(host.state_of(&raw.id()).is_null());
    let connection = raw.connect(&host, XFER);
    wait_until("it is connected", || {
        host.state_of(&raw.id())["connected"] == true
    });
    let state = host.state_of(&raw.id());
    assert_eq!(state["path"], "direct", "{state}");
    assert!(state["rtt_us"].as_i64() > Some(0), "{state}");
    let answer = raw.answer(&connection, &asked(&pull(&host)));
    assert!(matches!(answer, Answer::Message { .. }), "{answer:?}");
    connection.close(0_u8.into(), b"");
    wait_until("it is not", || host.state_of(&raw.id())["connected"] == false);
    let last = host.state_of(&raw.id());
    for bytes in ["bytes_sent", "bytes_received"] {
        assert!(last[bytes].as_i64() > state[bytes].as_i64(), "{state} {last}");
    }
    let page = host.get("/peers.json");
    assert!(
        page.contains(&raw.id()) && page.contains("\"bytes_sent\""),
        "{page}"
    );
}

#[test]
fn a_proof_that_was_made_for_another_lets_nobody_in() {
    let (host, raw, other) = (Host::start(), Raw::new(), Raw::new());
    let ticket = Ticket::parse(&host.invite(&[])).expect("a ticket");
    let key = SecretKey::from_bytes(&invite_seed(&ticket.secret));
    let join = |joiner: &[u8; 32], inviter: &[u8; 32]| JoinAsk {
        invite: *key.public().as_bytes(),
        signature: key.sign(&join_text(inviter, joiner)).to_bytes(),
        name: "mallory".to_owned(),
    };
    let (own, others) = (raw.endpoint.id(), other.endpoint.id());
    let connection = raw.connect(&host, JOIN);
    for forged in [
        join(others.as_bytes(), &ticket.endpoint),
        join(own.as_bytes(), others.as_bytes()),
    ] {
        let answer = raw.ask(&connection, &forged.write()).expect("an answer");
        let answer = JoinAnswer::parse(answer.trim_ascii_end()).expect("as a leaf speaks");
        let JoinAnswer::Refused(why) = answer else {
            panic!("it was let in");
        };
        assert!(why.contains("not for you"), "{why}");
    }
    let good = join(own.as_bytes(), &ticket.endpoint);
    let answer = raw.ask(&connection, &good.write()).expect("an answer");
    let answer = JoinAnswer::parse(answer.trim_ascii_end()).expect("as a leaf speaks");
    assert!(matches!(answer, JoinAnswer::Joined { .. }), "{answer:?}");
}
