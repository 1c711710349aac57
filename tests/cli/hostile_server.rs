//! Servers that hang, cut, lie or send elsewhere: each gives one clear error, code 3, and leaves no file behind.

use leaf_tests::scratch::{Said, Scratch};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

/// What to do with a connection whose request was read.
type Answer = Box<dyn Fn(&mut TcpStream, &str) + Send>;

/// A server that answers each request in its own way, until it is told to stop.
struct HostileServer {
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl HostileServer {
    fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let thread = spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let head = read_request(&mut stream);
                if head.starts_with("STOP") {
                    return;
                }
                answer(&mut stream, &head);
            }
        });
        Self {
            address,
            thread: Some(thread),
        }
    }

    /// Sends `reply` to every request and closes.
    fn saying(reply: impl Into<Vec<u8>>) -> Self {
        let reply = reply.into();
        Self::start(Box::new(move |stream, _| {
            // The client may have gone.
            stream.write_all(&reply).ok();
        }))
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for HostileServer {
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(self.address) {
            // If it is gone already there is nothing to stop.
            stream.write_all(b"STOP / HTTP/1.1\r\n\r\n").ok();
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the server fails the test through the client.
            thread.join().ok();
        }
    }
}

/// Reads the head of a request and as much of a body as it announces.
fn read_request(stream: &mut TcpStream) -> String {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout can be set");
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let bytes = stream.read(&mut piece).unwrap_or(0);
        request.extend_from_slice(&piece[..bytes]);
        let text = String::from_utf8_lossy(&request);
        let Some(end) = text.find("\r\n\r\n") else {
            if bytes == 0 {
                return text.into_owned();
            }
            continue;
        };
        let announced = text.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")
                .map(str::to_owned)
        });
        let announced: usize = announced.and_then(|value| value.trim().parse().ok()).unwrap_or(0);
        if bytes == 0 || request.len() >= end + 4 + announced {
            return text[..end].to_owned();
        }
    }
}

fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Clones from `url` with `args`; must fail as the fault of the peer, leaving no file.
#[track_caller]
fn refused(url: &str, args: &[&str]) -> Said {
    let scratch = Scratch::new();
    let said = scratch.leaf_any(&[&["clone", url, "clone.fossil"][..], args].concat());
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(
        !scratch.path("clone.fossil").exists(),
        "a file is left: {}",
        said.text()
    );
    assert!(
        said.stderr
            .lines()
            .last()
            .is_some_and(|line| line.starts_with("next: ")),
        "{}",
        said.text()
    );
    said
}

#[track_caller]
fn says(said: &Said, words: &str) {
    assert!(said.stderr.contains(words), "not `{words}` but:\n{}", said.stderr);
}

#[test]
fn a_server_that_is_not_there_is_an_error_of_the_peer() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .expect("a free port")
        .local_addr()
        .expect("bound");
    says(
        &refused(&format!("http://{gone}/"), &[]),
        "cannot connect to http://127.0.0.1",
    );
}

#[test]
fn a_server_that_hangs_is_given_up_after_the_timeout() {
    let server = HostileServer::start(Box::new(|stream, _| {
        // Waits for the client to give up.
        stream.read_exact(&mut [0]).ok();
    }));
    let begin = Instant::now();
    says(
        &refused(&server.url(), &["--timeout", "1"]),
        "the server hangs: nothing came for 1 seconds",
    );
    assert!(
        begin.elapsed() < Duration::from_secs(8),
        "it took {:?}",
        begin.elapsed()
    );
}

#[test]
fn a_server_that_hangs_in_the_middle_of_a_reply_is_given_up_after_the_timeout() {
    let server = HostileServer::start(Box::new(|stream, _| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-fossil\r\nContent-Length: 5000\r\n\r\nabc";
        stream.write_all(head.as_bytes()).expect("the client waits");
        stream.read_exact(&mut [0]).ok();
    }));
    says(&refused(&server.url(), &["--timeout", "1"]), "the server hangs");
}

#[test]
fn a_reply_that_is_cut_is_an_error_that_tells_how_much_came() {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-fossil\r\nContent-Length: 5000\r\n\r\n0123456789";
    let server = HostileServer::saying(head);
    says(
        &refused(&server.url(), &[]),
        "the connection was cut after 10 of 5000 bytes",
    );
}

#[test]
fn a_web_page_instead_of_a_reply_is_quoted_without_its_markup() {
    let page = b"<html><title>Welcome</title><p>to  our\n<b>server</b></html>";
    let server = HostileServer::saying(reply("200 OK", "Content-Type: text/html\r\n", page));
    let said = refused(&server.url(), &[]);
    says(
        &said,
        "does not speak the Fossil sync protocol: it answers with text/html: Welcome to our server",
    );
}

#[test]
fn a_status_of_error_is_told_with_what_the_server_says() {
    let server = HostileServer::saying(reply(
        "404 Not Found",
        "Content-Type: text/plain\r\n",
        b"no such place",
    ));
    says(
        &refused(&server.url(), &[]),
        "the server answers with status 404: no such place",
    );
    let server = HostileServer::saying(reply("503 Busy", "Content-Type: text/html\r\n", b""));
    says(&refused(&server.url(), &[]), "the server answers with status 503");
}

#[test]
fn terminal_controls_of_a_server_do_not_reach_the_terminal() {
    let server = HostileServer::saying(reply(
        "500 Oops",
        "Content-Type: text/plain\r\n",
        b"\x1b]0;owned\x07\x1b[31mred",
    ));
    let said = refused(&server.url(), &[]);
    assert!(
        !said.stderr.contains('\x1b') && !said.stderr.contains('\x07'),
        "{:?}",
        said.stderr
    );
}

#[test]
fn garbage_instead_of_http_is_an_error() {
    says(
        &refused(
            &HostileServer::saying("\0\x01\x02 this is no HTTP\r\n\r\n").url(),
            &[],
        ),
        "the exchange with the server failed",
    );
}

#[test]
fn garbage_instead_of_a_message_is_an_error() {
    let garbage = reply(
        "200 OK",
        "Content-Type: application/x-fossil\r\n",
        b"\x00\x00\x10\x00 this is not zlib at all",
    );
    says(
        &refused(&HostileServer::saying(garbage).url(), &[]),
        "cannot be unpacked",
    );
    let cards = reply(
        "200 OK",
        "Content-Type: application/x-fossil-uncompressed\r\n",
        b"file zzz 10\nabc\n",
    );
    says(&refused(&HostileServer::saying(cards).url(), &[]), "malformed");
}

#[test]
fn a_message_that_claims_to_be_huge_is_refused_before_it_is_unpacked() {
    let bomb = reply(
        "200 OK",
        "Content-Type: application/x-fossil\r\n",
        b"\xff\xff\xff\xff\x78\x9c\x03\x00\x00\x00\x00\x01",
    );
    says(
        &refused(&HostileServer::saying(bomb).url(), &[]),
        "cannot be unpacked",
    );
}

#[test]
fn a_reply_that_is_announced_as_endless_is_refused() {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-fossil\r\nContent-Length: 9000000000000\r\n\r\n";
    says(
        &refused(&HostileServer::saying(head).url(), &[]),
        "the reply is larger than",
    );
}

#[test]
fn redirections_in_a_circle_end() {
    let server = HostileServer::saying(reply("302 Found", "Location: /again\r\n", b""));
    says(&refused(&server.url(), &[]), "redirects more than 20 times");
}

#[test]
fn a_redirection_to_another_kind_of_place_is_refused() {
    let server = HostileServer::saying(reply("302 Found", "Location: file:///etc/passwd\r\n", b""));
    says(&refused(&server.url(), &[]), "redirects to a bad URL");
}

#[test]
fn a_server_that_asks_for_a_login_of_http_gets_it_once() {
    let server = HostileServer::start(Box::new(|stream, head| {
        let has_login = head
            .lines()
            .any(|line| line.eq_ignore_ascii_case("authorization: Basic Ym9iOnMzY3JldA=="));
        let answer = if has_login {
            reply("418 Teapot", "Content-Type: text/plain\r\n", b"you are bob")
        } else {
            reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", b"")
        };
        stream.write_all(&answer).expect("the client waits");
    }));
    says(&refused(&server.url(), &[]), "asks for an HTTP login");
    let with_login = server.url().replace("http://", "http://bob:s3cret@");
    says(&refused(&with_login, &[]), "status 418: you are bob");
}

#[test]
fn a_login_of_http_is_not_given_to_where_a_redirection_leads() {
    let thief = HostileServer::start(Box::new(|stream, head| {
        let words: &[u8] = if head.to_ascii_lowercase().contains("authorization") {
            b"thanks"
        } else {
            b"nothing"
        };
        stream
            .write_all(&reply("418 Teapot", "Content-Type: text/plain\r\n", words))
            .expect("the client waits");
    }));
    let target = thief.url();
    let server = HostileServer::start(Box::new(move |stream, head| {
        let has_login = head.to_ascii_lowercase().contains("authorization");
        let answer = if has_login {
            reply("302 Found", &format!("Location: {target}\r\n"), b"")
        } else {
            reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", b"")
        };
        stream.write_all(&answer).expect("the client waits");
    }));
    says(
        &refused(&server.url().replace("http://", "http://bob:s3cret@"), &[]),
        "status 418: nothing",
    );
}

#[test]
fn an_error_of_a_server_leaves_a_repository_as_it_was() {
    let scratch = Scratch::new();
    scratch.fossil(&["init", "project.fossil"]);
    let before = std::fs::read(scratch.path("project.fossil")).expect("it was made");
    let server = HostileServer::saying(reply(
        "200 OK",
        "Content-Type: application/x-fossil-uncompressed\r\n",
        b"nonsense card\n",
    ));
    let said = scratch.leaf_any(&["sync", &server.url(), "-R", "project.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert_eq!(
        std::fs::read(scratch.path("project.fossil")).expect("still there"),
        before
    );
}
