//! Derived tables: what we make of artifacts, against what stock's rebuild makes of the same file.
#![cfg(not(target_arch = "wasm32"))]

mod everything;
mod incremental;
mod rebuilt;
mod verified;
