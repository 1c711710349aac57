//! Bodies of requests and replies: any bytes unpacked under a limit, any message there and back.
//!
//! Input: taken as a body, and as a message.
#![no_main]

use leaf_core::format::zblob::expand;
use leaf_core::xfer::envelope::{ContentType, pack, stock_form, unpack};
use leaf_fuzz::{ZLIB_STATE_BYTES, within};
use libfuzzer_sys::fuzz_target;

/// A stream of 16 KiB may hold 16 MiB: most streams that expand well exceed it.
const BYTES_MAX: usize = 128 << 10;
const ALL: [ContentType; 3] = [
    ContentType::Compressed,
    ContentType::Debug,
    ContentType::Uncompressed,
];

fuzz_target!(|input: &[u8]| {
    any_bytes_unpack_within_the_limit(input);
    any_payload_takes_the_stock_form_within_the_limit(input);
    there_and_back(input);
});

fn any_bytes_unpack_within_the_limit(body: &[u8]) {
    for content_type in ALL {
        assert_eq!(ContentType::parse(content_type.as_str()), Some(content_type));
        let message = within(2 * BYTES_MAX + ZLIB_STATE_BYTES, || {
            unpack(body, content_type, BYTES_MAX)
        });
        if let Ok(message) = message {
            assert!(message.len() <= BYTES_MAX);
            // What fits a limit exactly still fits it.
            assert_eq!(unpack(body, content_type, message.len()), Ok(message));
        }
    }
}

fn any_payload_takes_the_stock_form_within_the_limit(payload: &[u8]) {
    let allowed = 2 * BYTES_MAX + ZLIB_STATE_BYTES + payload.len();
    match within(allowed, || stock_form(payload, BYTES_MAX)) {
        Ok((stored, true)) => assert!(expand(&stored, BYTES_MAX).is_ok()),
        Ok((stored, false)) => assert_eq!(stored, payload),
        Err(_) => {}
    }
}

fn there_and_back(message: &[u8]) {
    for content_type in ALL {
        let body = pack(message.to_vec(), content_type);
        let back = unpack(&body, content_type, message.len());
        assert_eq!(back.as_deref(), Ok(message));
    }
    // What legacy nodes send: the zlib stream alone.
    let stored = pack(message.to_vec(), ContentType::Compressed);
    let bare = &stored[4..];
    let back = unpack(bare, ContentType::Compressed, BYTES_MAX);
    assert_eq!(back.as_deref(), Ok(message));
    let form = stock_form(bare, BYTES_MAX).map(|(form, legacy)| (form.into_owned(), legacy));
    assert_eq!(form, Ok((stored.clone(), true)));
}
