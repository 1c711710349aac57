//! The built program `leaf`: where it is, running it, and its server.

use crate::scratch::{Said, Scratch};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The program under test: `$LEAF_BIN`, or the one beside the tests, built first if need be.
pub fn leaf_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("LEAF_BIN") {
        Some(given) => PathBuf::from(given),
        None => build(),
    })
}

/// Builds `leaf` in the profile of this test and returns its path. Quick when it is up to date.
fn build() -> PathBuf {
    let this = std::env::current_exe().expect("the path of the test");
    let profile = this
        .parent()
        .and_then(Path::parent)
        .expect("tests live in target/PROFILE/deps");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is in the workspace");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(root)
        .args(["build", "--quiet", "-p", "leaf-native", "--bin", "leaf"]);
    // What cargo tells this test about itself would make build scripts that look at it run again, and half of the
    // program with them, at each change between this and a build by hand.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_") {
            cargo.env_remove(&*name);
        }
    }
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(
        cargo.status().expect("cargo runs").success(),
        "leaf does not build"
    );
    profile.join("leaf")
}

impl Scratch {
    /// `leaf` in this folder, to be given arguments.
    pub fn leaf_command(&self) -> Command {
        let mut command = self.command(leaf_program());
        command.env_remove("RUST_LOG").env("NO_COLOR", "1");
        command
    }

    /// Runs `leaf` with `args`; it must end well.
    #[track_caller]
    pub fn leaf(&self, args: &[&str]) -> Said {
        self.leaf_any(args).well()
    }

    /// Runs `leaf` with `args`, however it ends.
    pub fn leaf_any(&self, args: &[&str]) -> Said {
        let mut command = self.leaf_command();
        command.args(args);
        self.run(command)
    }
}

/// `leaf serve` on a loopback port of its own; killed when dropped.
#[derive(Debug)]
pub struct LeafServer {
    child: Child,
    address: String,
    /// All that it is bound to, in the order of its options.
    addresses: Vec<String>,
    /// Where its NATS broker is bound to.
    nats: Vec<String>,
    /// Where leaf nodes join it.
    nats_leafnodes: Vec<String>,
    /// Where it is called by key, and where its relay is; empty when it is not.
    by_key: [String; 2],
}

impl LeafServer {
    /// Serves `target`, a repository or a folder of repositories, and returns once it listens.
    pub fn start(scratch: &Scratch, target: &Path) -> Self {
        Self::start_with(scratch, target, &[])
    }

    /// The same with more arguments.
    pub fn start_with(scratch: &Scratch, target: &Path, args: &[&str]) -> Self {
        let ready = tempfile::Builder::new()
            .prefix("ready-")
            .tempdir_in(scratch.root())
            .expect("a folder");
        let ready_file = ready.path().join("ready.json");
        let mut command = scratch.leaf_command();
        command
            .arg("serve")
            .arg(target)
            .args(["--http", "127.0.0.1:0", "--ready-file"])
            .arg(&ready_file)
            .args(args);
        let log = std::fs::File::create(scratch.path("serve.log")).expect("a log file");
        command.stdout(Stdio::null()).stderr(log);
        let mut child = command.spawn().expect("the built leaf runs");
        let patience = Instant::now() + Duration::from_secs(30);
        let ([addresses, nats, nats_leafnodes], by_key) = loop {
            let ready = std::fs::read_to_string(&ready_file).ok();
            if let Some(bound) = ready.as_deref().and_then(bound_addresses) {
                break (bound, ready.as_deref().map(keys).unwrap_or_default());
            }
            let ended = child.try_wait().expect("our own child");
            if ended.is_some() || Instant::now() > patience {
                drop(child.kill());
                let said = std::fs::read_to_string(scratch.path("serve.log")).unwrap_or_default();
                panic!("leaf serve is not ready ({ended:?}):\n{said}");
            }
            sleep(Duration::from_millis(5));
        };
        let address = addresses.first().expect("a bound address").clone();
        Self {
            child,
            address,
            addresses,
            nats,
            nats_leafnodes,
            by_key,
        }
    }

    /// `iroh://ID?addr=..`: where it is called by key.
    pub fn by_key(&self) -> &str {
        &self.by_key[0]
    }

    /// `http://127.0.0.1:PORT/`: how its relay is called, the first of its names.
    pub fn relay(&self) -> &str {
        &self.by_key[1]
    }

    /// What it is bound to, in the order of its options: the loopback port of its own first.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Where clients of its NATS broker connect, in the order of its settings.
    pub fn nats(&self) -> &[String] {
        &self.nats
    }

    /// Where leaf nodes join its NATS broker, in the order of its settings.
    pub fn nats_leafnodes(&self) -> &[String] {
        &self.nats_leafnodes
    }

    /// `http://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The same with a login in it.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        format!("http://{user}:{password}@{}/", self.address)
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// The process, for measuring.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end (SIGTERM) and waits; the exit code tells whether it drained.
    pub fn stop(self) -> Option<i32> {
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .expect("kill runs");
        assert!(asked.success(), "the server is gone already");
        self.wait()
    }

    /// Ends it without asking (SIGKILL).
    pub fn kill(&mut self) {
        // It may be gone already; either way nothing is left of it after `wait`.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Waits until it ends of itself; its exit code.
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("our own child").code()
    }
}

impl Drop for LeafServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where the ready file says that it is called by key, and where its relay is.
fn keys(ready: &str) -> [String; 2] {
    let ready: serde_json::Value = serde_json::from_str(ready).unwrap_or_default();
    [&ready["iroh"], &ready["relay"][0]].map(|place| place.as_str().unwrap_or_default().to_owned())
}

/// The addresses in the ready file, of HTTP, of NATS and of its leaf nodes, once it is written in full.
fn bound_addresses(ready: &str) -> Option<[Vec<String>; 3]> {
    let ready: serde_json::Value = serde_json::from_str(ready).ok()?;
    let addresses = |name: &str| -> Option<Vec<String>> {
        let addresses = ready[name].as_array()?.iter();
        addresses
            .map(|address| address.as_str().map(str::to_owned))
            .collect()
    };
    Some([
        addresses("http")?,
        addresses("nats")?,
        addresses("nats_leafnodes")?,
    ])
}
