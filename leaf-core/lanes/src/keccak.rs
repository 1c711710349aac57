//! SHA3-256 of one message, on plain `u64`s.
//!
//! Source: FIPS 202.

use crate::round::{ROUND_CONSTANTS, round};

/// Bytes absorbed by one permutation of SHA3-256.
pub(crate) const RATE: usize = 136;

/// The bytes of a message that one permutation absorbs.
pub(crate) type Block = [u8; RATE];
/// The state of one message.
pub(crate) type State = [u64; 25];

/// The digest that a state stands for when the whole message is absorbed.
pub(crate) fn digest(state: &State) -> [u8; 32] {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *bytes = word.to_le_bytes();
    }
    digest
}

/// The last block of a message: what is left of it, and the padding.
pub(crate) fn padded(rest: &[u8]) -> Block {
    let mut block = [0; RATE];
    block[..rest.len()].copy_from_slice(rest);
    block[rest.len()] = 0x06;
    block[RATE - 1] |= 0x80;
    block
}

/// The digest of the message of which `state` has absorbed all but `rest`.
///
/// Inlined, all of it, because `x86` compiles it a second time for more instructions.
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
    digest(&state)
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
