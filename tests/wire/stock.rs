//! The `fossil` program: repositories, commands, servers.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A home of its own for `fossil`, with one repository in it.
pub(crate) struct Stock {
    home: TempDir,
}

impl Stock {
    /// A new repository `server.fossil` with users `alice` (setup, password `apw`) and `bob` (`bpw`, all that
    /// sync needs), and some check-ins.
    pub(crate) fn new() -> Self {
        let stock = Self {
            home: TempDir::new().expect("a folder for temporary files"),
        };
        stock.run(&["init", "server.fossil"]);
        stock.run(&["user", "password", "alice", "apw", "-R", "server.fossil"]);
        stock.run(&["user", "new", "bob", "Bob", "bpw", "-R", "server.fossil"]);
        stock.run(&["user", "capabilities", "bob", "vxya", "-R", "server.fossil"]);
        stock.run(&["open", "server.fossil", "--workdir", "work"]);
        stock.run_in("work", &["settings", "autosync", "off"]);
        // Commits follow each other within a second: only content tells what changed.
        stock.run_in("work", &["settings", "mtime-changes", "off"]);
        stock
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Commits `content` as `file` in the working copy of the server's repository.
    pub(crate) fn commit(&self, file: &str, content: &str) {
        self.commit_in("work", file, content, &[]);
    }

    pub(crate) fn commit_in(&self, folder: &str, file: &str, content: &str, more: &[&str]) {
        let path = self.path(folder).join(file);
        let new = !path.exists();
        std::fs::write(&path, content).expect("a writable folder");
        if new {
            self.run_in(folder, &["add", file]);
        }
        let command = ["commit", "-m", file, "--no-warnings", "--user-override", "alice"];
        self.run_in(folder, &[&command[..], more].concat());
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.run_in("", arguments)
    }

    /// Runs a command that must succeed; gives what it says.
    pub(crate) fn run_in(&self, folder: &str, arguments: &[&str]) -> String {
        let (good, text) = self.attempt(folder, arguments);
        assert!(good, "fossil {arguments:?}: {text}");
        text
    }

    pub(crate) fn attempt(&self, folder: &str, arguments: &[&str]) -> (bool, String) {
        let output = self.command(&self.path(folder)).args(arguments).output();
        let output = output.expect("the program `fossil` is installed");
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new("fossil");
        command
            .current_dir(folder)
            .env("HOME", self.home.path())
            .env("USER", "alice")
            .stdin(Stdio::null());
        command
    }

    /// One column of a query, a value a line.
    pub(crate) fn query(&self, file: &str, sql: &str) -> Vec<String> {
        let db = rusqlite::Connection::open(self.path(file)).expect("a repository");
        let mut statement = db.prepare(sql).expect("a query");
        let rows = statement
            .query_map([], |row| row.get::<_, rusqlite::types::Value>(0))
            .expect("rows");
        rows.map(|value| match value.expect("a row") {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => format!("{other:?}"),
        })
        .collect()
    }

    pub(crate) fn execute(&self, file: &str, sql: &str) {
        let db = rusqlite::Connection::open(self.path(file)).expect("a repository");
        db.execute_batch(sql).expect("a statement");
    }

    /// The names of all artifacts whose content is there.
    pub(crate) fn artifacts(&self, file: &str) -> Vec<String> {
        self.query(file, "SELECT uuid FROM blob WHERE size >= 0 ORDER BY uuid")
    }

    /// `fossil test-integrity` finds nothing.
    pub(crate) fn assert_sound(&self, file: &str) {
        let text = self.run(&["test-integrity", "-R", file]);
        assert!(text.contains(" 0 errors") || !text.contains("error"), "{text}");
    }

    /// Starts `fossil server` on the repository.
    pub(crate) fn serve(&self) -> StockServer {
        let port = TcpListener::bind("127.0.0.1:0")
            .expect("a free port")
            .local_addr()
            .expect("bound")
            .port();
        let mut command = self.command(self.home.path());
        command.args([
            "server",
            "server.fossil",
            "--localhost",
            "--port",
            &port.to_string(),
        ]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = StockServer {
            port,
            child: child.expect("the program `fossil` is installed"),
        };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "fossil server does not come up"
            );
            std::thread::yield_now();
        }
        server
    }
}

/// A running `fossil server`.
pub(crate) struct StockServer {
    pub(crate) port: u16,
    child: Child,
}

impl Drop for StockServer {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
