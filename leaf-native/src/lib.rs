//! The shell around `leaf-core` on a computer: the program `leaf`, its HTTP client and its HTTP server.
//!
//! ```text
//!   cli ──▶ drive ──▶ remote              a command syncs, by HTTP, NATS or key: one request at a time
//!      └──▶ serve ──▶ repo_pool           a server answers: tokio for sockets, threads for repositories
//!             ├────▶ broker               NATS: a thread, its sockets, the broker of the core
//!             ├────▶ mesh                 what a leaf does there: answer, announce, fetch
//!             └────▶ iroh                 leaves that call each other by key
//! ```
//!
//! A shell moves bytes. It never looks inside a message and never writes SQL; clock, dice, files and sockets are
//! here and nowhere in the core. The library half exists so that tests reach the parts.

pub mod broker;
pub mod check;
pub mod cli;
pub mod config;
pub mod disk;
pub mod drive;
pub mod error;
pub mod iroh;
pub mod mesh;
pub mod output;
pub mod progress;
mod qr;
pub mod remote;
pub mod repo_pool;
pub mod serve;
pub mod tls;
pub mod world;
