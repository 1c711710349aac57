//! Sync over NATS: which subjects, which headers, what when a message is larger than a server takes.
//!
//! ```text
//!   SyncSession ──▶ Caller ──── fossil.<project>.sync ─────────▶ Desk ──▶ sync::serve
//!                    one round   fossil.<project>.sync.<peer>      many rounds at a time
//!   Pace  ◀──────────────────── fossil.<project>.commit ◀──────── Hint
//! ```
//!
//! A request and its reply are sync messages as EdgeSync nodes frame them, compressed, and that is all that such a
//! node ever sees. Between leaves, headers say more: who speaks (so that the rounds that follow go to the same
//! leaf), and which part of a message this is when the whole is larger than the server's `max_payload`. Parts are
//! asked for one by one, so nobody is sent more than it can take.
//!
//! ```text
//!   Leaf-From: PEER                  who speaks
//!   Leaf-Type: CONTENT-TYPE          how the message is packed, when it is not compressed
//!   Leaf-Part: TOKEN OFFSET TOTAL    the body is a part of a message
//!   Leaf-More: TOKEN OFFSET          asks for the part of a reply that begins there
//!   Leaf-Hello: 1                    asks who would answer, and for nothing else
//!   Leaf-Error: TEXT                 why there is no reply
//! ```
//!
//! Nothing here knows a connection: a shell carries what these values give by a
//! [`NatsClient`](crate::nats::client::NatsClient).
//!
//! Source: subjects, framing and the zero-length reply of EdgeSync `leaf/agent/nats.go`, `serve_nats.go` and
//! `hub/`; the headers are ours.

mod caller;
mod desk;
mod head;
mod news;
mod pace;
mod rights;

pub use caller::{Ask, Caller, MeshError, Next};
pub use desk::{Answer, Asked, Desk, Errand};
pub use news::{Card, Hint, Unplaced, place};
pub use pace::{Pace, Whom};
pub use rights::MeshRights;

use crate::id::ProjectCode;

/// What subjects begin with unless told otherwise.
pub const PREFIX: &str = "fossil";

/// Where the leaves of one project meet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subjects {
    prefix: String,
    project: String,
}

impl Subjects {
    /// The subjects of a project.
    pub fn new(prefix: &str, project: &ProjectCode) -> Self {
        Self {
            prefix: prefix.to_owned(),
            project: project.as_str().to_owned(),
        }
    }

    /// The project.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// Where any one of those who hold the project is asked.
    pub fn sync(&self) -> String {
        format!("{}.{}.sync", self.prefix, self.project)
    }

    /// The queue group of those who answer there.
    pub fn queue(&self) -> String {
        format!("sync-{}", self.project)
    }

    /// Where one of them is asked.
    pub fn sync_with(&self, peer: &str) -> String {
        format!("{}.{}.sync.{peer}", self.prefix, self.project)
    }

    /// Where news is announced.
    pub fn commit(&self) -> String {
        format!("{}.{}.commit", self.prefix, self.project)
    }

    /// Where leaves ask who there is; each answers with its [`Card`].
    pub fn who(prefix: &str) -> String {
        format!("{prefix}.who")
    }
}

/// Whether a peer's name can be part of a subject.
pub fn is_peer(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(good)
}

/// Bytes that headers may take of a message. The longest are a peer's name, a type and a part: below 250.
const HEAD_BYTES: usize = 512;
