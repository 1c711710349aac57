//! What a host gives to a leaf: a database, a wire, a clock, dice.
//!
//! One function each: [`Store::connect`], [`Wire::carry`], [`now`], [`entropy`]. The wire is a function of the
//! worker's script, so another runtime brings its own; another kind of file storage is another `store`.

mod store;
mod wire;
mod world;

#[cfg(test)]
pub(crate) use store::tests::NAME as SUITE;
pub(crate) use store::{Import, Store};
pub(crate) use wire::{Carried, Round, Wire};
pub(crate) use world::{breathe, entropy, is_aborted, monotonic_ms, now, seed, sleep};
