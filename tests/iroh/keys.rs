//! The key of a leaf: made once, kept from others, the same for every command.

use crate::leaf::plain;
use leaf_tests::scratch::Scratch;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_key_is_made_on_first_use_and_stays() {
    let scratch = Scratch::new();
    let id = scratch.leaf(&["id"]).stdout;
    assert_eq!(id.trim().len(), 64, "{id}");
    assert_eq!(scratch.leaf(&["id"]).stdout, id);
    let json = scratch.leaf(&["id", "--json"]).stdout;
    assert!(json.contains(id.trim()), "{json}");
    let file = scratch.path("home/.local/share/leaf/key");
    let mode = fs::metadata(&file).expect("the key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read(&file).expect("readable").len(), 32);
    assert_ne!(scratch.leaf(&["id", "--key", "other.key"]).stdout, id);
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let scratch = Scratch::new();
    scratch.leaf(&["id", "--key", "my.key"]);
    let file = scratch.path("my.key");
    fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("our own file");
    let said = scratch.leaf_any(&["id", "--key", plain(&file)]);
    assert_eq!(said.code, Some(2), "{}", said.text());
    assert!(said.stderr.contains("others may read the key"), "{}", said.stderr);
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("our own file");
    scratch.leaf(&["id", "--key", "my.key"]);
}

#[test]
fn a_file_that_holds_no_key_is_refused_and_kept() {
    let scratch = Scratch::new();
    let file = scratch.path("my.key");
    fs::write(&file, "not a key").expect("a file");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("our own file");
    let said = scratch.leaf_any(&["id", "--key", "my.key"]);
    assert!(said.stderr.contains("holds no key"), "{}", said.stderr);
    assert_eq!(fs::read(&file).expect("still there"), b"not a key");
}

#[test]
fn a_key_is_made_once_by_many_at_a_time() {
    let scratch = Scratch::new();
    let begun: Vec<_> = (0..8)
        .map(|_| {
            let mut command = scratch.leaf_command();
            command
                .args(["id", "--key", "my.key"])
                .stdout(std::process::Stdio::piped());
            command.spawn().expect("the built leaf runs")
        })
        .collect();
    let ids = begun.into_iter().map(|child| {
        let done = child.wait_with_output().expect("our own child");
        assert!(done.status.success());
        done.stdout
    });
    let ids: std::collections::BTreeSet<Vec<u8>> = ids.collect();
    assert_eq!(ids.len(), 1, "all are the same leaf");
}
