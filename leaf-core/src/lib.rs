//! Fossil repositories and their sync protocol as plain values: bytes and a repository in, bytes out.
//!
//! ```text
//!    format      xfer      nats    pure bytes: what a repository, what a message is made of;
//!       \          |                what carries messages, and knows nothing of the other two
//!       repo       |                SQL, and nothing else that touches the world
//!         \        |      |
//!          `----  sync    |         a client session and a server function
//!                   \     |
//!                    `-- mesh       sync over NATS;  peer: sync between leaves that know each other by key
//! ```
//!
//! Nothing here waits, asks what time it is, throws dice, starts a thread or opens a file. A shell
//! (`leaf-native`, later `leaf-wasm`) opens the SQLite connection, carries the messages, and passes the
//! time and random bytes in. Order of reading: [`id`], [`time`], [`limits`], [`json`], [`mod@format`], [`xfer`],
//! [`repo`], [`sync`]; by itself [`nats`]; what brings the two together, [`mesh`]; and what leaves say that call
//! each other directly, [`peer`].
#![forbid(unsafe_code)]

pub mod format;
pub mod id;
pub mod json;
pub mod limits;
#[cfg(feature = "repo")]
pub mod mesh;
pub mod nats;
pub mod peer;
#[cfg(feature = "repo")]
pub mod repo;
#[cfg(feature = "repo")]
pub mod sync;
pub mod time;
pub mod xfer;

/// Who has to act on an error. Shells turn this into an exit code, an HTTP status or a JS `code`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Blame {
    /// Whoever called: a wrong argument, a name that does not exist, or a bug of ours.
    Caller,
    /// The other side of the wire.
    Peer,
    /// Disk, quota, damage.
    Storage,
}
