//! What the lanes need to know of SHA3-256.
//!
//! Source: FIPS 202.

use super::Tail;
use crate::keccak::{self, RATE, State};

/// Messages that share a permutation.
pub(crate) const LANES: usize = 4;

/// Four states, word by word: word `i` of lane `l` is `self.0[i][l]`.
#[repr(C, align(32))]
pub(crate) struct States(pub(crate) [[u64; LANES]; 25]);

impl States {
    pub(crate) fn new() -> Self {
        Self([[0; LANES]; 25])
    }

    pub(crate) fn restart(&mut self, lane: usize) {
        for word in &mut self.0 {
            word[lane] = 0;
        }
    }

    pub(crate) fn of(&self, lane: usize) -> State {
        self.0.map(|word| word[lane])
    }
}

/// The last block of a message that ends with `rest`.
pub(crate) fn tail(rest: &[u8]) -> Tail<RATE> {
    Tail {
        blocks: [[0; RATE], keccak::padded(rest)],
        used: 1,
    }
}
