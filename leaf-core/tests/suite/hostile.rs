//! Files that claim to be repositories: each is refused with one error before anything in it runs.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::world::{new_repo, repo};
use leaf_core::Blame;
use leaf_core::repo::{Repo, RepoError};
use rusqlite::Connection;

/// A repository into whose schema somebody put `sql`.
fn tampered(sql: &str) -> Connection {
    let db = repo().into_connection();
    db.execute_batch("PRAGMA writable_schema = off")
        .expect("a pragma");
    db.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)
        .expect("a switch");
    db.execute_batch(sql).expect("valid SQL");
    db
}

fn refusal(db: Connection) -> String {
    match Repo::open(db) {
        Err(error @ RepoError::NotARepository { .. }) => {
            assert_eq!(error.blame(), Blame::Caller);
            error.to_string()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_repository_of_our_own_opens() {
    Repo::open(repo().into_connection()).expect("sound");
}

#[test]
fn a_trigger_is_refused() {
    let db = tampered("CREATE TRIGGER t AFTER INSERT ON blob BEGIN DELETE FROM user; END");
    assert_eq!(
        refusal(db),
        "this is not a Fossil repository: its schema holds a trigger"
    );
}

#[test]
fn a_view_in_place_of_a_table_is_refused() {
    let db = tampered("DROP TABLE plink; CREATE VIEW plink AS SELECT 1 AS pid");
    assert!(refusal(db).contains("tables are missing"));
    let db = tampered("CREATE VIEW extra AS SELECT * FROM user");
    assert!(refusal(db).contains("a view"));
}

#[test]
fn a_computed_column_is_refused() {
    let db = tampered("CREATE TABLE extra(a, b GENERATED ALWAYS AS (a + 1))");
    assert!(refusal(db).contains("computed column"));
}

#[test]
fn an_empty_database_is_refused() {
    let db = Connection::open_in_memory().expect("memory is there");
    assert!(refusal(db).contains("tables are missing"));
}

#[test]
fn a_database_of_another_kind_is_refused_and_not_made_a_repository() {
    let db = Connection::open_in_memory().expect("memory is there");
    db.execute_batch("CREATE TABLE notes(text)").expect("valid SQL");
    assert!(matches!(
        Repo::create(db, &new_repo()),
        Err(RepoError::NotARepository { .. })
    ));
}

#[test]
fn an_unfinished_clone_is_refused_with_what_to_do_next() {
    let db = Connection::open_in_memory().expect("memory is there");
    let db = Repo::create_for_clone(db, &new_repo())
        .expect("an empty database")
        .into_connection();
    let error = Repo::open(db).expect_err("unfinished");
    assert!(matches!(error, RepoError::UnfinishedClone));
    assert!(error.to_string().contains("run the same `leaf clone` again"));
}

#[test]
fn another_schema_version_is_refused() {
    let db = tampered("UPDATE config SET value = '2099-01-01' WHERE name = 'aux-schema'");
    assert!(matches!(Repo::open(db), Err(RepoError::OtherSchema)));
}
