//! As much HTTP as one sync round needs.

use leaf_core::limits::Limits;
use leaf_core::repo::Repo;
use leaf_core::sync::{
    Request, SeenLogins, ServeContext, SyncError, SyncEvent, SyncOptions, SyncSession, SyncStats, serve,
};
use leaf_core::time::Timestamp;
use leaf_core::xfer::ContentType;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock past 1970");
    Timestamp(i64::try_from(since.as_millis()).expect("a clock before the year 292 million"))
}

/// Different in each call.
fn entropy() -> [u8; 20] {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0; 20];
    let (call, time) = (CALLS.fetch_add(1, Ordering::Relaxed), now().0);
    bytes[..8].copy_from_slice(&call.to_be_bytes());
    bytes[8..16].copy_from_slice(&time.to_be_bytes());
    bytes
}

/// How a session went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) rounds: u32,
    pub(crate) events: Vec<SyncEvent>,
    pub(crate) stats: SyncStats,
}

/// Runs a session of ours against a server on `port`.
pub(crate) fn run(repo: &mut Repo, options: SyncOptions, port: u16) -> Result<Outcome, SyncError> {
    let mut session = SyncSession::new(options);
    while let Some(transmit) = session.poll_transmit(repo, entropy())? {
        let cookie = transmit
            .cookie
            .as_ref()
            .map(|value| format!("Cookie: x-f-l-c={value}\r\n"));
        let head = format!(
            "POST / HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {}\r\n{}Content-Length: {}\r\n\r\n",
            transmit.content_type.as_str(),
            cookie.unwrap_or_default(),
            transmit.body.len()
        );
        let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("a listening server");
        socket.write_all(head.as_bytes()).expect("an open socket");
        socket.write_all(&transmit.body).expect("an open socket");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).expect("an answer");
        let (head, body) = split(&answer).expect("an HTTP answer");
        let content_type = header(&head, "content-type").and_then(|value| ContentType::parse(&value));
        let content_type = content_type
            .unwrap_or_else(|| panic!("no sync reply: {head}\n{}", String::from_utf8_lossy(body)));
        session.handle_reply(repo, body, content_type, now())?;
    }
    let events: Vec<_> = std::iter::from_fn(|| session.poll_event()).collect();
    Ok(Outcome {
        rounds: session.stats().rounds,
        events,
        stats: *session.stats(),
    })
}

/// Serves requests on `listener` until one asks for `/stop`; gives the repository back.
pub(crate) fn serve_until_stopped(listener: &TcpListener, mut repo: Repo) -> Repo {
    let mut seen = SeenLogins::default();
    for socket in listener.incoming() {
        let mut socket = socket.expect("a connection");
        let Some((head, body)) = receive(&mut socket) else {
            break;
        };
        let content_type = header(&head, "content-type").and_then(|value| ContentType::parse(&value));
        let cookie =
            header(&head, "cookie").and_then(|value| value.strip_prefix("x-f-l-c=").map(str::to_owned));
        let request = Request {
            body: &body,
            content_type: content_type.expect("a sync request"),
            cookie: cookie.as_deref(),
        };
        let context = ServeContext {
            now: now(),
            peer_address: "127.0.0.1".to_owned(),
            guest: None,
            base_url: None,
            limits: Limits::default(),
        };
        let reply = serve(&mut repo, &mut seen, &request, &context).expect("a sound repository");
        let head = format!(
            "HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            reply.content_type.as_str(),
            reply.body.len()
        );
        socket.write_all(head.as_bytes()).expect("an open socket");
        socket.write_all(&reply.body).expect("an open socket");
    }
    repo
}

/// Ends [`serve_until_stopped`].
pub(crate) fn stop(port: u16) {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("a listening server");
    socket
        .write_all(b"GET /stop HTTP/1.0\r\n\r\n")
        .expect("an open socket");
}

/// One request; `None` for `/stop`.
fn receive(socket: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        if let Some((head, body)) = split(&bytes) {
            let length = header(&head, "content-length").and_then(|value| value.parse::<usize>().ok());
            match length {
                None => return None,
                Some(length) if body.len() >= length => return Some((head, body.to_vec())),
                Some(_) => {}
            }
        }
        let read = socket.read(&mut chunk).expect("an open socket");
        assert!(read > 0, "the client went away");
        bytes.extend_from_slice(&chunk[..read]);
    }
}

fn split(message: &[u8]) -> Option<(String, &[u8])> {
    let end = message.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((
        String::from_utf8_lossy(&message[..end]).into_owned(),
        &message[end + 4..],
    ))
}

fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
        .next()
}
