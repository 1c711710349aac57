//! Many at once: a thousand pages listen to one `leaf serve` while it serves twenty clones, and none misses a message.
//!
//! Source: the promise of the README; what a page says to its broker is the NATS client protocol in WebSocket.

use crate::frames::Frames;
use crate::servers::Place;
use futures_util::{SinkExt, StreamExt};
use leaf_core::limits::NatsLimits;
use leaf_core::nats::op::ServerOp;
use leaf_core::nats::{Scan, scan_server};
use leaf_tests::corpus;
use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::assert_same_artifacts;
use leaf_tests::scratch::Scratch;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

const PAGES: usize = 1000;
const MESSAGES: usize = 200;
/// Half of them by HTTP, half by NATS.
const CLONES: usize = 20;
const BODY_BYTES: usize = 2000;
/// How long all pages may take to hear the last message: longer than any busy machine wants.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two messages, so that the clones have their turn.
const PACE: Duration = Duration::from_millis(25);
/// So many messages each page may be behind, on average, before the next one is published.
const BEHIND_MAX: usize = 50;
/// Most that the server may hold at any time: twice what it took, and less than all that it passes on. Units: KiB.
const PEAK_KIB_MAX: u64 = 300_000;
/// Most that the server may hold for a page that says and hears nothing: twice what it took. Units: KiB.
const PAGE_KIB_MAX: u64 = 30;

/// Lets this process, and what it starts, have so many files open.
fn may_open(files: u64) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    assert!(
        maximum.is_none_or(|maximum| maximum >= files),
        "this test wants to open {files} files and the system allows {maximum:?}: raise ulimit -H -n"
    );
    let limit = Rlimit {
        current: Some(files),
        maximum,
    };
    setrlimit(Resource::Nofile, limit).expect("it is allowed");
}

/// A figure of the kernel on a process. Units: KiB.
fn memory_kib(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux tells");
    let figure = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.trim_start_matches(':').split_whitespace().next());
    figure.and_then(|kib| kib.parse().ok()).expect("a number of kB")
}

/// What a page has of NATS: a WebSocket, and what came by it and was not yet looked at.
struct Page {
    socket: WebSocketStream<tokio::net::TcpStream>,
    unread: Vec<u8>,
}

impl Page {
    /// Connects, subscribes, and returns once the broker knows that.
    async fn open(place: &Place) -> Self {
        let stream = Frames::open(place).into_stream();
        stream.set_nonblocking(true).expect("an open socket");
        let stream = tokio::net::TcpStream::from_std(stream).expect("an open socket");
        let mut page = Self {
            socket: WebSocketStream::from_raw_socket(stream, Role::Client, None).await,
            unread: Vec::new(),
        };
        page.say("CONNECT {\"verbose\":false}\r\nSUB crowd.news 1\r\nPING\r\n")
            .await;
        page.find(|op| (*op == ServerOp::Pong).then_some(())).await;
        page
    }

    async fn say(&mut self, text: &str) {
        let sent = self.socket.send(Message::binary(text.as_bytes().to_vec())).await;
        sent.expect("an open connection");
    }

    /// Hears until `wanted` finds something in an operation.
    async fn find<T>(&mut self, wanted: impl Fn(&ServerOp<'_>) -> Option<T>) -> T {
        loop {
            let (found, is_ping, used) = match scan_server(&self.unread, &NatsLimits::default()) {
                Ok(Scan::Op(op, used)) => (wanted(&op), op == ServerOp::Ping, used),
                Ok(Scan::More(_)) => (None, false, 0),
                Err(error) => panic!("{error}: {}", self.unread.escape_ascii()),
            };
            self.unread.drain(..used);
            if is_ping {
                self.say("PONG\r\n").await;
            }
            if let Some(found) = found {
                return found;
            }
            if used == 0 {
                match self.socket.next().await {
                    Some(Ok(Message::Binary(bytes))) => self.unread.extend_from_slice(&bytes),
                    other => panic!("a page was cut off: {other:?}"),
                }
            }
        }
    }

    /// Hears all messages, in their order and nothing between them.
    async fn hear_all(mut self, heard: Arc<AtomicUsize>) -> Self {
        for wanted in 0..MESSAGES {
            let number = self
                .find(|op| match op {
                    ServerOp::Message { message, .. } => Some(number(message.payload)),
                    _ => None,
                })
                .await;
            assert_eq!(number, wanted, "a page missed a message, or heard one twice");
            heard.fetch_add(1, Ordering::Relaxed);
        }
        self
    }
}

/// A message: its number, and as much more as makes it of some weight.
fn body(number: usize) -> String {
    format!("{number:0>BODY_BYTES$}")
}

fn number(body: &[u8]) -> usize {
    assert_eq!(body.len(), BODY_BYTES);
    let text = std::str::from_utf8(body).expect("text");
    text.parse().expect("a number")
}

/// Who publishes, by TCP.
struct Publisher {
    says: TcpStream,
    hears: BufReader<TcpStream>,
}

impl Publisher {
    fn connect(address: &str) -> Self {
        let says = TcpStream::connect(address).expect("the broker listens");
        let hears = BufReader::new(says.try_clone().expect("a socket"));
        let mut publisher = Self { says, hears };
        publisher.say("CONNECT {\"verbose\":false}\r\n");
        publisher.settle();
        publisher
    }

    fn say(&mut self, text: &str) {
        self.says.write_all(text.as_bytes()).expect("an open socket");
    }

    /// The broker has taken all that was said.
    fn settle(&mut self) {
        self.say("PING\r\n");
        let mut lines = Read::by_ref(&mut self.hears).lines();
        assert!(lines.any(|line| line.expect("an open socket") == "PONG"));
    }
}

/// Clones whole repositories by `urls` at once while messages are published, of which `heard` counts what the pages
/// have of them; how many of these were published while somebody cloned.
fn publish_while_cloning(
    publisher: &mut Publisher,
    heard: &AtomicUsize,
    scratch: &Scratch,
    urls: &[String],
) -> usize {
    let end = Instant::now() + PATIENCE;
    let (cloning, meanwhile) = (AtomicUsize::new(urls.len()), AtomicUsize::new(0));
    std::thread::scope(|threads| {
        for (number, url) in urls.iter().enumerate() {
            let cloning = &cloning;
            threads.spawn(move || {
                let said = scratch.leaf_any(&["clone", url, &clone_name(number)]);
                cloning.fetch_sub(1, Ordering::Relaxed);
                said.well();
            });
        }
        for number in 0..MESSAGES {
            while heard.load(Ordering::Relaxed) < number.saturating_sub(BEHIND_MAX) * PAGES {
                assert!(Instant::now() < end, "pages that hear nothing");
                sleep(PACE);
            }
            publisher.say(&format!("PUB crowd.news {BODY_BYTES}\r\n{}\r\n", body(number)));
            if cloning.load(Ordering::Relaxed) > 0 {
                meanwhile.fetch_add(1, Ordering::Relaxed);
            }
            sleep(PACE);
        }
        publisher.settle();
    });
    meanwhile.into_inner()
}

fn clone_name(number: usize) -> String {
    format!("clone-{number}.fossil")
}

#[test]
fn a_thousand_pages_miss_nothing_while_twenty_clone() {
    let scratch = Scratch::new();
    let origin = scratch.path("origin.fossil");
    std::fs::copy(corpus::tiny(600), &origin).expect("a copy");
    // Fewer than there are pages: the server sees to it itself that it may have more.
    may_open(512);
    let server = LeafServer::start_with(&scratch, &origin, &["--nats", "127.0.0.1:0", "--allow-origin=*"]);
    may_open(4096);
    let nats = server.nats().first().expect("it listens").clone();
    let alone = memory_kib(server.pid(), "VmRSS");

    let place = Place {
        address: server.address(),
        path: "/nats",
    };
    let runtime = Runtime::new().expect("a runtime");
    let heard = Arc::new(AtomicUsize::new(0));
    let pages: Vec<_> = (0..PAGES)
        .map(|_| {
            let page = runtime.block_on(Page::open(&place));
            runtime.spawn(page.hear_all(Arc::clone(&heard)))
        })
        .collect();
    let mut publisher = Publisher::connect(&nats);
    let crowded = memory_kib(server.pid(), "VmRSS");

    let start = Instant::now();
    let urls = [
        server.url_as("alice", "alice-pw"),
        format!("nats://alice:alice-pw@{nats}/"),
    ];
    let urls: Vec<String> = urls.into_iter().cycle().take(CLONES).collect();
    let meanwhile = publish_while_cloning(&mut publisher, &heard, &scratch, &urls);
    let still_open: Vec<Page> = runtime.block_on(async {
        let mut heard = Vec::new();
        for page in pages {
            let page = timeout(PATIENCE, page).await.expect("all messages came in time");
            heard.push(page.expect("it heard all"));
        }
        heard
    });
    let peak = memory_kib(server.pid(), "VmHWM");
    // Past the test's own capture: this is for whoever runs it, every time.
    let figures = format!(
        "{PAGES} pages heard {MESSAGES} messages each, {meanwhile} of these while {CLONES} cloned, in {:.1} s; \
         memory of the server: {alone} KiB alone, {crowded} KiB with the pages, {peak} KiB at most\n",
        start.elapsed().as_secs_f32()
    );
    std::io::stderr()
        .write_all(figures.as_bytes())
        .expect("a terminal or a file");
    assert_eq!(still_open.len(), PAGES);
    assert!(meanwhile > 0, "the clones came too late");
    for number in 0..2 {
        assert_same_artifacts(&origin, &scratch.path(&clone_name(number)));
    }
    let for_pages = crowded.saturating_sub(alone);
    assert!(
        for_pages < PAGE_KIB_MAX * PAGES as u64,
        "the server held {for_pages} KiB for idle pages"
    );
    assert!(peak < PEAK_KIB_MAX, "the server held {peak} KiB");
}
