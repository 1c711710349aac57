//! SHA3-256 in AVX2 registers: four states side by side.
//!
//! Source: FIPS 202.

use core::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_andnot_si256, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_set_epi8, _mm256_set_epi64x, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_slli_epi64, _mm256_srli_epi64, _mm256_unpackhi_epi64, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use super::{load, store};
use crate::keccak::Block;
use crate::lanes::sha3::{LANES, States};
use crate::round::{ROUND_CONSTANTS, round};

type Words = [__m256i; 25];

#[target_feature(enable = "avx2")]
pub(super) fn absorb(states: &mut States, blocks: [&[Block]; LANES]) {
    let mut words: Words = [_mm256_setzero_si256(); 25];
    for (word, lanes) in words.iter_mut().zip(&states.0) {
        *word = load(lanes);
    }
    let [first, second, third, fourth] = blocks;
    for (((first, second), third), fourth) in first.iter().zip(second).zip(third).zip(fourth) {
        add_block(&mut words, [first, second, third, fourth]);
        permute(&mut words);
    }
    for (word, lanes) in words.iter().zip(&mut states.0) {
        store(lanes, *word);
    }
}

/// Adds one block to each lane: 4 words of 4 blocks at a time, transposed; the 17th word by hand.
#[target_feature(enable = "avx2")]
#[inline]
fn add_block(words: &mut Words, blocks: [&Block; LANES]) {
    let quads = blocks.map(|block| block.as_chunks::<32>().0);
    for at in 0..4 {
        let row = |lane: usize| load(&quads[lane][at]);
        let (r0, r1, r2, r3) = (row(0), row(1), row(2), row(3));
        let (even01, odd01) = (_mm256_unpacklo_epi64(r0, r1), _mm256_unpackhi_epi64(r0, r1));
        let (even23, odd23) = (_mm256_unpacklo_epi64(r2, r3), _mm256_unpackhi_epi64(r2, r3));
        let columns = [
            _mm256_permute2x128_si256::<0x20>(even01, even23),
            _mm256_permute2x128_si256::<0x20>(odd01, odd23),
            _mm256_permute2x128_si256::<0x31>(even01, even23),
            _mm256_permute2x128_si256::<0x31>(odd01, odd23),
        ];
        for (word, column) in words[4 * at..4 * at + 4].iter_mut().zip(columns) {
            *word = _mm256_xor_si256(*word, column);
        }
    }
    let last = blocks.map(|block| i64::from_le_bytes(*block.last_chunk().expect("a block has 136 bytes")));
    let last = _mm256_set_epi64x(last[3], last[2], last[1], last[0]);
    words[16] = _mm256_xor_si256(words[16], last);
}

#[target_feature(enable = "avx2")]
#[inline]
fn permute(a: &mut Words) {
    macro_rules! rol {
        ($a:expr, 1) => {
            rotate_1($a)
        };
        ($a:expr, 8) => {
            rotate_8($a)
        };
        ($a:expr, 56) => {
            rotate_56($a)
        };
        ($a:expr, $by:literal) => {
            rotate::<$by, { 64 - $by }>($a)
        };
    }
    let mut e: Words = [_mm256_setzero_si256(); 25];
    for constants in ROUND_CONSTANTS.as_chunks::<2>().0 {
        round!(
            a,
            e,
            _mm256_set1_epi64x(constants[0].cast_signed()),
            _mm256_xor_si256,
            rol,
            chi
        );
        round!(
            e,
            a,
            _mm256_set1_epi64x(constants[1].cast_signed()),
            _mm256_xor_si256,
            rol,
            chi
        );
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn chi(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_xor_si256(a, _mm256_andnot_si256(b, c))
}

#[target_feature(enable = "avx2")]
#[inline]
fn rotate<const LEFT: i32, const RIGHT: i32>(a: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_slli_epi64::<LEFT>(a), _mm256_srli_epi64::<RIGHT>(a))
}

#[target_feature(enable = "avx2")]
#[inline]
fn rotate_1(a: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_add_epi64(a, a), _mm256_srli_epi64::<63>(a))
}

/// A rotation by whole bytes is one shuffle.
#[target_feature(enable = "avx2")]
#[inline]
fn rotate_8(a: __m256i) -> __m256i {
    let from = _mm256_set_epi8(
        14, 13, 12, 11, 10, 9, 8, 15, 6, 5, 4, 3, 2, 1, 0, 7, 14, 13, 12, 11, 10, 9, 8, 15, 6, 5, 4, 3, 2, 1,
        0, 7,
    );
    _mm256_shuffle_epi8(a, from)
}

#[target_feature(enable = "avx2")]
#[inline]
fn rotate_56(a: __m256i) -> __m256i {
    let from = _mm256_set_epi8(
        8, 15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 5, 4, 3, 2, 1, 8, 15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 5, 4, 3,
        2, 1,
    );
    _mm256_shuffle_epi8(a, from)
}
