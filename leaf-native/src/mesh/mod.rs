//! The leaf among other leaves: a NATS connection, sync over it, and what is announced on it.
//!
//! ```text
//!   member ── answers, announces, fetches ──▶ line ── bytes ──▶ dial: TCP, TLS, WebSocket, the own broker
//!   one per repository                        one NatsClient
//! ```
//!
//! What is said is decided in `leaf_core::mesh`.

mod dial;
mod fetch;
mod line;
mod member;

pub use dial::{Door, NatsUrl};
pub(crate) use fetch::round_trip;
pub use line::{Line, LineState, Subscription};
pub use member::{Mesh, MeshOptions, cards};
