//! The leaf among other leaves: a NATS connection, sync over it, and what is announced on it.
//!
//! ```text
//!   member ── announces, fetches ──┐
//!      └──▶ counter ── answers ────┼──▶ line ── bytes ──▶ dial: TCP, TLS, WebSocket, the own broker
//!   bridge ──▶─┘                   │    one NatsClient
//!   who ── asks who is there ──────┘
//! ```
//!
//! What is said is decided in `leaf_core::mesh`.

mod bridge;
mod counter;
mod dial;
mod fetch;
mod key;
mod line;
mod look;
mod member;
mod who;

pub use bridge::Bridge;
pub use dial::{Door, NatsUrl};
pub(crate) use fetch::round_trip;
pub use key::NatsKey;
pub use line::{Line, LineState, Subscription};
pub(crate) use look::Look;
pub use member::{Mesh, MeshOptions};
pub use who::cards;
