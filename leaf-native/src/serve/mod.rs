//! The server: which repositories, over which sockets, until when.
//!
//! ```text
//!   listen ──▶ http ──▶ route ──▶ repo_pool ──▶ leaf_core::sync::serve
//!   sockets    one       which     threads
//!   and TLS    request   file
//!               │
//!               ├─ host, cors     whom a browser may speak for
//!               ├─ asset, raw     what a browser is shown: the page, and artifacts that can do it no harm
//!               ├─ websocket      a connection of the NATS broker; monitor: what goes on in it
//!               ├─ peers          who may call by key, and how it stands with them
//!               └─ relay          a connection of the relay for leaves that call by key
//! ```

mod answer;
mod asset;
mod cors;
mod host;
mod http;
mod listen;
mod monitor;
mod page;
mod peers;
mod raw;
mod relay;
mod route;
mod stall;
mod websocket;

pub use cors::{AllowOrigin, BadOrigin};
pub use host::{BadHostName, HostName};
pub use listen::{Bound, Server, ServerOptions};
pub use route::{Repositories, Routed};
