//! NATS as plain values: bytes of a connection in, bytes of connections out. Knows nothing of Fossil.
//!
//! ```text
//!    subject    op  read  write  info        what a connection carries
//!        \        \   |    /
//!        sublist    \ |  /                 who wants a subject
//!              \     |  |
//!               broker  client             the two machines; a shell moves their bytes
//! ```
//!
//! A machine never reads a socket, a clock or a die: the shell passes bytes, the time and a seed in, writes
//! out what the machine has ready, and calls it again when its deadline is due.
//!
//! Source: NATS client protocol (docs.nats.io, reference/nats-protocol); what nats-server 2.9.10 and 2.15.1
//! answer (`tests/nats`).

pub mod broker;
pub mod client;
pub(crate) mod dice;
pub mod info;
pub mod op;
mod read;
pub mod subject;
mod sublist;
mod write;

pub use read::{BadOp, Scan, scan_client, scan_leaf, scan_server};
pub use sublist::{Matched, SubKey, Sublist};
