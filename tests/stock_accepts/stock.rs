//! A folder with one repository of ours in it, and the program `fossil` run there.

use leaf_core::id::{ProjectCode, Rid, ServerCode};
use leaf_core::repo::{Author, NewRepo, Repo};
use leaf_core::time::Timestamp;
use leaf_tests::oracle;
use leaf_tests::scratch::Scratch;
use rusqlite::Connection;
use std::path::PathBuf;

/// The folder; gone when dropped.
pub(crate) struct Stock {
    scratch: Scratch,
}

/// 2026-01-01 and `second` seconds.
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
            scratch: Scratch::new(),
        }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    /// Runs `fossil` in the folder and returns what it printed.
    pub(crate) fn fossil(&self, arguments: &[&str]) -> String {
        self.scratch.fossil(arguments).stdout
    }

    /// The same in a folder of the folder.
    pub(crate) fn fossil_in(&self, name: &str, arguments: &[&str]) -> String {
        self.scratch
            .fossil_in(&self.path(name), "alice", arguments)
            .stdout
    }

    /// The text of a file in the folder.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a text")
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
        oracle::assert_sound(&self.scratch, &self.path(name));
        assert_eq!(
            oracle::derived_differences(&self.scratch, &self.path(name)),
            [""; 0]
        );
    }
}
