//! Clone and sync by key, directly; who is on the list, and who is not.

use crate::leaf::{Guest, Host, commit, plain, wait_until};
use leaf_tests::oracle::{artifacts, assert_same_artifacts, assert_sound};

#[test]
fn a_repository_is_cloned_and_synced_by_key() {
    let (host, guest) = (Host::start(), Guest::new());
    host.allow(&guest, "gio");
    guest.clones(host.server.by_key(), &host.file, &[]);
    commit(&guest.scratch, &guest.file(), "from the guest");
    commit(&host.scratch, &host.file, "from the host");
    guest.syncs(&[]);
    assert_same_artifacts(&host.file, &guest.file());
    assert_sound(&host.scratch, &host.file);
    let list = host
        .scratch
        .leaf(&["peers", "list", "-R", plain(&host.file)])
        .stdout;
    assert!(list.contains("ann") && !list.contains("never seen"), "{list}");
}

#[test]
fn a_key_that_is_not_on_the_list_gets_nothing() {
    let (host, guest) = (Host::start(), Guest::new());
    let said = guest
        .scratch
        .leaf_any(&["clone", host.server.by_key(), "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.stderr.contains("has not listed our key"), "{}", said.stderr);
    assert!(
        said.stderr.contains(&guest.id()),
        "it says whom to list: {}",
        said.stderr
    );
    assert!(!guest.file().exists());
    host.says("refused: not on the list of peers");
    assert!(!host.log().contains("request by key"), "{}", host.log());
}

#[test]
fn a_peer_that_may_only_read_sends_nothing() {
    let (host, guest) = (Host::start(), Guest::new());
    host.allow(&guest, "go");
    guest.clones(host.server.by_key(), &host.file, &[]);
    let before = artifacts(&host.file);
    commit(&guest.scratch, &guest.file(), "not wanted there");
    let said = guest.syncs(&[]);
    assert!(said.contains("takes nothing from us"), "{said}");
    assert_eq!(artifacts(&host.file), before);
}

#[test]
fn a_peer_that_is_revoked_gets_nothing_more() {
    let (host, guest) = (Host::start(), Guest::new());
    host.allow(&guest, "gio");
    guest.clones(host.server.by_key(), &host.file, &[]);
    host.scratch
        .leaf(&["peers", "revoke", "ann", "-R", plain(&host.file)]);
    let said = guest.scratch.leaf_any(&["sync", "-R", "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.stderr.contains("has not listed our key"), "{}", said.stderr);
}

#[test]
fn nobody_else_is_taken_for_the_leaf_that_was_called() {
    let (host, guest, other) = (Host::start(), Guest::new(), Guest::new());
    host.allow(&guest, "gio");
    let id = host.scratch.leaf(&["id"]).stdout;
    let elsewhere = host.server.by_key().replace(id.trim(), &other.id());
    let said = guest.scratch.leaf_any(&["clone", &elsewhere, "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.stderr.contains("no connection to"), "{}", said.stderr);
}

#[test]
fn a_large_artifact_goes_both_ways() {
    let (host, guest) = (Host::start(), Guest::new());
    host.allow(&guest, "gio");
    guest.clones(host.server.by_key(), &host.file, &[]);
    let mut seed = leaf_tests::seed::Seed::new(5);
    let large = seed.bytes(20 << 20);
    std::fs::write(guest.scratch.path("large.bin"), &large).expect("a file");
    let args = ["commit", "-R", "clone.fossil", "-m", "large", "--user", "alice"];
    guest
        .scratch
        .leaf(&[args.as_slice(), &["large.bin=large.bin"]].concat());
    guest.syncs(&[]);
    assert_same_artifacts(&host.file, &guest.file());
    let again = Guest::new();
    host.allow(&again, "gio");
    again.clones(host.server.by_key(), &host.file, &[]);
}

#[test]
fn a_leaf_that_ends_tells_whoever_is_connected() {
    let (host, guest) = (Host::start(), Guest::new());
    host.allow(&guest, "gio");
    guest.clones(host.server.by_key(), &host.file, &[]);
    assert_eq!(host.server.stop(), Some(0));
    let said = guest.scratch.leaf_any(&["sync", "-R", "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    wait_until("the file is whole", || {
        host.scratch.leaf_any(&["verify", plain(&host.file)]).code == Some(0)
    });
}
