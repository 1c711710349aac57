//! The `leaf` program.
fn main() {}
