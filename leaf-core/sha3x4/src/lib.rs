//! SHA3-256 of one message, or of many at once.
//!
//! Source: FIPS 202.
#![no_std]

mod keccak;

pub use keccak::sha3_256;

/// The digests of `messages`, in their order.
///
/// `digests` is cleared first.
pub fn sha3_256_many(messages: &[&[u8]], digests: &mut [[u8; 32]]) {
    assert_eq!(messages.len(), digests.len(), "one digest for each message");
    for (message, digest) in messages.iter().zip(digests) {
        *digest = sha3_256(message);
    }
}
