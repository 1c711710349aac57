//! Passwords: used, and found nowhere afterwards.

use leaf_tests::leaf::LeafServer;
use leaf_tests::scene;
use leaf_tests::scratch::Scratch;
use std::path::Path;

const PASSWORD: &str = "bob-pw";

#[track_caller]
fn nowhere(password: &str, text: &str) {
    assert!(!text.contains(password), "the password is in: {text}");
}

/// The values of a repository as bytes of its file.
fn file_has(file: &Path, words: &str) -> bool {
    let bytes = std::fs::read(file).expect("the repository");
    bytes
        .windows(words.len())
        .any(|window| window == words.as_bytes())
}

#[test]
fn a_password_in_a_url_is_in_no_output_no_log_and_no_file() {
    let scratch = Scratch::new();
    let origin = scene::small(&scratch, "origin.fossil");
    let server = LeafServer::start(&scratch, &origin);
    let url = server.url_as("bob", PASSWORD);
    let clone = scratch.leaf(&["clone", &url, "clone.fossil"]);
    nowhere(PASSWORD, &clone.text());
    let sync = scratch.leaf(&["sync", &url, "-R", "clone.fossil", "--json"]);
    nowhere(PASSWORD, &sync.text());
    nowhere(PASSWORD, &scratch.leaf(&["config", "-R", "clone.fossil"]).text());
    nowhere(
        PASSWORD,
        &std::fs::read_to_string(scratch.path("serve.log")).expect("the server's log"),
    );
    assert!(
        !file_has(&scratch.path("clone.fossil"), PASSWORD),
        "the password is in the file"
    );
    let remembered = scratch
        .leaf(&["config", "get", "last-sync-url", "-R", "clone.fossil"])
        .stdout;
    assert_eq!(remembered.trim_end(), format!("http://bob@{}", server.address()));
}

#[test]
fn a_wrong_password_is_not_repeated_in_the_error() {
    let scratch = Scratch::new();
    let origin = scene::small(&scratch, "origin.fossil");
    scratch.leaf(&["info", "origin.fossil"]);
    let server = LeafServer::start(&scratch, &origin);
    let said = scratch.leaf_any(&["sync", &server.url_as("bob", "wr0ngpw"), "-R", "origin.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    nowhere("wr0ngpw", &said.text());
    let malformed = scratch.leaf_any(&["clone", "http:/bob:wr0ngpw@/x y", "c.fossil"]);
    nowhere("wr0ngpw", &malformed.text());
}

#[test]
fn a_saved_password_is_kept_as_stock_keeps_it() {
    let scratch = Scratch::new();
    let origin = scene::small(&scratch, "origin.fossil");
    let server = LeafServer::start(&scratch, &origin);
    scratch.leaf(&[
        "clone",
        "--save-password",
        &server.url_as("bob", PASSWORD),
        "clone.fossil",
    ]);
    assert!(
        !file_has(&scratch.path("clone.fossil"), PASSWORD),
        "the password is in the file as it is"
    );
    // Without a password on the command line: ours, then stock's sync with what ours kept.
    scratch.leaf(&["sync", "-R", "clone.fossil"]);
    let stock = scratch.fossil(&["sync", "-R", "clone.fossil"]).text();
    assert!(!stock.contains("Error") && !stock.contains("failed"), "{stock}");
    let log = std::fs::read_to_string(scratch.path("serve.log")).expect("the server's log");
    assert!(
        log.lines().next_back().is_some_and(|line| line.contains("bob")),
        "stock was not logged in: {log}"
    );
}

#[test]
fn a_password_that_stock_saved_is_used() {
    let scratch = Scratch::new();
    let origin = scene::small(&scratch, "origin.fossil");
    let server = LeafServer::start(&scratch, &origin);
    scratch.leaf(&["clone", &server.url(), "clone.fossil"]);
    let hidden = scratch.fossil(&["test-obscure", PASSWORD]).stdout;
    let hidden = hidden
        .split_whitespace()
        .nth(3)
        .expect("OBSCURE: text -> hex")
        .to_owned();
    scratch.leaf(&[
        "config",
        "set",
        "last-sync-url",
        &format!("http://bob@{}", server.address()),
        "-R",
        "clone.fossil",
    ]);
    scratch.leaf(&["config", "set", "last-sync-pw", &hidden, "-R", "clone.fossil"]);
    scratch.leaf(&["sync", "-R", "clone.fossil"]);
    let log = std::fs::read_to_string(scratch.path("serve.log")).expect("the server's log");
    assert!(
        log.lines().next_back().is_some_and(|line| line.contains("bob")),
        "not logged in: {log}"
    );
}
