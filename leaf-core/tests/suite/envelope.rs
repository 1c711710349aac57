//! How messages are packed: what stock Fossil sent, what legacy nodes send, and bombs.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::xfer::envelope::{BadEnvelope, ContentType, pack, stock_form, unpack};

const STOCK: &[u8] = include_bytes!("../../../tests/fixtures/xfer/request_clone");
const MAX: usize = 1 << 20;

#[test]
fn a_request_of_stock_unpacks_and_packs_to_the_same_message() {
    let message = unpack(STOCK, ContentType::Compressed, MAX)
        .expect("stock wrote it")
        .into_owned();
    assert!(message.starts_with(b"pragma client-version 22100 20230226 192424\nclone 3 1\n# "));
    let packed = pack(message.clone(), ContentType::Compressed);
    assert_eq!(
        unpack(&packed, ContentType::Compressed, MAX)
            .expect("just packed")
            .into_owned(),
        message
    );
}

#[test]
fn content_types_are_read_as_loosely_as_stock_reads_them() {
    for (header, expected) in [
        ("application/x-fossil", Some(ContentType::Compressed)),
        (
            "application/x-fossil; charset=utf-8",
            Some(ContentType::Compressed),
        ),
        (
            "Application/X-Fossil-Uncompressed",
            Some(ContentType::Uncompressed),
        ),
        (" application/x-fossil-debug ", Some(ContentType::Debug)),
        ("application/x-fossils", None),
        ("text/html", None),
        ("", None),
    ] {
        assert_eq!(ContentType::parse(header), expected, "{header}");
    }
}

#[test]
fn a_body_of_up_to_four_bytes_is_an_empty_message() {
    for body in [&b""[..], b"\0\0\0\0"] {
        assert!(
            unpack(body, ContentType::Compressed, MAX)
                .expect("as stock has it")
                .is_empty()
        );
    }
}

#[test]
fn plain_messages_are_lent_not_copied_and_held_against_the_limit() {
    let message = b"# nothing\n";
    let lent = unpack(message, ContentType::Debug, MAX).expect("plain");
    assert!(matches!(lent, std::borrow::Cow::Borrowed(_)));
    let refused = unpack(message, ContentType::Uncompressed, 5);
    assert_eq!(refused, Err(BadEnvelope::TooLarge { max: 5 }));
}

#[test]
fn the_looser_forms_of_legacy_nodes_unpack() {
    let message = unpack(STOCK, ContentType::Compressed, MAX)
        .expect("stock wrote it")
        .into_owned();
    let bare = STOCK.get(4..).expect("size and stream");
    assert_eq!(
        unpack(bare, ContentType::Compressed, MAX)
            .expect("bare zlib")
            .into_owned(),
        message
    );
    assert_eq!(
        unpack(&message, ContentType::Compressed, MAX)
            .expect("plain cards")
            .into_owned(),
        message
    );
}

#[test]
fn a_bomb_is_refused_in_every_form() {
    let bomb = pack(vec![0; 4 << 20], ContentType::Compressed);
    assert!(unpack(&bomb, ContentType::Compressed, MAX).is_err());
    let bare = bomb.get(4..).expect("size and stream");
    assert_eq!(
        unpack(bare, ContentType::Compressed, MAX),
        Err(BadEnvelope::TooLarge { max: MAX })
    );
    assert_eq!(stock_form(bare, MAX), Err(BadEnvelope::TooLarge { max: MAX }));
}

#[test]
fn a_compressed_message_cut_or_flipped_anywhere_is_refused() {
    let message = unpack(STOCK, ContentType::Compressed, MAX)
        .expect("stock wrote it")
        .into_owned();
    for cut in 5..STOCK.len() {
        let cut = STOCK.get(..cut).expect("shorter");
        assert!(
            unpack(cut, ContentType::Compressed, MAX).is_err(),
            "{} bytes",
            cut.len()
        );
    }
    for byte in 0..STOCK.len() {
        for bit in 0..8 {
            let mut flipped = STOCK.to_vec();
            flipped[byte] ^= 1 << bit;
            // The zlib header has bits without meaning for the content (level, window).
            if let Ok(same) = unpack(&flipped, ContentType::Compressed, MAX) {
                assert_eq!(same.into_owned(), message, "bit {bit} of byte {byte}");
            }
        }
    }
}

#[test]
fn a_bare_zlib_stream_cut_anywhere_is_refused() {
    let bare = STOCK.get(4..).expect("size and stream");
    for cut in 5..bare.len() {
        let cut = bare.get(..cut).expect("shorter");
        assert!(
            unpack(cut, ContentType::Compressed, MAX).is_err(),
            "{} bytes",
            cut.len()
        );
    }
    let trailing = [bare, b"x"].concat();
    assert_eq!(
        unpack(&trailing, ContentType::Compressed, MAX),
        Err(BadEnvelope::Zlib)
    );
}

/// One of a thousand has behind its first four bytes what could be the head of a zlib stream.
#[test]
fn a_bare_zlib_stream_that_looks_like_the_stock_form_unpacks() {
    // One stored block of 0x08e2 bytes: the lengths in its head make `08 1d`, a head of a zlib stream.
    let message = [0; 0x08e2];
    let head: &[u8] = &[0x78, 0x01, 0x01, 0xe2, 0x08, 0x1d, 0xf7];
    let check_sum: &[u8] = &[0x08, 0xe2, 0, 1];
    let bare = [head, &message, check_sum].concat();
    let unpacked = unpack(&bare, ContentType::Compressed, MAX);
    assert_eq!(unpacked.as_deref(), Ok(&message[..]));
    let (form, legacy) = stock_form(&bare, MAX).expect("legacy form");
    assert!(legacy);
    assert_eq!(form.strip_prefix(&[0, 0, 0x08, 0xe2]), Some(&bare[..]));
}

#[test]
fn a_bare_zlib_stream_takes_no_more_room_than_the_limit() {
    for size in [1, 63, 64, 65, 1000, 4096, 100_000] {
        let stored = pack(vec![0; size], ContentType::Compressed);
        let unpack = |bytes_max| unpack(&stored[4..], ContentType::Compressed, bytes_max);
        let message = unpack(size).expect("it fits").into_owned();
        assert!(
            message.len() == size && message.capacity() <= size + 1,
            "{size}: {}",
            message.capacity()
        );
        assert_eq!(unpack(size - 1), Err(BadEnvelope::TooLarge { max: size - 1 }));
    }
}

#[test]
fn a_cfile_payload_in_legacy_form_gets_its_size_in_front() {
    let (form, legacy) = stock_form(STOCK, MAX).expect("stock form");
    assert_eq!((form.as_ref(), legacy), (STOCK, false));
    let (form, legacy) = stock_form(STOCK.get(4..).expect("bare"), MAX).expect("legacy form");
    assert_eq!((form.as_ref(), legacy), (STOCK, true));
}
