//! Operations of NATS: any bytes read as a client's, a server's and a link's, at once and piece by piece.
//!
//! Input: its first byte says how the rest is cut into pieces.
#![no_main]

use leaf_core::limits::NatsLimits;
use leaf_core::nats::{BadOp, Scan, scan_client, scan_leaf, scan_server};
use leaf_fuzz::within;
use libfuzzer_sys::fuzz_target;
use std::fmt::Debug;

fuzz_target!(|input: &[u8]| {
    let Some((seed, bytes)) = input.split_first() else {
        return;
    };
    let limits = NatsLimits {
        line_bytes_max: 64,
        info_bytes_max: 256,
        payload_bytes_max: 512,
        ..NatsLimits::default()
    };
    pieces_say_what_the_whole_says(bytes, *seed, |bytes| scan_client(bytes, &limits));
    pieces_say_what_the_whole_says(bytes, *seed, |bytes| scan_server(bytes, &limits));
    pieces_say_what_the_whole_says(bytes, *seed, |bytes| scan_leaf(bytes, &limits));
});

fn pieces_say_what_the_whole_says<'a, T: Debug + 'a>(
    bytes: &'a [u8],
    seed: u8,
    scan: impl Fn(&'a [u8]) -> Result<Scan<T>, BadOp>,
) {
    let whole = read(&[bytes.len()], bytes, &scan);
    assert_eq!(read(&cuts(bytes.len(), seed), bytes, &scan), whole);
    assert_eq!(read(&(1..=bytes.len()).collect::<Vec<_>>(), bytes, &scan), whole);
}

/// Where pieces of one to sixteen bytes, or of one to four, end; the last is the end of all.
fn cuts(length: usize, seed: u8) -> Vec<usize> {
    let mut dice = u32::from(seed);
    let mut cuts = Vec::new();
    let mut at = 0;
    while at < length {
        dice = dice.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let piece = (dice >> 16) as usize % if seed < 128 { 16 } else { 4 };
        at = (at + piece + 1).min(length);
        cuts.push(at);
    }
    cuts
}

/// The operations as text, when no more than what is before each of `cuts` was seen, one after the other; how many
/// bytes they were; and what was wrong in the end.
fn read<'a, T: Debug + 'a>(
    cuts: &[usize],
    bytes: &'a [u8],
    scan: impl Fn(&'a [u8]) -> Result<Scan<T>, BadOp>,
) -> (Vec<String>, usize, Option<BadOp>) {
    let (mut ops, mut from) = (Vec::new(), 0);
    for to in cuts {
        while from < *to {
            let seen = &bytes[from..*to];
            match within(0, || scan(seen)) {
                Ok(Scan::Op(op, used)) => {
                    assert!((1..=seen.len()).contains(&used));
                    ops.push(format!("{op:?}"));
                    from += used;
                }
                Ok(Scan::More(bytes)) => {
                    assert!(bytes > seen.len());
                    break;
                }
                Err(bad) => return (ops, from, Some(bad)),
            }
        }
    }
    (ops, from, None)
}
