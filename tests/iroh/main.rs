//! Leaves that call each other by key: real processes, real endpoints, on loopback.
//!
//! Source: `leaf_core::peer` for what is said; stock Fossil is the judge of every repository that comes out.
#![cfg(not(target_arch = "wasm32"))]

mod invite;
mod keys;
mod raw;
mod relay;
mod step;
mod sync;

use leaf_tests::peers as leaf;
