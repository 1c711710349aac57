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

#[test]
fn a_cfile_payload_in_legacy_form_gets_its_size_in_front() {
    let (form, legacy) = stock_form(STOCK, MAX).expect("stock form");
    assert_eq!((form.as_ref(), legacy), (STOCK, false));
    let (form, legacy) = stock_form(STOCK.get(4..).expect("bare"), MAX).expect("legacy form");
    assert_eq!((form.as_ref(), legacy), (STOCK, true));
}
