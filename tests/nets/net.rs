//! A small internet of network namespaces: two homes, each behind a router of its own, and a host that all can reach.
//!
//! ```text
//!   home A  10.1.0.2 ── router A ──┐                     ┌── router B ── home B  10.2.0.2
//!                      198.51.100.11 ── the wide area ── 198.51.100.12
//!                                            │
//!                                      198.51.100.1  the public host
//! ```
//!
//! A router lets nobody in who was not called, as those at home do, and there is no route from one home to the other.
//!
//! Source: ip-netns(8), nft(8); RFC 4787 for the words.

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
    Wide,
}

impl At {
    const ALL: [Self; 6] = [
        Self::Public,
        Self::HomeA,
        Self::HomeB,
        Self::RouterA,
        Self::RouterB,
        Self::Wide,
    ];
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
    /// Builds it.
    pub(crate) fn new(nat: Nat) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        sweep();
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let net = Self {
            prefix: format!("leaf-{}-{number}", std::process::id()),
        };
        for at in At::ALL {
            ip(&["netns", "add", &net.name(at)]);
            net.ip(at, &["link", "set", "lo", "up"]);
        }
        net.ip(At::Wide, &["link", "add", "bridge", "type", "bridge"]);
        net.ip(At::Wide, &["link", "set", "bridge", "up"]);
        net.cable(At::Public, "wan", "198.51.100.1/24", "Public");
        for (router, home, outside, inside, address) in [
            (
                At::RouterA,
                At::HomeA,
                "198.51.100.11/24",
                "10.1.0.1",
                "10.1.0.2/24",
            ),
            (
                At::RouterB,
                At::HomeB,
                "198.51.100.12/24",
                "10.2.0.1",
                "10.2.0.2/24",
            ),
        ] {
            net.cable(router, "wan", outside, &format!("{router:?}"));
            let (router_name, home_name) = (net.name(router), net.name(home));
            ip(&[
                "link",
                "add",
                "lan",
                "netns",
                &router_name,
                "type",
                "veth",
                "peer",
                "name",
                "lan",
                "netns",
                &home_name,
            ]);
            net.ip(router, &["address", "add", &format!("{inside}/24"), "dev", "lan"]);
            net.ip(home, &["address", "add", address, "dev", "lan"]);
            net.ip(router, &["link", "set", "lan", "up"]);
            net.ip(home, &["link", "set", "lan", "up"]);
            net.ip(home, &["route", "add", "default", "via", inside]);
            net.within(router, "sysctl", &["-qw", "net.ipv4.ip_forward=1"]);
            net.rules(router, &translation(nat));
        }
        net
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

    /// A cable from a host to the wide area.
    fn cable(&self, at: At, interface: &str, address: &str, plug: &str) {
        let (host, wide) = (self.name(at), self.name(At::Wide));
        ip(&[
            "link", "add", interface, "netns", &host, "type", "veth", "peer", "name", plug, "netns", &wide,
        ]);
        self.ip(At::Wide, &["link", "set", plug, "master", "bridge", "up"]);
        self.ip(at, &["address", "add", address, "dev", interface]);
        self.ip(at, &["link", "set", interface, "up"]);
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
        for at in At::ALL {
            remove(&self.name(at));
        }
    }
}

/// Rules of a router.
fn translation(nat: Nat) -> String {
    let how = if nat == Nat::Hard { "fully-random" } else { "" };
    format!(
        "table ip router {{
           chain out {{ type nat hook postrouting priority srcnat
             oifname wan masquerade {how}
           }}
           chain through {{ type filter hook forward priority filter; policy drop
             iifname lan accept
             ct state established,related accept
           }}
           chain knock {{ type filter hook input priority filter
             iifname wan ct state new drop
           }}
         }}"
    )
}

/// Runs `ip`; it must end well. A machine that does not let us fails the test, it never skips it.
#[track_caller]
fn ip(args: &[&str]) -> String {
    let output = Command::new("ip").args(args).output();
    let output = output
        .unwrap_or_else(|error| panic!("these tests need the program ip (apt install iproute2): {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "these tests need root, with the capabilities CAP_SYS_ADMIN and CAP_NET_ADMIN, to make hosts out of network \
         namespaces, and Debian's iproute2, nftables and tcpdump.\nip {}: {said}",
        args.join(" ")
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Removes a namespace, which may not be there.
fn remove(name: &str) {
    let mut command = Command::new("ip");
    command.args(["netns", "delete", name]).stderr(Stdio::null());
    command.status().ok();
}

/// Removes what tests left that were killed.
fn sweep() {
    let Ok(names) = std::fs::read_dir("/run/netns") else {
        return;
    };
    for name in names.flatten() {
        let name = name.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix("leaf-").and_then(|rest| rest.split('-').next());
        let is_left =
            process.is_some_and(|id| id.parse::<u32>().is_ok() && !Path::new("/proc").join(id).exists());
        if is_left {
            remove(&name);
        }
    }
}
