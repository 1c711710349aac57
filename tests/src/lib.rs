//! What the tests share: stock Fossil, the built `leaf`, repositories to work on, and the oracles.
//!
//! Nothing here knows how `leaf` works inside: programs are run, files are read with SQLite, bytes go over sockets.
//! On wasm32, where programs cannot be run, this crate is empty.
#![cfg(not(target_arch = "wasm32"))]

pub mod corpus;
pub mod leaf;
pub mod oracle;
pub mod peers;
pub mod scene;
pub mod scratch;
pub mod seed;
pub mod stock;
pub mod wire;
