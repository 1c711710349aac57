//! `leaf serve` seen from a socket: framing that stock clients need, limits, shutdown.

use leaf_tests::leaf::LeafServer;
use leaf_tests::scratch::Scratch;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

struct Served {
    scratch: Scratch,
    file: PathBuf,
    server: LeafServer,
}

fn served(args: &[&str]) -> Served {
    let scratch = Scratch::new();
    scratch.fossil(&["init", "project.fossil"]);
    let file = scratch.path("project.fossil");
    let server = LeafServer::start_with(&scratch, &file, args);
    Served {
        scratch,
        file,
        server,
    }
}

impl Served {
    /// Sends `request` and returns all that comes until the server closes, which must be soon.
    fn ask(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        // What it refuses early it may not read to the end.
        stream.write_all(request).ok();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).expect("the server closes");
        String::from_utf8_lossy(&reply).into_owned()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.address()).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout can be set");
        stream
    }
}

/// A request as stock 2.21 sends it.
fn post(path: &str, content_type: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: localhost\r\nUser-Agent: Fossil/2.21 (2023-02-26 19:24:24 [3c53b6364e])\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

const PLAIN: &str = "application/x-fossil-debug";

#[test]
fn a_reply_has_a_content_length_and_ends_its_connection() {
    let served = served(&[]);
    for request in [
        post("/", PLAIN, "pragma client-version 22100 20230226 192424\n"),
        // Also when the client would rather go on.
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nContent-Type: {PLAIN}\r\nContent-Length: 0\r\n\r\n").into(),
    ] {
        let reply = served.ask(&request).to_ascii_lowercase();
        let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains("200 ok"), "{reply}");
        assert!(head.contains("connection: close"), "{reply}");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{reply}");
        assert!(!head.contains("transfer-encoding"), "{reply}");
    }
}

#[test]
fn a_sync_message_is_known_by_its_type_whatever_the_path() {
    let served = served(&[]);
    for path in ["/", "/xfer", "/no/such/place"] {
        let reply = served.ask(&post(
            path,
            PLAIN,
            "pragma client-version 22100 20230226 192424\n",
        ));
        assert!(
            reply.contains("pragma server-version") && reply.contains("# timestamp"),
            "{path}: {reply}"
        );
    }
    let reply = served.ask(&post("/xfer", "text/plain", "hello"));
    assert!(reply.contains("415"), "{reply}");
}

#[test]
fn a_request_beyond_the_limit_is_refused_whether_announced_or_streamed() {
    let served = served(&["--request-max", "1"]);
    let large = "x".repeat((1 << 20) + 1);
    assert!(served.ask(&post("/", PLAIN, &large)).contains("413"));
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let chunked = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PLAIN}\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"
    );
    assert!(served.ask(chunked.as_bytes()).contains("413"));
    // And the server goes on.
    assert!(served.ask(&post("/", PLAIN, "")).contains("200"));
}

#[test]
fn a_browser_gets_a_page() {
    let served = served(&[]);
    let page = served.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n");
    assert!(page.contains("200 OK") && page.contains("text/html"), "{page}");
    let hostile = served.ask(b"GET / HTTP/1.1\r\nHost: <script>\r\n\r\n");
    assert!(!hostile.contains("<script>"), "{hostile}");
}

#[test]
fn health_is_told_as_json() {
    let reply = served(&[]).ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    let (_, body) = reply.split_once("\r\n\r\n").expect("a body");
    let health: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(health["status"], "ok");
    assert_eq!(health["repositories"], 1);
}

#[test]
fn garbage_ends_its_own_connection_and_no_other() {
    let served = served(&[]);
    let reply = served.ask(b"\x16\x03\x01\x02\x00 this is no HTTP\r\n\r\n");
    assert!(reply.is_empty() || reply.contains("400"), "{reply}");
    assert!(served.ask(&post("/", PLAIN, "nonsense card\n")).contains("error"));
    assert!(served.ask(&post("/", PLAIN, "")).contains("200"));
}

#[test]
fn a_client_that_never_ends_its_head_is_dropped() {
    let served = served(&[]);
    let mut stream = served.connect();
    stream.write_all(b"POST / HTTP/1.1\r\nHost:").expect("it reads");
    let begin = Instant::now();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).expect("the server closes");
    let waited = begin.elapsed();
    assert!(
        Duration::from_secs(5) < waited && waited < Duration::from_secs(15),
        "after {waited:?}"
    );
}

#[test]
fn several_repositories_are_found_by_the_first_part_of_the_path() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("all")).expect("a folder");
    scratch.fossil(&["init", "all/one.fossil"]);
    let server = LeafServer::start(&scratch, &scratch.path("all"));
    scratch.fossil(&["init", "all/two.fossil"]);
    std::fs::write(scratch.path("outside.fossil"), "secret").expect("a file");
    let served = Served {
        file: scratch.path("all"),
        scratch,
        server,
    };
    for (path, status) in [
        ("/one", "200"),
        ("/two/xfer", "200"),
        ("/three", "404"),
        ("/", "404"),
        ("/../outside", "404"),
        ("/%2e%2e/outside", "404"),
    ] {
        let reply = served.ask(&post(path, PLAIN, ""));
        assert!(
            reply.lines().next().is_some_and(|line| line.contains(status)),
            "{path}: {reply}"
        );
    }
    assert!(served.file.is_dir());
}

#[test]
fn the_ready_file_tells_address_url_and_process() {
    let scratch = Scratch::new();
    scratch.fossil(&["init", "project.fossil"]);
    let mut child = scratch
        .leaf_command()
        .args([
            "serve",
            "project.fossil",
            "-q",
            "--http",
            "127.0.0.1:0",
            "--ready-file",
            "ready.json",
        ])
        .spawn()
        .expect("leaf runs");
    let patience = Instant::now() + Duration::from_secs(20);
    let ready = loop {
        if let Ok(text) = std::fs::read_to_string(scratch.path("ready.json")) {
            break text;
        }
        assert!(Instant::now() < patience, "no ready file");
        std::thread::sleep(Duration::from_millis(5));
    };
    let ready: serde_json::Value =
        serde_json::from_str(&ready).expect("whole JSON, as it is renamed into place");
    let address = ready["http"][0].as_str().expect("an address");
    assert_eq!(ready["url"], format!("http://{address}/"));
    assert_eq!(ready["pid"], child.id());
    TcpStream::connect(address).expect("it listens already");
    child.kill().expect("our own child");
    child.wait().expect("our own child");
}

#[test]
fn a_signal_lets_the_request_under_way_end_and_takes_no_other() {
    let served = served(&[]);
    let body = "pragma client-version 22100 20230226 192424\n";
    let request = post("/", PLAIN, body);
    let (begin, end) = request.split_at(request.len() - 10);
    let mut stream = served.connect();
    stream.write_all(begin).expect("it reads");
    // The server has taken the connection once it has answered a later one.
    assert!(served.ask(&post("/", PLAIN, "")).contains("200"));
    let pid = served.server.pid().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill runs")
            .success()
    );
    let patience = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(served.server.address()).is_ok() {
        assert!(Instant::now() < patience, "it still listens");
    }
    stream.write_all(end).expect("it still reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it still answers");
    assert!(
        reply.contains("200 OK") && reply.contains("server-version"),
        "{reply}"
    );
    assert_eq!(served.server.wait(), Some(0));
    let said = served
        .scratch
        .fossil(&["test-integrity", "-R", served.file.to_str().expect("plain")]);
    assert!(said.text().contains("0 errors"), "{}", said.text());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let served = served(&[]);
    let mut stream = served.connect();
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
        .expect("it reads");
    assert!(served.ask(&post("/", PLAIN, "")).contains("200"));
    let pid = served.server.pid().to_string();
    let begin = Instant::now();
    for _ in 0..2 {
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .expect("kill runs")
                .success()
        );
        std::thread::sleep(Duration::from_millis(300));
    }
    assert_eq!(served.server.wait(), Some(130));
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        begin.elapsed()
    );
}
