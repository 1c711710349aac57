//! Deltas: any bytes applied to any source, and the way there and back between any two contents.
//!
//! Input: two parts, a source and then a delta; as contents the same two parts are a source and a target.
#![no_main]

use leaf_core::format::delta::{apply, apply_into, create, target_size};
use leaf_fuzz::{two_parts, within};
use libfuzzer_sys::fuzz_target;

/// Small enough for a few copies of a source to exceed it.
const BYTES_MAX: usize = 64 << 10;

fuzz_target!(|input: &[u8]| {
    let (source, delta) = two_parts(input);
    any_bytes_make_what_they_declare_or_nothing(source, delta);
    there_and_back(source, delta);
    there_and_back(delta, source);
});

fn any_bytes_make_what_they_declare_or_nothing(source: &[u8], delta: &[u8]) {
    let declared = target_size(delta);
    let made = within(2 * BYTES_MAX, || apply(source, delta, BYTES_MAX));
    // A buffer that was used before changes nothing.
    let mut used = vec![7; 3];
    let again = apply_into(source, delta, BYTES_MAX, &mut used);
    match made {
        Ok(target) => {
            assert_eq!(declared, Ok(target.len()));
            assert!(target.capacity() <= BYTES_MAX);
            assert_eq!((again, used), (Ok(()), target));
        }
        Err(bad) => assert_eq!(again, Err(bad)),
    }
    let small = declared.is_ok_and(|bytes| bytes <= 16);
    assert!(small || within(32, || apply(source, delta, 16)).is_err());
}

fn there_and_back(source: &[u8], target: &[u8]) {
    let delta = create(source, target);
    assert!(delta.len() <= target.len() + 24);
    assert_eq!(target_size(&delta), Ok(target.len()));
    assert_eq!(apply(source, &delta, target.len()).as_deref(), Ok(target));
    if let Some(too_few) = target.len().checked_sub(1) {
        assert!(apply(source, &delta, too_few).is_err());
    }
}
