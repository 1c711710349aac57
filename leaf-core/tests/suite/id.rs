//! Names of artifacts, projects and servers: what parses, what does not, and in which order they sort.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::id::{ArtifactHash, BadHash, ProjectCode, ServerCode, to_hex};
use proptest::prelude::*;

/// SHA1 and SHA3-256 of nothing.
const SHA1: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
const SHA3: &str = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a";

#[test]
fn a_hash_is_told_by_its_length_and_prints_as_it_was_read() {
    for (text, bytes) in [(SHA1, 20), (SHA3, 32)] {
        let hash: ArtifactHash = text.parse().expect("a hash of stock's");
        assert_eq!(matches!(hash, ArtifactHash::Sha1(_)), bytes == 20);
        assert_eq!(hash.as_bytes().len(), bytes);
        assert_eq!(hash.to_string(), text);
        assert_eq!(hash.hex().as_str(), text);
        assert_eq!(hash.hex().as_bytes(), text.as_bytes());
        assert_eq!(to_hex(hash.as_bytes()), text);
        assert_eq!(
            format!("{hash:>70}").len(),
            70,
            "padding is that of the formatter"
        );
    }
}

#[test]
fn a_hash_of_any_other_length_is_refused() {
    for bytes in (0..40).chain(41..64).chain(65..130) {
        let text = vec![b'a'; bytes];
        assert_eq!(ArtifactHash::parse(&text), Err(BadHash::Length { bytes }));
    }
}

#[test]
fn a_hash_with_any_other_character_is_refused_at_its_place() {
    for text in [SHA1, SHA3] {
        for offset in 0..text.len() {
            for wrong in [b'A', b'F', b'g', b'/', b':', b'`', b' ', 0, 0xff] {
                let mut text = text.as_bytes().to_vec();
                *text.get_mut(offset).expect("in the text") = wrong;
                assert_eq!(ArtifactHash::parse(&text), Err(BadHash::Digit { offset }));
            }
        }
    }
}

#[test]
fn codes_are_forty_digits_and_nothing_else() {
    let code = ProjectCode::parse(SHA1.as_bytes()).expect("forty digits");
    assert_eq!(code.as_str(), SHA1);
    assert_eq!(
        ProjectCode::parse(SHA3.as_bytes()),
        Err(BadHash::Length { bytes: 64 })
    );
    assert_eq!(ServerCode::parse(b""), Err(BadHash::Length { bytes: 0 }));
    let upper = SHA1.to_ascii_uppercase();
    assert_eq!(
        ServerCode::parse(upper.as_bytes()),
        Err(BadHash::Digit { offset: 0 })
    );
    assert_eq!(ServerCode::from_random([0x0f; 20]).to_string(), "0f".repeat(20));
}

fn hash() -> impl Strategy<Value = ArtifactHash> {
    prop_oneof![
        any::<[u8; 20]>().prop_map(ArtifactHash::Sha1),
        any::<[u8; 32]>().prop_map(ArtifactHash::Sha3),
    ]
}

#[test]
fn hashes_sort_as_their_text_does() {
    proptest!(crate::properties::config(500), |(a in hash(), b in hash())| {
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        // The shorter of two that begin alike comes first, as text does.
        let long = ArtifactHash::Sha3(core::array::from_fn(|at| a.as_bytes().get(at).copied().unwrap_or(0)));
        prop_assert_eq!(a.cmp(&long), a.to_string().cmp(&long.to_string()));
    });
}

#[test]
fn what_a_hash_prints_parses_to_itself() {
    proptest!(crate::properties::config(500), |(hash in hash())| {
        prop_assert_eq!(ArtifactHash::parse(hash.to_string().as_bytes()), Ok(hash));
    });
}
