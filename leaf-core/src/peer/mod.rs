//! Leaves that call each other by key: what stands in front of a sync message, and how a stranger becomes a peer.
//!
//! ```text
//!   Ticket ── by hand: a line of text, a QR code ──▶ who joins ── JoinAsk ──▶ who invited
//!                                                        ◀── JoinAnswer ──    proof: what is signed, what is shown
//!   Ask, message ──▶                     one stream a round
//!   ◀── Answer, message
//! ```
//!
//! A peer is known by its endpoint id, a public key of 32 bytes that the transport proves; what it may do is in
//! [`repo`](crate::repo). Nothing here signs or encrypts: a shell has the keys.
//!
//! Source: ours; the transport is iroh 1.4 (docs.rs/iroh), whose endpoint ids are Ed25519 public keys.

mod line;
mod proof;
mod ticket;

pub use line::{Answer, Ask, BadLine, Here, JoinAnswer, JoinAsk};
pub use proof::{invite_seed, join_text, short_code};
pub use ticket::{BadTicket, Ticket};

/// An endpoint's public key, or the public half of an invitation.
pub type Key = [u8; 32];

/// The lines of [`Ask`] and [`Answer`], one sync message behind each.
pub const XFER: &[u8] = b"/leaf/xfer/1";
/// A sync message each way and nothing else, compressed, as EdgeSync nodes speak.
pub const XFER_EDGESYNC: &[u8] = b"/edgesync/xfer/1";
/// The NATS client protocol, behind one byte of whoever called.
///
/// Why a byte: a NATS server speaks first, and a QUIC stream is not there for the other side until something is sent.
pub const NATS: &[u8] = b"/leaf/nats/1";
/// The NATS leaf node protocol, as EdgeSync nodes carry it.
pub const NATS_LEAF_EDGESYNC: &[u8] = b"/edgesync/nats-leaf/1";
/// The lines of [`JoinAsk`] and [`JoinAnswer`].
pub const JOIN: &[u8] = b"/leaf/join/1";
/// The byte in front of [`NATS`]: its version.
pub const NATS_PREAMBLE: u8 = 1;

/// The key that 64 hex digits stand for.
pub fn key(hex: &str) -> Option<Key> {
    let digits = hex.as_bytes();
    (digits.len() == 64)
        .then(|| crate::id::decode(digits).ok())
        .flatten()
}
