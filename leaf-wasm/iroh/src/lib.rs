//! An endpoint of iroh in a browser: a leaf calls others by key and is called, by a relay over WebSocket.
//!
//! ```text
//!   npm/src/keyed.ts ── Node: carry, join, ticket ──▶ leaf_iroh ──▶ relay ──▶ the other leaf
//!          ▲
//!          └── host: is it welcome? answer this ── door ◀── whoever calls
//! ```
//!
//! A module beside that of the engine, for it is as large again and most pages never call by key. It holds no data: what
//! comes is passed on to the script, which asks the engine.
//!
//! Source: `leaf_core::peer` for what is said; iroh 1.4, which goes by relays alone in browsers.

#![cfg(target_family = "wasm")]

mod door;
mod host;
mod node;

pub use node::Node;
