//! Synced tables, which stock knows nothing of.

use crate::pairing::{Options, Pairing, Program};
use leaf_core::repo::{Column, ColumnKind, Conflict, Repo, RepoError, TableDef};
use leaf_core::time::Timestamp;
use leaf_tests::oracle::{assert_same_artifacts, assert_sound, column};
use leaf_tests::scene::Checkout;
use std::path::Path;

every_pairing!(tables_are_synced_by_leaves_and_trouble_no_other_program);

/// Puts a row into the table `notes`, as a program with the core in it does.
fn note(file: &Path, id: &str) {
    let now = Timestamp(1_767_225_600_000);
    let column = |name: &str, key| Column {
        name: name.to_owned(),
        kind: ColumnKind::Text,
        key,
    };
    let def = TableDef {
        columns: vec![column("id", true), column("text", false)],
        conflict: Conflict::MtimeWins,
    };
    let db = rusqlite::Connection::open(file).expect("a database");
    let mut repo = Repo::open(db).expect("a repository");
    let done = repo.write(|tx| {
        let table = tx.define_table("notes", &def, now)?;
        tx.put_row(&table, &[id.into(), "text".into()], "", now)
    });
    done.map_err(|error: RepoError| error.to_string()).expect("a row");
}

fn tables_are_synced_by_leaves_and_trouble_no_other_program(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    note(&origin, "theirs");
    note(&clone, "ours");
    Checkout::open(&pairing.scratch, &clone, "alice").commit("ours.txt", b"ours\n", "Ours", &[]);
    for _ in 0..2 {
        pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    }
    assert_same_artifacts(&origin, &clone);
    let leaves = pairing.client == Program::Leaf && pairing.server == Program::Leaf;
    for (file, own) in [(&origin, "theirs"), (&clone, "ours")] {
        let ids = column(file, "SELECT id FROM x_notes ORDER BY id");
        let expected = if leaves { vec!["ours", "theirs"] } else { vec![own] };
        assert_eq!(ids, expected, "{}", file.display());
        assert_sound(&pairing.scratch, file);
    }
}
