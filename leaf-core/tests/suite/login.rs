//! Login cards: stock Fossil's own, and what is signed.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::id::ProjectCode;
use leaf_core::limits::Limits;
use leaf_core::xfer::envelope::{ContentType, unpack};
use leaf_core::xfer::{Card, Cards, login};

/// What `fossil clone http://bob:bpw@..` sent in its second round.
const STOCK: &[u8] = include_bytes!("../../../tests/fixtures/xfer/request_login");
const PROJECT: &[u8] = b"57ed80d281ac4396407ac938c346d5a6c4f2b970";

#[test]
fn the_login_card_of_stock_is_what_we_would_have_written() {
    let message = unpack(STOCK, ContentType::Compressed, 1 << 20).expect("stock wrote it");
    let first = Cards::new(&message, &Limits::default())
        .next()
        .expect("a card")
        .expect("a login");
    let Card::Login {
        user,
        nonce,
        signature,
        tail,
    } = first
    else {
        panic!("{first:?}")
    };
    assert_eq!(user, b"bob");
    assert_eq!(login::nonce(tail).as_bytes(), nonce);
    let project = ProjectCode::parse(PROJECT).expect("40 digits");
    let secret = login::secret(&project, "bob", "bpw");
    assert_eq!(login::signature(nonce, &secret).as_bytes(), signature);
    let ours = login::card("bob", &secret, tail);
    assert_eq!(ours, message.split(|b| *b == b'\n').next().expect("a line"));
}

#[test]
fn a_password_in_stored_form_is_used_as_it_is() {
    let project = ProjectCode::parse(PROJECT).expect("40 digits");
    let secret = login::secret(&project, "bob", "bpw");
    assert_eq!(login::secret(&project, "bob", &secret), secret);
    assert!(login::is_secret(&secret));
    assert!(!login::is_secret("bpw"));
}

#[test]
fn a_user_name_with_a_space_is_escaped_in_the_card() {
    let card = login::card("bob b", "secret", b"tail");
    assert!(card.starts_with(br"login bob\sb "));
}

#[test]
fn comparison_wants_every_byte_and_the_same_length() {
    assert!(login::equal(b"abc", b"abc"));
    assert!(!login::equal(b"abc", b"abd"));
    assert!(!login::equal(b"abc", b"ab"));
    assert!(!login::equal(b"", b"a"));
}

#[test]
fn a_login_survives_the_cookie() {
    let card = login::card(r"bob 100%+ä", "secret", b"tail");
    let cookie = login::to_cookie(&card);
    assert!(
        cookie
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b';' && b != b' ')
    );
    assert_eq!(login::from_cookie(&cookie).expect("URL-encoded"), card);
    assert_eq!(login::from_cookie("a%2"), None);
    assert_eq!(login::from_cookie("a%zz"), None);
}
