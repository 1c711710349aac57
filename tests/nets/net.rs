//! Hosts of a small internet, as `net.sh` makes them: two homes behind routers, and a public host.
//!
//! Source: ip(8), nft(8), tc(8).

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the routers do to the addresses of what goes out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Nat {
    /// The same port for whomever it goes to: both sides can make a hole for each other.
    Easy,
    /// Another random port for each whom it goes to: nobody can tell which.
    Hard,
}

/// Hosts of a network.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum At {
    Public,
    HomeA,
    HomeB,
    RouterA,
    RouterB,
}

/// A network; gone when dropped.
#[derive(Debug)]
pub(crate) struct Net {
    prefix: String,
}

/// Bytes that came in and went out by an interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    pub(crate) received: u64,
    pub(crate) sent: u64,
}

impl Net {
    /// Builds it. A machine that does not let us fails the test, it never skips it.
    pub(crate) fn new(nat: Nat) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        sweep();
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("leaf-{}-{number}", std::process::id());
        let nat = if nat == Nat::Easy { "easy" } else { "hard" };
        let output = script(&["up", &prefix, nat]).output().expect("bash");
        assert!(
            output.status.success(),
            "these tests make hosts out of network namespaces. That takes root, with the capabilities CAP_SYS_ADMIN \
             and CAP_NET_ADMIN, and iproute2, nftables and tcpdump (`make setup` installs them): {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self { prefix }
    }

    /// The namespace of a host.
    pub(crate) fn name(&self, at: At) -> String {
        format!("{}-{at:?}", self.prefix)
    }

    /// Adds rules of nft on a host.
    pub(crate) fn rules(&self, at: At, rules: &str) {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(at), "nft", "-f", "-"]);
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .expect("the program ip (apt install iproute2)");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(rules.as_bytes()).expect("nft reads its rules");
        drop(input);
        let status = child.wait().expect("our own child");
        assert!(
            status.success(),
            "nft (apt install nftables) does not take:\n{rules}"
        );
    }

    /// Lets no more than so many megabits a second go out by an interface.
    pub(crate) fn slow(&self, at: At, interface: &str, megabits: u32) {
        let rate = format!("{megabits}mbit");
        let args = [
            "qdisc", "replace", "dev", interface, "root", "tbf", "rate", &rate, "burst", "64kb", "latency",
            "50ms",
        ];
        self.within(at, "tc", &args);
    }

    /// What went by the interface of a host to the wide area since it was made.
    pub(crate) fn traffic(&self, at: At) -> Traffic {
        let said = self.ip(at, &["-s", "-j", "link", "show", "dev", "wan"]);
        let links: serde_json::Value = serde_json::from_str(&said).expect("ip writes JSON");
        let count = |way: &str| links[0]["stats64"][way]["bytes"].as_u64().expect("a count");
        Traffic {
            received: count("rx"),
            sent: count("tx"),
        }
    }

    fn ip(&self, at: At, args: &[&str]) -> String {
        ip(&[&["-n", self.name(at).as_str()], args].concat())
    }

    /// Runs a program on a host to its end.
    pub(crate) fn within(&self, at: At, program: &str, args: &[&str]) -> String {
        ip(&[&["netns", "exec", self.name(at).as_str(), program], args].concat())
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        remove(&self.prefix);
    }
}

fn script(args: &[&str]) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("nets/net.sh"));
    command.args(args);
    command
}

/// Runs `ip`; it must end well.
#[track_caller]
fn ip(args: &[&str]) -> String {
    let output = Command::new("ip").args(args).output().expect("the program ip");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {}: {said}", args.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Removes a network, which may not be there.
fn remove(prefix: &str) {
    script(&["down", prefix]).status().ok();
}

/// Removes what tests left that were killed.
fn sweep() {
    let Ok(names) = std::fs::read_dir("/run/netns") else {
        return;
    };
    for name in names.flatten() {
        let name = name.file_name().to_string_lossy().into_owned();
        let words: Vec<&str> = name.split('-').collect();
        if let ["leaf", process, number, "Wide"] = words.as_slice()
            && !Path::new("/proc").join(process).exists()
        {
            remove(&format!("leaf-{process}-{number}"));
        }
    }
}
