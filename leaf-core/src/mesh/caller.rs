//! The asking side of one sync: each round is one request, or several when it or its reply is large.
//!
//! The first leaf that answers is asked from then on: marks, cookies and the rows of a clone are its own.

use super::head::{self, Head, Part};
use super::{HEAD_BYTES, Subjects};
use crate::nats::client::{Arrival, NatsError};
use crate::xfer::{ContentType, envelope};

/// Why a round was not carried.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MeshError {
    /// The connection to the NATS server, or whoever should answer, is not there.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// A reply without anything in it, which is how an EdgeSync node says that it failed.
    #[error("the peer failed, and does not say why")]
    PeerFailed,
    /// A peer that answers something else than what was asked.
    #[error("the peer does not keep to the protocol: {0}")]
    PeerProtocol(&'static str),
    /// A leaf that failed and says why.
    #[error("the peer says: {0}")]
    PeerSays(String),
    /// An EdgeSync node, which takes no message in parts.
    #[error("a message of {bytes} bytes, where the NATS server takes {max} and the peer takes no parts")]
    PeerTakesNoParts {
        /// How large it is.
        bytes: usize,
        /// What the server takes.
        max: usize,
    },
    /// A reply larger than allowed.
    #[error("the reply is larger than {max} bytes")]
    TooLarge {
        /// The bound.
        max: usize,
    },
}

/// A message to be published with a reply subject.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ask {
    /// Whom.
    pub subject: String,
    /// The header block.
    pub header: Vec<u8>,
    /// What.
    pub body: Vec<u8>,
}

/// What follows a reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// Something else is to be asked.
    Ask(Ask),
    /// The reply to the whole round.
    Done {
        /// A sync message.
        body: Vec<u8>,
        /// How it is packed.
        content_type: ContentType,
    },
}

/// The asking side.
#[derive(Debug)]
pub struct Caller {
    subjects: Subjects,
    own: String,
    peer: Option<String>,
    reply_bytes_max: usize,
    payload_max: usize,
    token: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Idle,
    /// The whole request is out.
    Whole,
    /// Who is there was asked, for the request is too large to be thrown to anybody.
    Greeting(Vec<u8>),
    /// The request is out up to here.
    Sending(Vec<u8>, usize),
    /// The reply is here in part.
    Fetching {
        part: Part,
        got: Vec<u8>,
        content_type: ContentType,
    },
}

impl Caller {
    /// Asks whoever is there, or `peer` alone. `own` is what the answering side calls us, `token` is random.
    pub fn new(
        subjects: Subjects,
        own: String,
        peer: Option<String>,
        reply_bytes_max: usize,
        token: u64,
    ) -> Self {
        Self {
            subjects,
            own,
            peer,
            reply_bytes_max,
            payload_max: 0,
            token,
            stage: Stage::Idle,
        }
    }

    /// Who answered, once it is known.
    pub fn peer(&self) -> Option<&str> {
        self.peer.as_deref()
    }

    /// Begins a round with a compressed message; whatever was under way is forgotten. `payload_max` is what the
    /// NATS server takes.
    pub fn ask(&mut self, message: Vec<u8>, payload_max: usize) -> Ask {
        self.payload_max = payload_max;
        let head = Head::from(&self.own);
        if message.len() <= self.room() {
            self.stage = Stage::Whole;
            return self.say(head, message);
        }
        if self.peer.is_some() {
            self.token = self.token.wrapping_add(1);
            return self.send_part(message, 0);
        }
        self.stage = Stage::Greeting(message);
        // Who is no leaf sees a message that asks for nothing.
        let nothing = envelope::pack(b"# hello\n".to_vec(), ContentType::Compressed);
        self.say(head.with(head::HELLO, "1"), nothing)
    }

    /// What fits into one message.
    fn room(&self) -> usize {
        self.payload_max.saturating_sub(HEAD_BYTES).max(1)
    }

    fn say(&self, head: Head, body: Vec<u8>) -> Ask {
        let subject = match &self.peer {
            Some(peer) => self.subjects.sync_with(peer),
            None => self.subjects.sync(),
        };
        Ask {
            subject,
            header: head.bytes(),
            body,
        }
    }

    fn send_part(&mut self, message: Vec<u8>, offset: usize) -> Ask {
        let end = offset.saturating_add(self.room()).min(message.len());
        let slice = message.get(offset..end).unwrap_or_default().to_vec();
        let head = Head::from(&self.own).part(self.token, offset, message.len());
        self.stage = Stage::Sending(message, end);
        self.say(head, slice)
    }

    /// Takes the reply to what was asked last.
    ///
    /// # Errors
    ///
    /// Any of [`MeshError`]; the round is over then, and the next one may be begun.
    pub fn hear(&mut self, reply: Result<Arrival, NatsError>) -> Result<Next, MeshError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Idle);
        let reply = reply?;
        if let Some(text) = head::value(&reply.header, head::ERROR) {
            return Err(MeshError::PeerSays(text.to_owned()));
        }
        if self.peer.is_none() {
            self.peer = head::peer(&reply.header).map(str::to_owned);
        }
        match stage {
            Stage::Idle => Err(MeshError::PeerProtocol("it answers what was not asked")),
            Stage::Greeting(message) if self.peer.is_none() => Err(MeshError::PeerTakesNoParts {
                bytes: message.len(),
                max: self.payload_max,
            }),
            Stage::Greeting(message) => {
                self.token = self.token.wrapping_add(1);
                Ok(Next::Ask(self.send_part(message, 0)))
            }
            Stage::Sending(message, end) if end < message.len() => {
                let part = head::part(&reply.header);
                if part.is_none_or(|part| part.token != self.token || part.offset != end) {
                    return Err(MeshError::PeerProtocol("it lost a part of the request"));
                }
                Ok(Next::Ask(self.send_part(message, end)))
            }
            Stage::Whole | Stage::Sending(..) => self.begin_reply(reply),
            Stage::Fetching {
                part,
                mut got,
                content_type,
            } => {
                let next = head::part(&reply.header);
                if next
                    != Some(Part {
                        offset: got.len(),
                        ..part
                    })
                    || reply.body.is_empty()
                {
                    return Err(MeshError::PeerProtocol(
                        "it sends another part than was asked for",
                    ));
                }
                got.extend_from_slice(&reply.body);
                self.go_on(part, got, content_type)
            }
        }
    }

    fn begin_reply(&mut self, reply: Arrival) -> Result<Next, MeshError> {
        let content_type = head::value(&reply.header, head::TYPE)
            .and_then(ContentType::parse)
            .unwrap_or(ContentType::Compressed);
        match head::part(&reply.header) {
            _ if reply.body.is_empty() => Err(MeshError::PeerFailed),
            None => Ok(Next::Done {
                body: reply.body,
                content_type,
            }),
            Some(part) if part.total > self.reply_bytes_max => Err(MeshError::TooLarge {
                max: self.reply_bytes_max,
            }),
            Some(part) if part.offset != 0 => Err(MeshError::PeerProtocol("it begins a reply in its middle")),
            Some(part) => self.go_on(part, reply.body, content_type),
        }
    }

    fn go_on(&mut self, part: Part, got: Vec<u8>, content_type: ContentType) -> Result<Next, MeshError> {
        if got.len() > part.total {
            return Err(MeshError::PeerProtocol("it sends more than it said"));
        }
        if got.len() == part.total {
            return Ok(Next::Done {
                body: got,
                content_type,
            });
        }
        let head = Head::from(&self.own).with(head::MORE, &format!("{:x} {}", part.token, got.len()));
        self.stage = Stage::Fetching {
            part,
            got,
            content_type,
        };
        Ok(Next::Ask(self.say(head, Vec::new())))
    }
}
