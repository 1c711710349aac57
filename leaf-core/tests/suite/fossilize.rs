//! The escaping of card arguments.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::format::fossilize::{decode, encode};
use proptest::prelude::*;

#[test]
fn each_special_byte_has_an_escape_of_its_own() {
    let text = b"a b\nc\td\re\x0bf\x0cg\0h\\i";
    let escaped = br"a\sb\nc\td\re\vf\fg\0h\\i";
    assert_eq!(encode(text), escaped);
    assert_eq!(decode(escaped), text);
}

#[test]
fn an_unknown_escape_stands_for_its_second_byte() {
    assert_eq!(decode(br"\x\:\."), b"x:.");
}

#[test]
fn a_backslash_at_the_end_stands_for_itself() {
    assert_eq!(decode(br"end\"), br"end\");
}

proptest! {
    #![proptest_config(crate::properties::config(300))]

    #[test]
    fn any_bytes_come_back_and_their_escaped_form_is_one_word(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let escaped = encode(&text);
        prop_assert!(!escaped.iter().any(|byte| b" \n\t\r\x0b\x0c\0".contains(byte)));
        prop_assert_eq!(decode(&escaped), text);
    }

    #[test]
    fn decoding_never_grows(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&text).len() <= text.len());
    }
}
