//! Peers that misbehave: a server and clients that no honest program would be. One clear error, the expected exit code,
//! and the repository as it was.
#![cfg(not(target_arch = "wasm32"))]

mod client;
mod server;
