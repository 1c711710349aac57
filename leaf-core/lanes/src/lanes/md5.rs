//! What the lanes need to know of MD5.
//!
//! Source: RFC 1321.

use super::Tail;

/// Bytes absorbed at a time.
pub(crate) const BLOCK: usize = 64;
/// Messages that share a pass.
pub(crate) const LANES: usize = 8;

/// Eight states, word by word: word `i` of lane `l` is `self.0[i][l]`.
#[repr(C, align(32))]
pub(crate) struct States(pub(crate) [[u32; LANES]; 4]);

const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

impl States {
    pub(crate) fn new() -> Self {
        Self(START.map(|word| [word; LANES]))
    }

    pub(crate) fn restart(&mut self, lane: usize) {
        for (word, start) in self.0.iter_mut().zip(START) {
            word[lane] = start;
        }
    }

    /// The digest that a lane stands for when its whole message is absorbed.
    pub(crate) fn digest(&self, lane: usize) -> [u8; 16] {
        let mut digest = [0; 16];
        for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(&self.0) {
            *bytes = word[lane].to_le_bytes();
        }
        digest
    }
}

/// The last blocks of a message of `bytes` bytes: its `rest`, a mark, zeros and its length in bits.
pub(crate) fn tail(rest: &[u8], bytes: usize) -> Tail<BLOCK> {
    let mut blocks = [[0; BLOCK]; 2];
    let used = if rest.len() < BLOCK - 8 { 1 } else { 2 };
    let first = &mut blocks[2 - used];
    first[..rest.len()].copy_from_slice(rest);
    first[rest.len()] = 0x80;
    let bits = (bytes as u64).wrapping_mul(8);
    blocks[1][BLOCK - 8..].copy_from_slice(&bits.to_le_bytes());
    Tail { blocks, used }
}

/// The shifts of the four rounds, in turn.
pub(crate) const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The constant of each step: the sine of its number, as a fraction of 2^32.
#[rustfmt::skip]
pub(crate) const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];
