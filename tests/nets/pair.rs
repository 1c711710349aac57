//! Two leaves in two homes pair by a ticket, through a relay on the public host.

use crate::net::{At, Nat, Net};
use leaf_tests::oracle::{assert_same_artifacts, assert_sound};
use leaf_tests::peers::{Guest, Host, closed, commit, plain};
use leaf_tests::scratch::Scratch;
use leaf_tests::seed::Seed;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Large files in the repository.
const FILES: usize = 8;
const FILE_BYTES: usize = 2 << 20;
/// All of them.
pub(crate) const SIZE: u64 = (FILES * FILE_BYTES) as u64;

/// What a leaf on the public host is told, so that it is the relay.
pub(crate) const RELAY: [&str; 6] = [
    "--iroh",
    "--relay",
    "--http",
    "198.51.100.1:8080",
    "--relay-url",
    RELAY_URL,
];
pub(crate) const RELAY_URL: &str = "http://198.51.100.1:8080";

/// A leaf on the public host, which is the relay of whoever is on the list of its own repository.
pub(crate) fn relay(net: &Net) -> Host {
    Host::start_in(Scratch::on(&net.name(At::Public)), &RELAY)
}

/// A leaf in home A that can be reached by the relay.
pub(crate) fn host(net: &Net, relay: &Host, args: &[&str]) -> Host {
    let scratch = Scratch::on(&net.name(At::HomeA));
    let file = large(&scratch);
    relay.allow_key(scratch.leaf(&["id"]).stdout.trim(), "g");
    let listen = ["--iroh", "--relay-url", RELAY_URL];
    Host::serve(scratch, file, &[listen.as_slice(), args].concat())
}

/// A copy of a repository with [`FILES`] large files that do not compress; it grants nobody anything.
pub(crate) fn large(scratch: &Scratch) -> PathBuf {
    static MADE: OnceLock<(Scratch, PathBuf)> = OnceLock::new();
    let (_, made) = MADE.get_or_init(|| {
        let (scratch, mut seed) = (Scratch::new(), Seed::new(7));
        let file = closed(&scratch);
        let names: Vec<String> = (0..FILES).map(|number| format!("{number}.bin")).collect();
        for name in &names {
            std::fs::write(scratch.path(name), seed.bytes(FILE_BYTES)).expect("a file");
        }
        let mut commit = vec!["commit", "-R", plain(&file), "-m", "large", "--user", "alice"];
        commit.extend(names.iter().map(String::as_str));
        scratch.leaf(&commit);
        (scratch, file)
    });
    let file = scratch.path("served.fossil");
    std::fs::copy(made, &file).expect("a copy");
    file
}

/// A leaf in home B that may use the relay.
pub(crate) fn guest(net: &Net, relay: &Host) -> Guest {
    let guest = Guest::on(&net.name(At::HomeB));
    relay.allow(&guest, "g");
    guest
}

#[test]
fn two_leaves_at_home_pair_by_a_ticket_and_converge() {
    let net = Net::new(Nat::Hard);
    let relay = relay(&net);
    let (host, guest) = (host(&net, &relay, &[]), guest(&net, &relay));
    let ticket = host.invite(&[]);
    guest
        .scratch
        .leaf(&["join", &ticket, "clone.fossil", "--user", "alice"]);
    commit(&guest.scratch, &guest.file(), "from the guest");
    commit(&host.scratch, &host.file, "from the host");
    guest.syncs(&[]);
    assert_same_artifacts(&host.file, &guest.file());
    assert_sound(&guest.scratch, &guest.file());
    assert_sound(&host.scratch, &host.file);
}

#[test]
fn a_ticket_that_was_used_is_worth_nothing_on_another_machine() {
    let net = Net::new(Nat::Easy);
    let relay = relay(&net);
    let (host, guest) = (host(&net, &relay, &[]), guest(&net, &relay));
    let ticket = host.invite(&[]);
    let join = ["join", ticket.as_str(), "clone.fossil", "--user", "alice"];
    guest.scratch.leaf(&join);
    // Whoever finds it is on the relay's list and all.
    let finder = Guest::on(&net.name(At::Public));
    relay.allow(&finder, "g");
    let said = finder.scratch.leaf_any(&join);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(
        said.stderr.contains("this ticket was used before"),
        "{}",
        said.stderr
    );
    assert!(!finder.file().exists());
    // Nor does what the first has besides: the ticket's place is no secret, its key is.
    std::fs::copy(guest.file(), finder.file()).expect("a copy");
    let said = finder.scratch.leaf_any(&["sync", "-R", "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.stderr.contains("has not listed our key"), "{}", said.stderr);
}

#[test]
fn a_stranger_who_may_use_the_relay_gets_no_byte_of_the_repository() {
    let net = Net::new(Nat::Easy);
    let relay = relay(&net);
    let (host, guest) = (host(&net, &relay, &[]), guest(&net, &relay));
    let before = net.traffic(At::RouterA).sent;
    let said = guest
        .scratch
        .leaf_any(&["clone", host.server.by_key(), "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.stderr.contains("has not listed our key"), "{}", said.stderr);
    assert!(!guest.file().exists());
    host.says("refused: not on the list of peers");
    assert!(!host.log().contains("request by key"), "{}", host.log());
    // Handshakes, and nothing of the size of an artifact.
    let sent = net.traffic(At::RouterA).sent - before;
    assert!(sent < SIZE / 64, "{sent} bytes went out");
}
