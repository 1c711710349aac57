//! Content that was made to hurt: bombs, ranges that overflow, names that leave their folder. Each is one clear
//! error, and costs little before it is one.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::format::artifact::{Artifact, BadArtifact};
use leaf_core::format::delta::{self, BadDelta};
use leaf_core::format::hash::md5_hex;
use leaf_core::format::path::{Hazard, RepoPath};
use leaf_core::format::zblob::{BadZblob, Inflater, compress, expand};

/// What the tests allow as expanded size.
const MAX: usize = 1 << 20;

/// A blob of 30 KB that holds 30 MB.
fn bomb() -> Vec<u8> {
    let bomb = compress(&vec![0; 30_000_000]);
    assert!(bomb.len() < 40_000, "{} bytes", bomb.len());
    bomb
}

/// `stored`, claiming to expand to `bytes`.
fn claiming(bytes: u32, stored: &[u8]) -> Vec<u8> {
    [&bytes.to_be_bytes(), &stored[4..]].concat()
}

#[test]
fn a_zip_bomb_that_tells_its_size_is_not_even_begun() {
    let mut content = Vec::new();
    let verdict = Inflater::new().expand_into(&bomb(), MAX, &mut content);
    assert_eq!(
        verdict,
        Err(BadZblob::TooLarge {
            declared: 30_000_000,
            max: MAX
        })
    );
    assert_eq!(content.capacity(), 0);
}

#[test]
fn a_zip_bomb_that_lies_stops_at_the_size_it_told() {
    let mut content = Vec::new();
    let verdict = Inflater::new().expand_into(&claiming(1000, &bomb()), MAX, &mut content);
    assert_eq!(verdict, Err(BadZblob::Long { declared: 1000 }));
    assert!(
        content.capacity() < 10_000,
        "{} bytes reserved",
        content.capacity()
    );
}

#[test]
fn a_blob_of_nothing_that_claims_4_gib_reserves_nothing_like_it() {
    let mut content = Vec::new();
    let stored = claiming(u32::MAX, &compress(b""));
    let declared = usize::try_from(u32::MAX).expect("32 bits");
    let verdict = Inflater::new().expand_into(&stored, usize::MAX, &mut content);
    assert_eq!(
        verdict,
        Err(BadZblob::Short {
            expanded: 0,
            declared
        })
    );
    assert!(
        content.capacity() < 10_000,
        "{} bytes reserved",
        content.capacity()
    );
}

#[test]
fn a_stream_that_wants_a_dictionary_is_corrupt() {
    // The FDICT bit of the zlib header; 0x78bb is a valid header that has it.
    let stored = [&[0, 0, 0, 1, 0x78, 0xbb], &[1, 2, 3, 4][..], &compress(b"a")[6..]].concat();
    assert!(
        matches!(expand(&stored, MAX), Err(BadZblob::Corrupt { .. })),
        "{:?}",
        expand(&stored, MAX)
    );
}

/// A delta that says it makes `size` and copies 64 bytes `times` times.
fn copies(size: &str, times: usize) -> Vec<u8> {
    [size.as_bytes(), b"\n", &b"10@0,".repeat(times), b"0;"].concat()
}

#[test]
fn a_delta_bomb_that_tells_its_size_is_not_even_begun() {
    // 50 KB that make 640 KB of 64 bytes; a few such deltas in a chain would fill any memory.
    let mut target = Vec::new();
    let verdict = delta::apply_into(&[7; 64], &copies("2SG0", 10_000), 639_999, &mut target);
    assert_eq!(
        verdict,
        Err(BadDelta::TooLarge {
            declared: 640_000,
            max: 639_999
        })
    );
    assert_eq!(target.capacity(), 0);
}

#[test]
fn a_delta_bomb_that_lies_stops_at_the_size_it_told() {
    let mut target = Vec::new();
    let verdict = delta::apply_into(&[7; 64], &copies("1z", 10_000), MAX, &mut target);
    assert_eq!(
        verdict,
        Err(BadDelta::Size {
            made: 128,
            declared: 126
        })
    );
    assert!(target.capacity() < 1000, "{} bytes reserved", target.capacity());
}

#[test]
fn a_copy_whose_end_overflows_is_past_the_end() {
    // Offset and count are each the largest number there is; their sum wraps to a small one in 32 bits.
    for copy in [
        "3~~~~~@3~~~~~,",
        "3~~~~~@1,",
        "1@3~~~~~,",
        "2@3~~~~~,",
        "41@0,",
        "1@40,",
    ] {
        let bomb = ["40\n", copy, "0;"].concat();
        let verdict = delta::apply(&[7; 256], bomb.as_bytes(), MAX);
        assert_eq!(verdict, Err(BadDelta::Copy { offset: 3 }), "{copy}");
    }
}

#[test]
fn a_number_of_more_than_32_bits_is_no_number() {
    for number in ["4000000", "~~~~~~", "0~~~~~~", "100000000000000000000000"] {
        let bomb = ["40\n", number, "@0,0;"].concat();
        assert_eq!(
            delta::apply(&[7; 64], bomb.as_bytes(), MAX),
            Err(BadDelta::Number { offset: 3 }),
            "{number}"
        );
    }
}

#[test]
fn an_insert_longer_than_the_delta_is_a_truncated_delta() {
    for insert in ["9:abc0;", "3~~~~~:abc0;"] {
        let bomb = ["3~~~~~\n", insert].concat();
        let verdict = delta::apply(b"", bomb.as_bytes(), usize::MAX);
        assert_eq!(
            verdict,
            Err(BadDelta::Truncated { offset: bomb.len() }),
            "{insert}"
        );
    }
}

#[test]
fn operations_that_make_nothing_end_with_the_delta() {
    let idle = [b"0\n", &b"0@0,0:".repeat(100_000)[..], b"0;"].concat();
    assert_eq!(delta::apply(b"", &idle, MAX), Ok(Vec::new()));
}

/// A check-in with one file of this name (already escaped), and a right `Z` card.
fn manifest_with(name: &str) -> Vec<u8> {
    let hash = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a";
    let cards = format!("C x\nD 2026-11-21T04:00:59.102\nF {name} {hash}\nU bob\n");
    format!("{cards}Z {}\n", md5_hex(cards.as_bytes())).into_bytes()
}

#[test]
fn a_manifest_whose_file_leaves_its_folder_is_no_manifest() {
    assert!(Artifact::parse(&manifest_with("a/b.c")).is_ok());
    for name in ["/etc/passwd", "../x", "a/../../x", "a/..", "./x", "a//b", "a/"] {
        let verdict = Artifact::parse(&manifest_with(name));
        assert!(verdict.is_err(), "{name}");
        assert_ne!(
            verdict.err(),
            Some(BadArtifact::NotStructural),
            "{name}: a bad manifest, not a file"
        );
    }
}

#[test]
fn a_manifest_may_name_what_only_another_system_takes_for_a_way_out() {
    // Stock takes these, so history has them; they are stopped where a file would be made of them.
    for (name, hazard) in [
        (r"..\\..\\evil", Hazard::Escape),
        ("C:/evil", Hazard::Escape),
        (".git/hooks/post-checkout", Hazard::Metadata),
        ("a/NUL.txt", Hazard::Device),
    ] {
        let Ok(Artifact::Manifest(manifest)) = Artifact::parse(&manifest_with(name)) else {
            panic!("{name}: not a manifest");
        };
        let file = manifest.files.first().expect("one file");
        let path = RepoPath::parse(file.name.as_bytes()).expect("a simple path");
        assert_eq!(path.hazard(), Some(hazard), "{name}");
    }
}

#[test]
fn a_manifest_does_not_list_a_checkouts_own_database() {
    for name in ["_FOSSIL_", "a/.fslckout", ".FSLCKOUT-journal"] {
        let Ok(Artifact::Manifest(manifest)) = Artifact::parse(&manifest_with(name)) else {
            panic!("{name}: not a manifest");
        };
        assert!(manifest.files.is_empty(), "{name}");
    }
}
