//! Compressed blobs: any bytes expanded under a limit, any content there and back, and sizes that lie.
//!
//! Input: taken as a stored form, and as a content in front of which another size is put.
#![no_main]

use leaf_core::format::zblob::{BadZblob, Inflater, compress, compress_fast, declared_size, expand};
use leaf_fuzz::{ZLIB_STATE_BYTES, within};
use libfuzzer_sys::fuzz_target;

/// A stream of 16 KiB may hold 16 MiB: most streams that expand well exceed it.
const BYTES_MAX: usize = 128 << 10;

fuzz_target!(|input: &[u8]| {
    any_bytes_expand_to_what_they_declare_or_not_at_all(input);
    there_and_back(input);
    if let Some((size, content)) = input.split_first_chunk::<4>() {
        a_size_that_lies_is_found_out(u32::from_be_bytes(*size) as usize, content);
    }
});

fn any_bytes_expand_to_what_they_declare_or_not_at_all(stored: &[u8]) {
    let declared = declared_size(stored);
    assert_eq!(declared.is_err(), stored.len() < 4);
    let expanded = within(BYTES_MAX + ZLIB_STATE_BYTES, || expand(stored, BYTES_MAX));
    match &expanded {
        Ok(content) => assert_eq!(declared, Ok(content.len())),
        Err(BadZblob::TooLarge { .. }) => assert!(declared.is_ok_and(|bytes| bytes > BYTES_MAX)),
        Err(_) => {}
    }
    // An inflater that has seen damage expands as a new one does.
    let (mut inflater, mut content) = (Inflater::new(), Vec::new());
    for _ in 0..2 {
        let again = inflater.expand_into(stored, BYTES_MAX, &mut content);
        assert_eq!(again.map(|()| content.clone()), expanded);
    }
}

fn there_and_back(content: &[u8]) {
    for stored in [compress(content), compress_fast(content)] {
        assert_eq!(expand(&stored, content.len()).as_deref(), Ok(content));
        for cut in [0, 3, 4, stored.len() / 2, stored.len() - 1] {
            assert!(expand(&stored[..cut], content.len()).is_err());
        }
        let longer = [&stored[..], b"\n"].concat();
        assert_eq!(
            expand(&longer, content.len()),
            Err(BadZblob::Trailing { bytes: 1 })
        );
    }
}

fn a_size_that_lies_is_found_out(size: usize, content: &[u8]) {
    let mut stored = compress_fast(content);
    // Any size, and those near the truth, which bytes by chance seldom are.
    for size in [size, content.len() ^ (size & 3)] {
        let Ok(bytes) = u32::try_from(size) else { continue };
        stored[..4].copy_from_slice(&bytes.to_be_bytes());
        let expanded = within(BYTES_MAX + ZLIB_STATE_BYTES, || expand(&stored, BYTES_MAX));
        assert_eq!(expanded.is_ok(), size == content.len());
    }
}
