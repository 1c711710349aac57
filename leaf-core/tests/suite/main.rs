//! Tests of `leaf-core` that need no program, file or clock: the same functions run natively and on wasm32.

mod artifact;
mod artifact_properties;
mod delta;
mod fossilize;
mod hash;
mod path;
mod properties;
mod zblob;
