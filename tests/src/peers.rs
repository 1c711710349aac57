//! A leaf that is called by key, and one that calls: each in a home of its own, with a key of its own.

use crate::leaf::LeafServer;
use crate::oracle::{assert_same_artifacts, assert_sound};
use crate::scene::{USERS, small};
use crate::scratch::Scratch;
use crate::wire::exchange;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long something that has to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A leaf that serves one repository, which grants nobody anything.
#[derive(Debug)]
pub struct Host {
    /// What answers.
    pub server: LeafServer,
    /// The repository.
    pub file: PathBuf,
    /// Its folder and its home.
    pub scratch: Scratch,
}

impl Host {
    /// Serves the small repository on loopback.
    pub fn start() -> Self {
        Self::start_with(&["--iroh=127.0.0.1:0"])
    }

    /// Serves it as `args` say.
    pub fn start_with(args: &[&str]) -> Self {
        Self::start_in(Scratch::new(), args)
    }

    /// The same, in a folder of its own, which may be on another host of the network.
    pub fn start_in(scratch: Scratch, args: &[&str]) -> Self {
        let file = closed(&scratch);
        Self::serve(scratch, file, args)
    }

    /// Serves `file`, which is in that folder.
    pub fn serve(scratch: Scratch, file: PathBuf, args: &[&str]) -> Self {
        let server = LeafServer::start_with(&scratch, &file, args);
        Self {
            server,
            file,
            scratch,
        }
    }

    /// Puts a leaf on the list.
    pub fn allow(&self, guest: &Guest, capabilities: &str) {
        self.allow_key(&guest.id(), capabilities);
    }

    /// Puts a key on the list.
    pub fn allow_key(&self, id: &str, capabilities: &str) {
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

    /// How it stands with a peer, as `leaf peers list` knows it; `null` before anything is known.
    ///
    /// # Panics
    ///
    /// When it is not on the list.
    pub fn state_of(&self, id: &str) -> Value {
        let list = ["peers", "list", "--json", "-R", plain(&self.file)];
        let list: Value = serde_json::from_str(&self.scratch.leaf(&list).stdout).expect("JSON");
        let peers = list.as_array().expect("a list").iter();
        let mut peers = peers.filter(|peer| peer["id"] == id);
        peers.next().expect("on the list")["state"].clone()
    }

    /// What the server answers to a page of its own.
    ///
    /// # Panics
    ///
    /// When that is no success.
    pub fn get(&self, path: &str) -> String {
        let address = self.server.address();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let reply = exchange(&address, request.as_bytes()).expect("an answer");
        assert_eq!(reply.status, 200, "{}", reply.header);
        String::from_utf8(reply.body).expect("text")
    }

    /// A ticket.
    pub fn invite(&self, args: &[&str]) -> String {
        let ticket = ["invite", plain(&self.file), "--quiet"];
        let said = self.scratch.leaf(&[ticket.as_slice(), args].concat());
        said.stdout.trim().to_owned()
    }

    /// Starts it again where it was.
    pub fn start_again(&mut self, args: &[&str]) {
        self.server = LeafServer::start_with(&self.scratch, &self.file, args);
    }

    /// What it has said since it was started last.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path("serve.log")).unwrap_or_default()
    }

    /// Waits until the log says `what`.
    #[track_caller]
    pub fn says(&self, what: &str) {
        wait_until(what, || self.log().contains(what));
    }
}

/// The small repository, which grants nobody anything.
pub fn closed(scratch: &Scratch) -> PathBuf {
    let file = small(scratch, "served.fossil");
    for user in ["nobody", "anonymous"] {
        scratch.fossil(&["user", "capabilities", user, "", "-R", plain(&file)]);
    }
    file
}

/// A leaf that calls.
#[derive(Debug)]
pub struct Guest {
    /// Its folder and its home.
    pub scratch: Scratch,
}

impl Default for Guest {
    fn default() -> Self {
        Self::new()
    }
}

impl Guest {
    /// One on this machine.
    pub fn new() -> Self {
        Self {
            scratch: Scratch::new(),
        }
    }

    /// One in the network namespace `host`.
    pub fn on(host: &str) -> Self {
        Self {
            scratch: Scratch::on(host),
        }
    }

    /// Its key, as others know it.
    pub fn id(&self) -> String {
        self.scratch.leaf(&["id"]).stdout.trim().to_owned()
    }

    /// What it makes.
    pub fn file(&self) -> PathBuf {
        self.scratch.path("clone.fossil")
    }

    /// Clones, and has stock look at what came.
    #[track_caller]
    pub fn clones(&self, url: &str, served: &Path, args: &[&str]) {
        let clone = ["clone", url, "clone.fossil", "--user", USERS[0].0];
        self.scratch.leaf(&[clone.as_slice(), args].concat());
        assert_same_artifacts(served, &self.file());
        assert_sound(&self.scratch, &self.file());
    }

    /// Syncs with where it was cloned from.
    #[track_caller]
    pub fn syncs(&self, args: &[&str]) -> String {
        let sync = ["sync", "-R", "clone.fossil"];
        self.scratch.leaf(&[sync.as_slice(), args].concat()).text()
    }
}

/// Commits `note.txt` with `message` in it.
pub fn commit(scratch: &Scratch, file: &Path, message: &str) {
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

/// A path as an argument.
pub fn plain(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Waits until something is so, and fails when it does not become so.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "in vain: {what}");
        sleep(Duration::from_millis(20));
    }
}
