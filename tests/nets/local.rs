//! Leaves on one network that find each other by their keys alone.

use crate::net::{At, Nat, Net};
use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::{artifacts, assert_same_artifacts};
use leaf_tests::peers::{Guest, Host, commit, plain, wait_until};
use leaf_tests::scratch::Scratch;

const LOCAL: [&str; 2] = ["--discovery", "local"];

#[test]
fn leaves_on_one_network_find_each_other_by_key_if_they_are_told_to() {
    let net = Net::new(Nat::Easy);
    // A network of two: home A, and the near side of its router, which has no way to everybody yet.
    net.within(At::RouterA, "ip", &["route", "add", "224.0.0.0/4", "dev", "lan"]);
    let listen = ["--iroh", "--discovery", "local"];
    let host = Host::start_in(Scratch::on(&net.name(At::HomeA)), &listen);
    let guest = Guest::on(&net.name(At::RouterA));
    host.allow(&guest, "gio");
    let id = host.scratch.leaf(&["id"]).stdout.trim().to_owned();
    let url = format!("iroh://{id}");
    let said = guest.scratch.leaf_any(&["clone", &url, "clone.fossil"]);
    assert_eq!(said.code, Some(3), "nobody was asked: {}", said.text());
    guest.clones(&url, &host.file, &LOCAL);

    // Nor need those that serve be told where the others are.
    let file = guest.file();
    guest.scratch.leaf(&["peers", "allow", &id, "-R", plain(&file)]);
    let _served = LeafServer::start_with(&guest.scratch, &file, &listen);
    let before = artifacts(&host.file);
    commit(&guest.scratch, &file, "from the guest");
    wait_until("it comes to the host", || artifacts(&host.file) != before);
    assert_same_artifacts(&host.file, &file);
}
