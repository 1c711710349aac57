//! By the leaf's own relay, on the port of its page, where nothing can go directly.
//!
//! Source: iroh-relay 1.4 `http` for the paths and the subprotocol; RFC 6455 for the upgrade.

use crate::leaf::{Guest, Host, commit, plain, wait_until};
use iroh::endpoint::presets;
use iroh::{Endpoint, EndpointAddr, RelayMode, RelayUrl, SecretKey};
use leaf_core::peer::XFER;
use leaf_tests::oracle::assert_same_artifacts;
use leaf_tests::scratch::Scratch;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tungstenite::Message;
use tungstenite::protocol::{Role, WebSocket};

/// How long something that has to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
const RELAYED: [&str; 3] = ["--iroh", "--relay", "--relay-only"];
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://elsewhere.example\r\n";

/// Asks for `path` as a page from elsewhere does; the head of the answer, and what can be said further.
fn ask(host: &Host, path: &str, headers: &str) -> (String, TcpStream) {
    let address = host.server.address();
    let mut stream = TcpStream::connect(&address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n").expect("taken");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("an answer") == 1 {
        head.push(byte[0]);
    }
    (String::from_utf8_lossy(&head).to_lowercase(), stream)
}

/// A connection to the relay that has proved nothing yet.
fn unproved(host: &Host) -> WebSocket<TcpStream> {
    let protocol = "Sec-WebSocket-Protocol: iroh-relay-v2\r\n";
    let (head, stream) = ask(host, "/relay", &format!("{UPGRADE}{protocol}"));
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    let mut socket = WebSocket::from_raw_socket(stream, Role::Client, None);
    let challenge = socket.read().expect("a challenge");
    assert!(challenge.is_binary(), "{challenge:?}");
    socket
}

/// Whether the other side ends it.
fn is_ended(socket: &mut WebSocket<TcpStream>) -> bool {
    loop {
        match socket.read() {
            Ok(Message::Close(_)) => return true,
            Ok(_) => {}
            Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                return false;
            }
            Err(_) => return true,
        }
    }
}

/// An endpoint that keeps a connection to the relay of a host.
struct Relayed {
    runtime: Runtime,
    endpoint: Endpoint,
}

impl Relayed {
    fn new(host: &Host, key: &SecretKey) -> Self {
        let runtime = Runtime::new().expect("threads");
        let relay: RelayUrl = host.server.relay().parse().expect("a URL");
        let builder = Endpoint::builder(presets::Minimal)
            .relay_mode(RelayMode::custom([relay]))
            .secret_key(key.clone())
            .clear_ip_transports();
        let endpoint = runtime.block_on(builder.bind()).expect("an endpoint");
        Self { runtime, endpoint }
    }

    /// Waits until it is connected.
    #[track_caller]
    fn is_there(&self) {
        self.runtime
            .block_on(async { timeout(PATIENCE, self.endpoint.online()).await })
            .expect("the relay takes it");
    }
}

impl Drop for Relayed {
    fn drop(&mut self) {
        self.runtime.block_on(self.endpoint.close());
    }
}

#[test]
fn a_repository_is_cloned_and_synced_by_a_relay_alone() {
    let (host, guest) = (Host::start_with(&RELAYED), Guest::new());
    host.allow(&guest, "gio");
    let url = host.server.by_key();
    assert!(url.contains("relay=") && !url.contains("addr="), "{url}");
    assert_eq!(host.server.relay(), host.server.url(), "where the page is");
    guest.clones(url, &host.file, &["--relay-only"]);
    commit(&guest.scratch, &guest.file(), "from the guest");
    guest.syncs(&["--relay-only"]);
    assert_same_artifacts(&host.file, &guest.file());
}

#[test]
fn a_stranger_may_not_use_the_relay() {
    let (host, guest) = (Host::start_with(&RELAYED), Guest::new());
    let said = guest
        .scratch
        .leaf_any(&["clone", host.server.by_key(), "clone.fossil", "--relay-only"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    host.says("may not use the relay");
    assert!(!guest.file().exists());
}

#[test]
fn a_relay_behind_tls_is_used_by_whoever_trusts_its_certificate() {
    let scratch = Scratch::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let (cert, key) = (scratch.path("cert.pem"), scratch.path("key.pem"));
    std::fs::write(&cert, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let (listen, base_url) = (format!("127.0.0.1:{port}"), format!("https://localhost:{port}"));
    let encrypted = [
        "--http",
        &listen,
        "--base-url",
        &base_url,
        "--tls-cert",
        plain(&cert),
        "--tls-key",
        plain(&key),
        "--ca-cert",
        plain(&cert),
    ];
    let host = Host::start_with(&[RELAYED.as_slice(), &encrypted].concat());
    assert_eq!(host.server.relay(), format!("{base_url}/"));
    let guest = Guest::new();
    host.allow(&guest, "gio");
    let clone = ["clone", host.server.by_key(), "clone.fossil", "--relay-only"];
    let said = guest.scratch.leaf_any(&clone);
    assert_eq!(said.code, Some(3), "{}", said.text());
    guest.clones(
        host.server.by_key(),
        &host.file,
        &["--relay-only", "--ca-cert", plain(&cert)],
    );
}

#[test]
fn a_relay_that_listens_everywhere_is_called_by_addresses_of_this_machine() {
    let host = Host::start_with(&["--iroh", "--relay", "--http", "0.0.0.0:0"]);
    let url = host.server.by_key();
    assert!(url.matches("relay=").count() > 1, "{url}");
    assert!(!url.contains("0.0.0.0"), "{url}");
}

#[test]
fn a_page_from_elsewhere_reaches_the_relay_and_nothing_else() {
    let host = Host::start_with(&RELAYED);
    let (head, _) = ask(&host, "/ping", "Origin: https://elsewhere.example\r\n");
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(head.contains("\r\naccess-control-allow-origin: *\r\n"), "{head}");
    let both = "Sec-WebSocket-Protocol: iroh-relay-v1, iroh-relay-v2\r\n";
    let (head, _) = ask(&host, "/relay", &format!("{UPGRADE}{both}"));
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(
        head.contains("\r\nsec-websocket-protocol: iroh-relay-v2\r\n"),
        "{head}"
    );
    for (path, headers, status) in [
        ("/relay", UPGRADE, "400"),
        ("/relay", "Sec-WebSocket-Protocol: iroh-relay-v2\r\n", "400"),
        ("/nats", UPGRADE, "403"),
        ("/leaf.json", "Origin: https://elsewhere.example\r\n", "403"),
    ] {
        let (head, _) = ask(&host, path, headers);
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{path}: {head}");
    }
}

#[test]
fn who_is_revoked_is_cut_off_from_the_relay() {
    let host = Host::start_with(&RELAYED);
    let (gone, stays) = (SecretKey::generate(), SecretKey::generate());
    for key in [&gone, &stays] {
        host.allow_key(&key.public().to_string(), "gio");
    }
    let both = [Relayed::new(&host, &gone), Relayed::new(&host, &stays)];
    both.iter().for_each(Relayed::is_there);
    let id = gone.public().to_string();
    host.scratch
        .leaf(&["peers", "revoke", &id, "-R", plain(&host.file)]);
    host.says("may no longer use the relay");
    host.says("may not use the relay");
    let log = host.log();
    let cut = log.lines().filter(|line| line.contains("use the relay"));
    for line in cut {
        assert!(line.contains(&id), "{line}");
    }
}

#[test]
fn it_is_known_who_is_connected_by_the_relay() {
    let host = Host::start_with(&RELAYED);
    let key = SecretKey::generate();
    let id = key.public().to_string();
    host.allow_key(&id, "gio");
    let guest = Relayed::new(&host, &key);
    let called = host.server.by_key()["iroh://".len()..]
        .split('?')
        .next()
        .expect("a key")
        .to_owned();
    let relay: RelayUrl = host.server.relay().parse().expect("a URL");
    let place = EndpointAddr::new(called.parse().expect("a key")).with_relay_url(relay);
    let connecting = guest.endpoint.connect(place, XFER);
    let connection = guest.runtime.block_on(connecting).expect("it is let in");
    wait_until("it is connected", || host.state_of(&id)["connected"] == true);
    assert_eq!(host.state_of(&id)["path"], "relayed");
    connection.close(0_u8.into(), b"");
}

#[test]
fn strangers_stay_at_the_relay_as_long_as_somebody_is_invited() {
    let (host, guest) = (Host::start_with(&RELAYED), Guest::new());
    let ticket = host.invite(&[]);
    let stranger = Relayed::new(&host, &SecretKey::generate());
    stranger.is_there();
    guest
        .scratch
        .leaf(&["join", &ticket, "clone.fossil", "--relay-only", "--user", "alice"]);
    host.says("may no longer use the relay");
    assert!(host.log().contains(&stranger.endpoint.id().to_string()));
}

#[test]
fn one_key_has_few_connections_to_the_relay() {
    let host = Host::start_with(&RELAYED);
    let key = SecretKey::generate();
    host.allow_key(&key.public().to_string(), "gio");
    let mut open: Vec<Relayed> = (0..8).map(|_| Relayed::new(&host, &key)).collect();
    open.iter().for_each(Relayed::is_there);
    open.push(Relayed::new(&host, &key));
    host.says("too many connections");
}

#[test]
fn who_proves_no_key_or_says_too_much_is_sent_away() {
    let host = Host::start_with(&RELAYED);
    let mut silent = unproved(&host);
    let mut greedy = unproved(&host);
    // The head of a frame of 70 KiB, which is never read: that it will be too large is enough.
    let head = [[0x82, 0xff].as_slice(), &(70_u64 << 10).to_be_bytes(), &[0; 4]].concat();
    greedy.get_mut().write_all(&head).expect("taken");
    assert!(is_ended(&mut greedy));
    silent.get_mut().set_nonblocking(true).expect("a socket");
    assert!(
        !is_ended(&mut silent),
        "the other, who came before, has time left"
    );
    silent.get_mut().set_nonblocking(false).expect("a socket");
    let mut forged = unproved(&host);
    forged
        .send(Message::binary([&[1], [7; 96].as_slice()].concat()))
        .expect("taken");
    assert!(is_ended(&mut forged));
    assert!(is_ended(&mut silent), "in time");
    wait_until("the relay is still there", || {
        ask(&host, "/ping", "").0.starts_with("http/1.1 200 ")
    });
}
