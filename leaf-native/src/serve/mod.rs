//! The server: which repositories, over which sockets, until when.
//!
//! ```text
//!   listen ──▶ http ──▶ route ──▶ repo_pool ──▶ leaf_core::sync::serve
//!   sockets    one       which     threads
//!   and TLS    request   file
//! ```

mod cors;
mod host;
mod http;
mod listen;
mod page;
mod route;
mod stall;
mod tls;

pub use cors::{AllowOrigin, BadOrigin};
pub use host::{BadHostName, HostName};
pub use listen::{Bound, Server, ServerOptions};
pub use route::{Repositories, Routed};
pub use tls::TlsFiles;
