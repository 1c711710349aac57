//! Names of content, digests, and the batch verifier.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::format::batch::{BatchVerifier, Verdict};
use leaf_core::format::hash::{HashKind, HashPolicy, Md5, md5_hex, md5_many, name, sha1_hex, verify};
use leaf_core::id::ArtifactHash;
use proptest::prelude::*;

const TEXT: &[u8] = include_bytes!("../../../tests/fixtures/delta/text.source");
const BINARY: &[u8] = include_bytes!("../../../tests/fixtures/delta/binary.source");

/// Content, and what `fossil sha1sum`, `sha3sum` and `md5sum` say of it.
const STOCK: [(&[u8], &str, &str, &str); 4] = [
    (
        b"",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
        "d41d8cd98f00b204e9800998ecf8427e",
    ),
    (
        b"hello world\n",
        "22596363b3de40b06f981fb85d82312e8c0ed511",
        "a8009a7a528d87778c356da3a55d964719e818666a04e4f960c9e2439e35f138",
        "6f5902ac237024bdd0c176cb93063dc4",
    ),
    (
        TEXT,
        "05683c4a37eb58383ac62a99ff33ed60faa1c9ba",
        "60095e2e45e8eddd09d0bb8193e24bbb646230763008e218d5aade17fe4974ba",
        "dd4874831463b9ca6f8e97cb1a58503f",
    ),
    (
        BINARY,
        "676f491479cabc0ddc9d72d4c1ba3e9d255f3561",
        "2ef210348cd625a635a9c3d9c251e04fe9ccadfcc842fee05662a59a03248969",
        "e81f3d2d9b076a1609a6130fadd6de65",
    ),
];

/// Two contents of one SHA1 name, twice: the first 320 bytes of the files of shattered.io, and the messages of
/// "SHA-1 is a Shambles" (eprint 2020/014).
const COLLISIONS: [(&[u8], &[u8], &str); 2] = [
    (
        include_bytes!("../../../tests/fixtures/hash/shattered-1.bin"),
        include_bytes!("../../../tests/fixtures/hash/shattered-2.bin"),
        "f92d74e3874587aaf443d1db961d4e26dde13e9c",
    ),
    (
        include_bytes!("../../../tests/fixtures/hash/shambles-1.bin"),
        include_bytes!("../../../tests/fixtures/hash/shambles-2.bin"),
        "8ac60ba76f1999a1ab70223f225aefdc78d4ddc0",
    ),
];

#[test]
fn content_has_the_names_that_stock_gives_it() {
    for (content, sha1, sha3, md5) in STOCK {
        for (kind, hex) in [(HashKind::Sha1, sha1), (HashKind::Sha3, sha3)] {
            let hash = name(kind, content);
            assert_eq!(hash.to_string(), hex);
            assert!(verify(&hash, content));
        }
        assert_eq!(sha1_hex(content), sha1);
        assert_eq!(md5_hex(content), md5);
    }
}

#[test]
fn md5_in_pieces_is_md5_of_the_whole() {
    let mut md5 = Md5::new();
    TEXT.chunks(97).for_each(|piece| md5.update(piece));
    assert_eq!(md5.hex(), md5_hex(TEXT));
}

#[test]
fn md5_of_many_is_md5_of_each() {
    let contents: Vec<&[u8]> = (0..40).map(|n| &TEXT[..n * 190]).chain([BINARY]).collect();
    let digests: Vec<String> = md5_many(&contents)
        .iter()
        .map(|digest| leaf_core::id::to_hex(digest))
        .collect();
    assert_eq!(
        digests,
        contents
            .iter()
            .map(|content| md5_hex(content))
            .collect::<Vec<_>>()
    );
}

#[test]
fn content_made_to_collide_under_sha1_has_no_valid_name() {
    for (one, other, hex) in COLLISIONS {
        assert_ne!(one, other);
        let hash: ArtifactHash = hex.parse().expect("40 digits");
        for content in [one, other] {
            assert_eq!(name(HashKind::Sha1, content), hash, "the collision is real");
            assert!(!verify(&hash, content));
            let mut verdicts = Vec::new();
            let mut verifier = BatchVerifier::new(1 << 20);
            verifier.push((), hash, content.to_vec(), &mut |(), verdict, _| {
                verdicts.push(verdict);
            });
            verifier.flush(&mut |(), verdict, _| verdicts.push(verdict));
            assert_eq!(
                verdicts,
                [Verdict {
                    named_right: false,
                    z_right: None
                }]
            );
            // Under SHA3 it is content like any other.
            assert!(verify(&name(HashKind::Sha3, content), content));
        }
    }
}

#[test]
fn a_hash_policy_is_a_number_from_0_to_4() {
    let kinds = [
        HashKind::Sha1,
        HashKind::Sha1,
        HashKind::Sha3,
        HashKind::Sha3,
        HashKind::Sha3,
    ];
    for (number, kind) in (0..).zip(kinds) {
        let policy = HashPolicy::from_config(number).expect("a policy");
        assert_eq!(policy as i64, number);
        assert_eq!(policy.kind_for_new(), kind);
    }
    assert_eq!(HashPolicy::from_config(5), None);
    assert_eq!(HashPolicy::from_config(-1), None);
}

proptest! {
    #![proptest_config(crate::properties::config(60))]

    #[test]
    fn any_flipped_bit_is_another_name(
        content in proptest::collection::vec(any::<u8>(), 1..600),
        bit in any::<proptest::sample::Index>(),
    ) {
        for kind in [HashKind::Sha1, HashKind::Sha3] {
            let hash = name(kind, &content);
            let mut damaged = content.clone();
            let bit = bit.index(content.len() * 8);
            damaged[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify(&hash, &content));
            prop_assert!(!verify(&hash, &damaged));
        }
    }
}
