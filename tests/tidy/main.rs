//! Checks on the source itself: what the compiler does not see and a reader would.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder that holds everything.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
}

fn text_of(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every file under `folder` that people wrote and whose path `wanted` likes, with its text.
fn files(folder: &str, wanted: impl Fn(&Path) -> bool) -> Vec<(String, String)> {
    let made = ["target", ".git", ".cache", "node_modules", "artifacts", "dist"];
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("readable").path();
            let name = path.strip_prefix(root()).expect("below").display().to_string();
            if path.is_dir() {
                let last = path.file_name().expect("a name");
                if !made.iter().any(|folder| *folder == last) {
                    folders.push(path);
                }
            } else if wanted(&path) {
                found.push((name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds sources");
    found
}

/// Every Rust file under `folder`, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    files(folder, |path| {
        path.extension().is_some_and(|ending| ending == "rs")
    })
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
    for folder in ["leaf-core/src/format", "leaf-core/src/nats", "leaf-core/src/xfer"] {
        for (name, text) in sources(folder) {
            let sideways =
                code(&text).find(|line| line.contains("crate::repo") || line.contains("crate::sync"));
            assert_eq!(sideways, None, "{name}");
        }
    }
    for (name, text) in sources("leaf-core/src/nats") {
        let fossil = |line: &&str| line.contains("crate::format") || line.contains("crate::xfer");
        assert_eq!(code(&text).find(fossil), None, "{name}");
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
    for folder in [
        "leaf-core/src",
        "leaf-native/src",
        "leaf-wasm/src",
        "tests/sim",
        "tests/tidy",
    ] {
        for (name, text) in sources(folder) {
            assert!(text.starts_with("//!"), "{name} opens without a header");
        }
    }
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    for folder in ["leaf-core", "leaf-native", "leaf-wasm", "tests"] {
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

/// The rows of the README's feature table: the feature, and the tests that show it.
fn feature_table(readme: &str) -> Vec<(&str, Vec<&str>)> {
    let rows = readme
        .lines()
        .skip_while(|line| *line != "| feature | test |")
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells = row.trim_matches('|').rsplit_once('|');
        let (feature, tests) = cells.unwrap_or_else(|| panic!("two cells: {row}"));
        (feature.trim(), tests.split('`').skip(1).step_by(2).collect())
    })
    .collect()
}

#[test]
fn every_feature_of_the_readme_is_shown_by_tests_that_exist() {
    let readme = text_of("README.md");
    let sources = sources("tests")
        .into_iter()
        .chain(sources("leaf-core"))
        .chain(sources("leaf-native"))
        .filter(|(name, _)| name != "tests/tidy/main.rs");
    let all: String = sources.map(|(_, text)| text).collect();
    let scripts = ["tests", "npm/packaging"].map(|folder| {
        files(folder, |path| {
            path.extension().is_some_and(|ending| ending == "mjs")
        })
    });
    let scripts: String = scripts.into_iter().flatten().map(|(_, text)| text).collect();
    let table = feature_table(&readme);
    assert!(table.len() > 10, "the feature table was found");
    for (feature, tests) in table {
        assert!(!tests.is_empty(), "no test shows: {feature}");
        for test in tests {
            // Tests of browsers are called by sentences. In some a part varies: there the README has an asterisk.
            let defined = match test.contains(' ') {
                true => test.split('*').all(|part| scripts.contains(part)),
                false => all.contains(&format!("fn {test}(")),
            };
            assert!(defined, "no test is named {test}, which is to show: {feature}");
        }
    }
}

#[test]
fn every_make_target_of_the_readme_exists() {
    let (readme, makefile) = (text_of("README.md"), text_of("Makefile"));
    let mut seen = 0;
    for (at, make) in readme.match_indices("make ") {
        let (before, rest) = (readme.split_at(at).0, readme.split_at(at + make.len()).1);
        if !before.ends_with(['`', '\n']) {
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-');
        let target = rest.split_at(end.unwrap_or(rest.len())).0;
        let defined = makefile.lines().any(|line| {
            line.strip_prefix(target)
                .is_some_and(|rest| rest.starts_with(':'))
        });
        assert!(defined, "the Makefile lacks {target}");
        seen += 1;
    }
    assert!(seen > 3, "the README names targets");
}

/// Modules without a counterpart in Fossil, and why.
const OURS: [(&str, &str); 9] = [
    ("format/batch.rs", "stock hashes one content at a time"),
    ("nats/broker/table.rs", "a list with holes"),
    ("repo/change.rs", "what our own writers share"),
    ("repo/column.rs", "Rust wants to know what is UTF-8"),
    ("repo/error.rs", "stock ends the program"),
    ("repo/verify/names.rs", "stock asks the table blob"),
    ("repo/verify/plan.rs", "stock verifies in one thread"),
    ("repo/verify/recent.rs", "stock expands each check-in again"),
    ("sync/error.rs", "stock ends the program"),
];

#[test]
fn every_module_of_core_says_where_its_truth_comes_from() {
    for folder in ["format", "nats", "repo", "sync", "xfer"] {
        for (name, text) in sources(&format!("leaf-core/src/{folder}")) {
            let header = text.lines().take_while(|line| line.starts_with("//!"));
            let has_source = header.clone().any(|line| line.starts_with("//! Source: "));
            let is_ours = OURS
                .iter()
                .any(|(ours, _)| name.strip_prefix("leaf-core/src/") == Some(ours));
            assert!(has_source || is_ours, "{name} does not say its source");
            assert!(!(has_source && is_ours), "{name} says its source: not only ours");
        }
    }
    for (ours, _) in OURS {
        assert!(root().join("leaf-core/src").join(ours).exists(), "{ours} is gone");
    }
}

#[test]
fn no_file_holds_a_place_of_one_machine_or_work_put_off() {
    let written_by_people = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let is_this = path.ends_with("tests/tidy/main.rs");
        matches!(ending, Some("rs" | "sh" | "md" | "toml" | "sql")) && !is_this
            || path.ends_with("Makefile")
            || path.ends_with(".ci/run")
    };
    let places = ["/home/", "/root/", "/work/", "/tmp/wt"];
    let put_off = ["todo!", "unimplemented!", "dbg!", "FIXME", "XXX"];
    for (name, text) in files("", written_by_people) {
        for (number, line) in (1..).zip(text.lines()) {
            let put_off = put_off.iter().find(|word| line.contains(*word));
            assert_eq!(put_off, None, "{name}:{number}: {line}");
            for place in places {
                // Behind a name it is the path of a URL.
                let is_place = |(at, _): (usize, _)| {
                    let before = line.split_at(at).0;
                    !before.ends_with(|c: char| c.is_alphanumeric())
                };
                let found = line.match_indices(place).any(is_place);
                assert!(!found, "{name}:{number}: {line}");
            }
        }
    }
}

/// The lines of one table of a manifest, without comments.
fn table<'a>(manifest: &'a str, header: &str) -> Vec<&'a str> {
    manifest
        .lines()
        .skip_while(|line| *line != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

#[test]
fn unsafe_code_is_in_the_lanes_only() {
    let denied = "unsafe_code = \"deny\"";
    assert!(table(&text_of("Cargo.toml"), "[workspace.lints.rust]").contains(&denied));
    assert!(table(&text_of("tests/fuzz/Cargo.toml"), "[lints.rust]").contains(&denied));
    for (name, manifest) in files("", |path| path.ends_with("Cargo.toml")) {
        if name != "Cargo.toml" && name != "tests/fuzz/Cargo.toml" {
            assert_eq!(table(&manifest, "[lints]"), ["workspace = true"], "{name}");
        }
    }
    for (name, text) in sources("")
        .iter()
        .filter(|(name, _)| name != "tests/tidy/main.rs")
    {
        let in_lanes = name.starts_with("leaf-core/lanes/src/x86/");
        let let_in = ["allow(unsafe_code", "expect(unsafe_code", "warn(unsafe_code"];
        let found = code(text).find(|line| let_in.iter().any(|word| line.contains(word)));
        assert!(in_lanes || found.is_none(), "{name}: {found:?}");
    }
}

#[test]
fn core_depends_on_few_crates_and_each_has_a_reason() {
    let expected = [
        "flate2",       // zlib, which artifacts and messages are compressed by
        "leaf-lanes",   // our own: several hashes at once
        "md-5",         // R and Z cards
        "rusqlite",     // the format of a repository is an SQLite schema
        "serde",        // what the two ends of a NATS connection say first
        "serde_json",   // the same
        "sha1",         // names and logins of old
        "sha1-checked", // the same, where a collision may be meant
        "thiserror",    // what errors say
    ];
    let manifest = text_of("leaf-core/Cargo.toml");
    let dependencies = table(&manifest, "[dependencies]");
    let names: Vec<&str> = dependencies
        .iter()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .collect();
    assert_eq!(names, expected);
    for line in manifest.lines() {
        let is_normal = line.ends_with("dependencies]") && !line.ends_with("dev-dependencies]");
        assert!(
            !is_normal || line == "[dependencies]",
            "{line} hides dependencies"
        );
    }
}

#[test]
fn every_test_of_core_runs_on_wasm32_too() {
    for (name, text) in sources("leaf-core/tests/suite") {
        let has_tests = text.lines().any(|line| line.trim() == "#[test]");
        let is_both = text.contains("use wasm_bindgen_test::wasm_bindgen_test as test;");
        assert!(
            !has_tests || is_both,
            "{name} has tests that do not run on wasm32"
        );
    }
}
