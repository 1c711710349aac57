//! Stock Fossil: the program `fossil` as client, as server and as judge.
//!
//! It is the first `fossil` on the path, Debian's 2.21 as a rule. Another release is tried by putting its folder
//! first: `PATH=/folder/of/it:$PATH cargo test -p leaf-tests --test interop`. Held to 2.21 and
//! 2.28. What is to become 2.29 differs in one derived table: an attachment that comes before its wiki page has
//! an event of type `a` there, so two tests of `derived` fail with it.

use crate::scratch::{Said, Scratch};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

impl Scratch {
    /// `fossil` in this folder, to be given arguments.
    pub fn fossil_command(&self) -> Command {
        self.command("fossil")
    }

    /// Runs `fossil` with `args`; it must end well. A missing program fails the test, it never skips it.
    #[track_caller]
    pub fn fossil(&self, args: &[&str]) -> Said {
        self.fossil_any(args).well()
    }

    /// Runs `fossil` with `args`, however it ends. Stock ends with 0 after some failures: look at the text.
    pub fn fossil_any(&self, args: &[&str]) -> Said {
        let mut command = self.fossil_command();
        command.args(args);
        self.run(command)
    }

    /// Runs `fossil` with `args` in the checkout `folder` as `user`; it must end well.
    #[track_caller]
    pub fn fossil_in(&self, folder: &Path, user: &str, args: &[&str]) -> Said {
        let mut command = self.fossil_command();
        command.current_dir(folder).env("USER", user).args(args);
        self.run(command).well()
    }
}

/// `fossil server` on a loopback port of its own; killed when dropped.
#[derive(Debug)]
pub struct StockServer {
    child: Child,
    port: u16,
}

impl StockServer {
    /// Serves `target`, a repository or a folder of repositories, and returns once it listens.
    pub fn start(scratch: &Scratch, target: &Path) -> Self {
        for _ in 0..20 {
            let port = free_port();
            let mut command = scratch.fossil_command();
            command.args(["server", "--localhost", "--nojail", "--port", &port.to_string()]);
            if target.is_dir() {
                command.arg("--repolist");
            }
            command.arg(target).stdout(Stdio::null()).stderr(Stdio::null());
            let child = command.spawn().expect("the program fossil (apt install fossil)");
            let mut server = Self { child, port };
            if server.listens() {
                return server;
            }
        }
        panic!("fossil server did not get a port in 20 attempts");
    }

    /// `http://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// The same with a login in it.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        format!("http://{user}:{password}@127.0.0.1:{}/", self.port)
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The process, for measuring.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn listens(&mut self) -> bool {
        let patience = Instant::now() + Duration::from_secs(20);
        while Instant::now() < patience {
            if self.child.try_wait().expect("our own child").is_some() {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for StockServer {
    fn drop(&mut self) {
        // It may be gone already; either way nothing is left of it after `wait`.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A port that was free a moment ago: stock cannot choose one itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
    listener.local_addr().expect("bound").port()
}
