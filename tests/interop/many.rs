//! Several repositories under one port, each at its own path.

use crate::pairing::{Options, Pairing};
use leaf_tests::oracle::{artifacts, assert_same_artifacts};
use leaf_tests::scene::{self, Checkout};

every_pairing!(
    a_folder_of_repositories_is_served_by_path,
    a_path_without_repository_is_refused
);

fn a_folder_of_repositories_is_served_by_path(pairing: Pairing) {
    std::fs::create_dir(pairing.scratch.path("all")).expect("a folder");
    let one = scene::small(&pairing.scratch, "all/one.fossil");
    let two = scene::empty(&pairing.scratch, "all/two.fossil");
    let server = pairing.serve(&pairing.scratch.path("all"));
    let first = pairing.clone(
        &format!("{}one", server.url_of("bob")),
        "first.fossil",
        Options::PLAIN,
    );
    let second = pairing.clone(
        &format!("{}two", server.url_of("bob")),
        "second.fossil",
        Options::PLAIN,
    );
    assert_same_artifacts(&one, &first);
    assert_same_artifacts(&two, &second);
    Checkout::open(&pairing.scratch, &second, "alice").commit("n.txt", b"n\n", "New", &[]);
    let before = artifacts(&one);
    pairing.transfer_well(
        "sync",
        &second,
        &format!("{}two", server.url_of("bob")),
        Options::PLAIN,
    );
    assert_same_artifacts(&two, &second);
    assert_eq!(artifacts(&one), before, "the other repository was touched");
}

fn a_path_without_repository_is_refused(pairing: Pairing) {
    std::fs::create_dir(pairing.scratch.path("all")).expect("a folder");
    scene::small(&pairing.scratch, "all/one.fossil");
    let server = pairing.serve(&pairing.scratch.path("all"));
    let clone = pairing.scratch.path("clone.fossil");
    let said = pairing.clone_any(&format!("{}three", server.url()), &clone, Options::PLAIN);
    assert_ne!(said.code, Some(0), "{}", said.text());
    assert!(!clone.exists(), "a refused clone leaves a file");
}
