//! WebSocket by hand: the upgrade as text, frames as bytes, so that they can be wrong.
//!
//! Source: RFC 6455.

use crate::servers::{Broker, Place};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection to a broker's WebSocket port, upgraded or not.
pub(crate) struct Frames {
    stream: TcpStream,
}

/// What an upgrade says, but for what a case leaves out or adds.
pub(crate) const UPGRADE: [&str; 5] = [
    "Host: localhost",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
];

/// Kinds of frames.
pub(crate) mod kind {
    pub(crate) const CONTINUATION: u8 = 0;
    pub(crate) const TEXT: u8 = 1;
    pub(crate) const BINARY: u8 = 2;
    pub(crate) const CLOSE: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const PONG: u8 = 10;
}

/// No more frames of this message follow.
pub(crate) const FINAL: u8 = 0x80;

impl Frames {
    /// Connects; nothing was said so far.
    pub(crate) fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the broker listens");
        stream.set_nodelay(true).expect("an open socket");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("an open socket");
        Self { stream }
    }

    /// Sends a request by HTTP and returns the head of the answer.
    pub(crate) fn ask(&mut self, first: &str, headers: &[&str]) -> String {
        let request = format!("{first} HTTP/1.1\r\n{}\r\n\r\n", headers.join("\r\n"));
        self.stream.write_all(request.as_bytes()).expect("an open socket");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.take(1));
        }
        String::from_utf8(head).expect("text")
    }

    /// Connects and upgrades as any client does; the broker agrees.
    pub(crate) fn open(place: &Place) -> Self {
        let mut frames = Self::connect(&place.address);
        let head = frames.ask(&format!("GET {}", place.path), &UPGRADE);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        frames
    }

    /// The socket, for somebody else's frames.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Bytes as they are.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("an open socket");
    }

    /// A masked frame: `first` is its first byte, kind and flags.
    pub(crate) fn send(&mut self, first: u8, payload: &[u8]) {
        self.send_raw(&masked(first, payload));
    }

    /// A frame without a mask.
    pub(crate) fn send_unmasked(&mut self, first: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).expect("short");
        self.send_raw(&[&[first, length], payload].concat());
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("more was expected");
        bytes
    }

    /// The next frame: its first byte and its payload. Brokers do not mask.
    pub(crate) fn frame(&mut self) -> (u8, Vec<u8>) {
        let head: [u8; 2] = self.take(2).try_into().expect("two");
        let [first, length] = head;
        let length = match length {
            126 => self.take(2),
            127 => self.take(8),
            0..126 => vec![length],
            128.. => panic!("a mask, which is for clients"),
        };
        let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        (first, self.take(length))
    }

    /// What comes next in binary frames, as much as is expected of it, however it is framed.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        let mut heard = Vec::new();
        while heard.len() < text.len() {
            let (first, payload) = self.frame();
            assert_eq!(first, FINAL | kind::BINARY, "{}", payload.escape_ascii());
            heard.extend(payload);
        }
        assert_eq!(
            heard.escape_ascii().to_string(),
            text.as_bytes().escape_ascii().to_string()
        );
    }

    /// INFO, which comes first.
    #[track_caller]
    pub(crate) fn expect_info(&mut self) {
        let (first, payload) = self.frame();
        assert_eq!(first, FINAL | kind::BINARY);
        assert!(payload.starts_with(b"INFO {") && payload.ends_with(b"} \r\n"));
    }

    /// Next comes a frame that closes for this reason, and the connection ends.
    #[track_caller]
    pub(crate) fn expect_close(&mut self, code: u16) {
        let (first, payload) = self.frame();
        assert_eq!(first, FINAL | kind::CLOSE, "{}", payload.escape_ascii());
        assert_eq!(payload.get(..2), Some(code.to_be_bytes().as_slice()));
        self.expect_end();
    }

    /// The connection ends because what was sent broke the rules: `said` comes in binary frames, and then a frame that
    /// closes for that reason.
    ///
    /// Real servers say it in a race with their own end: often they are gone before all of it was sent.
    #[track_caller]
    pub(crate) fn expect_refusal(&mut self, broker: Broker, said: &str) {
        let mut heard = Vec::new();
        while self.stream.peek(&mut [0]).is_ok_and(|count| count > 0) {
            let (first, mut payload) = self.frame();
            if first == FINAL | kind::CLOSE {
                // Behind the code there may be words.
                payload.truncate(2);
            }
            heard.push((first, payload));
        }
        let mut wanted = vec![(FINAL | kind::CLOSE, 1002_u16.to_be_bytes().to_vec())];
        if !said.is_empty() {
            wanted.insert(0, (FINAL | kind::BINARY, said.as_bytes().to_vec()));
        }
        if broker != Broker::Ours {
            wanted.truncate(heard.len());
        }
        assert_eq!(heard, wanted);
    }

    /// The connection ends.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let mut rest = Vec::new();
        // Reset or ended: either is an end.
        drop(self.stream.read_to_end(&mut rest));
        assert!(rest.is_empty(), "before its end: {}", rest.escape_ascii());
    }
}

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASKED: u8 = 0x80;
    const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![first];
    match u16::try_from(payload.len()) {
        Ok(short @ 0..126) => frame.push(MASKED | short.to_le_bytes()[0]),
        Ok(middle) => {
            frame.push(MASKED | 0x7e);
            frame.extend(middle.to_be_bytes());
        }
        Err(_) => {
            frame.push(MASKED | 0x7f);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}
