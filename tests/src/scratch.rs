//! A folder of one test with a HOME of its own, and programs run in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A temporary folder that also is the home of every program run in it. Gone when dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    /// The network namespace of those programs; absent: that of the test.
    host: Option<String>,
}

/// What a program said and how it ended.
#[derive(Clone, Debug)]
pub struct Said {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output, lossy.
    pub stdout: String,
    /// Standard error, lossy.
    pub stderr: String,
}

impl Said {
    /// Both outputs, standard output first.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Hands itself back if the program ended well, else fails the test with all that it said.
    #[track_caller]
    #[allow(clippy::must_use_candidate)] // asking is the point; the text often is not
    #[allow(clippy::return_self_not_must_use)]
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{} failed:\n{}", self.command, self.text());
        self
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// Makes the folder and its home.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("leaf-test-")
            .tempdir()
            .expect("a temporary folder");
        std::fs::create_dir(folder.path().join("home")).expect("a new folder");
        Self { folder, host: None }
    }

    /// The same, for programs that run in the network namespace `host`.
    pub fn on(host: &str) -> Self {
        let mut scratch = Self::new();
        scratch.host = Some(host.to_owned());
        scratch
    }

    /// The path of `name` in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A command with this home, `alice` as user, no proxy, nothing on standard input.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match &self.host {
            None => Command::new(program),
            Some(host) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", host]).arg(program);
                command
            }
        };
        command
            .current_dir(self.folder.path())
            .env("HOME", self.path("home"))
            .env("USER", "alice")
            .env_remove("FOSSIL_USER")
            .env_remove("FOSSIL_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("http_proxy")
            .env_remove("https_proxy")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        command
    }

    /// Runs `command` to its end.
    pub fn run(&self, mut command: Command) -> Said {
        let shown = shown(&command);
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .output()
            .unwrap_or_else(|error| panic!("cannot run {shown}: {error}"));
        Said {
            command: shown,
            code: status.code(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }
}

/// The command line as one would type it, nearly.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
