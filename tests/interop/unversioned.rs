//! Unversioned files: added, changed and deleted on either side.

use crate::pairing::{Options, Pairing};
use leaf_tests::oracle::{number, unversioned};
use std::path::Path;

every_pairing!(
    new_unversioned_files_go_both_ways,
    the_newer_of_two_versions_wins_on_both_sides,
    a_deletion_reaches_the_other_side,
    a_large_unversioned_file_arrives_whole,
    without_the_capability_unversioned_files_are_not_accepted,
);

fn add(pairing: &Pairing, file: &Path, name: &str, content: &[u8], mtime: &str) {
    std::fs::write(pairing.scratch.path("uv-input"), content).expect("a file");
    let file = file.to_str().expect("a plain path");
    pairing.scratch.fossil(&[
        "uv", "add", "uv-input", "--as", name, "--mtime", mtime, "-R", file,
    ]);
}

fn new_unversioned_files_go_both_ways(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    add(
        &pairing,
        &origin,
        "from/server.txt",
        b"hello from the server\n",
        "2024-01-01 00:00:01",
    );
    add(
        &pairing,
        &clone,
        "from/client.bin",
        &[0, 1, 2, 255],
        "2024-01-01 00:00:02",
    );
    add(&pairing, &clone, "empty", b"", "2024-01-01 00:00:03");
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::UNVERSIONED);
    assert_eq!(unversioned(&origin).len(), 3);
    assert_eq!(unversioned(&origin), unversioned(&clone));
}

fn the_newer_of_two_versions_wins_on_both_sides(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    add(&pairing, &origin, "one", b"older\n", "2024-01-01 00:00:01");
    add(&pairing, &clone, "one", b"newer\n", "2024-01-01 00:00:02");
    add(&pairing, &origin, "two", b"newer\n", "2024-01-01 00:00:02");
    add(&pairing, &clone, "two", b"older\n", "2024-01-01 00:00:01");
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::UNVERSIONED);
    assert_eq!(unversioned(&origin), unversioned(&clone));
    let newer = "SELECT count(*) FROM unversioned WHERE sz=6 AND mtime=strftime('%s','2024-01-01 00:00:02')";
    assert_eq!(number(&origin, newer), 2);
}

fn a_deletion_reaches_the_other_side(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    add(
        &pairing,
        &origin,
        "short-lived",
        b"soon gone\n",
        "2024-01-01 00:00:01",
    );
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::UNVERSIONED);
    let file = clone.to_str().expect("a plain path");
    pairing.scratch.fossil(&[
        "uv",
        "rm",
        "short-lived",
        "--mtime",
        "2024-01-01 00:00:09",
        "-R",
        file,
    ]);
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::UNVERSIONED);
    assert_eq!(unversioned(&origin), unversioned(&clone));
    assert_eq!(
        number(&origin, "SELECT count(*) FROM unversioned WHERE hash IS NULL"),
        1
    );
}

fn a_large_unversioned_file_arrives_whole(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    let content = leaf_tests::seed::Seed::new(3).bytes(9_000_000);
    add(&pairing, &origin, "down", &content, "2024-01-01 00:00:01");
    add(&pairing, &clone, "up", &content, "2024-01-01 00:00:01");
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::UNVERSIONED);
    assert_eq!(unversioned(&origin), unversioned(&clone));
    assert_eq!(
        number(&clone, "SELECT sum(length(content)>8999999) FROM unversioned"),
        2
    );
}

fn without_the_capability_unversioned_files_are_not_accepted(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    add(&pairing, &origin, "theirs", b"theirs\n", "2024-01-01 00:00:01");
    let clone = pairing.clone(&server.url_of("carol"), "clone.fossil", Options::PLAIN);
    add(&pairing, &clone, "ours", b"ours\n", "2024-01-01 00:00:01");
    pairing.transfer("sync", &clone, &server.url_of("carol"), Options::UNVERSIONED);
    assert_eq!(
        number(&origin, "SELECT count(*) FROM unversioned"),
        1,
        "carol has no capability to write"
    );
}
