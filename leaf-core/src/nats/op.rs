//! What is said on a connection, one variant per verb; everything borrows from what was read.
//!
//! Source: NATS client protocol (docs.nats.io, reference/nats-protocol); the verbs of leaf nodes as
//! nats-server 2.9.10 and 2.15.1 say them.

/// A message on its way: who it is for, where replies go, headers and body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Message<'a> {
    /// The subject.
    pub subject: &'a [u8],
    /// Where a reply is to go.
    pub reply: Option<&'a [u8]>,
    /// How many bytes of `payload` are the header block; 0 when there is none.
    pub header_bytes: usize,
    /// The header block, if any, and the body.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// The header block, with its `NATS/1.0` line and its blank line.
    pub fn header(&self) -> &'a [u8] {
        self.payload.get(..self.header_bytes).unwrap_or_default()
    }

    /// What is behind the header block.
    pub fn body(&self) -> &'a [u8] {
        self.payload.get(self.header_bytes..).unwrap_or_default()
    }
}

/// What a client says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientOp<'a> {
    /// `CONNECT {json}`
    Connect(&'a [u8]),
    /// `-ERR text`
    Error(&'a [u8]),
    /// `INFO {json}`: servers say it, and so does a leaf node that dialled.
    Info(&'a [u8]),
    /// `+OK`
    Ok,
    /// `PING`
    Ping,
    /// `PONG`
    Pong,
    /// `PUB` and `HPUB`
    Publish(Message<'a>),
    /// `SUB subject [queue] sid`
    Subscribe {
        /// What is asked for, wildcards allowed.
        subject: &'a [u8],
        /// The queue group.
        queue: Option<&'a [u8]>,
        /// The subscriber's own name for it.
        sid: &'a [u8],
    },
    /// `UNSUB sid [max]`
    Unsubscribe {
        /// Which.
        sid: &'a [u8],
        /// End it after so many messages in all.
        max: Option<u64>,
    },
}

/// What a server says to a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServerOp<'a> {
    /// `-ERR 'text'`, without the quotes.
    Error(&'a [u8]),
    /// `INFO {json}`
    Info(&'a [u8]),
    /// `MSG` and `HMSG`
    Message {
        /// Whose subscription it is for.
        sid: &'a [u8],
        /// The message.
        message: Message<'a>,
    },
    /// `+OK`
    Ok,
    /// `PING`
    Ping,
    /// `PONG`
    Pong,
}

/// What two brokers say to each other, besides what a [`ClientOp`] can say as well.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LeafOp<'a> {
    /// `CONNECT {json}`
    Connect(&'a [u8]),
    /// `-ERR text`
    Error(&'a [u8]),
    /// `INFO {json}`
    Info(&'a [u8]),
    /// `LMSG` and `HMSG`
    Message {
        /// The message.
        message: Message<'a>,
        /// The queue groups whose turn it is on the other side, words between single spaces.
        queues: &'a [u8],
    },
    /// `+OK`
    Ok,
    /// `PING`
    Ping,
    /// `PONG`
    Pong,
    /// `LS+ subject [queue weight]`
    Subscribe {
        /// What is asked for.
        subject: &'a [u8],
        /// The queue group and how many members it has there.
        queue: Option<(&'a [u8], u32)>,
    },
    /// `LS- subject [queue]`
    Unsubscribe {
        /// What is no longer asked for.
        subject: &'a [u8],
        /// The queue group.
        queue: Option<&'a [u8]>,
    },
}
