//! SHA3-256 of several messages at once.
