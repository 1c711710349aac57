//! MD5 in AVX2 registers: eight states side by side.
//!
//! Source: RFC 1321.

use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256, _mm256_or_si256,
    _mm256_permute2x128_si256, _mm256_set1_epi32, _mm256_slli_epi32, _mm256_srli_epi32,
    _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
    _mm256_xor_si256,
};

use super::{load, store};
use crate::lanes::md5::{BLOCK, LANES, SHIFTS, SINES, States};

#[target_feature(enable = "avx2")]
pub(super) fn absorb(states: &mut States, blocks: [&[[u8; BLOCK]]; LANES]) {
    let [a, b, c, d] = &states.0;
    let mut words = [load(a), load(b), load(c), load(d)];
    for at in 0..blocks[0].len() {
        let halves = blocks.map(|blocks| blocks[at].as_chunks::<32>().0);
        let low = transposed(halves.map(|halves| load(&halves[0])));
        let high = transposed(halves.map(|halves| load(&halves[1])));
        compress(&mut words, &[low, high]);
    }
    for (word, lanes) in words.iter().zip(&mut states.0) {
        store(lanes, *word);
    }
}

/// Row `l` holds 8 words of lane `l`; what comes back holds word `i` of all lanes in row `i`.
#[target_feature(enable = "avx2")]
#[inline]
fn transposed(rows: [__m256i; 8]) -> [__m256i; 8] {
    let [r0, r1, r2, r3, r4, r5, r6, r7] = rows;
    let (a0, a1) = (_mm256_unpacklo_epi32(r0, r1), _mm256_unpackhi_epi32(r0, r1));
    let (a2, a3) = (_mm256_unpacklo_epi32(r2, r3), _mm256_unpackhi_epi32(r2, r3));
    let (a4, a5) = (_mm256_unpacklo_epi32(r4, r5), _mm256_unpackhi_epi32(r4, r5));
    let (a6, a7) = (_mm256_unpacklo_epi32(r6, r7), _mm256_unpackhi_epi32(r6, r7));
    let (b0, b1) = (_mm256_unpacklo_epi64(a0, a2), _mm256_unpackhi_epi64(a0, a2));
    let (b2, b3) = (_mm256_unpacklo_epi64(a1, a3), _mm256_unpackhi_epi64(a1, a3));
    let (b4, b5) = (_mm256_unpacklo_epi64(a4, a6), _mm256_unpackhi_epi64(a4, a6));
    let (b6, b7) = (_mm256_unpacklo_epi64(a5, a7), _mm256_unpackhi_epi64(a5, a7));
    [
        _mm256_permute2x128_si256::<0x20>(b0, b4),
        _mm256_permute2x128_si256::<0x20>(b1, b5),
        _mm256_permute2x128_si256::<0x20>(b2, b6),
        _mm256_permute2x128_si256::<0x20>(b3, b7),
        _mm256_permute2x128_si256::<0x31>(b0, b4),
        _mm256_permute2x128_si256::<0x31>(b1, b5),
        _mm256_permute2x128_si256::<0x31>(b2, b6),
        _mm256_permute2x128_si256::<0x31>(b3, b7),
    ]
}

/// Absorbs one block of each lane, word by word.
#[target_feature(enable = "avx2")]
#[inline]
fn compress(words: &mut [__m256i; 4], block: &[[__m256i; 8]; 2]) {
    let [mut a, mut b, mut c, mut d] = *words;
    // Step `$i` of 64; its word of the block is `$first + $by * i` modulo 16.
    macro_rules! step {
        ($i:expr, $mix:ident, $first:literal, $by:literal) => {{
            const SHIFT: i32 = SHIFTS[$i / 16][$i % 4].cast_signed();
            const WORD: usize = ($first + $by * $i) % 16;
            let sine = _mm256_set1_epi32(SINES[$i].cast_signed());
            let sum = _mm256_add_epi32(_mm256_add_epi32(block[WORD / 8][WORD % 8], sine), a);
            let sum = _mm256_add_epi32(sum, $mix(b, c, d));
            let high = _mm256_slli_epi32::<SHIFT>(sum);
            let turned = _mm256_or_si256(high, _mm256_srli_epi32::<{ 32 - SHIFT }>(sum));
            (a, d, c, b) = (d, c, b, _mm256_add_epi32(turned, b));
        }};
    }
    macro_rules! steps {
        ([$($i:literal)*], $mix:ident, $first:literal, $by:literal) => {
            $(step!($i, $mix, $first, $by);)*
        };
    }
    steps!([0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15], select, 0, 1);
    steps!([16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31], select_by_last, 1, 5);
    steps!([32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47], parity, 5, 3);
    steps!([48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63], crossed, 0, 7);
    for (word, new) in words.iter_mut().zip([a, b, c, d]) {
        *word = _mm256_add_epi32(*word, new);
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn select(b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_and_si256(b, c), _mm256_andnot_si256(b, d))
}

#[target_feature(enable = "avx2")]
#[inline]
fn select_by_last(b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    select(d, b, c)
}

#[target_feature(enable = "avx2")]
#[inline]
fn parity(b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    _mm256_xor_si256(b, _mm256_xor_si256(c, d))
}

#[target_feature(enable = "avx2")]
#[inline]
fn crossed(b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    let ones = _mm256_set1_epi32(-1);
    _mm256_xor_si256(c, _mm256_or_si256(b, _mm256_xor_si256(d, ones)))
}
