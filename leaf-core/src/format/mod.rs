//! What a repository is made of: artifacts, deltas, compressed blobs and their hashes. Pure bytes.
//!
//! Source: Fossil `www/fileformat.wiki`, `www/delta_format.wiki`.

pub mod artifact;
pub mod batch;
pub mod delta;
pub mod fossilize;
pub mod hash;
pub mod path;
pub mod word;
pub mod zblob;
