//! Which names a manifest may say, which a new check-in, and which a disk.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::format::path::{BadPath, Hazard, RepoPath, is_reserved, is_simple};
use proptest::prelude::*;

fn hazard(name: &[u8]) -> Option<Hazard> {
    RepoPath::parse(name).expect("a simple path").hazard()
}

#[test]
fn a_name_that_leaves_its_folder_is_not_simple() {
    let names: [&[u8]; 14] = [
        b"",
        b"/",
        b"/etc/passwd",
        b"a/",
        b"a//b",
        b".",
        b"..",
        b"./a",
        b"../a",
        b"a/.",
        b"a/..",
        b"a/./b",
        b"a/../../b",
        b"a\0b",
    ];
    for name in names {
        assert!(!is_simple(name), "{name:?}");
        assert_eq!(RepoPath::parse(name), Err(BadPath::NotSimple), "{name:?}");
    }
}

#[test]
fn dots_within_a_name_are_harmless() {
    for name in [&b"..a"[..], b"a..", b"...", b".a/.b", b"a/..b/c", b"a b/c"] {
        assert!(is_simple(name), "{name:?}");
    }
}

#[test]
fn old_names_may_be_no_text_and_new_names_may_not() {
    assert!(RepoPath::parse(b"caf\xe9").is_ok());
    assert_eq!(
        RepoPath::parse_new(b"caf\xe9"),
        Err(BadPath::NotText { offset: 3 })
    );
}

#[test]
fn a_new_name_has_no_character_that_stock_refuses() {
    // Backslash, private use, noncharacters, and anything beyond the first plane.
    for name in [
        "ab\\c",
        "ab\u{e000}",
        "ab\u{f8ff}",
        "ab\u{fdd0}",
        "ab\u{fffe}",
        "ab\u{ffff}",
        "ab\u{1f600}",
    ] {
        assert_eq!(
            RepoPath::parse_new(name.as_bytes()),
            Err(BadPath::Character { offset: 2 }),
            "{name:?}"
        );
    }
    for name in ["Grüße", "平和", "a b", "ab\u{d7ff}", "ab\u{fffd}", "ab\u{fdcf}"] {
        assert!(RepoPath::parse_new(name.as_bytes()).is_ok(), "{name:?}");
    }
}

#[test]
fn a_name_of_a_checkouts_database_is_reserved_as_in_stock() {
    // Each as `fossil test-is-reserved-name` has it.
    let reserved = [
        "_FOSSIL_",
        "_fossil_",
        ".fslckout",
        ".FSLCKOUT",
        "a/_FOSSIL_",
        "a/b/.fslckout",
        "_FOSSIL_-wal",
        "_FOSSIL_-journal",
        ".fslckout-shm",
        "x_FOSSIL_-wal",
        "a/.fslckout-JOURNAL",
    ];
    for name in reserved {
        assert!(is_reserved(name.as_bytes()), "{name}");
        assert_eq!(hazard(name.as_bytes()), Some(Hazard::Metadata), "{name}");
        assert_eq!(
            RepoPath::parse_new(name.as_bytes()),
            Err(BadPath::Reserved),
            "{name}"
        );
    }
    for name in [
        "x_FOSSIL_",
        "b.fslckout",
        "_FOSSIL_/a",
        "_FOSSIL_-wall",
        "-wal",
        ".fslckout.txt",
        "FOSSIL",
    ] {
        assert!(!is_reserved(name.as_bytes()), "{name}");
    }
}

#[test]
fn every_disguise_of_a_git_folder_is_metadata() {
    let names = [
        ".git/config",
        ".GIT/hooks/pre-commit",
        "a/.git",
        ".git./config",
        ".git /config",
        "git~1/config",
        ".git::$INDEX_ALLOCATION/config",
        ".g\u{200c}it/config",
        "\u{feff}.git/config",
    ];
    for name in names {
        assert_eq!(hazard(name.as_bytes()), Some(Hazard::Metadata), "{name}");
    }
    assert_eq!(hazard(b".gitignore"), None);
    assert_eq!(hazard(b"a.git"), None);
}

#[test]
fn a_backslash_or_a_colon_is_a_way_out_on_windows() {
    for name in [&b"..\\..\\evil"[..], b"C:\\evil", b"C:evil", b"file.txt:stream"] {
        assert_eq!(hazard(name), Some(Hazard::Escape), "{name:?}");
    }
}

#[test]
fn a_device_of_windows_is_one_with_any_extension() {
    for name in [
        "NUL",
        "nul.txt",
        "a/Con",
        "aux.c",
        "com1",
        "LPT9.tar.gz",
        "COM\u{b9}",
        "conin$",
        "prn .x",
    ] {
        assert_eq!(hazard(name.as_bytes()), Some(Hazard::Device), "{name}");
    }
    for name in ["null", "comma", "com", "com10", "lpt", "console.c", "auxiliary"] {
        assert_eq!(hazard(name.as_bytes()), None, "{name}");
    }
}

#[test]
fn other_names_that_some_system_cannot_say_are_hazards_too() {
    assert_eq!(hazard(b"a\nb"), Some(Hazard::Character));
    assert_eq!(hazard(b"what?"), Some(Hazard::Character));
    assert_eq!(hazard(b"caf\xe9"), Some(Hazard::Character));
    assert_eq!(hazard(b"a./b"), Some(Hazard::Trimmed));
    assert_eq!(hazard(b"a "), Some(Hazard::Trimmed));
    assert_eq!(hazard(&[b'a'; 255]), None);
    assert_eq!(hazard(&[b'a'; 256]), Some(Hazard::TooLong));
}

proptest! {
    #![proptest_config(crate::properties::config(500))]

    #[test]
    fn what_is_safe_to_extract_stays_below_its_folder(name in "[a-cA-C./\\\\:~ ]{0,12}") {
        let path = RepoPath::parse(name.as_bytes());
        if path.is_ok_and(|path| path.is_safe_to_extract()) {
            let mut depth = 0;
            for segment in name.split(['/', '\\']) {
                depth += match segment { ".." => -1, "" | "." => 0, _ => 1 };
                prop_assert!(depth > 0);
            }
        }
    }
}
