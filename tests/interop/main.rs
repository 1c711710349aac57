//! The matrix {leaf, stock} x {client, server}: every job of the protocol in every pairing, one named test each.
//!
//! Stock with stock is in it too: it shows that the test would pass with the program that defines what is right.
//! Needs the program `fossil`; without it every test fails.
#![cfg(not(target_arch = "wasm32"))]
// A pairing is used up by its test: its servers and folder go with it.
#![allow(clippy::needless_pass_by_value)]

#[macro_use]
mod pairing;

mod artifacts;
mod ci_lock;
mod clone;
mod config;
mod exchange;
mod links;
mod login;
mod many;
mod private;
mod shun;
mod tables;
mod unversioned;
