//! Hashes of many messages at once: SHA3-256, and MD5.
//!
//! A verified clone hashes every artifact, and checks the MD5 of every manifest; together that is most of its
//! work. One message is a chain of steps and cannot be split, but several messages can share every instruction:
//! their states lie side by side in the lanes of AVX2 registers, four of SHA3 or eight of MD5. [`sha3_256_many`]
//! and [`md5_many`] keep the lanes filled: when a message ends, the next one takes its lane at the next block.
//! Where there is no AVX2 the messages go one by one, SHA3 through the same text of the permutation on plain
//! `u64`s.
//!
//! Why a crate: its `unsafe` (all in `x86/mod.rs`) and its `cfg(target_arch)` stay out of `leaf-core`. The
//! `keccak` crate has a parallel form too, but only on nightly (`portable_simd`) and by a compile-time flag.
//!
//! Source: FIPS 202, RFC 1321.

mod keccak;
#[cfg(any(target_arch = "x86_64", test))]
mod lanes;
mod round;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use md5::Digest as _;

/// The SHA3-256 digest of `message`.
pub fn sha3_256(message: &[u8]) -> [u8; 32] {
    finish([0; 25], message)
}

/// The SHA3-256 digests of `messages`, in their order.
///
/// Lengths may differ; long messages are begun first, so that the lanes stay filled to the end.
pub fn sha3_256_many(messages: &[&[u8]]) -> Vec<[u8; 32]> {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = x86::Avx2::detect() {
        return avx2.sha3_256_many(messages);
    }
    messages.iter().map(|message| sha3_256(message)).collect()
}

/// The MD5 digests of `messages`, in their order.
pub fn md5_many(messages: &[&[u8]]) -> Vec<[u8; 16]> {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = x86::Avx2::detect() {
        return avx2.md5_many(messages);
    }
    messages
        .iter()
        .map(|message| md5::Md5::digest(message).into())
        .collect()
}

/// [`keccak::finish`], in the form that this CPU runs best.
fn finish(state: keccak::State, rest: &[u8]) -> [u8; 32] {
    #[cfg(target_arch = "x86_64")]
    if let Some(bmi) = x86::Bmi::detect() {
        return bmi.finish(state, rest);
    }
    keccak::finish(state, rest)
}
