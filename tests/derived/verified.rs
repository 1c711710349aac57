//! Damage that verification finds.

use crate::everything::everything;
use leaf_core::repo::{Fault, Repo};
use leaf_tests::scratch::Scratch;
use rusqlite::Connection;

#[test]
fn a_sound_file_verifies() {
    let scratch = Scratch::new();
    let file = everything(&scratch, "sound.fossil");
    let repo = Repo::open(Connection::open(&file).expect("a file")).expect("a repository");
    let mut heard = 0;
    let report = repo
        .verify(&mut |artifacts, _| heard += artifacts)
        .expect("a report");
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.artifacts, heard);
    assert_eq!(report.artifacts, repo.artifact_count().expect("a count"));
    assert_eq!(report.phantoms, 6, "{report:?}");
}

#[test]
fn each_damaged_artifact_is_named() {
    let scratch = Scratch::new();
    let file = everything(&scratch, "damaged.fossil");
    let db = Connection::open(&file).expect("a file");
    let repo = Repo::open(db).expect("a repository");
    let rid = |sql: &str| leaf_tests::oracle::number(&file, sql);
    let whole = "SELECT max(rid) FROM blob WHERE size>0 AND rid NOT IN (SELECT rid FROM delta) AND rid NOT IN (SELECT srcid FROM delta)";
    let swapped = rid(whole);
    let delta = rid("SELECT min(rid) FROM delta");
    let outside = Connection::open(&file).expect("a file");
    let set = |sql: &str, rid: i64| outside.execute(sql, [rid]).expect("a statement");
    set(
        "UPDATE blob SET content = (SELECT content FROM blob WHERE size>0 AND rid NOT IN (SELECT rid FROM delta) ORDER BY rid LIMIT 1), size = (SELECT size FROM blob WHERE size>0 AND rid NOT IN (SELECT rid FROM delta) ORDER BY rid LIMIT 1) WHERE rid = ?1",
        swapped,
    );
    set(
        "UPDATE blob SET content = x'0000000401020304' WHERE rid = ?1",
        delta,
    );
    let report = repo.verify(&mut |_, _| {}).expect("a report");
    let found = |rid: i64| report.bad.iter().find(|row| row.rid.0 == rid).map(|row| row.why);
    assert_eq!(found(swapped), Some(Fault::Hash));
    assert_eq!(found(delta), Some(Fault::Zblob));
}
