//! SHA3-256 of one message, or of many at once.
//!
//! A verified clone hashes every artifact, and hashing is then most of its work. One message is a chain of
//! permutations and cannot be split, but four messages can share every instruction: their states lie side by
//! side in the four 64-bit lanes of AVX2 registers. [`sha3_256_many`] keeps the lanes filled: when a message
//! ends, the next one takes its lane at the next block. Where there is no AVX2 the same messages go one by
//! one through the same text of the permutation on plain `u64`s.
//!
//! Why a crate: its one `unsafe` module and its `cfg(target_arch)` stay out of `leaf-core`. The `keccak`
//! crate has a parallel form too, but only on nightly (`portable_simd`) and by a compile-time flag.
//!
//! Source: FIPS 202; bit interleaving is not used, words are little-endian as in the standard.

mod keccak;
#[cfg(any(target_arch = "x86_64", test))]
mod lanes;
mod round;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Bytes absorbed by one permutation of SHA3-256.
const RATE: usize = 136;

/// The bytes of a message that one permutation absorbs.
type Block = [u8; RATE];

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
        return lanes::digest_all(messages, &avx2);
    }
    messages.iter().map(|message| sha3_256(message)).collect()
}

/// [`keccak::finish`], in the form that this CPU runs best.
fn finish(state: keccak::State, rest: &[u8]) -> [u8; 32] {
    #[cfg(target_arch = "x86_64")]
    if let Some(bmi) = x86::Bmi::detect() {
        return bmi.finish(state, rest);
    }
    keccak::finish(state, rest)
}

/// The last block of a message: what is left of it, and the padding of SHA3.
fn padded(rest: &[u8]) -> Block {
    let mut block = [0; RATE];
    block[..rest.len()].copy_from_slice(rest);
    block[rest.len()] = 0x06;
    block[RATE - 1] |= 0x80;
    block
}
