//! The check sum of a target.
//!
//! Source: Fossil `www/delta_format.wiki` section 1.3.

/// Words that can be added before 16 bits overflow: 257 times 255 fit.
const RUN: usize = 256;

/// Sum of the big-endian 32-bit words of `bytes`, padded with zeros; modulo 2^32.
///
/// Eight bytes are added at once, in four 16-bit sums of the even and four of the odd ones: the compiler makes
/// vector code of that on every CPU, which it cannot of byte swaps.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    const EVEN: u64 = 0x00FF_00FF_00FF_00FF;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut sum = 0_u32;
    for run in words.chunks(RUN) {
        let (mut even, mut odd) = (0_u64, 0_u64);
        for word in run {
            let word = u64::from_le_bytes(*word);
            even += word & EVEN;
            odd += word >> 8 & EVEN;
        }
        sum = sum.wrapping_add(folded(even, 24)).wrapping_add(folded(odd, 16));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let last = u64::from_le_bytes(last);
    sum.wrapping_add(folded(last & EVEN, 24))
        .wrapping_add(folded(last >> 8 & EVEN, 16))
}

/// Four 16-bit sums, each in its place of the 32-bit word: `first` bits up, and 16 less, in turn.
fn folded(sums: u64, first: u32) -> u32 {
    let sum = |at: u32| u32::try_from(sums >> (16 * at) & 0xFFFF).expect("16 bits");
    let high = (sum(0) + sum(2)) << first;
    high.wrapping_add((sum(1) + sum(3)) << (first - 16))
}
