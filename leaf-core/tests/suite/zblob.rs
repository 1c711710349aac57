//! The compressed form of content.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::format::zblob::{BadZblob, Inflater, compress, compress_fast, declared_size, expand};
use proptest::prelude::*;

const MAX: usize = 1 << 20;

/// Content, and what `fossil test-compress` made of it.
const STOCK: [(&[u8], &[u8]); 4] = [
    (b"", include_bytes!("../../../tests/fixtures/zblob/empty.zblob")),
    (
        b"hello world\n",
        include_bytes!("../../../tests/fixtures/zblob/short.zblob"),
    ),
    (
        include_bytes!("../../../tests/fixtures/delta/text.source"),
        include_bytes!("../../../tests/fixtures/zblob/text.zblob"),
    ),
    (
        include_bytes!("../../../tests/fixtures/delta/binary.source"),
        include_bytes!("../../../tests/fixtures/zblob/binary.zblob"),
    ),
];

/// As `stored`, but claiming to expand to `bytes`.
fn claiming(bytes: usize, stored: &[u8]) -> Vec<u8> {
    let size = u32::try_from(bytes).expect("32 bits").to_be_bytes();
    [&size, &stored[4..]].concat()
}

#[test]
fn what_stock_compressed_expands() {
    for (content, stored) in STOCK {
        assert_eq!(declared_size(stored), Ok(content.len()));
        assert_eq!(expand(stored, MAX).as_deref(), Ok(content));
    }
}

#[test]
fn one_inflater_expands_many_and_survives_damage() {
    let mut inflater = Inflater::new();
    let mut content = Vec::new();
    for (wanted, stored) in STOCK.into_iter().chain(STOCK) {
        assert!(
            inflater
                .expand_into(&stored[..stored.len() - 1], MAX, &mut content)
                .is_err()
        );
        inflater
            .expand_into(stored, MAX, &mut content)
            .expect("stock's own");
        assert_eq!(content, wanted);
    }
}

#[test]
fn less_than_a_size_is_no_blob() {
    for bytes in 0..4 {
        assert_eq!(declared_size(&[0; 4][..bytes]), Err(BadZblob::Header { bytes }));
        assert_eq!(expand(&[0; 4][..bytes], MAX), Err(BadZblob::Header { bytes }));
    }
    assert!(expand(&[0; 4], MAX).is_err(), "a size without a stream");
}

#[test]
fn the_limit_is_inclusive() {
    let stored = compress(&[7; 1000]);
    assert_eq!(expand(&stored, 1000).as_deref(), Ok(&[7; 1000][..]));
    assert_eq!(
        expand(&stored, 999),
        Err(BadZblob::TooLarge {
            declared: 1000,
            max: 999
        })
    );
}

#[test]
fn a_stream_that_holds_less_than_declared_is_an_error() {
    let stored = claiming(1001, &compress(&[7; 1000]));
    assert_eq!(
        expand(&stored, MAX),
        Err(BadZblob::Short {
            expanded: 1000,
            declared: 1001
        })
    );
}

#[test]
fn a_stream_that_holds_more_than_declared_is_an_error() {
    for declared in [0, 1, 999] {
        let stored = claiming(declared, &compress(&[7; 1000]));
        assert_eq!(expand(&stored, MAX), Err(BadZblob::Long { declared }));
    }
}

#[test]
fn bytes_after_the_stream_are_an_error() {
    let mut stored = compress(b"content");
    stored.extend_from_slice(b"xy");
    assert_eq!(expand(&stored, MAX), Err(BadZblob::Trailing { bytes: 2 }));
}

#[test]
fn every_truncation_is_an_error() {
    for (_, stored) in STOCK {
        for bytes in 0..stored.len() {
            assert!(expand(&stored[..bytes], MAX).is_err(), "{bytes} bytes");
        }
    }
}

#[test]
fn no_flipped_bit_gives_other_content() {
    // Some bits mean nothing (the level that zlib notes); none may pass for other content.
    for (content, stored) in STOCK {
        for bit in 0..stored.len() * 8 {
            let mut damaged = stored.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = expand(&damaged, MAX) {
                assert_eq!(other, content, "bit {bit}");
            }
        }
    }
}

#[test]
fn a_lying_size_costs_no_memory() {
    // Claims 1 GiB in 20 bytes. What is reserved follows from the bytes that are there.
    let stored = claiming(1 << 30, &compress(b"short"));
    let mut content = Vec::new();
    let verdict = Inflater::new().expand_into(&stored, 1 << 30, &mut content);
    assert_eq!(
        verdict,
        Err(BadZblob::Short {
            expanded: 5,
            declared: 1 << 30
        })
    );
    assert!(
        content.capacity() < 64 << 10,
        "{} bytes reserved",
        content.capacity()
    );
}

#[test]
fn the_most_compressible_content_still_expands() {
    for bytes in [1, 100_000, 3_000_000] {
        let content = vec![0; bytes];
        assert_eq!(expand(&compress(&content), bytes).as_deref(), Ok(&content[..]));
    }
}

proptest! {
    #![proptest_config(crate::properties::config(120))]

    #[test]
    fn any_content_comes_back(
        piece in proptest::collection::vec(any::<u8>(), 0..300),
        times in 0_usize..40,
    ) {
        let content = piece.repeat(times);
        prop_assert_eq!(expand(&compress(&content), content.len()), Ok(content.clone()));
        prop_assert_eq!(expand(&compress_fast(&content), content.len()), Ok(content));
    }

    #[test]
    fn no_bytes_at_all_make_it_panic(stored in proptest::collection::vec(any::<u8>(), 0..200)) {
        // As it is, and with a size and a zlib header in the right place to get further in.
        for stored in [stored.clone(), [&[0, 0, 1, 0, 0x78, 0x9c][..], &stored].concat()] {
            if let Ok(content) = expand(&stored, 10_000) {
                prop_assert_eq!(Ok(content.len()), declared_size(&stored));
            }
        }
    }
}
