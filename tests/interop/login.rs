//! Who may do what: right and wrong passwords, no login at all, and the wrong project.

use crate::pairing::{Options, Pairing};
use leaf_tests::oracle::{artifacts, assert_same_artifacts};
use leaf_tests::scene::{self, Checkout};

every_pairing!(
    the_right_password_lets_push,
    a_wrong_password_changes_nothing_on_either_side,
    nobody_may_clone_but_not_push,
    without_the_clone_capability_nobody_gets_nothing,
    a_reader_pulls_but_does_not_push,
    another_project_is_refused,
);

fn the_right_password_lets_push(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    Checkout::open(&pairing.scratch, &clone, "alice").commit("n.txt", b"n\n", "New", &[]);
    pairing.transfer_well("push", &clone, &server.url_of("bob"), Options::PLAIN);
    assert_same_artifacts(&origin, &clone);
}

fn a_wrong_password_changes_nothing_on_either_side(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    Checkout::open(&pairing.scratch, &clone, "alice").commit("n.txt", b"n\n", "New", &[]);
    Checkout::open(&pairing.scratch, &origin, "alice").commit("m.txt", b"m\n", "Other", &[]);
    let before = (artifacts(&origin), artifacts(&clone));
    let said = pairing
        .transfer("sync", &clone, &server.url_as("bob", "wrong"), Options::PLAIN)
        .text();
    assert!(
        said.contains("login failed") || said.contains("password"),
        "nothing about the login: {said}"
    );
    assert_eq!(before, (artifacts(&origin), artifacts(&clone)));
}

fn nobody_may_clone_but_not_push(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url(), "clone.fossil", Options::PLAIN);
    assert_same_artifacts(&origin, &clone);
    Checkout::open(&pairing.scratch, &clone, "alice").commit("n.txt", b"n\n", "New", &[]);
    let before = artifacts(&origin);
    pairing.transfer("push", &clone, &server.url(), Options::PLAIN);
    assert_eq!(artifacts(&origin), before);
}

fn without_the_clone_capability_nobody_gets_nothing(pairing: Pairing) {
    let origin = scene::small(&pairing.scratch, "origin.fossil");
    let path = origin.to_str().expect("a plain path");
    pairing
        .scratch
        .fossil(&["user", "capabilities", "nobody", "h", "-R", path]);
    pairing
        .scratch
        .fossil(&["user", "capabilities", "anonymous", "h", "-R", path]);
    let server = pairing.serve(&origin);
    let clone = pairing.scratch.path("clone.fossil");
    let said = pairing.clone_any(&server.url(), &clone, Options::PLAIN);
    assert_ne!(said.code, Some(0), "{}", said.text());
    assert!(said.text().contains("not authorized"), "{}", said.text());
    assert!(!clone.exists(), "a refused clone leaves a file");
}

fn a_reader_pulls_but_does_not_push(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("carol"), "clone.fossil", Options::PLAIN);
    Checkout::open(&pairing.scratch, &clone, "alice").commit("n.txt", b"n\n", "New", &[]);
    Checkout::open(&pairing.scratch, &origin, "alice").commit("m.txt", b"m\n", "Other", &[]);
    let before = artifacts(&origin);
    // carol has g and o, not i.
    pairing.transfer("push", &clone, &server.url_of("carol"), Options::PLAIN);
    assert_eq!(artifacts(&origin), before);
    pairing.transfer_well("pull", &clone, &server.url_of("carol"), Options::PLAIN);
    assert!(
        artifacts(&clone).is_superset(&before),
        "what carol may read did not come"
    );
}

fn another_project_is_refused(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let other = scene::empty(&pairing.scratch, "other.fossil");
    let before = (artifacts(&origin), artifacts(&other));
    let said = pairing
        .transfer("sync", &other, &server.url_of("bob"), Options::PLAIN)
        .text();
    assert!(
        said.contains("wrong project") || said.contains("login failed"),
        "{said}"
    );
    assert_eq!(before, (artifacts(&origin), artifacts(&other)));
}
