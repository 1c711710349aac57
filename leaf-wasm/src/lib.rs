//! A leaf in a browser: a whole Fossil repository in a dedicated worker.
//!
//! ```text
//!   page ── messages ── worker.ts ── Engine (here) ── leaf_core
//!                           │             │
//!                 fetch, WebSocket    SQLite on the origin private file system
//! ```
//!
//! This crate converts and decides nothing that the core can decide. [`protocol`] is what a page may ask, and all
//! of its answers; `engine` holds the repository and does one command; `mesh` takes part in a NATS mesh; `host`
//! is what differs between browsers and other places that run WebAssembly. Everything but [`protocol`] exists on wasm32 alone.

pub mod protocol;

#[cfg(target_family = "wasm")]
mod command;
#[cfg(target_family = "wasm")]
mod engine;
#[cfg(target_family = "wasm")]
mod failure;
#[cfg(target_family = "wasm")]
mod host;
#[cfg(target_family = "wasm")]
mod mesh;

#[cfg(target_family = "wasm")]
pub use engine::Engine;
#[cfg(target_family = "wasm")]
pub use mesh::Mesh;
