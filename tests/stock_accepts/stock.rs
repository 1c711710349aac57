//! A folder with one repository of ours in it, and the program `fossil` run there.

use leaf_core::id::{ProjectCode, Rid, ServerCode};
use leaf_core::repo::{Author, NewRepo, Repo};
use leaf_core::time::Timestamp;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The folder; gone when dropped.
pub(crate) struct Stock {
    folder: TempDir,
}

/// A point in time in seconds, for authors that differ by their times.
pub(crate) fn at(second: i64) -> Author {
    Author {
        user: "alice".to_owned(),
        date: Timestamp(1_767_225_600_000 + second * 1000),
    }
}

impl Stock {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `fossil` in the folder and returns what it printed.
    pub(crate) fn fossil(&self, arguments: &[&str]) -> String {
        self.fossil_in("", arguments)
    }

    /// The same in a folder of the folder.
    pub(crate) fn fossil_in(&self, name: &str, arguments: &[&str]) -> String {
        let mut command = Command::new("fossil");
        command
            .args(arguments)
            .current_dir(self.path(name))
            .env("HOME", self.folder.path());
        let output = command.env("USER", "alice").output().expect("fossil runs");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "fossil {arguments:?}: {stdout}{stderr}");
        stdout
    }

    /// A new repository of ours, `ours.fossil`, with its initial check-in.
    pub(crate) fn create(&self) -> (Repo, Rid) {
        let db = Connection::open(self.path("ours.fossil")).expect("a file");
        let new = NewRepo {
            project_code: ProjectCode::from_random([1; 20]),
            server_code: ServerCode::from_random([2; 20]),
            project_name: Some("Ours".to_owned()),
            admin: "alice".to_owned(),
            admin_password: "secret".to_owned(),
            now: at(0).date,
        };
        let mut repo = Repo::create(db, &new).expect("created");
        let (rid, _) = repo
            .write(|tx| tx.initial_checkin(&at(0)))
            .expect("initial check-in");
        (repo, rid)
    }

    /// Opens a repository in the folder with our code.
    pub(crate) fn open(&self, name: &str) -> Repo {
        Repo::open(Connection::open(self.path(name)).expect("a file")).expect("a repository")
    }

    /// The check-in that a name stands for, in `theirs.fossil` or else in `ours.fossil`.
    pub(crate) fn whatis(&self, name: &str) -> Option<String> {
        let file = ["theirs.fossil", "ours.fossil"]
            .into_iter()
            .find(|file| self.path(file).exists());
        let told = self.fossil(&["whatis", "--type", "ci", name, "-R", file.expect("a repository")]);
        let hash = told.lines().find_map(|line| line.strip_prefix("artifact:"))?;
        Some(hash.trim().to_owned())
    }

    /// Fails unless stock finds the repository sound and rebuilds the same derived tables.
    pub(crate) fn accepts(&self, name: &str) {
        let told = self.fossil(&["test-integrity", "-R", name]);
        assert!(told.contains(" 0 errors"), "{told}");
        let missing = self.fossil(&["test-missing", "-R", name]);
        assert!(missing.starts_with("0 missing"), "{missing}");
        std::fs::copy(self.path(name), self.path("rebuilt.fossil")).expect("copied");
        self.fossil(&["rebuild", "rebuilt.fossil"]);
        for (table, query) in DERIVED {
            let (ours, stock) = (self.rows(name, query), self.rows("rebuilt.fossil", query));
            assert_eq!(
                ours, stock,
                "table {table}: ours left, after a stock rebuild right"
            );
        }
    }

    fn rows(&self, name: &str, query: &str) -> Vec<String> {
        let db = Connection::open(self.path(name)).expect("a file");
        let Ok(mut statement) = db.prepare(query) else {
            return Vec::new();
        };
        let columns = statement.column_count();
        let row_text = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
            let cell = |at| {
                row.get::<_, rusqlite::types::Value>(at)
                    .map(|value| format!("{value:?}"))
            };
            Ok((0..columns).map(cell).collect::<Result<Vec<_>, _>>()?.join(" | "))
        };
        let mut rows: Vec<_> = statement
            .query_map([], row_text)
            .expect("query")
            .map(|row| row.expect("row"))
            .collect();
        rows.sort();
        rows
    }
}

/// The derived tables, with names in place of the ids that a rebuild numbers anew, and times to a tenth of a
/// second: stock writes them with 16 digits and so rounds the last of 17.
const DERIVED: [(&str, &str); 13] = [
    (
        "event",
        "SELECT type, round(mtime, 6), objid, user, euser, comment, ecomment, bgcolor, brief, round(omtime, 6) FROM event",
    ),
    (
        "plink",
        "SELECT pid, cid, isprim, round(mtime, 6), baseid FROM plink",
    ),
    (
        "mlink",
        "SELECT mid, fid, pmid, pid, f.name, p.name, mperm, isaux FROM mlink JOIN filename f USING(fnid)
           LEFT JOIN filename p ON p.fnid=mlink.pfnid",
    ),
    ("leaf", "SELECT rid FROM leaf"),
    (
        "tagxref",
        "SELECT tagname, tagtype, srcid, origid, value, round(mtime, 6), rid FROM tagxref JOIN tag USING(tagid)",
    ),
    (
        "backlink",
        "SELECT target, srctype, srcid, round(mtime, 6) FROM backlink",
    ),
    (
        "attachment",
        "SELECT isLatest, round(mtime, 6), src, target, filename, comment, user FROM attachment",
    ),
    (
        "cherrypick",
        "SELECT parentid, childid, isExclude FROM cherrypick",
    ),
    (
        "forumpost",
        "SELECT fpid, froot, fprev, firt, round(fmtime, 6) FROM forumpost",
    ),
    ("phantom", "SELECT rid FROM phantom"),
    (
        "ticket",
        "SELECT tkt_uuid, round(tkt_mtime, 6), round(tkt_ctime, 6), type, status, title, comment, private_contact FROM ticket",
    ),
    (
        "ticketchng",
        "SELECT tkt_rid, round(tkt_mtime, 6), tkt_user, login, username, mimetype, icomment FROM ticketchng",
    ),
    ("unclustered", "SELECT rid FROM unclustered"),
];

/// The content of a file.
pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a file")
}
