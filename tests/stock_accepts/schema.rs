//! A repository made by this project beside one that `fossil init` made: same tables, same first rows.

use leaf_core::id::{ProjectCode, ServerCode};
use leaf_core::repo::{NewRepo, Repo};
use leaf_core::time::Timestamp;
use leaf_tests::oracle;
use leaf_tests::scratch::Scratch;
use std::path::PathBuf;

/// A repository of ours and one of stock's, both without check-ins.
fn both(scratch: &Scratch) -> (PathBuf, PathBuf) {
    let (ours, stock) = (scratch.path("ours.fossil"), scratch.path("stock.fossil"));
    let new = NewRepo {
        project_code: ProjectCode::from_random([7; 20]),
        server_code: ServerCode::from_random([9; 20]),
        project_name: None,
        admin: "alice".into(),
        admin_password: "secret".into(),
        now: Timestamp(1_767_225_600_000),
    };
    let db = rusqlite::Connection::open(&ours).expect("a new file");
    drop(Repo::create(db, &new).expect("an empty database becomes a repository"));
    scratch.fossil(&[
        "init",
        "--admin-user",
        "alice",
        stock.to_str().expect("a plain path"),
    ]);
    (ours, stock)
}

/// Tables that releases from 2.26 on make without row numbers; both forms are good for every release.
const EITHER_FORM: &str = "'concealed', 'config', 'shun'";

#[test]
fn the_tables_are_those_of_fossil_init() {
    let scratch = Scratch::new();
    let (ours, stock) = both(&scratch);
    let schema = format!(
        "SELECT type || ' ' || name || ' ' || replace(replace(replace(lower(coalesce(sql, '')),
                         ' ', ''), char(10), ''), '\"', '')
           FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' AND tbl_name NOT IN ({EITHER_FORM}) ORDER BY 1"
    );
    assert_eq!(oracle::column(&ours, &schema), oracle::column(&stock, &schema));
    let columns = format!(
        "SELECT t.name || '.' || c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
          WHERE t.name IN ({EITHER_FORM}) ORDER BY t.name, c.cid"
    );
    assert_eq!(oracle::column(&ours, &columns), oracle::column(&stock, &columns));
    let kind = "SELECT application_id FROM pragma_application_id";
    assert_eq!(oracle::number(&ours, kind), oracle::number(&stock, kind));
}

#[test]
fn the_first_rows_are_those_of_fossil_init() {
    let scratch = Scratch::new();
    let (ours, stock) = both(&scratch);
    for rows in [
        "SELECT tagid || ' ' || tagname FROM tag WHERE tagname NOT LIKE 'sym-%' ORDER BY tagid",
        // From 2.22 on `anonymous` may do less in the web pages: hz.
        "SELECT login || ' ' || iif(cap = 'hz', 'hmnc', cap) || ' ' || info || ' ' || jx FROM user
           WHERE login <> 'alice' ORDER BY login",
        "SELECT quote(title) || quote(mtime) || quote(cols) || quote(sqlcode) || quote(jx) FROM reportfmt",
        "SELECT name || ' ' || value FROM config WHERE name IN ('hash-policy', 'content-schema', 'aux-schema')
           ORDER BY name",
    ] {
        assert_eq!(
            oracle::column(&ours, rows),
            oracle::column(&stock, rows),
            "{rows}"
        );
    }
    let settings = "SELECT name || ' ' || value FROM config WHERE name IN
        ('autosync', 'localauth', 'timeline-plaintext') ORDER BY name";
    let ours = oracle::column(&ours, settings);
    assert_eq!(ours, ["autosync 1", "localauth 0", "timeline-plaintext 1"]);
    // From 2.26 on they are left to their defaults.
    let theirs = oracle::column(&stock, settings);
    assert!(theirs.is_empty() || theirs == ours, "{theirs:?}");
}

#[test]
fn stock_logs_in_with_the_password_that_a_new_repository_keeps() {
    let scratch = Scratch::new();
    let (ours, _) = both(&scratch);
    let server = leaf_tests::stock::StockServer::start(&scratch, &ours);
    let clone = scratch.path("clone.fossil");
    let clone = clone.to_str().expect("a plain path");
    scratch.fossil(&["clone", "--no-open", &server.url_as("alice", "secret"), clone]);
    let said = scratch
        .fossil(&["sync", "-R", clone, &server.url_as("alice", "secret"), "--once"])
        .text();
    assert!(!said.contains("login failed"), "{said}");
    let wrong = scratch
        .fossil_any(&["sync", "-R", clone, &server.url_as("alice", "wrong"), "--once"])
        .text();
    assert!(wrong.contains("login failed"), "{wrong}");
}
