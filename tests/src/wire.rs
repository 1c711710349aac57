//! One HTTP exchange by hand: what no well-behaved client would send, and what came back byte for byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A reply as it came.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code; 0 when there was no status line.
    pub status: u16,
    /// The header in lower case, lines ended by `\r\n`.
    pub header: String,
    /// What followed the header until the server closed.
    pub body: Vec<u8>,
}

/// Sends `request` as it is and reads until the server closes or has been silent for 20 s.
///
/// # Errors
///
/// Whatever the socket said; a reset after a reply was read is no error.
pub fn exchange(address: &str, request: &[u8]) -> std::io::Result<Reply> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let sent = socket.write_all(request);
    let mut bytes = Vec::new();
    let read = socket.read_to_end(&mut bytes);
    if bytes.is_empty() {
        sent?;
        read?;
    }
    Ok(parsed(&bytes))
}

/// A `POST` of `body` under `content_type`, with the header that stock sends.
///
/// # Errors
///
/// As [`exchange`].
pub fn post(address: &str, path: &str, content_type: &str, body: &[u8]) -> std::io::Result<Reply> {
    let mut request = format!(
        "POST {path} HTTP/1.0\r\nHost: {address}\r\nUser-Agent: Fossil/2.21\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    exchange(address, &request)
}

/// A `POST` of plain cards, as `fossil --debug` sends them; the cards of the reply.
///
/// # Panics
///
/// When the exchange fails or the reply is not what the sync protocol allows: the caller asserts on cards.
pub fn cards(address: &str, path: &str, request: &str) -> Vec<u8> {
    let reply = post(address, path, "application/x-fossil-debug", request.as_bytes()).expect("an exchange");
    assert_eq!(reply.status, 200, "{}", reply.header);
    plain(&reply)
}

/// The words of every card of a message; payloads are skipped.
///
/// # Panics
///
/// When a payload is cut off.
pub fn read_cards(mut message: &[u8]) -> Vec<Vec<String>> {
    let mut cards = Vec::new();
    while !message.is_empty() {
        let end = message
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(message.len());
        let line = String::from_utf8_lossy(&message[..end]).into_owned();
        message = message.get(end + 1..).unwrap_or_default();
        let words: Vec<String> = line.split_whitespace().map(str::to_string).collect();
        if matches!(
            words.first().map(String::as_str),
            Some("file" | "cfile" | "config")
        ) {
            let bytes: usize = words
                .last()
                .and_then(|size| size.parse().ok())
                .expect("the size of a payload");
            message = message.get(bytes..).expect("a whole payload");
        }
        if !words.is_empty() {
            cards.push(words);
        }
    }
    cards
}

/// The cards of `reply`, inflated if its content type says so.
pub fn plain(reply: &Reply) -> Vec<u8> {
    let compressed = reply.header.contains("content-type: application/x-fossil\r\n");
    match compressed {
        true => leaf_core::format::zblob::expand(&reply.body, 1 << 28).expect("a compressed reply"),
        false => reply.body.clone(),
    }
}

fn parsed(bytes: &[u8]) -> Reply {
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map_or(bytes.len(), |at| at + 4);
    let (head, body) = bytes.split_at(end);
    let header = String::from_utf8_lossy(head).to_lowercase();
    let status = header
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    Reply {
        status,
        header,
        body: body.to_vec(),
    }
}
