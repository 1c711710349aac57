//! A client without a mind of its own: bytes out, bytes in, and what was expected of them.
//!
//! Over TCP, or in binary frames of WebSocket by a library. What fails tells the talk so far.

use crate::frames::Frames;
use crate::servers::Place;
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

/// How long an expected answer may take; longer than any busy machine wants.
const PATIENCE: Duration = Duration::from_secs(20);

enum Transport {
    Tcp(TcpStream),
    Framed(Box<WebSocket<TcpStream>>),
}

/// One connection to a broker.
pub(crate) struct Wire {
    name: &'static str,
    transport: Transport,
    /// Whether the broker's PING is answered at once and not heard: it asks whenever a case takes some time.
    answers_pings: bool,
    /// Heard, but not the end of it.
    incoming: Vec<u8>,
    /// Heard and not yet asked for: whole operations, unless the other side ended within one.
    inbox: Vec<u8>,
    ended: bool,
    /// The last that was said, line by line.
    talk: VecDeque<String>,
}

fn with_time_outs(stream: &TcpStream) {
    let moment = Duration::from_millis(50);
    stream.set_nodelay(true).expect("an open socket");
    stream.set_read_timeout(Some(moment)).expect("an open socket");
    stream.set_write_timeout(Some(PATIENCE)).expect("an open socket");
}

/// Bytes as they look best in a message.
fn shown(bytes: &[u8]) -> String {
    const MAX: usize = 300;
    match bytes.get(..MAX) {
        Some(start) => format!("{}... {} bytes", start.escape_ascii(), bytes.len()),
        None => bytes.escape_ascii().to_string(),
    }
}

impl Wire {
    /// Connects by TCP; nothing was said so far.
    pub(crate) fn tcp(name: &'static str, address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the broker listens");
        with_time_outs(&stream);
        Self::over(name, Transport::Tcp(stream))
    }

    /// Connects by WebSocket, which is open then.
    pub(crate) fn websocket(name: &'static str, place: &Place) -> Self {
        let stream = Frames::open(place).into_stream();
        with_time_outs(&stream);
        let socket = WebSocket::from_raw_socket(stream, Role::Client, None);
        Self::over(name, Transport::Framed(Box::new(socket)))
    }

    fn over(name: &'static str, transport: Transport) -> Self {
        Self {
            name,
            transport,
            answers_pings: true,
            incoming: Vec::new(),
            inbox: Vec::new(),
            ended: false,
            talk: VecDeque::new(),
        }
    }

    /// From now on PING of the broker is heard, and not answered by itself.
    pub(crate) fn hear_pings(&mut self) {
        self.answers_pings = false;
    }

    fn note(&mut self, what: String) {
        const KEPT: usize = 50;
        self.talk.push_back(what);
        if self.talk.len() > KEPT {
            self.talk.pop_front();
        }
    }

    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        let talk = Vec::from(self.talk.clone()).join("\n  ");
        panic!("{why}\nthe talk of {}:\n  {talk}", self.name)
    }

    /// Sends bytes, in one frame if it has frames. To who hung up it is said in vain, which is no failure here.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.note(format!("> {}", shown(bytes)));
        let sent = match &mut self.transport {
            Transport::Tcp(stream) => stream.write_all(bytes).is_ok(),
            Transport::Framed(socket) => socket.send(Message::binary(bytes.to_vec())).is_ok(),
        };
        if !sent {
            self.note("(not taken)".to_owned());
        }
    }

    /// Sends text in a frame that says so.
    pub(crate) fn send_text_frame(&mut self, text: &str) {
        self.note(format!("> text {}", shown(text.as_bytes())));
        match &mut self.transport {
            Transport::Tcp(_) => self.fail("TCP has no frames"),
            Transport::Framed(socket) => socket.send(Message::text(text)).expect("an open connection"),
        }
    }

    /// Says that nothing more will be sent.
    pub(crate) fn end_sending(&mut self) {
        self.note("(ends)".to_owned());
        match &mut self.transport {
            Transport::Tcp(stream) => drop(stream.shutdown(Shutdown::Write)),
            Transport::Framed(socket) => drop(socket.close(None)),
        }
    }

    /// Reads what there is, waiting a moment for it.
    fn hear(&mut self) {
        let mut buffer = vec![0; 0x1_0000];
        let heard = match &mut self.transport {
            Transport::Tcp(stream) => match stream.read(&mut buffer) {
                Ok(0) => None,
                Ok(count) => Some(buffer.split_at(count).0.to_vec()),
                Err(error) if is_silence(&error) => return,
                Err(_) => None,
            },
            Transport::Framed(socket) => match socket.read() {
                Ok(Message::Binary(bytes)) => Some(bytes.to_vec()),
                Ok(Message::Ping(_) | Message::Pong(_)) => return,
                Ok(Message::Close(frame)) => {
                    let code = frame.map(|frame| u16::from(frame.code));
                    self.note(format!("(closed: {code:?})"));
                    None
                }
                Ok(other) => self.fail(&format!("a frame that NATS does not have: {other:?}")),
                Err(tungstenite::Error::Io(error)) if is_silence(&error) => return,
                Err(_) => None,
            },
        };
        match heard {
            Some(bytes) => {
                self.note(format!("< {}", shown(&bytes)));
                self.incoming.extend(bytes);
                self.take_in();
            }
            None => {
                self.note("(the other side ended)".to_owned());
                self.ended = true;
                self.inbox.append(&mut self.incoming);
            }
        }
    }

    /// Whole operations of what came in are heard, but for PINGs that are answered.
    fn take_in(&mut self) {
        let mut pings = 0;
        let mut taken = 0;
        while let Some(length) = operation(self.incoming.split_at(taken).1) {
            let one = self.incoming.split_at(taken).1.split_at(length).0;
            match self.answers_pings && one == b"PING\r\n" {
                true => pings += 1,
                false => self.inbox.extend(one),
            }
            taken += length;
        }
        self.incoming.drain(..taken);
        for _ in 0..pings {
            self.send(b"PONG\r\n");
        }
    }

    /// Hears until `ready` finds what it looks for in what was heard.
    #[track_caller]
    fn hear_until<T>(&mut self, wanted: &str, ready: impl Fn(&[u8]) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = ready(&self.inbox) {
                return found;
            }
            if self.ended {
                self.fail(&format!("ended, where was expected: {wanted}"));
            }
            if Instant::now() > end {
                self.fail(&format!("silence, where was expected: {wanted}"));
            }
            self.hear();
        }
    }

    /// Next come exactly these bytes.
    #[track_caller]
    pub(crate) fn expect(&mut self, bytes: &[u8]) {
        let wanted = shown(bytes);
        let same = self.hear_until(&wanted, |inbox| {
            let count = inbox.len().min(bytes.len());
            let same = inbox.split_at(count).0 == bytes.split_at(count).0;
            (!same || count == bytes.len()).then_some(same)
        });
        if !same {
            self.fail(&format!("expected: {wanted}\n   heard: {}", shown(&self.inbox)));
        }
        self.inbox.drain(..bytes.len());
    }

    /// The next line, without its end.
    #[track_caller]
    pub(crate) fn line(&mut self, wanted: &str) -> String {
        let end = self.hear_until(wanted, |inbox| inbox.windows(2).position(|two| two == b"\r\n"));
        let line = self.inbox.drain(..end + 2).take(end).collect();
        String::from_utf8(line).expect("lines are text")
    }

    /// Next come these many bytes, whatever they are.
    #[track_caller]
    pub(crate) fn take(&mut self, count: usize) -> Vec<u8> {
        self.hear_until(&format!("{count} bytes"), |inbox| {
            (inbox.len() >= count).then_some(())
        });
        self.inbox.drain(..count).collect()
    }

    /// Next comes `INFO` with these facts.
    #[track_caller]
    pub(crate) fn info(&mut self) -> Value {
        let line = self.line("INFO");
        let json = line.strip_prefix("INFO ").and_then(|rest| rest.strip_suffix(' '));
        let info = json.and_then(|json| serde_json::from_str(json).ok());
        info.unwrap_or_else(|| self.fail(&format!("expected INFO, JSON and a space: {line}")))
    }

    /// Nothing more was said, and the other side still answers.
    #[track_caller]
    pub(crate) fn expect_quiet(&mut self) {
        self.send(b"PING\r\n");
        self.expect(b"PONG\r\n");
    }

    /// All that was said so far: PING, and what comes before PONG.
    #[track_caller]
    pub(crate) fn so_far(&mut self) -> Vec<u8> {
        self.send(b"PING\r\n");
        let end = b"PONG\r\n";
        let count = self.hear_until("PONG", |inbox| {
            inbox.windows(end.len()).position(|bytes| bytes == end)
        });
        self.inbox.drain(..count + end.len()).take(count).collect()
    }

    /// All that is said before the other side ends.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let end = Instant::now() + PATIENCE;
        while !self.ended {
            if Instant::now() > end {
                self.fail("still open");
            }
            self.hear();
        }
        std::mem::take(&mut self.inbox)
    }

    /// The other side ends, without another word.
    #[track_caller]
    pub(crate) fn expect_closed(&mut self) {
        let rest = self.rest();
        if !rest.is_empty() {
            self.fail(&format!("before its end it said: {}", shown(&rest)));
        }
    }
}

/// The length of the operation that `bytes` begin with, once they hold all of it.
fn operation(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|two| two == b"\r\n")?;
    let text = String::from_utf8_lossy(bytes.split_at(line).0);
    let payload = match text.starts_with("MSG ") || text.starts_with("HMSG ") {
        true => {
            let size = text.rsplit(' ').next()?;
            size.parse::<usize>().expect("the size of a message") + 2
        }
        false => 0,
    };
    let length = line + 2 + payload;
    (bytes.len() >= length).then_some(length)
}

fn is_silence(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}
