//! How a leaf calls another by its key, wherever it runs: natively and in a browser.
//!
//! ```text
//!   IrohUrl, Ticket ──▶ call: connect, round, join ──▶ wire ──▶ a stream of iroh
//! ```
//!
//! Which bytes stand in front of a message is decided in `leaf_core::peer`. Who has an endpoint, who is let in and what
//! answers is decided by `leaf-native` and by `leaf-wasm/iroh`.
//!
//! Source: iroh 1.4 (docs.rs/iroh), QUIC (RFC 9000); threat list 3 to 8 for the bounds.

mod answer;
mod call;
mod place;
mod wire;

pub use answer::{Stop, shown};
pub use call::{CONNECT_MAX, IrohError, Joined, connect, join, judge, round, say_where};
pub use place::{BadPlace, IrohUrl};
pub use wire::{Source, WireError, give_up, reply};

use iroh::endpoint::{AckFrequencyConfig, QuicTransportConfig, VarInt};
use leaf_core::limits::PeerLimits;

/// Said to whoever is not on the list, instead of anything else.
pub const NOT_LISTED: VarInt = VarInt::from_u32(1);
/// Said to whoever was taken off the list.
pub const REVOKED: VarInt = VarInt::from_u32(2);
/// Said when the program ends.
pub const LEAVING: VarInt = VarInt::from_u32(3);
/// Said to whoever has too many connections.
pub const TOO_MANY: VarInt = VarInt::from_u32(4);
/// Said of a stream that cannot be answered in its own protocol.
pub const FAILED: VarInt = VarInt::from_u32(5);

/// What may be on its way on one stream, and on one connection.
///
/// A stream with more than 1024 gaps ends its connection (noq-proto `MAX_CHUNKS`): where packets are lost by the
/// hundred, as when a socket overflows, 8 MiB in packets of 1.2 kB had more. 2 MiB cannot.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// Packets for which one acknowledgement is enough. A tab, which is slow to receive, would send three for what one message
/// of a relay brought.
const ACK_EVERY: u32 = 8;

/// How long a connection lives of which nothing is heard. A sign of life is sent every five seconds (iroh).
const IDLE_MS_MAX: u32 = 20_000;

/// How connections are, of all leaves.
pub fn transport() -> QuicTransportConfig {
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(ACK_EVERY.into());
    QuicTransportConfig::builder()
        .ack_frequency_config(Some(acks))
        .max_idle_timeout(Some(VarInt::from_u32(IDLE_MS_MAX).into()))
        .max_concurrent_bidi_streams(PeerLimits::default().streams_max.into())
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .stream_receive_window(STREAM_WINDOW.into())
        .receive_window(CONNECTION_WINDOW.into())
        .send_window(CONNECTION_WINDOW.into())
        .build()
}
