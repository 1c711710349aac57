//! A leaf that is called by key, and one that calls: each in a home of its own, with a key of its own.

use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::{assert_same_artifacts, assert_sound};
use leaf_tests::scene::{USERS, small};
use leaf_tests::scratch::Scratch;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long something that has to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A leaf that serves one repository, which grants nobody anything.
pub(crate) struct Host {
    pub(crate) server: LeafServer,
    pub(crate) file: PathBuf,
    pub(crate) scratch: Scratch,
}

impl Host {
    /// Serves the small repository on loopback.
    pub(crate) fn start() -> Self {
        Self::start_with(&["--iroh=127.0.0.1:0"])
    }

    pub(crate) fn start_with(args: &[&str]) -> Self {
        let scratch = Scratch::new();
        let file = small(&scratch, "served.fossil");
        for user in ["nobody", "anonymous"] {
            scratch.fossil(&["user", "capabilities", user, "", "-R", plain(&file)]);
        }
        let server = LeafServer::start_with(&scratch, &file, args);
        Self {
            server,
            file,
            scratch,
        }
    }

    /// Puts a leaf on the list.
    pub(crate) fn allow(&self, guest: &Guest, capabilities: &str) {
        self.allow_key(&guest.id(), capabilities);
    }

    /// Puts a key on the list.
    pub(crate) fn allow_key(&self, id: &str, capabilities: &str) {
        let file = plain(&self.file);
        self.scratch.leaf(&[
            "peers",
            "allow",
            id,
            "--cap",
            capabilities,
            "--name",
            "ann",
            "-R",
            file,
        ]);
    }

    /// A ticket.
    pub(crate) fn invite(&self, args: &[&str]) -> String {
        let ticket = ["invite", plain(&self.file), "--quiet"];
        let said = self.scratch.leaf(&[ticket.as_slice(), args].concat());
        said.stdout.trim().to_owned()
    }

    /// Starts it again where it was.
    pub(crate) fn start_again(&mut self, args: &[&str]) {
        self.server = LeafServer::start_with(&self.scratch, &self.file, args);
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path("serve.log")).unwrap_or_default()
    }

    /// Waits until the log says `what`.
    #[track_caller]
    pub(crate) fn says(&self, what: &str) {
        wait_until(what, || self.log().contains(what));
    }
}

/// A leaf that calls.
pub(crate) struct Guest {
    pub(crate) scratch: Scratch,
}

impl Guest {
    pub(crate) fn new() -> Self {
        Self {
            scratch: Scratch::new(),
        }
    }

    pub(crate) fn id(&self) -> String {
        self.scratch.leaf(&["id"]).stdout.trim().to_owned()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.scratch.path("clone.fossil")
    }

    /// Clones, and has stock look at what came.
    #[track_caller]
    pub(crate) fn clones(&self, url: &str, served: &Path, args: &[&str]) {
        let clone = ["clone", url, "clone.fossil", "--user", USERS[0].0];
        self.scratch.leaf(&[clone.as_slice(), args].concat());
        assert_same_artifacts(served, &self.file());
        assert_sound(&self.scratch, &self.file());
    }

    /// Syncs with where it was cloned from.
    #[track_caller]
    pub(crate) fn syncs(&self, args: &[&str]) -> String {
        let sync = ["sync", "-R", "clone.fossil"];
        self.scratch.leaf(&[sync.as_slice(), args].concat()).text()
    }
}

pub(crate) fn commit(scratch: &Scratch, file: &Path, message: &str) {
    let note = scratch.path("note.txt");
    std::fs::write(&note, message).expect("a file");
    let content = format!("note.txt={}", plain(&note));
    scratch.leaf(&[
        "commit",
        "-R",
        plain(file),
        "-m",
        message,
        "--user",
        "alice",
        &content,
    ]);
}

pub(crate) fn plain(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "in vain: {what}");
        sleep(Duration::from_millis(20));
    }
}
