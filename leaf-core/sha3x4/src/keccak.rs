//! SHA3-256 of one message, on plain `u64`s.

use crate::round::{ROUND_CONSTANTS, round};
use crate::{Block, RATE, padded};

/// The state of one message.
pub(crate) type State = [u64; 25];

/// The digest of the message of which `state` has absorbed all but `rest`.
///
/// Inlined, all of it, because `x86.rs` compiles it a second time for more instructions.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "otherwise the caller's target features do not reach it"
)]
pub(crate) fn finish(mut state: State, rest: &[u8]) -> [u8; 32] {
    let (blocks, rest) = rest.as_chunks::<RATE>();
    for block in blocks {
        absorb(&mut state, block);
    }
    absorb(&mut state, &padded(rest));
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *bytes = word.to_le_bytes();
    }
    digest
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "see `finish`")]
pub(crate) fn absorb(state: &mut State, block: &Block) {
    for (word, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *word ^= u64::from_le_bytes(*bytes);
    }
    permute(state);
}

#[inline(always)]
fn permute(state: &mut State) {
    macro_rules! rol {
        ($a:expr, $by:literal) => {
            $a.rotate_left($by)
        };
    }
    let xor = |a: u64, b: u64| a ^ b;
    let chi = |a: u64, b: u64, c: u64| a ^ (!b & c);
    let mut a = *state;
    let mut e = [0; 25];
    for constants in ROUND_CONSTANTS.as_chunks::<2>().0 {
        round!(a, e, constants[0], xor, rol, chi);
        round!(e, a, constants[1], xor, rol, chi);
    }
    *state = a;
}
