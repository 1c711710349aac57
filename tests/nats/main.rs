//! What a NATS broker does, by the word of those that run everywhere: each case is held against real `nats-server`s.
//!
//! A case is a script of what clients send and hear, byte for byte; it knows nothing of how a broker is built. Every
//! broker of [`servers::Broker`] gets the same script. Where the real ones differ, the case says which does what.
//! Needs `nats-server` 2.9 (Debian's) and 2.15.1 (`tests/nats-server.sh` fetches it); without them every test fails.
//! Official clients of other languages have a script of their own each, and the same brokers.
//!
//! Source: the NATS client protocol as its servers 2.9.10 and 2.15.1 speak it.
#![cfg(not(target_arch = "wasm32"))]

#[macro_use]
mod case;
#[macro_use]
mod servers;
mod chaos;
mod creds;
mod crowd;
mod encrypted;
mod fossil_users;
mod frames;
mod links;
mod nkey;
mod peers;
mod python_client;
mod rust_client;
mod sync;
mod table;
mod wire;
