//! A small repository with users to start from, and edits of every kind made by stock Fossil.

use crate::scratch::Scratch;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Users of [`small`]: login, password, capabilities.
pub const USERS: [(&str, &str, &str); 4] = [
    ("alice", "alice-pw", "sxyae"),
    ("bob", "bob-pw", "vgioxyhjkcrwnftep"),
    ("carol", "carol-pw", "gohr"),
    ("dave", "dave-pw", "h"),
];

/// A fresh copy, called `name`, of a repository that stock made: 12 check-ins, a branch, wiki, ticket, technote.
pub fn small(scratch: &Scratch, name: &str) -> PathBuf {
    static MADE: OnceLock<(Scratch, PathBuf)> = OnceLock::new();
    let (_, made) = MADE.get_or_init(|| {
        let scratch = Scratch::new();
        let file = make(&scratch);
        (scratch, file)
    });
    let file = scratch.path(name);
    std::fs::copy(made, &file).expect("a copy");
    file
}

/// An empty repository of stock with the same users.
pub fn empty(scratch: &Scratch, name: &str) -> PathBuf {
    let file = scratch.path(name);
    let shown = file.to_str().expect("a plain path");
    scratch.fossil(&["init", shown, "--admin-user", "alice"]);
    for (login, password, capabilities) in USERS {
        if login != "alice" {
            scratch.fossil(&["user", "new", login, login, password, "-R", shown]);
        }
        scratch.fossil(&["user", "password", login, password, "-R", shown]);
        scratch.fossil(&["user", "capabilities", login, capabilities, "-R", shown]);
    }
    file
}

fn make(scratch: &Scratch) -> PathBuf {
    let file = empty(scratch, "small.fossil");
    let checkout = Checkout::open(scratch, &file, "alice");
    for i in 0..10 {
        let line = format!("line of check-in {i}\n").repeat(40 + i);
        checkout.commit(
            &format!("f{}.txt", i % 4),
            line.as_bytes(),
            &format!("Check-in {i}"),
            &[],
        );
    }
    checkout.commit("b.txt", b"on a branch\n", "Begin a branch", &["--branch", "side"]);
    checkout.fossil(&["update", "trunk"]);
    checkout.wiki("Home", "The first page.\n");
    checkout.ticket("The first ticket");
    checkout.technote("The first technote\n");
    file
}

/// A checkout of stock Fossil, for one user, without autosync.
#[derive(Debug)]
pub struct Checkout<'s> {
    scratch: &'s Scratch,
    folder: tempfile::TempDir,
    user: String,
}

impl<'s> Checkout<'s> {
    /// `fossil open` of `file` in a new folder.
    #[track_caller]
    pub fn open(scratch: &'s Scratch, file: &Path, user: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("checkout-")
            .tempdir_in(scratch.root())
            .expect("a folder");
        let checkout = Self {
            scratch,
            folder,
            user: user.to_string(),
        };
        checkout.fossil(&["open", "--nosync", file.to_str().expect("a plain path")]);
        checkout.fossil(&["settings", "autosync", "off"]);
        checkout
    }

    /// The folder of the files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `fossil` here; it must end well. Returns all it said.
    #[track_caller]
    pub fn fossil(&self, args: &[&str]) -> String {
        self.scratch
            .fossil_in(self.folder.path(), &self.user, args)
            .text()
    }

    /// Writes `name`, adds it if it is new, commits it.
    #[track_caller]
    pub fn commit(&self, name: &str, content: &[u8], message: &str, options: &[&str]) {
        std::fs::write(self.folder.path().join(name), content).expect("a file");
        self.fossil(&["add", "--force", name]);
        let fixed = [
            "commit",
            "--no-warnings",
            "--nosign",
            "--allow-fork",
            "--hash",
            "-m",
            message,
        ];
        self.fossil(&[&fixed[..], options].concat());
    }

    /// Creates the wiki page, or edits it.
    #[track_caller]
    pub fn wiki(&self, page: &str, text: &str) {
        let input = self.folder.path().join("../page.txt");
        std::fs::write(&input, text).expect("a file");
        let known = self
            .fossil(&["wiki", "list"])
            .lines()
            .any(|line| line.trim() == page);
        self.fossil(&[
            "wiki",
            if known { "commit" } else { "create" },
            page,
            "../page.txt",
        ]);
    }

    /// Opens a ticket.
    #[track_caller]
    pub fn ticket(&self, title: &str) {
        self.fossil(&[
            "ticket",
            "add",
            "title",
            title,
            "type",
            "Code_Defect",
            "status",
            "Open",
        ]);
    }

    /// Writes a technote dated now.
    #[track_caller]
    pub fn technote(&self, text: &str) {
        std::fs::write(self.folder.path().join("../note.txt"), text).expect("a file");
        self.fossil(&["wiki", "create", text.trim(), "../note.txt", "--technote", "now"]);
    }

    /// Stores a forum post as stock's web page would have written it, and crosslinks it by a rebuild.
    #[track_caller]
    pub fn forum_post(&self, title: &str, text: &str) {
        let (heading, user) = (title.replace(' ', "\\s"), &self.user);
        let bytes = text.len();
        let body =
            format!("D 2024-05-05T05:05:05\nH {heading}\nN text/x-markdown\nU {user}\nW {bytes}\n{text}\n");
        let sum = leaf_core::format::hash::md5_hex(body.as_bytes());
        std::fs::write(self.folder.path().join("../post"), format!("{body}Z {sum}\n")).expect("a file");
        self.fossil(&["test-content-put", "../post"]);
        self.fossil(&["rebuild"]);
    }
}
