//! Clone: the newest way by both programs, the two older ways by hand, and real history in full.

use crate::pairing::{Options, Pairing, Program};
use leaf_tests::oracle::{
    artifacts, assert_same_artifacts, assert_sound, derived_differences, number, public_artifacts,
};
use leaf_tests::scene::Checkout;
use leaf_tests::{corpus, scene, wire};
use std::collections::BTreeSet;

every_pairing!(
    a_clone_holds_every_public_artifact_and_stock_finds_it_sound,
    a_clone_works_with_stock_commands_without_a_rebuild,
    a_clone_of_an_empty_repository_holds_its_first_check_in,
    a_clone_with_unversioned_files_brings_them,
    a_file_of_nine_megabytes_is_cloned,
    the_corpus_is_cloned_whole_with_derived_tables_as_a_rebuild_makes_them,
    a_clone_in_many_small_rounds_is_complete,
);

fn a_clone_holds_every_public_artifact_and_stock_finds_it_sound(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url(), "clone.fossil", Options::PLAIN);
    assert_same_artifacts(&origin, &clone);
    assert_sound(&pairing.scratch, &clone);
    assert_eq!(derived_differences(&pairing.scratch, &clone), [""; 0]);
    let code = "SELECT value='' FROM config WHERE name='project-code'";
    assert_eq!(number(&origin, code), number(&clone, code));
}

fn a_clone_works_with_stock_commands_without_a_rebuild(pairing: Pairing) {
    let (_, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url(), "clone.fossil", Options::PLAIN);
    let file = clone.to_str().expect("a plain path");
    let timeline = pairing
        .scratch
        .fossil(&["timeline", "-n", "0", "-R", file])
        .text();
    for said in [
        "Check-in 9",
        "Begin a branch",
        "The first ticket",
        "The first technote",
        "Home",
    ] {
        assert!(timeline.contains(said), "no {said:?} in:\n{timeline}");
    }
    let checkout = Checkout::open(&pairing.scratch, &clone, "alice");
    assert!(checkout.fossil(&["ls"]).contains("f1.txt"));
    checkout.commit("new.txt", b"new\n", "Made in the clone", &[]);
    assert!(
        checkout
            .fossil(&["timeline", "-n", "1"])
            .contains("Made in the clone")
    );
    assert_sound(&pairing.scratch, &clone);
    assert_eq!(derived_differences(&pairing.scratch, &clone), [""; 0]);
}

fn a_clone_of_an_empty_repository_holds_its_first_check_in(pairing: Pairing) {
    let origin = scene::empty(&pairing.scratch, "empty.fossil");
    let server = pairing.serve(&origin);
    let clone = pairing.clone(&server.url(), "clone.fossil", Options::PLAIN);
    assert_eq!(artifacts(&clone).len(), 1);
    assert_same_artifacts(&origin, &clone);
}

fn a_clone_with_unversioned_files_brings_them(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let file = origin.to_str().expect("a plain path");
    std::fs::write(pairing.scratch.path("picture.bin"), [7_u8; 5000]).expect("a file");
    pairing.scratch.fossil(&["uv", "add", "picture.bin", "-R", file]);
    let plain = pairing.clone(&server.url(), "plain.fossil", Options::PLAIN);
    let full = pairing.clone(&server.url(), "full.fossil", Options::UNVERSIONED);
    assert_eq!(
        leaf_tests::oracle::unversioned(&full),
        leaf_tests::oracle::unversioned(&origin)
    );
    let count = "SELECT count(*) FROM sqlite_schema WHERE name='unversioned'";
    let files = |f| {
        if number(f, count) == 0 {
            0
        } else {
            number(f, "SELECT count(*) FROM unversioned")
        }
    };
    assert_eq!(files(&plain), 0, "unversioned files came unasked");
}

fn a_file_of_nine_megabytes_is_cloned(pairing: Pairing) {
    let origin = scene::small(&pairing.scratch, "origin.fossil");
    let content = leaf_tests::seed::Seed::new(9).bytes(9_000_000);
    Checkout::open(&pairing.scratch, &origin, "alice").commit("large.bin", &content, "Large", &[]);
    let server = pairing.serve(&origin);
    let clone = pairing.clone(&server.url(), "clone.fossil", Options::PLAIN);
    assert_eq!(number(&clone, "SELECT max(size) FROM blob"), 9_000_000);
    assert_sound(&pairing.scratch, &clone);
}

fn the_corpus_is_cloned_whole_with_derived_tables_as_a_rebuild_makes_them(pairing: Pairing) {
    let origin = pairing.scratch.path("corpus.fossil");
    std::fs::copy(corpus::packages(), &origin).expect("a copy of the corpus");
    let server = pairing.serve(&origin);
    let clone = pairing.clone(&server.url_as("bob", "bob-pw"), "clone.fossil", Options::PLAIN);
    assert_same_artifacts(&origin, &clone);
    assert!(
        artifacts(&clone).len() < artifacts(&origin).len(),
        "the private branch came unasked"
    );
    assert_sound(&pairing.scratch, &clone);
    assert_eq!(derived_differences(&pairing.scratch, &clone), [""; 0]);
}

fn a_clone_in_many_small_rounds_is_complete(pairing: Pairing) {
    let origin = scene::small(&pairing.scratch, "origin.fossil");
    let file = origin.to_str().expect("a plain path");
    pairing.scratch.fossil(&[
        "sql",
        "-R",
        file,
        "REPLACE INTO config VALUES('max-download',2000,1);",
    ]);
    let server = pairing.serve(&origin);
    let clone = pairing.clone(&server.url(), "clone.fossil", Options::PLAIN);
    assert_same_artifacts(&origin, &clone);
}

/// Servers answer clients of all ages; no client at hand speaks the older ways, so the cards are written by hand.
mod older {
    use super::*;

    /// First arguments of the cards called `kind`.
    fn names(reply: &[u8], kind: &str) -> BTreeSet<String> {
        let cards = wire::read_cards(reply).into_iter().filter(|card| card[0] == kind);
        cards.map(|mut card| card.swap_remove(1)).collect()
    }

    fn version_two_sends_every_artifact_as_file_cards(server: Program) {
        let pairing = Pairing::new(Program::Stock, server);
        let (origin, server) = pairing.serve_small("origin.fossil");
        let mut got = BTreeSet::new();
        let mut sequence = String::from("1");
        while sequence != "0" {
            let request = format!("pragma client-version 22100 20230226 192424\nclone 2 {sequence}\n");
            let reply = wire::cards(&server.address(), "/", &request);
            got.extend(names(&reply, "file"));
            let next = names(&reply, "clone_seqno")
                .pop_first()
                .expect("a clone_seqno card");
            assert_ne!(next, sequence, "the server does not go on");
            sequence = next;
            assert!(!names(&reply, "push").is_empty(), "no push card");
        }
        assert_eq!(got, public_artifacts(&origin));
    }

    fn version_one_offers_every_artifact_and_gives_what_is_asked_for(server: Program) {
        let pairing = Pairing::new(Program::Stock, server);
        let (origin, server) = pairing.serve_small("origin.fossil");
        let hello = "pragma client-version 22100 20230226 192424\nclone\n";
        let offered = names(&wire::cards(&server.address(), "/", hello), "igot");
        assert_eq!(offered, public_artifacts(&origin));
        let gimmes: String = offered.iter().map(|name| format!("gimme {name}\n")).collect();
        let reply = wire::cards(&server.address(), "/", &format!("{hello}{gimmes}"));
        assert_eq!(names(&reply, "file"), offered);
    }

    #[test]
    fn leaf_serves_a_clone_of_version_two() {
        version_two_sends_every_artifact_as_file_cards(Program::Leaf);
    }

    #[test]
    fn stock_serves_a_clone_of_version_two() {
        version_two_sends_every_artifact_as_file_cards(Program::Stock);
    }

    #[test]
    fn leaf_serves_a_clone_of_version_one() {
        version_one_offers_every_artifact_and_gives_what_is_asked_for(Program::Leaf);
    }

    #[test]
    fn stock_serves_a_clone_of_version_one() {
        version_one_offers_every_artifact_and_gives_what_is_asked_for(Program::Stock);
    }
}
