//! What is cut off in the middle of a clone: the relay, or the leaf that is cloned.

use crate::net::{At, Nat, Net};
use crate::pair::{RELAY, SIZE, guest, host, relay};
use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::{artifacts, assert_same_artifacts, assert_sound};
use leaf_tests::peers::{Guest, Host, wait_until};
use std::process::{Child, Stdio};

/// What is on the disk when the cut comes: some rounds, and far from all.
const ENOUGH: u64 = SIZE / 3;

/// All of it that takes long: by the relay, whose line is slow.
fn slow() -> Net {
    let net = Net::new(Nat::Hard);
    net.slow(At::Public, "wan", 24);
    net
}

/// A clone under way; its words are in `said`.
fn begun(guest: &Guest, url: &str, args: &[&str]) -> Child {
    let said = std::fs::File::create(guest.scratch.path("said")).expect("a file");
    let mut clone = guest.scratch.leaf_command();
    clone
        .args(["clone", url, "clone.fossil", "--user", "alice"])
        .args(args);
    clone.stdout(Stdio::null()).stderr(said);
    let mut clone = clone.spawn().expect("the built leaf runs");
    let size = |name: &str| std::fs::metadata(guest.scratch.path(name)).map_or(0, |file| file.len());
    wait_until("some of it has come", || {
        assert_eq!(
            clone.try_wait().expect("our own child"),
            None,
            "too fast to be cut"
        );
        size("clone.fossil") + size("clone.fossil-wal") > ENOUGH
    });
    clone
}

fn words(guest: &Guest) -> String {
    std::fs::read_to_string(guest.scratch.path("said")).expect("its words")
}

/// Clones again, as the error says; what was there is kept.
fn go_on(guest: &Guest, host: &Host) {
    let before = artifacts(&guest.file());
    assert!(!before.is_empty());
    let clone = ["clone", host.server.by_key(), "clone.fossil", "--user", "alice"];
    let again = guest.scratch.leaf(&clone);
    assert!(
        again.stderr.contains("going on with the clone"),
        "{}",
        again.stderr
    );
    assert!(artifacts(&guest.file()).is_superset(&before));
}

#[test]
fn a_clone_outlives_its_relay() {
    let net = slow();
    let mut relay = relay(&net);
    let (host, guest) = (host(&net, &relay, &[]), guest(&net, &relay));
    host.allow(&guest, "g");
    let mut clone = begun(&guest, host.server.by_key(), &[]);
    relay.server.kill();
    relay.start_again(&RELAY);
    match clone.wait().expect("our own child").code() {
        Some(0) => {}
        Some(3) => {
            let said = words(&guest);
            assert!(said.contains("run the same command again"), "{said}");
            go_on(&guest, &host);
        }
        other => panic!("{other:?}: {}", words(&guest)),
    }
    assert_same_artifacts(&host.file, &guest.file());
    assert_sound(&guest.scratch, &guest.file());
    let came = net.traffic(At::RouterB).received;
    assert!(came < SIZE * 3 / 2, "{came} bytes for {SIZE}: fetched anew");
}

#[test]
fn a_clone_whose_leaf_is_gone_says_so_and_goes_on_when_it_is_back() {
    let net = slow();
    let relay = relay(&net);
    let (mut host, guest) = (host(&net, &relay, &[]), guest(&net, &relay));
    host.allow(&guest, "g");
    let url = host.server.by_key().to_owned();
    let mut clone = begun(&guest, &url, &["--timeout", "5"]);
    host.server.kill();
    assert_eq!(clone.wait().expect("our own child").code(), Some(3));
    let said = words(&guest);
    assert!(said.contains("clone.fossil is not complete"), "{said}");
    assert!(said.contains("run the same command again"), "{said}");
    let missing = guest
        .scratch
        .leaf_any(&["clone", &url, "clone.fossil", "--user", "alice"]);
    assert_eq!(missing.code, Some(3), "{}", missing.text());
    assert!(missing.stderr.contains("no connection to"), "{}", missing.stderr);
    host.server = LeafServer::start_with(
        &host.scratch,
        &host.file,
        &["--iroh", "--relay-url", crate::pair::RELAY_URL],
    );
    go_on(&guest, &host);
    assert_same_artifacts(&host.file, &guest.file());
    assert_sound(&guest.scratch, &guest.file());
    let came = net.traffic(At::RouterB).received;
    assert!(came < SIZE * 3 / 2, "{came} bytes for {SIZE}: fetched anew");
}
