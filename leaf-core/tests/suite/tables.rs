//! Synced tables of one repository: what can be defined, put, deleted and kept apart.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::world::{NOW, dump, repo};
use leaf_core::id::ArtifactHash;
use leaf_core::limits::Limits;
use leaf_core::repo::{
    BadTable, Column, ColumnKind, Conflict, OpenTable, Repo, RepoError, RowWriter, Table, TableDef,
    TableValue, Taken, TravelRow,
};
use leaf_core::time::Timestamp;

/// `columns` as `name type`, with `!` behind a key.
pub(crate) fn def(columns: &str, conflict: Conflict) -> TableDef {
    let columns = columns.split(',').map(|text| {
        let (name, kind) = text.trim().split_once(' ').expect("a name and a type");
        Column {
            name: name.to_owned(),
            kind: match kind.trim_end_matches('!') {
                "blob" => ColumnKind::Blob,
                "integer" => ColumnKind::Integer,
                "real" => ColumnKind::Real,
                _ => ColumnKind::Text,
            },
            key: kind.ends_with('!'),
        }
    });
    TableDef {
        columns: columns.collect(),
        conflict,
    }
}

/// A table `notes` of `id` and `text`.
pub(crate) fn notes(repo: &mut Repo, conflict: Conflict) -> Table {
    let def = def("id text!, text text", conflict);
    repo.write(|tx| tx.define_table("notes", &def, NOW))
        .expect("a table")
}

pub(crate) fn put(
    repo: &mut Repo,
    table: &Table,
    id: &str,
    text: &str,
    user: &str,
    now: Timestamp,
) -> Result<(), RepoError> {
    repo.write(|tx| tx.put_row(table, &[id.into(), text.into()], user, now))
}

pub(crate) fn delete(
    repo: &mut Repo,
    table: &Table,
    id: &str,
    user: &str,
    now: Timestamp,
) -> Result<bool, RepoError> {
    repo.write(|tx| tx.delete_row(table, &[id.into(), TableValue::Null], user, now))
}

/// The rows of `notes` as `id=text`.
pub(crate) fn rows(repo: &Repo) -> Vec<String> {
    let Some(table) = repo.table("notes").expect("a sound repository") else {
        return Vec::new();
    };
    let text = |value: &TableValue| match value {
        TableValue::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    let mut rows: Vec<String> = repo
        .table_rows(&table)
        .expect("a sound repository")
        .iter()
        .map(|row| row.values.iter().map(text).collect::<Vec<_>>().join("="))
        .collect();
    rows.sort();
    rows
}

fn later(seconds: i64) -> Timestamp {
    NOW.plus_ms(seconds * 1000)
}

#[test]
fn a_repository_without_tables_holds_none_of_theirs() {
    let mut repo = repo();
    assert!(repo.tables().expect("a sound repository").is_empty());
    assert!(!repo.tables_due().expect("a sound repository"));
    assert!(!dump(&mut repo).contains("_sync_schema"));
}

#[test]
fn rows_are_put_listed_and_deleted() {
    let mut repo = repo();
    let table = notes(&mut repo, Conflict::MtimeWins);
    put(&mut repo, &table, "b", "two", "alice", NOW).expect("a row");
    put(&mut repo, &table, "a", "one", "alice", NOW).expect("a row");
    put(&mut repo, &table, "b", "deux", "alice", NOW).expect("a row");
    assert_eq!(rows(&repo), ["a=one", "b=deux"]);
    assert!(delete(&mut repo, &table, "a", "alice", NOW).expect("a row"));
    assert!(!delete(&mut repo, &table, "a", "alice", NOW).expect("no row"));
    assert!(!delete(&mut repo, &table, "z", "alice", NOW).expect("no row"));
    assert_eq!(rows(&repo), ["b=deux"]);
    assert_eq!(repo.table("notes").expect("a sound repository"), Some(table));
}

#[test]
fn a_row_is_later_than_the_one_before_whatever_the_clock_says() {
    let mut repo = repo();
    let table = notes(&mut repo, Conflict::MtimeWins);
    for (text, now) in [("one", later(10)), ("two", later(10)), ("three", NOW)] {
        put(&mut repo, &table, "a", text, "", now).expect("a row");
    }
    let rows = repo.table_rows(&table).expect("a sound repository");
    assert_eq!(rows[0].mtime, later(12).unix());
    delete(&mut repo, &table, "a", "", NOW).expect("a row");
    let names = repo.row_names(&table).expect("a sound repository");
    assert_eq!((names[0].mtime, names[0].sum), (later(13).unix(), 0));
}

#[test]
fn every_kind_of_value_comes_back_and_nothing_fits_where_it_does_not_belong() {
    let mut repo = repo();
    let def = def(
        "b blob!, i integer!, r real!, t text!, v real",
        Conflict::MtimeWins,
    );
    let table = repo
        .write(|tx| tx.define_table("order", &def, NOW))
        .expect("a word of SQL is a name as any other");
    let good = vec![
        TableValue::Blob(vec![0, 255, 39]),
        TableValue::Integer(i64::MIN),
        TableValue::Real(-0.1),
        TableValue::from("'; DROP TABLE blob; --"),
        TableValue::Real(1e300),
    ];
    let put = |repo: &mut Repo, values: &[TableValue]| repo.write(|tx| tx.put_row(&table, values, "", NOW));
    put(&mut repo, &good).expect("a row");
    let rows = repo.table_rows(&table).expect("a sound repository");
    assert_eq!(rows[0].values, good);
    for (at, bad) in [
        (0, TableValue::Null),
        (0, TableValue::from("text")),
        (1, TableValue::Real(1.0)),
        (2, TableValue::Real(f64::NAN)),
        (3, TableValue::Blob(Vec::new())),
        (4, TableValue::Integer(1)),
        (4, TableValue::Null),
    ] {
        let mut values = good.clone();
        values[at] = bad;
        let error = put(&mut repo, &values).expect_err("not a row");
        assert!(matches!(error, RepoError::Table(BadTable::Row)), "{at}: {error}");
    }
    assert!(put(&mut repo, &good[1..]).is_err());
}

#[test]
fn a_row_travels_as_the_reference_writes_it() {
    let mut repo = repo();
    let def = def("z text!, a integer!, d blob, e real", Conflict::SelfWrite);
    assert_eq!(
        String::from_utf8(def.json()).expect("text"),
        concat!(
            r#"{"columns":[{"name":"z","type":"text","pk":true},{"name":"a","type":"integer","pk":true},"#,
            r#"{"name":"d","type":"blob","pk":false},{"name":"e","type":"real","pk":false}],"conflict":"self-write"}"#
        )
    );
    assert_eq!(TableDef::read(&def.json()), Ok(def.clone()));
    let values = [
        TableValue::from("k"),
        TableValue::Integer(7),
        TableValue::Blob(b"bytes".to_vec()),
        TableValue::Real(2.0),
    ];
    let table = repo
        .write(|tx| {
            let table = tx.define_table("t", &def, NOW)?;
            tx.put_row(&table, &values, "alice", NOW)?;
            Ok::<_, RepoError>(table)
        })
        .expect("a row");
    let names = repo.row_names(&table).expect("a sound repository");
    // By `printf 'a=7\0z=k' | sha1sum`.
    assert_eq!(
        names[0].key.to_string(),
        "c5f273ea59917a39ec3a822d5d0a2600736fcf20"
    );
    let mut travels = Vec::new();
    let is_there = repo.row_to_send(&table, names[0].rowid, &mut |row| {
        travels.push((
            row.key,
            row.mtime,
            String::from_utf8_lossy(row.json).into_owned(),
            row.deleted,
        ));
    });
    assert!(is_there.expect("a sound repository"));
    let json = r#"{"_owner":"alice","a":7,"d":"Ynl0ZXM=","e":2,"z":"k"}"#.to_owned();
    assert_eq!(travels, [(names[0].key, NOW.unix(), json, false)]);
}

#[test]
fn definitions_that_are_none_are_refused_and_nothing_is_made() {
    let mut repo = repo();
    let good = def("id text!, text text", Conflict::MtimeWins);
    let before = dump(&mut repo);
    let long = "a".repeat(65);
    for name in [
        "", "x_notes", "blob", "Notes", "no tes", "1a", "a\"b", "a;drop", "ä", &long,
    ] {
        let error = repo
            .write(|tx| tx.define_table(name, &good, NOW))
            .expect_err("not a name");
        assert!(
            matches!(error, RepoError::Table(BadTable::Name)),
            "{name}: {error}"
        );
    }
    for (columns, bad) in [
        ("id text!, mtime text", BadTable::Name),
        ("id text!, _owner text", BadTable::Name),
        ("id text!, rowid text", BadTable::Name),
        ("id text!, a\"b text", BadTable::Name),
        ("id text!, id text", BadTable::Name),
        ("id text", BadTable::NoKey),
    ] {
        let error = repo
            .write(|tx| tx.define_table("t", &def(columns, Conflict::MtimeWins), NOW))
            .expect_err("not a table");
        assert!(
            matches!(error, RepoError::Table(found) if found == bad),
            "{columns}: {error}"
        );
    }
    for (json, bad) in [
        ("", BadTable::Definition),
        ("{}", BadTable::Definition),
        (r#"{"columns":[]}"#, BadTable::Rule),
        (r#"{"columns":[],"conflict":"last-wins"}"#, BadTable::Rule),
        (
            r#"{"columns":[{"name":"a","type":"int","pk":true}],"conflict":"mtime-wins"}"#,
            BadTable::Definition,
        ),
        (r#"{"columns":[1],"conflict":"mtime-wins"}"#, BadTable::Definition),
        (r#"{"columns":"a","conflict":"mtime-wins"}"#, BadTable::Definition),
    ] {
        assert_eq!(TableDef::read(json.as_bytes()), Err(bad), "{json}");
    }
    assert_eq!(dump(&mut repo), before);
}

#[test]
fn a_definition_may_add_columns_and_nothing_else() {
    let mut repo = repo();
    let old = notes(&mut repo, Conflict::MtimeWins);
    put(&mut repo, &old, "a", "one", "", NOW).expect("a row");
    let more = def("id text!, text text, more integer", Conflict::MtimeWins);
    let new = repo
        .write(|tx| tx.define_table("notes", &more, later(1)))
        .expect("one more column");
    assert_eq!(new.def, more);
    assert_eq!(rows(&repo), ["a=one=Null"]);
    let same = repo
        .write(|tx| tx.define_table("notes", &old.def, later(2)))
        .expect("what is there already");
    assert_eq!(same, new);
    for other in [
        def("id text!, text text, more integer!", Conflict::MtimeWins),
        def("id text!, text blob, more integer", Conflict::MtimeWins),
        def("id text!, text text, more integer", Conflict::SelfWrite),
        def("id text!, other text", Conflict::MtimeWins),
    ] {
        let error = repo
            .write(|tx| tx.define_table("notes", &other, NOW))
            .expect_err("another table");
        assert!(matches!(error, RepoError::Table(BadTable::Differs)), "{error}");
    }
}

#[test]
fn the_hash_is_kept_until_a_row_changes_whoever_changes_it() {
    let mut repo = repo();
    let table = notes(&mut repo, Conflict::MtimeWins);
    put(&mut repo, &table, "a", "one", "", NOW).expect("a row");
    let settle = |repo: &mut Repo| {
        let settled = repo.write(|tx| {
            tx.settle_tables()?;
            Ok::<_, RepoError>(tx.tables_due())
        });
        let due = settled.expect("a sound repository");
        assert!(!due.expect("a sound repository"));
    };
    let changes = [
        "INSERT INTO x_notes VALUES ('b', 'two', 1)",
        "UPDATE x_notes SET mtime = 2 WHERE id = 'b'",
        "DELETE FROM x_notes WHERE id = 'b'",
        "REPLACE INTO x_notes VALUES ('a', 'eins', 3)",
    ];
    let mut before = repo.table_hash(&table).expect("a hash");
    for change in changes {
        settle(&mut repo);
        assert!(!repo.tables_due().expect("a sound repository"));
        assert_eq!(repo.table_hash(&table).expect("a hash"), before);
        repo.connection().execute_batch(change).expect("SQL");
        assert!(repo.tables_due().expect("a sound repository"), "{change}");
        let after = repo.table_hash(&table).expect("a hash");
        assert_ne!(after, before, "{change}");
        before = after;
    }
}

#[test]
fn the_hash_of_the_reference_leaves_deleted_rows_out() {
    let mut repo = repo();
    let table = notes(&mut repo, Conflict::MtimeWins);
    let empty = repo.table_hash(&table).expect("a hash");
    assert_eq!(empty.hash, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    put(&mut repo, &table, "a", "one", "", NOW).expect("a row");
    delete(&mut repo, &table, "a", "", NOW).expect("a row");
    let deleted = repo.table_hash(&table).expect("a hash");
    assert_eq!(deleted.hash, empty.hash);
    assert_ne!(deleted.sum, empty.sum);
}

#[test]
fn a_row_belongs_to_who_wrote_it_first_where_the_rule_says_so() {
    for (conflict, expected) in [
        (Conflict::MtimeWins, [true, true]),
        (Conflict::SelfWrite, [false, true]),
        (Conflict::OwnerWrite, [false, false]),
    ] {
        let mut repo = repo();
        let table = notes(&mut repo, conflict);
        put(&mut repo, &table, "hers", "1", "alice", NOW).expect("a row");
        put(&mut repo, &table, "hers", "2", "alice", NOW).expect("her row");
        put(&mut repo, &table, "free", "1", "", NOW).expect("a row");
        let may = ["hers", "free"].map(|id| put(&mut repo, &table, id, "3", "bob", NOW).is_ok());
        assert_eq!(may, expected, "{conflict:?}");
        let may = delete(&mut repo, &table, "hers", "bob", NOW).is_ok();
        assert_eq!(may, expected[0], "{conflict:?}");
    }
}

#[test]
fn limits_hold_for_tables_columns_rows_and_bytes() {
    let mut repo = repo();
    repo.set_limits(Limits {
        tables_max: 2,
        table_columns_max: 2,
        table_rows_max: 2,
        row_bytes_max: 60,
        ..Limits::default()
    });
    let table = notes(&mut repo, Conflict::MtimeWins);
    let is_limit = |done: Result<(), RepoError>| matches!(done, Err(RepoError::Limit { .. }));
    let mut define = |name: &str, columns: &str| {
        let def = def(columns, Conflict::MtimeWins);
        repo.write(|tx| tx.define_table(name, &def, NOW).map(|_| ()))
    };
    assert!(is_limit(define("other", "a text!, b text, c text")));
    define("other", "a text!, b text").expect("a second table");
    assert!(is_limit(define("third", "a text!, b text")));
    assert!(is_limit(put(&mut repo, &table, "a", &"x".repeat(60), "", NOW)));
    put(&mut repo, &table, "a", "1", "", NOW).expect("a row");
    put(&mut repo, &table, "b", "1", "", NOW).expect("a row");
    assert!(is_limit(put(&mut repo, &table, "c", "1", "", NOW)));
    put(&mut repo, &table, "b", "2", "", NOW).expect("the same row");
}

#[test]
fn a_table_of_keys_alone_keeps_its_rows() {
    let mut repo = repo();
    let def = def("id text!", Conflict::MtimeWins);
    let done = repo.write(|tx| {
        let table = tx.define_table("tags", &def, NOW)?;
        tx.put_row(&table, &["a".into()], "", NOW)?;
        tx.delete_row(&table, &["a".into()], "", NOW)
    });
    assert!(
        matches!(done, Err(RepoError::Table(BadTable::KeysOnly))),
        "{done:?}"
    );
}

#[test]
fn of_two_rows_of_one_second_both_sides_keep_the_same() {
    let texts = ["one", "two", ""];
    let winners: Vec<Vec<String>> = [[0, 1, 2], [2, 1, 0], [1, 2, 0]]
        .iter()
        .map(|order| {
            let mut repo = repo();
            let table = notes(&mut repo, Conflict::MtimeWins);
            let mut held = OpenTable::from(table);
            for at in order {
                let json = format!(r#"{{"id":"a","text":"{}"}}"#, texts[*at]);
                let key = key_of_a();
                let row = TravelRow {
                    key,
                    mtime: 5,
                    json: json.as_bytes(),
                    deleted: false,
                };
                repo.write(|tx| tx.receive_row(&mut held, &row, RowWriter::Server, NOW))
                    .expect("a row");
                let gone = TravelRow {
                    deleted: true,
                    json: br#"{"id":"a"}"#,
                    ..row
                };
                let taken = repo
                    .write(|tx| tx.receive_row(&mut held, &gone, RowWriter::Server, NOW))
                    .expect("a row");
                assert_eq!(taken, Taken::Older, "a deletion is below every row");
            }
            rows(&repo)
        })
        .collect();
    assert_eq!(winners[0].len(), 1);
    assert!(winners.iter().all(|winner| winner == &winners[0]), "{winners:?}");
}

/// By `printf id=a | sha1sum`.
fn key_of_a() -> ArtifactHash {
    ArtifactHash::parse(b"3e45447f193f286160a26c0baf7ae5aeb905c542").expect("a hash")
}

#[test]
fn a_row_of_the_future_is_cut_to_what_is_allowed() {
    let mut repo = repo();
    let table = notes(&mut repo, Conflict::MtimeWins);
    let mut held = OpenTable::from(table.clone());
    let row = TravelRow {
        key: key_of_a(),
        mtime: i64::MAX,
        json: br#"{"id":"a","text":"far"}"#,
        deleted: false,
    };
    repo.write(|tx| tx.receive_row(&mut held, &row, RowWriter::Server, NOW))
        .expect("a row");
    let rows = repo.table_rows(&table).expect("a sound repository");
    assert_eq!(rows[0].mtime, later(300).unix());
}
