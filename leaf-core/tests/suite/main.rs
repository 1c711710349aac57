//! Tests of `leaf-core` that need no program, file or clock: the same functions run natively and on wasm32.

mod artifact;
mod artifact_properties;
mod bad_format;
mod batch;
mod cards;
mod config_cards;
mod delta;
mod envelope;
mod fossilize;
mod hash;
mod history;
mod hostile;
mod id;
mod login;
mod pair;
mod pair_marks;
mod pair_rights;
mod path;
mod properties;
mod store;
mod time;
mod unversioned;
mod users;
mod world;
mod zblob;
