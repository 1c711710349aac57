//! The instructions of x86-64 CPUs that not all of them have. All `unsafe` of the project is in this file.
//!
//! Two uses: AVX2 holds several states side by side; BMI1 and BMI2 let the plain permutation go without copies
//! (`andn`, `rorx`), a fifth faster.
//!
//! Shape of the argument: [`Avx2`] and [`Bmi`] can only be made by their `detect`, so whoever holds one runs
//! on a CPU that has the instructions; and every load and store goes through a reference to as many bytes as
//! it moves.
#![allow(unsafe_code)]

mod md5;
mod sha3;

use core::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_storeu_si256};

use crate::keccak;
use crate::lanes::md5::LANES as MD5_LANES;
use crate::lanes::sha3::LANES as SHA3_LANES;
use crate::lanes::{self, Hash, Tail};

/// Proof that this CPU has AVX2.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// Fewer SHA3 messages than this go faster one after the other.
const SHA3_WORTH: usize = 2;
/// A pass of MD5 takes as long as a single block of one message.
const MD5_WORTH: usize = 1;

impl Avx2 {
    /// `None` on a CPU without AVX2.
    pub(crate) fn detect() -> Option<Self> {
        std::arch::is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// As [`crate::sha3_256_many`].
    pub(crate) fn sha3_256_many(self, messages: &[&[u8]]) -> Vec<[u8; 32]> {
        let mut outcome = lanes::digest_all(&Sha3(self), messages, SHA3_WORTH);
        for leftover in outcome.leftovers {
            let state = outcome.states.of(leftover.lane);
            outcome.digests[leftover.index] = crate::finish(state, leftover.left);
        }
        outcome.digests
    }

    /// As [`crate::md5_many`].
    pub(crate) fn md5_many(self, messages: &[&[u8]]) -> Vec<[u8; 16]> {
        let outcome = lanes::digest_all(&Md5(self), messages, MD5_WORTH);
        debug_assert!(outcome.leftovers.is_empty(), "one message is worth a pass");
        outcome.digests
    }
}

/// SHA3-256 in four lanes.
struct Sha3(Avx2);

impl Hash<SHA3_LANES, { keccak::RATE }> for Sha3 {
    type States = lanes::sha3::States;
    type Digest = [u8; 32];

    fn start(&self) -> Self::States {
        Self::States::new()
    }

    fn restart(&self, states: &mut Self::States, lane: usize) {
        states.restart(lane);
    }

    fn absorb(&self, states: &mut Self::States, blocks: [&[keccak::Block]; SHA3_LANES]) {
        let Avx2(()) = self.0;
        // SAFETY: an `Avx2` exists, so `detect` has found AVX2 on this CPU.
        unsafe { sha3::absorb(states, blocks) }
    }

    fn tail(&self, rest: &[u8], _: usize) -> Tail<{ keccak::RATE }> {
        lanes::sha3::tail(rest)
    }

    fn digest(&self, states: &Self::States, lane: usize) -> [u8; 32] {
        keccak::digest(&states.of(lane))
    }
}

/// MD5 in eight lanes.
struct Md5(Avx2);

impl Hash<MD5_LANES, { lanes::md5::BLOCK }> for Md5 {
    type States = lanes::md5::States;
    type Digest = [u8; 16];

    fn start(&self) -> Self::States {
        Self::States::new()
    }

    fn restart(&self, states: &mut Self::States, lane: usize) {
        states.restart(lane);
    }

    fn absorb(&self, states: &mut Self::States, blocks: [&[[u8; lanes::md5::BLOCK]]; MD5_LANES]) {
        let Avx2(()) = self.0;
        // SAFETY: an `Avx2` exists, so `detect` has found AVX2 on this CPU.
        unsafe { md5::absorb(states, blocks) }
    }

    fn tail(&self, rest: &[u8], bytes: usize) -> Tail<{ lanes::md5::BLOCK }> {
        lanes::md5::tail(rest, bytes)
    }

    fn digest(&self, states: &Self::States, lane: usize) -> [u8; 16] {
        states.digest(lane)
    }
}

/// Proof that this CPU has BMI1 and BMI2.
#[derive(Clone, Copy)]
pub(crate) struct Bmi(());

impl Bmi {
    /// `None` on a CPU that lacks one of them.
    pub(crate) fn detect() -> Option<Self> {
        let has = std::arch::is_x86_feature_detected!("bmi1") && std::arch::is_x86_feature_detected!("bmi2");
        has.then_some(Self(()))
    }

    /// As [`keccak::finish`].
    #[expect(clippy::unused_self, reason = "`self` is the proof")]
    pub(crate) fn finish(self, state: keccak::State, rest: &[u8]) -> [u8; 32] {
        // SAFETY: `self` exists, so `detect` has found BMI1 and BMI2 on this CPU.
        unsafe { finish(state, rest) }
    }
}

/// The portable text, compiled for a CPU with more instructions.
#[target_feature(enable = "bmi1,bmi2")]
fn finish(state: keccak::State, rest: &[u8]) -> [u8; 32] {
    keccak::finish(state, rest)
}

/// Anything of 32 bytes in which every byte is initialised and any value is valid.
///
/// # Safety
///
/// Implementers must be just that.
unsafe trait Register {}

// SAFETY: arrays of integers have no padding; each of these is 32 bytes long.
unsafe impl Register for [u8; 32] {}
// SAFETY: as above.
unsafe impl Register for [u32; 8] {}
// SAFETY: as above.
unsafe impl Register for [u64; 4] {}

#[target_feature(enable = "avx2")]
#[inline]
fn load(from: &impl Register) -> __m256i {
    // SAFETY: `Register` promises 32 readable bytes; this load needs no alignment.
    unsafe { _mm256_loadu_si256(core::ptr::from_ref(from).cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(into: &mut impl Register, word: __m256i) {
    // SAFETY: `Register` promises 32 bytes that may hold anything; this store needs no alignment.
    unsafe { _mm256_storeu_si256(core::ptr::from_mut(into).cast(), word) }
}
