//! Every path gives what the standards, and the crates that do one message at a time, say.

use sha3::Digest;

use crate::keccak::{self, Block, RATE};
use crate::lanes::sha3::{LANES, States};
use crate::lanes::{self, Hash, Tail};
use crate::{md5_many, sha3_256, sha3_256_many};

/// Lanes on any CPU: four states, one after the other.
struct Portable;

impl Hash<LANES, RATE> for Portable {
    type States = States;
    type Digest = [u8; 32];

    fn start(&self) -> States {
        States::new()
    }

    fn restart(&self, states: &mut States, lane: usize) {
        states.restart(lane);
    }

    fn absorb(&self, states: &mut States, blocks: [&[Block]; LANES]) {
        for (lane, blocks) in blocks.into_iter().enumerate() {
            let mut state = states.of(lane);
            for block in blocks {
                keccak::absorb(&mut state, block);
            }
            states
                .0
                .iter_mut()
                .zip(state)
                .for_each(|(word, of_lane)| word[lane] = of_lane);
        }
    }

    fn tail(&self, rest: &[u8], _: usize) -> Tail<RATE> {
        lanes::sha3::tail(rest)
    }

    fn digest(&self, states: &States, lane: usize) -> [u8; 32] {
        keccak::digest(&states.of(lane))
    }
}

/// The digests of `messages` on every path that this CPU has.
fn on_every_path(messages: &[&[u8]]) -> Vec<(&'static str, Vec<[u8; 32]>)> {
    vec![
        (
            "portable",
            messages
                .iter()
                .map(|message| keccak::finish([0; 25], message))
                .collect(),
        ),
        (
            "portable lanes",
            lanes::digest_all(&Portable, messages, 1).digests,
        ),
        (
            "one by one",
            messages.iter().map(|message| sha3_256(message)).collect(),
        ),
        ("as this CPU can", sha3_256_many(messages)),
    ]
}

/// The same by MD5.
fn md5_one_by_one(messages: &[&[u8]]) -> Vec<[u8; 16]> {
    messages
        .iter()
        .map(|message| md5::Md5::digest(message).into())
        .collect()
}

fn from_hex(hex: &str) -> [u8; 32] {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits");
    core::array::from_fn(|at| digit(2 * at))
}

/// A deterministic sequence (`SplitMix64`).
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("less than a usize")
    }

    fn message(&mut self, bytes: usize) -> Vec<u8> {
        (0..bytes).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

#[test]
fn known_answers_hold_on_every_path() {
    // NIST CSRC "SHA-3 examples": the empty message, and 1600 bits of 0xa3; FIPS 180 message "abc" under SHA-3.
    let long = [0xa3; 200];
    let messages: [&[u8]; 3] = [b"", b"abc", &long];
    let answers = [
        "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
        "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787",
    ];
    for (path, digests) in on_every_path(&messages) {
        assert_eq!(digests, answers.map(from_hex), "{path}");
    }
}

#[test]
fn every_length_about_a_block_agrees_with_one_by_one() {
    let all = Sequence(1).message(3 * RATE + 2);
    let messages: Vec<&[u8]> = (0..=all.len()).map(|bytes| &all[..bytes]).collect();
    let wanted: Vec<[u8; 32]> = messages
        .iter()
        .map(|message| sha3::Sha3_256::digest(message).into())
        .collect();
    for (path, digests) in on_every_path(&messages) {
        assert_eq!(digests, wanted, "{path}");
    }
    assert_eq!(md5_many(&messages), md5_one_by_one(&messages));
}

#[test]
fn batches_of_any_size_and_mixture_agree_with_one_by_one() {
    let mut random = Sequence(2);
    for batch in 0..60 {
        let messages: Vec<Vec<u8>> = (0..batch % 13)
            .map(|_| {
                let bytes_max = [1, 40, 300, 3_000, 20_000][random.below(5)];
                let bytes = random.below(bytes_max);
                random.message(bytes)
            })
            .collect();
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let wanted: Vec<[u8; 32]> = messages
            .iter()
            .map(|message| sha3::Sha3_256::digest(message).into())
            .collect();
        for (path, digests) in on_every_path(&messages) {
            assert_eq!(digests, wanted, "batch {batch}, {path}");
        }
        assert_eq!(md5_many(&messages), md5_one_by_one(&messages), "batch {batch}");
    }
}
