//! Private branches: kept unless asked for, and given only to those who may have them.

use crate::pairing::{Options, Pairing};
use leaf_tests::oracle::{artifacts, assert_sound, number, public_artifacts};
use leaf_tests::scene::{self, Checkout};

every_pairing!(
    private_artifacts_stay_at_home_in_a_plain_sync,
    private_artifacts_go_over_when_asked_for_and_stay_private,
    a_private_clone_brings_private_artifacts,
    private_artifacts_are_not_given_without_the_capability,
);

const PRIVATE: &str = "SELECT count(*) FROM private";

fn private_artifacts_stay_at_home_in_a_plain_sync(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    let checkout = Checkout::open(&pairing.scratch, &clone, "alice");
    checkout.commit("secret.txt", b"secret\n", "Secret", &["--private"]);
    let before = artifacts(&origin);
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    assert_eq!(artifacts(&origin), before);
    assert!(number(&clone, PRIVATE) > 0);
}

fn private_artifacts_go_over_when_asked_for_and_stay_private(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    let checkout = Checkout::open(&pairing.scratch, &clone, "alice");
    checkout.commit("secret.txt", b"secret\n", "Secret", &["--private"]);
    let before = public_artifacts(&origin);
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PRIVATE);
    assert_eq!(artifacts(&origin), artifacts(&clone));
    assert_eq!(
        public_artifacts(&origin),
        before,
        "a private artifact became public"
    );
    assert_eq!(number(&origin, PRIVATE), number(&clone, PRIVATE));
    assert_sound(&pairing.scratch, &origin);
}

fn a_private_clone_brings_private_artifacts(pairing: Pairing) {
    let origin = scene::small(&pairing.scratch, "origin.fossil");
    Checkout::open(&pairing.scratch, &origin, "alice").commit("s.txt", b"secret\n", "Secret", &["--private"]);
    // The first round of a clone carries no login, so it is nobody who needs the capability.
    let path = origin.to_str().expect("a plain path");
    pairing
        .scratch
        .fossil(&["user", "capabilities", "nobody", "gox", "-R", path]);
    let server = pairing.serve(&origin);
    let clone = pairing.clone(&server.url(), "clone.fossil", Options::PRIVATE);
    assert_eq!(artifacts(&origin), artifacts(&clone));
    assert_eq!(number(&origin, PRIVATE), number(&clone, PRIVATE));
}

fn private_artifacts_are_not_given_without_the_capability(pairing: Pairing) {
    let origin = scene::small(&pairing.scratch, "origin.fossil");
    Checkout::open(&pairing.scratch, &origin, "alice").commit("s.txt", b"secret\n", "Secret", &["--private"]);
    let server = pairing.serve(&origin);
    let clone = pairing.clone(&server.url_of("carol"), "clone.fossil", Options::PLAIN);
    pairing.transfer("pull", &clone, &server.url_of("carol"), Options::PRIVATE);
    assert_eq!(artifacts(&clone), public_artifacts(&origin));
}
