//! Leaves that find each other by key, without any server between them that could read: iroh, in process.
//!
//! ```text
//!   key ──▶ node: the endpoint ──▶ remote::iroh        a command calls: one stream a round
//!               │
//!               └──▶ door ── guests: who may come in, asked before anything is read
//!                     ├─ xfer   a sync message and its answer ──▶ repo_pool ──▶ leaf_core::sync::serve
//!                     ├─ nats   a connection of the broker
//!                     └─ join   a stranger with a ticket
//!   calls: what the leaf itself syncs with its peers, in the background
//!   relay: carries what cannot go directly, and cannot read it; at the port of `serve`
//!   outside: says which address somebody has to the world, so that two behind routers find a direct way
//!   register: how it stands with each peer, for people
//! ```
//!
//! How streams are read and written, each within its bound and its time, is in `leaf_iroh`; which bytes stand in front of
//! a message is decided in `leaf_core::peer`.
//!
//! Source: iroh 1.4 (docs.rs/iroh), QUIC (RFC 9000); threat list 3 to 8 for the bounds.

mod calls;
mod door;
mod guests;
mod join;
mod key;
mod nats;
mod node;
mod outside;
mod place;
mod register;
mod relay;
mod seats;
mod xfer;

pub use door::{IrohServer, IrohServerOptions};
pub use key::NodeKey;
pub use node::{Discovery, Node, NodeOptions};
pub use outside::Outside;
pub use place::{note_place, noted_place};
pub(crate) use register::{guest_json, guests_json};
pub use relay::Relay;
