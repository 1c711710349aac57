//! The judges: what is in a file, what stock Fossil thinks of it, and what a stock rebuild would make of it.

use crate::scratch::Scratch;
use rusqlite::{Connection, OpenFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Opens `file` to be read. Not read-only: what a killed program left half done is rolled back by whoever opens next.
pub fn open(file: &Path) -> Connection {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    db.busy_timeout(std::time::Duration::from_secs(20))
        .expect("a timeout");
    db
}

/// The first column of every row of `sql` as text.
pub fn column(file: &Path, sql: &str) -> Vec<String> {
    rows(&open(file), sql)
        .unwrap_or_default()
        .into_iter()
        .flat_map(|(row, n)| vec![row; n])
        .collect()
}

/// The one number that `sql` gives.
pub fn number(file: &Path, sql: &str) -> i64 {
    open(file)
        .query_row(sql, [], |row| row.get(0))
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Names of all artifacts whose content is there.
pub fn artifacts(file: &Path) -> BTreeSet<String> {
    column(file, "SELECT uuid FROM blob WHERE size>=0")
        .into_iter()
        .collect()
}

/// Names of all artifacts that are there and not private.
pub fn public_artifacts(file: &Path) -> BTreeSet<String> {
    let sql = "SELECT uuid FROM blob WHERE size>=0 AND rid NOT IN (SELECT rid FROM private)";
    column(file, sql).into_iter().collect()
}

/// Name, time and hash of every unversioned file, deleted ones with an empty hash.
pub fn unversioned(file: &Path) -> Vec<String> {
    column(
        file,
        "SELECT name||' '||mtime||' '||coalesce(hash,'') FROM unversioned ORDER BY name",
    )
}

/// Fails unless both files hold the same public artifacts.
#[track_caller]
pub fn assert_same_artifacts(one: &Path, other: &Path) {
    let (a, b) = (public_artifacts(one), public_artifacts(other));
    let lacking: Vec<_> = a.symmetric_difference(&b).take(5).collect();
    let (left, right) = (one.display(), other.display());
    assert!(
        lacking.is_empty(),
        "{left} has {}, {right} has {}; differ in {lacking:?}",
        a.len(),
        b.len()
    );
}

/// Fails unless stock finds every artifact of `file` intact and none missing.
#[track_caller]
pub fn assert_sound(scratch: &Scratch, file: &Path) {
    let file = file.to_str().expect("a plain path");
    let integrity = scratch.fossil_any(&["test-integrity", "-R", file]).text();
    assert!(
        integrity.contains(" 0 errors"),
        "test-integrity of {file}:\n{integrity}"
    );
    let missing = scratch.fossil_any(&["test-missing", "-R", file]).text();
    assert!(
        missing.trim().is_empty() || missing.contains("0 missing"),
        "test-missing of {file}:\n{missing}"
    );
}

/// Derived tables and what of them has to be equal after a stock rebuild.
///
/// Row ids of artifacts are the same before and after; ids of names are not, so names are compared. The time of a
/// cluster's tag is when it was crosslinked: left out.
const DERIVED: [(&str, &str); 12] = [
    (
        "event",
        "SELECT type, round(mtime,6), objid, user, euser, comment, ecomment, bgcolor, brief, round(omtime,6) FROM event",
    ),
    ("plink", "SELECT pid, cid, isprim, round(mtime,6), baseid FROM plink"),
    (
        "mlink",
        "SELECT mid, fid, pmid, pid, f.name, p.name, mperm, isaux FROM mlink JOIN filename f USING(fnid)
         LEFT JOIN filename p ON p.fnid=mlink.pfnid",
    ),
    ("leaf", "SELECT rid FROM leaf"),
    (
        "tagxref",
        "SELECT tagname, tagtype, srcid, origid, value, CASE tagname WHEN 'cluster' THEN NULL ELSE round(mtime,6) END,
         rid FROM tagxref JOIN tag USING(tagid)",
    ),
    ("filename", "SELECT name FROM filename WHERE fnid IN (SELECT fnid FROM mlink)"),
    (
        "backlink",
        "SELECT target, srctype, CASE srctype WHEN 2 THEN (SELECT tagname FROM tag WHERE tagid=srcid) ELSE srcid END,
         round(mtime,6) FROM backlink",
    ),
    ("attachment", "SELECT isLatest, round(mtime,6), src, target, filename, comment, user FROM attachment"),
    ("cherrypick", "SELECT parentid, childid, isExclude FROM cherrypick"),
    ("forumpost", "SELECT fpid, froot, fprev, firt, round(fmtime,6) FROM forumpost"),
    ("phantom", "SELECT rid FROM phantom"),
    ("orphan", "SELECT rid, baseline FROM orphan"),
];

/// What differs between the derived tables of `file` and those of a copy that stock has rebuilt; empty if nothing.
///
/// `file` itself is only read.
pub fn derived_differences(scratch: &Scratch, file: &Path) -> Vec<String> {
    let folder = tempfile::tempdir_in(scratch.root()).expect("a folder");
    let copy = folder.path().join("copy.fossil");
    let copy_name = copy.to_str().expect("a plain path");
    let ours = open(file);
    ours.execute("VACUUM INTO ?1", [copy_name])
        .expect("a copy of the repository");
    scratch.fossil(&["rebuild", copy_name]);
    let theirs = open(&copy);
    let mut queries: Vec<(String, String)> = DERIVED.map(|(t, sql)| (t.to_string(), sql.to_string())).into();
    for table in ["ticket", "ticketchng"] {
        let columns = columns(&theirs, table);
        if !columns.is_empty() {
            queries.push((
                table.to_string(),
                format!("SELECT {} FROM {table}", columns.join(", ")),
            ));
        }
    }
    queries
        .iter()
        .filter_map(|(table, sql)| difference(table, rows(&ours, sql), rows(&theirs, sql)))
        .collect()
}

/// One line about a table, `None` if it is the same on both sides.
fn difference(table: &str, ours: Option<Rows>, theirs: Option<Rows>) -> Option<String> {
    let (ours, theirs) = (ours.unwrap_or_default(), theirs.unwrap_or_default());
    let lacking = |have: &Rows, want: &Rows| -> Vec<String> {
        let short = want.iter().filter(|(row, n)| have.get(*row).unwrap_or(&0) < *n);
        short.map(|(row, _)| row.clone()).collect()
    };
    let (missing, extra) = (lacking(&ours, &theirs), lacking(&theirs, &ours));
    let shown = |rows: &[String]| {
        rows.iter()
            .take(3)
            .map(|row| format!("\n     {row}"))
            .collect::<String>()
    };
    (!missing.is_empty() || !extra.is_empty()).then(|| {
        let (less, more) = (missing.len(), extra.len());
        format!(
            "{table}: {less} rows missing:{}\n  {more} too many:{}",
            shown(&missing),
            shown(&extra)
        )
    })
}

/// Rows as text and how often each occurs.
type Rows = BTreeMap<String, usize>;

/// All rows of `sql`, or `None` where the table does not exist.
fn rows(db: &Connection, sql: &str) -> Option<Rows> {
    let mut statement = match db.prepare(sql) {
        Ok(statement) => statement,
        Err(error) if error.to_string().contains("no such table") => return None,
        Err(error) => panic!("{sql}: {error}"),
    };
    let width = statement.column_count();
    let mut found = Rows::new();
    let mut cursor = statement.query([]).expect("a query");
    while let Some(row) = cursor.next().expect("a row") {
        let cells = (0..width).map(|i| cell(row.get_ref(i).expect("a column")));
        *found.entry(cells.collect::<Vec<_>>().join(" | ")).or_default() += 1;
    }
    Some(found)
}

fn cell(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => "NULL".to_string(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(x) => format!("{x:.6}"),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}

/// Columns of `table` in a stable order, without the surrogate key.
fn columns(db: &Connection, table: &str) -> Vec<String> {
    let mut statement = db
        .prepare(&format!("PRAGMA table_info({table})"))
        .expect("a pragma");
    let names = statement
        .query_map([], |row| row.get::<_, String>(1))
        .expect("columns");
    let mut names: Vec<_> = names
        .map(|name| name.expect("a name"))
        .filter(|name| name != "tkt_id")
        .collect();
    names.sort();
    names
}
