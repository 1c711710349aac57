//! The Fossil sync protocol as two values: a client [`SyncSession`] and a server [`serve`].
//!
//! A sync is a run of *rounds*. In each round the client sends one message and the server answers with one
//! message; neither side speaks out of turn, and the server keeps nothing between rounds.
//!
//! ```text
//!   SyncSession                          serve()
//!   poll_transmit ──── request ────────▶ reads cards, writes repo
//!   handle_reply  ◀─── reply ──────────  composes cards from repo
//!        └── repeat until poll_transmit gives None ──┘
//! ```
//!
//! Nothing here opens a socket, reads a clock or waits. The shell carries the bytes.
//!
//! Between two leaves five pragmas say what stock Fossil has no word for, and stock ignores them: `leaf-mark`
//! and `leaf-mark-stale` (see `mark.rs`) save announcing what was announced before; `leaf-uv-stored` lets
//! unversioned files travel compressed, as they are stored; `leaf-count` tells whoever clones how much there is;
//! `leaf-tables` begins the talk of synced tables (see `table_talk.rs`).
//!
//! Source: Fossil `www/sync.wiki` section 5, `src/xfer.c` `client_sync()` and `page_xfer()`.

mod answer;
mod client;
mod cloning;
mod compose;
mod error;
mod logins;
mod mark;
mod options;
mod receive;
mod reply;
mod send;
mod server;
mod serving;
mod table_talk;
mod tables;
mod unversioned;

pub use client::{SyncEvent, SyncSession, SyncStats, Transmit};
pub use error::SyncError;
pub use logins::SeenLogins;
pub use options::{CiLock, Credentials, Goal, SyncOptions};
pub use server::{Reply, Request, ServeContext, Served, project_of, serve};
