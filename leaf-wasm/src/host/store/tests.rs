//! The storage in a browser's dedicated worker, where alone it is: `tests/browser-suite.sh`.

use super::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// A worker takes the storage of one name; these tests share it, one after another.
pub(crate) const NAME: &str = "suite";

/// The storage, with nothing in it.
async fn empty() -> Store {
    let store = Store::open(NAME).await.expect("a private file system");
    store.remove().expect("nobody has it open");
    store
}

fn text(db: &Connection, sql: &str) -> String {
    db.query_row(sql, [], |row| {
        let value: rusqlite::types::Value = row.get(0)?;
        Ok(match value {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(number) => number.to_string(),
            other => format!("{other:?}"),
        })
    })
    .expect("a value")
}

fn modes(db: &Connection) -> [String; 3] {
    ["journal_mode", "locking_mode", "synchronous"].map(|pragma| text(db, &format!("PRAGMA {pragma}")))
}

/// A table of `rows` rows of a kilobyte each.
fn fill(db: &Connection, rows: u32) {
    db.execute_batch(&format!(
        "CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<{rows})
         INSERT INTO t SELECT randomblob(1000) FROM n"
    ))
    .expect("written");
}

/// The sum of all rows.
fn rows(db: &Connection) -> String {
    text(
        db,
        "SELECT count(*) || ' ' || group_concat(hex(substr(x,1,8))) FROM t",
    )
}

/// The whole frozen file, in pieces of `length` bytes.
fn whole(db: &Connection, length: u32) -> Vec<u8> {
    let size = Store::frozen_size(db).expect("a size");
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < size {
        let piece = Store::read_frozen(db, bytes.len() as u64, length).expect("a piece");
        assert!(!piece.is_empty() && piece.len() <= length as usize);
        bytes.extend(piece);
    }
    assert_eq!(bytes.len() as u64, size);
    bytes
}

#[wasm_bindgen_test]
async fn a_database_is_in_wal_mode_and_a_clone_has_a_rollback_journal() {
    let store = empty().await;
    assert!(!store.exists().expect("read"));
    let db = store.connect().expect("a database");
    let full = ["wal", "exclusive", "2"].map(str::to_owned);
    assert_eq!(modes(&db), full, "every commit is flushed");
    fill(&db, 10);
    Store::relax(&db).expect("relaxed");
    assert_eq!(modes(&db), ["truncate", "exclusive", "1"].map(str::to_owned));
    drop(db);
    assert!(store.exists().expect("read"));
    assert_eq!(
        modes(&store.connect().expect("opened")),
        full,
        "as before the clone"
    );
}

#[wasm_bindgen_test]
async fn what_was_committed_is_there_when_it_is_opened_again_and_the_rest_is_not() {
    let store = empty().await;
    let db = store.connect().expect("a database");
    fill(&db, 300);
    let written = rows(&db);
    db.execute_batch("BEGIN; DELETE FROM t; CREATE TABLE u(y)")
        .expect("written");
    drop(db);
    // As another worker would.
    let db = Store::open(NAME)
        .await
        .expect("the same storage")
        .connect()
        .expect("opened");
    assert_eq!(rows(&db), written);
    assert_eq!(text(&db, "PRAGMA integrity_check"), "ok");
    assert_eq!(
        text(&db, "SELECT count(*) FROM sqlite_schema"),
        "1",
        "what was not committed is not there"
    );
}

#[wasm_bindgen_test]
async fn a_frozen_file_stays_as_it_is_and_is_the_database() {
    let store = empty().await;
    let db = store.connect().expect("a database");
    fill(&db, 200);
    let written = rows(&db);
    Store::freeze(&db).expect("frozen");
    let before = whole(&db, 4_000);
    assert_eq!(before.get(..15), Some(&b"SQLite format 3"[..]));
    let size = text(
        &db,
        "SELECT page_count*page_size FROM pragma_page_count, pragma_page_size",
    );
    assert_eq!(before.len().to_string(), size);
    // More than the WAL takes before it is put where it belongs.
    db.execute_batch(
        "INSERT INTO t SELECT randomblob(50000) FROM t; INSERT INTO t SELECT randomblob(1000) FROM t",
    )
    .expect("written");
    assert_eq!(whole(&db, 1 << 20), before, "others write on");
    assert!(
        Store::read_frozen(&db, before.len() as u64, 10)
            .expect("read")
            .is_empty()
    );
    Store::thaw(&db).expect("thawed");
    let now = rows(&db);
    drop(db);
    let db = store.connect().expect("opened");
    assert_eq!(rows(&db), now, "nothing that was written meanwhile is lost");
    drop(db);

    store.remove().expect("closed");
    let mut import = store.import(before.len() as u64).expect("begun");
    for piece in before.chunks(7_777) {
        Store::import_more(&mut import, piece).expect("taken");
    }
    Store::import_end(import).expect("ended");
    let db = store.connect().expect("opened");
    assert_eq!(rows(&db), written, "the copy is the database as it was frozen");
}

#[wasm_bindgen_test]
async fn an_import_of_what_is_no_database_or_not_as_long_as_was_said_is_refused() {
    let store = empty().await;
    let refusal = |bytes: &[u8], size: u64| {
        let taken = store.import(size).and_then(|mut import| {
            for piece in bytes.chunks(1_000) {
                Store::import_more(&mut import, piece)?;
            }
            Store::import_end(import)
        });
        taken.expect_err("refused").0.code
    };
    let odd = b"This is no database. ".repeat(400);
    assert!(refusal(&odd, odd.len() as u64) == Code::Refused);
    assert!(!store.exists().expect("read"), "and leaves nothing");

    let db = store.connect().expect("a database");
    fill(&db, 20);
    Store::freeze(&db).expect("frozen");
    let good = whole(&db, 1 << 20);
    drop(db);
    store.remove().expect("closed");
    assert!(
        refusal(&good, good.len() as u64 + 4096) == Code::Refused,
        "too little came"
    );
    assert!(
        refusal(&good, good.len() as u64 - 4096) == Code::Refused,
        "too much came"
    );
    assert!(!store.exists().expect("read"));
}
