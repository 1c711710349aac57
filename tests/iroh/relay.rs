//! By the leaf's own relay, where nothing can go directly.

use crate::leaf::{Guest, Host, commit};
use leaf_tests::oracle::assert_same_artifacts;

const RELAYED: [&str; 3] = ["--iroh", "--relay", "--relay-only"];

#[test]
fn a_repository_is_cloned_and_synced_by_a_relay_alone() {
    let (host, guest) = (Host::start_with(&RELAYED), Guest::new());
    host.allow(&guest, "gio");
    let url = host.server.by_key();
    assert!(url.contains("relay=") && !url.contains("addr="), "{url}");
    guest.clones(url, &host.file, &["--relay-only"]);
    commit(&guest.scratch, &guest.file(), "from the guest");
    guest.syncs(&["--relay-only"]);
    assert_same_artifacts(&host.file, &guest.file());
}

#[test]
fn a_stranger_may_not_use_the_relay() {
    let (host, guest) = (Host::start_with(&RELAYED), Guest::new());
    let said = guest
        .scratch
        .leaf_any(&["clone", host.server.by_key(), "clone.fossil", "--relay-only"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    host.says("may not use the relay");
    assert!(!guest.file().exists());
}
