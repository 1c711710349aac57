//! Checks on the source itself: what the compiler does not see and a reader would.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file under `folder`, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(root).expect("below").display().to_string();
                found.push((name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds sources");
    found
}

/// Lines of code, without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn core_waits_for_nothing_and_opens_nothing() {
    let forbidden = [
        "async fn",
        "tokio",
        "cfg(target",
        "js_sys",
        "std::net",
        "std::fs",
        "std::thread",
        "std::env::var",
    ];
    for (name, text) in sources("leaf-core/src") {
        for line in code(&text) {
            let found = forbidden.iter().find(|word| line.contains(*word));
            assert!(found.is_none(), "{name}: {line}");
        }
    }
}

#[test]
fn sql_is_said_in_repo_only() {
    for (name, text) in sources("leaf-core/src") {
        let is_repo = name.starts_with("leaf-core/src/repo/");
        assert!(
            is_repo || code(&text).all(|line| !line.contains("rusqlite::")),
            "{name} speaks to SQLite"
        );
    }
}

#[test]
fn pure_modules_know_nothing_of_the_repository() {
    for folder in ["leaf-core/src/format", "leaf-core/src/xfer"] {
        for (name, text) in sources(folder) {
            let sideways =
                code(&text).find(|line| line.contains("crate::repo") || line.contains("crate::sync"));
            assert_eq!(sideways, None, "{name}");
        }
    }
    for (name, text) in sources("leaf-core/src/repo") {
        assert_eq!(
            code(&text).find(|line| line.contains("crate::sync")),
            None,
            "{name}"
        );
    }
}

#[test]
fn every_file_opens_by_saying_what_it_holds() {
    for folder in ["leaf-core/src", "leaf-native/src", "tests/sim", "tests/tidy"] {
        for (name, text) in sources(folder) {
            assert!(text.starts_with("//!"), "{name} opens without a header");
        }
    }
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    for folder in ["leaf-core", "leaf-native", "tests"] {
        for (name, _) in sources(folder) {
            let file = name.rsplit('/').next().expect("a name");
            assert!(
                !["util.rs", "utils.rs", "common.rs", "helpers.rs", "types.rs"].contains(&file),
                "{name}"
            );
        }
    }
}

#[test]
fn no_file_of_core_is_longer_than_a_sitting() {
    for (name, text) in sources("leaf-core/src") {
        assert!(text.lines().count() <= 700, "{name} wants to be split");
    }
}
