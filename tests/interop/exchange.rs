//! Pull, push and sync of new check-ins, in one direction and in both.

use crate::pairing::{Options, Pairing, Server};
use leaf_tests::oracle::{
    artifacts, assert_same_artifacts, assert_sound, derived_differences, public_artifacts,
};
use leaf_tests::scene::Checkout;
use leaf_tests::seed::Seed;
use std::path::{Path, PathBuf};

every_pairing!(
    pull_brings_what_is_new_and_sends_nothing,
    push_sends_what_is_new_and_brings_nothing,
    sync_makes_both_sides_the_same,
    a_thousand_new_artifacts_are_pushed,
    a_thousand_new_artifacts_are_pulled,
    a_file_of_nine_megabytes_goes_both_ways,
    a_sync_with_nothing_to_do_changes_nothing,
    edits_on_both_sides_over_five_syncs_converge,
    a_cluster_is_made_and_passed_on,
);

/// A served origin and a clone of it, both about to be edited by stock.
fn two(pairing: &Pairing) -> (PathBuf, Server, PathBuf) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    (origin, server, clone)
}

fn edit(pairing: &Pairing, file: &Path, name: &str, content: &[u8]) {
    Checkout::open(&pairing.scratch, file, "alice").commit(name, content, &format!("Edit {name}"), &[]);
}

fn assert_both_well(pairing: &Pairing, origin: &PathBuf, clone: &PathBuf) {
    assert_same_artifacts(origin, clone);
    for file in [origin, clone] {
        assert_sound(&pairing.scratch, file);
        assert_eq!(
            derived_differences(&pairing.scratch, file),
            [""; 0],
            "{}",
            file.display()
        );
    }
}

fn pull_brings_what_is_new_and_sends_nothing(pairing: Pairing) {
    let (origin, server, clone) = two(&pairing);
    edit(&pairing, &origin, "theirs.txt", b"theirs\n");
    edit(&pairing, &clone, "ours.txt", b"ours\n");
    let before = artifacts(&origin);
    pairing.transfer_well("pull", &clone, &server.url_of("bob"), Options::PLAIN);
    assert_eq!(artifacts(&origin), before, "a pull sent something");
    assert!(public_artifacts(&clone).is_superset(&before));
    assert_sound(&pairing.scratch, &clone);
    assert_eq!(derived_differences(&pairing.scratch, &clone), [""; 0]);
}

fn push_sends_what_is_new_and_brings_nothing(pairing: Pairing) {
    let (origin, server, clone) = two(&pairing);
    edit(&pairing, &origin, "theirs.txt", b"theirs\n");
    edit(&pairing, &clone, "ours.txt", b"ours\n");
    let before = artifacts(&clone);
    pairing.transfer_well("push", &clone, &server.url_of("bob"), Options::PLAIN);
    assert_eq!(artifacts(&clone), before, "a push brought something");
    assert!(public_artifacts(&origin).is_superset(&before));
    assert_sound(&pairing.scratch, &origin);
    assert_eq!(derived_differences(&pairing.scratch, &origin), [""; 0]);
}

fn sync_makes_both_sides_the_same(pairing: Pairing) {
    let (origin, server, clone) = two(&pairing);
    edit(&pairing, &origin, "theirs.txt", b"theirs\n");
    edit(&pairing, &clone, "ours.txt", b"ours\n");
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    assert_both_well(&pairing, &origin, &clone);
}

/// One check-in that adds 999 files.
fn add_many(pairing: &Pairing, file: &Path) {
    let checkout = Checkout::open(&pairing.scratch, file, "alice");
    let mut seed = Seed::new(1000);
    for i in 0..999 {
        let text = format!(
            "{i}: {}\n",
            "some words and more words ".repeat(1 + usize::try_from(seed.below(200)).unwrap_or(0))
        );
        std::fs::write(checkout.folder().join(format!("many-{i}.txt")), text).expect("a file");
    }
    checkout.fossil(&["addremove"]);
    checkout.fossil(&["commit", "--no-warnings", "--nosign", "-m", "Add many files"]);
}

fn a_thousand_new_artifacts_are_pushed(pairing: Pairing) {
    let (origin, server, clone) = two(&pairing);
    add_many(&pairing, &clone);
    pairing.transfer_well("push", &clone, &server.url_of("bob"), Options::PLAIN);
    assert_both_well(&pairing, &origin, &clone);
}

fn a_thousand_new_artifacts_are_pulled(pairing: Pairing) {
    let (origin, server, clone) = two(&pairing);
    add_many(&pairing, &origin);
    pairing.transfer_well("pull", &clone, &server.url_of("bob"), Options::PLAIN);
    assert_both_well(&pairing, &origin, &clone);
}

fn a_file_of_nine_megabytes_goes_both_ways(pairing: Pairing) {
    let (origin, server, clone) = two(&pairing);
    edit(&pairing, &origin, "down.bin", &Seed::new(1).bytes(9_000_000));
    edit(&pairing, &clone, "up.bin", &Seed::new(2).bytes(9_100_000));
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    assert_same_artifacts(&origin, &clone);
    assert_sound(&pairing.scratch, &origin);
    assert_sound(&pairing.scratch, &clone);
}

fn a_sync_with_nothing_to_do_changes_nothing(pairing: Pairing) {
    let (origin, server, clone) = two(&pairing);
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    let before = (artifacts(&origin), artifacts(&clone));
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    assert_eq!(before, (artifacts(&origin), artifacts(&clone)));
    assert_both_well(&pairing, &origin, &clone);
}

fn edits_on_both_sides_over_five_syncs_converge(pairing: Pairing) {
    let (origin, server, clone) = two(&pairing);
    let here = Checkout::open(&pairing.scratch, &clone, "alice");
    let there = Checkout::open(&pairing.scratch, &origin, "alice");
    for i in 0..5 {
        here.fossil(&["update"]);
        here.commit(
            "here.txt",
            format!("here {i}\n").repeat(50).as_bytes(),
            &format!("Here {i}"),
            &[],
        );
        there.commit(
            "there.txt",
            format!("there {i}\n").repeat(50).as_bytes(),
            &format!("There {i}"),
            &[],
        );
        pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    }
    assert_both_well(&pairing, &origin, &clone);
}

fn a_cluster_is_made_and_passed_on(pairing: Pairing) {
    let (origin, server, clone) = two(&pairing);
    add_many(&pairing, &origin);
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    let clusters = "SELECT count(*) FROM tagxref WHERE tagid=7";
    assert!(
        leaf_tests::oracle::number(&origin, clusters) > 0,
        "the server made no cluster"
    );
    assert!(
        leaf_tests::oracle::number(&clone, clusters) > 0,
        "no cluster came over"
    );
    let left = leaf_tests::oracle::number(&clone, "SELECT count(*) FROM unclustered");
    assert!(left < 100, "{left} artifacts of the clone are in no cluster");
    assert_both_well(&pairing, &origin, &clone);
}
