//! A hostile server against `leaf clone` and `leaf sync`.

use leaf_tests::oracle::{artifacts, column};
use leaf_tests::scene;
use leaf_tests::scratch::{Said, Scratch};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Answers every request with the bytes that `answer` writes, whatever was asked.
struct Hostile {
    port: u16,
}

impl Hostile {
    fn start(answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        let port = listener.local_addr().expect("bound").port();
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for mut socket in listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                thread::spawn(move || {
                    read_request(&mut socket);
                    answer(&mut socket);
                });
            }
        });
        Self { port }
    }

    /// Sends `reply` as it is and closes.
    fn saying(reply: Vec<u8>) -> Self {
        Self::start(move |socket| send(socket, &reply))
    }

    /// Sends `body` as a well-formed reply of `content_type`.
    fn replying(content_type: &str, body: &[u8]) -> Self {
        Self::saying(http(content_type, body))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

/// The client may have hung up: that is its right.
fn send(socket: &mut TcpStream, bytes: &[u8]) {
    drop(socket.write_all(bytes));
}

fn http(content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Reads the header and as much body as it announces.
fn read_request(socket: &mut TcpStream) {
    drop(socket.set_read_timeout(Some(Duration::from_secs(5))));
    let (mut bytes, mut chunk) = (Vec::new(), [0; 8192]);
    while let Ok(count @ 1..) = socket.read(&mut chunk) {
        bytes.extend_from_slice(&chunk[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let header = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = header
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        if bytes.len() >= end + 4 + length {
            return;
        }
    }
}

/// Clones from `server`: it must fail with exit code 3, one error, and leave no repository that opens.
#[track_caller]
fn assert_clone_refused(server: &Hostile, args: &[&str]) -> Said {
    let scratch = Scratch::new();
    let file = scratch.path("clone.fossil");
    let url = server.url();
    let said = scratch.leaf_any(&[&["clone", &url, file.to_str().expect("a plain path")][..], args].concat());
    assert_one_error(&said);
    if file.exists() {
        let opened = scratch.leaf_any(&["timeline", "-R", file.to_str().expect("a plain path")]);
        assert_ne!(opened.code, Some(0), "an unfinished clone opens as a repository");
    }
    said
}

/// Syncs a repository with `server`: exit code 3, one error, and every artifact and setting as before.
#[track_caller]
fn assert_sync_refused(server: &Hostile, args: &[&str]) -> Said {
    let scratch = Scratch::new();
    let file = scene::small(&scratch, "repo.fossil");
    let before = state(&file);
    let url = server.url();
    let said = scratch.leaf_any(
        &[
            &["sync", &url, "--once", "-R", file.to_str().expect("a plain path")][..],
            args,
        ]
        .concat(),
    );
    assert_one_error(&said);
    assert_eq!(state(&file), before, "the repository changed");
    said
}

fn state(file: &Path) -> (usize, Vec<String>, Vec<String>) {
    let tables =
        "SELECT name||(SELECT count(*) FROM blob)||(SELECT count(*) FROM event) FROM config ORDER BY 1";
    (
        artifacts(file).len(),
        column(file, tables),
        column(file, "SELECT uuid||size FROM blob ORDER BY 1"),
    )
}

#[track_caller]
fn assert_one_error(said: &Said) {
    assert_eq!(said.code, Some(3), "{}", said.text());
    let errors = said
        .stderr
        .lines()
        .filter(|line| line.starts_with("error:"))
        .count();
    assert_eq!(errors, 1, "{}", said.text());
    assert!(!said.text().contains("panicked"), "{}", said.text());
}

const PLAIN: &str = "application/x-fossil-uncompressed";

#[test]
fn a_server_that_hangs_is_given_up() {
    let server = Hostile::start(|_| thread::sleep(Duration::from_mins(1)));
    let begin = Instant::now();
    assert_clone_refused(&server, &["--timeout", "1"]);
    assert_sync_refused(&server, &["--timeout", "1"]);
    assert!(begin.elapsed() < Duration::from_secs(40), "{:?}", begin.elapsed());
}

#[test]
fn a_server_that_sends_garbage_is_refused() {
    let server = Hostile::saying(leaf_tests::seed::Seed::new(5).bytes(5000));
    assert_clone_refused(&server, &[]);
    assert_sync_refused(&server, &[]);
}

#[test]
fn garbage_under_the_right_content_type_is_refused() {
    for content_type in ["application/x-fossil", PLAIN] {
        let server = Hostile::replying(content_type, &leaf_tests::seed::Seed::new(6).bytes(5000));
        assert_clone_refused(&server, &[]);
        assert_sync_refused(&server, &[]);
    }
}

#[test]
fn a_reply_cut_at_any_stage_is_refused() {
    let card = format!("file {:064} 1000\n", 1);
    let whole = http(PLAIN, [card.as_bytes(), &[b'x'; 1000]].concat().as_slice());
    let body = whole.len() - 1000;
    for cut in [
        0,
        5,
        20,
        body - card.len() - 2,
        body - 10,
        body,
        body + 500,
        whole.len() - 1,
    ] {
        let server = Hostile::saying(whole[..cut].to_vec());
        assert_sync_refused(&server, &[]);
    }
}

#[test]
fn an_artifact_under_a_wrong_hash_is_refused() {
    let message = format!("file {:064} 5\nhello# end\n", 1);
    assert_sync_refused(&Hostile::replying(PLAIN, message.as_bytes()), &[]);
}

#[test]
fn a_zip_bomb_as_reply_is_refused() {
    // 4 GiB are declared; what follows is a stream of zeros.
    let zeros = leaf_core::format::zblob::compress(&vec![0; 60_000_000]);
    let bomb = [&[0xff, 0xff, 0xff, 0xff][..], &zeros[4..]].concat();
    assert_sync_refused(&Hostile::replying("application/x-fossil", &bomb), &[]);
}

#[test]
fn another_project_is_refused() {
    let message = format!("push {:040} {:040}\nerror wrong\\sproject\n", 1, 2);
    let said = assert_sync_refused(&Hostile::replying(PLAIN, message.as_bytes()), &[]);
    assert!(said.text().contains("another project"), "{}", said.text());
}

#[test]
fn a_wrong_content_type_is_refused() {
    let server = Hostile::replying("text/html", b"<html>hello</html>");
    assert_clone_refused(&server, &[]);
    assert_sync_refused(&server, &[]);
}

#[test]
fn an_endless_header_is_refused() {
    let server = Hostile::start(|socket| {
        send(socket, b"HTTP/1.0 200 OK\r\n");
        let line = [b"X-Filler: ", &[b'a'; 8000][..], b"\r\n"].concat();
        for _ in 0..2000 {
            if socket.write_all(&line).is_err() {
                return;
            }
        }
    });
    assert_sync_refused(&server, &["--timeout", "10"]);
}

#[test]
fn an_endless_redirect_is_refused() {
    let server =
        Hostile::saying(b"HTTP/1.0 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n".to_vec());
    assert_clone_refused(&server, &[]);
}

#[test]
fn an_error_status_is_refused() {
    for status in ["400 Bad Request", "404 Not Found", "500 Oops", "503 Later"] {
        let reply = format!("HTTP/1.0 {status}\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n");
        assert_sync_refused(&Hostile::saying(reply.into_bytes()), &[]);
    }
}

#[test]
fn nobody_listening_is_an_error_of_the_peer() {
    let port = TcpListener::bind(("127.0.0.1", 0))
        .and_then(|l| l.local_addr())
        .expect("a port")
        .port();
    assert_clone_refused(&Hostile { port }, &[]);
    assert_sync_refused(&Hostile { port }, &[]);
}
