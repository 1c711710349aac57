//! By which way the bytes go: counted at the routers and at the relay.

use crate::net::{At, Nat, Net};
use crate::pair::{SIZE, guest, host, relay};
use leaf_tests::oracle::assert_same_artifacts;
use leaf_tests::peers::commit;

/// What came to home B, and what the relay sent on, while a clone went from home A to home B.
fn carried(net: &Net, args: &[&str]) -> [u64; 2] {
    let relay = relay(net);
    let (host, guest) = (host(net, &relay, args), guest(net, &relay));
    host.allow(&guest, "gio");
    let before = [net.traffic(At::RouterB).received, net.traffic(At::Public).sent];
    guest.clones(host.server.by_key(), &host.file, args);
    commit(&guest.scratch, &guest.file(), "from the guest");
    guest.syncs(args);
    assert_same_artifacts(&host.file, &guest.file());
    let after = [net.traffic(At::RouterB).received, net.traffic(At::Public).sent];
    [after[0] - before[0], after[1] - before[1]]
}

#[test]
fn where_routers_let_holes_be_made_the_bytes_go_directly() {
    let net = Net::new(Nat::Easy);
    // The relay's line is the slow one, as it is in the world: a hole that is made a little late still counts.
    net.slow(At::Public, "wan", 8);
    let [came, relayed] = carried(&net, &[]);
    assert!(came > SIZE, "{came}");
    assert!(relayed < came / 2, "the relay sent {relayed} of {came} bytes");
}

#[test]
fn where_no_hole_can_be_made_the_relay_carries_all() {
    let [came, relayed] = carried(&Net::new(Nat::Hard), &[]);
    assert!(came > SIZE && relayed >= came, "{relayed} of {came}");
}

#[test]
fn where_no_udp_goes_out_the_relay_carries_all() {
    let net = Net::new(Nat::Easy);
    for router in [At::RouterA, At::RouterB] {
        net.rules(
            router,
            "table ip office {
               chain out { type filter hook forward priority -10
                 ip protocol udp reject
               }
             }",
        );
    }
    let [came, relayed] = carried(&net, &[]);
    assert!(came > SIZE && relayed >= came, "{relayed} of {came}");
}

#[test]
fn what_is_to_go_by_relay_alone_does_so() {
    let [came, relayed] = carried(&Net::new(Nat::Easy), &["--relay-only"]);
    assert!(came > SIZE && relayed >= came, "{relayed} of {came}");
}
