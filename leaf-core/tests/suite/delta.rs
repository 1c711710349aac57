//! Deltas: created, applied, damaged.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::format::delta::{BadDelta, apply, create, target_size};
use proptest::collection::vec;
use proptest::prelude::*;

const MAX: usize = 1 << 20;

macro_rules! fixture {
    ($name:literal) => {
        Fixture {
            source: include_bytes!(concat!("../../../tests/fixtures/delta/", $name, ".source")),
            target: include_bytes!(concat!("../../../tests/fixtures/delta/", $name, ".target")),
            delta: include_bytes!(concat!("../../../tests/fixtures/delta/", $name, ".delta")),
        }
    };
}

/// Two contents, and what `fossil test-delta-create` made of them.
struct Fixture {
    source: &'static [u8],
    target: &'static [u8],
    delta: &'static [u8],
}

const STOCK: [Fixture; 5] = [
    fixture!("text"),
    fixture!("binary"),
    fixture!("empty"),
    fixture!("same"),
    fixture!("gone"),
];

#[test]
fn what_stock_created_applies() {
    for Fixture {
        source,
        target,
        delta,
    } in STOCK
    {
        assert_eq!(target_size(delta), Ok(target.len()));
        assert_eq!(apply(source, delta, MAX).as_deref(), Ok(target));
    }
}

#[test]
fn our_delta_applies_and_is_no_longer_than_stocks() {
    for Fixture {
        source,
        target,
        delta,
    } in STOCK
    {
        let ours = create(source, target);
        assert_eq!(apply(source, &ours, MAX).as_deref(), Ok(target));
        assert!(
            ours.len() <= delta.len(),
            "ours {} bytes, stock's {}",
            ours.len(),
            delta.len()
        );
    }
}

#[test]
fn the_limit_is_inclusive() {
    let Fixture {
        source,
        target,
        delta,
    } = fixture!("text");
    assert!(apply(source, delta, target.len()).is_ok());
    let max = target.len() - 1;
    assert_eq!(
        apply(source, delta, max),
        Err(BadDelta::TooLarge {
            declared: target.len(),
            max
        })
    );
}

#[test]
fn a_delta_for_another_source_fails_its_check_sum() {
    assert_eq!(
        apply(
            b"0123456789abcdeX",
            &create(b"0123456789abcdef", b"0123456789abcdef"),
            MAX
        ),
        { Err(BadDelta::Checksum) }
    );
}

#[test]
fn each_fault_has_its_own_error_and_place() {
    let source = b"0123456789";
    let cases: [(&[u8], BadDelta); 17] = [
        (b"", BadDelta::Truncated { offset: 0 }),
        (b"5", BadDelta::Truncated { offset: 1 }),
        (b"\n", BadDelta::Number { offset: 0 }),
        (b"5;", BadDelta::Operation { offset: 1 }),
        (b"5\n", BadDelta::Truncated { offset: 2 }),
        (b"5\n5@6,0;", BadDelta::Copy { offset: 2 }),
        (b"5\n5@3~~~~~,0;", BadDelta::Copy { offset: 2 }),
        (b"5\n3~~~~~@3~~~~~,0;", BadDelta::Copy { offset: 2 }),
        (b"5\n1@4000000,0;", BadDelta::Number { offset: 4 }),
        (b"5\n5@0;0;", BadDelta::Operation { offset: 5 }),
        (b"5\n5@,0;", BadDelta::Number { offset: 4 }),
        (b"5\n6:abcdef0;", BadDelta::Size { made: 6, declared: 5 }),
        (
            b"5\n5@0,5@0,0;",
            BadDelta::Size {
                made: 10,
                declared: 5,
            },
        ),
        (b"5\n4@0,0;", BadDelta::Size { made: 4, declared: 5 }),
        (b"5\n5:abc", BadDelta::Truncated { offset: 7 }),
        (b"5\n5:abcde0;", BadDelta::Checksum),
        (b"5\n5!abcde0;", BadDelta::Operation { offset: 3 }),
    ];
    for (delta, error) in cases {
        assert_eq!(
            apply(source, delta, MAX),
            Err(error),
            "{}",
            String::from_utf8_lossy(delta)
        );
    }
}

#[test]
fn bytes_after_the_check_sum_are_an_error() {
    let Fixture { source, delta, .. } = fixture!("text");
    let long = [delta, b"\n"].concat();
    assert_eq!(apply(source, &long, MAX), Err(BadDelta::Trailing { bytes: 1 }));
}

#[test]
fn every_truncation_is_an_error() {
    for Fixture { source, delta, .. } in STOCK {
        for bytes in 0..delta.len() {
            assert!(apply(source, &delta[..bytes], MAX).is_err(), "{bytes} bytes");
        }
    }
}

#[test]
fn a_flipped_bit_never_changes_the_size() {
    // What the check sum cannot see (words that change places) the hash of the artifact does.
    for Fixture {
        source,
        target,
        delta,
    } in STOCK
    {
        for bit in 0..delta.len() * 8 {
            let mut damaged = delta.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = apply(source, &damaged, MAX) {
                assert_eq!(Ok(other.len()), target_size(&damaged), "bit {bit}");
                assert_eq!(other.len(), target.len(), "bit {bit}");
            }
        }
    }
}

#[test]
fn a_lying_size_costs_no_memory() {
    // Claims 1 GiB, makes one byte.
    let mut target = Vec::new();
    let verdict = leaf_core::format::delta::apply_into(b"", b"~~~~~\n1:a0;", 1 << 30, &mut target);
    assert_eq!(
        verdict,
        Err(BadDelta::Size {
            made: 1,
            declared: (1 << 30) - 1
        })
    );
    assert!(
        target.capacity() <= 1 << 17,
        "{} bytes reserved",
        target.capacity()
    );
}

#[test]
fn a_piece_that_moved_is_copied() {
    let source: Vec<u8> = (0..40_000_u32)
        .flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_be_bytes())
        .collect();
    let (front, back) = source.split_at(70_000);
    let target = [back, front].concat();
    let delta = create(&source, &target);
    assert_eq!(apply(&source, &delta, MAX), Ok(target));
    assert!(delta.len() < 40, "{} bytes", delta.len());
}

#[test]
fn repetitive_content_takes_linear_work() {
    // Each of these takes stock's kind of loop 250 looks at nearly every byte, and a naive one the square of
    // the size. 2 MB at a few looks a byte are done at once; at their square never.
    let bytes = 2_000_000;
    let zeros = vec![0; bytes];
    let mut nearly = zeros.clone();
    nearly.iter_mut().step_by(4099).for_each(|byte| *byte = 1);
    let stripes: Vec<u8> = b"0123456789abcdef".repeat(bytes / 16);
    let shifted: Vec<u8> = b"123456789abcdef0".repeat(bytes / 16);
    let table: Vec<u8> = (0..bytes)
        .map(|at| if at % 48 < 47 { b' ' } else { at.to_le_bytes()[1] })
        .collect();
    for (source, target) in [
        (&zeros, &nearly),
        (&nearly, &zeros),
        (&stripes, &shifted),
        (&table, &nearly),
        (&nearly, &table),
        (&zeros, &table),
    ] {
        let delta = create(source, target);
        assert!(apply(source, &delta, bytes) == Ok(target.clone()));
    }
}

/// Two contents of which the second is the first, edited.
fn versions() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let edits = vec(
        (any::<prop::sample::Index>(), 0_usize..90, vec(any::<u8>(), 0..60)),
        0..6,
    );
    // Few different bytes make many accidental matches.
    let source = prop_oneof![vec(any::<u8>(), 0..2_000), vec(0_u8..3, 0..2_000)];
    (source, edits, 1_usize..4).prop_map(|(piece, edits, times)| {
        let source = piece.repeat(times);
        let mut target = source.clone();
        for (at, gone, new) in edits {
            let from = at.index(target.len() + 1);
            let to = (from + gone).min(target.len());
            target.splice(from..to, new);
        }
        (source, target)
    })
}

proptest! {
    #![proptest_config(crate::properties::config(300))]

    #[test]
    fn any_version_comes_back((source, target) in versions()) {
        let delta = create(&source, &target);
        prop_assert_eq!(target_size(&delta), Ok(target.len()));
        prop_assert!(delta.len() <= target.len() + 24);
        prop_assert_eq!(apply(&source, &delta, target.len()), Ok(target));
    }

    #[test]
    fn unrelated_contents_cost_little_more_than_the_target(
        source in vec(any::<u8>(), 0..3_000),
        target in vec(any::<u8>(), 0..3_000),
    ) {
        let delta = create(&source, &target);
        prop_assert!(delta.len() <= target.len() + 24);
        prop_assert_eq!(apply(&source, &delta, MAX), Ok(target));
    }

    #[test]
    fn what_was_damaged_is_never_larger_than_allowed(
        (source, target) in versions(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut delta = create(&source, &target);
        let at = at.index(delta.len());
        delta[at] = byte;
        if let Ok(made) = apply(&source, &delta, 5_000) {
            prop_assert!(made.len() <= 5_000);
        }
    }

    #[test]
    fn no_bytes_at_all_make_it_panic(source in vec(any::<u8>(), 0..50), delta in "[0-9~\n@:,;a]{0,40}") {
        if let Ok(made) = apply(&source, delta.as_bytes(), 1_000) {
            prop_assert!(made.len() <= 1_000);
        }
    }
}
