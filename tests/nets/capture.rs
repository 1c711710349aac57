//! What the relay sees: packets of a clone, kept by tcpdump, and searched for what they carry.
//!
//! Artifacts are compressed in the file and on the wire, so what is searched for is their compressed bytes as they stand
//! in the file, and what is written plainly beside them. That the search would find them, a clone by plain HTTP shows.
//!
//! Source: pcap-savefile(5), though only packets' bytes are looked at.

use crate::net::{At, Nat, Net};
use crate::pair::{RELAY_URL, guest, host, relay};
use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::{column, open};
use leaf_tests::peers::{plain, wait_until};
use leaf_tests::scratch::Scratch;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Bytes of a needle: few enough for each to be found whole in some packet, too many to be met by chance.
const NEEDLE: usize = 16;

/// tcpdump on the public host.
struct Capture {
    child: Child,
    folder: Scratch,
}

impl Capture {
    fn begin(net: &Net) -> Self {
        let folder = Scratch::on(&net.name(At::Public));
        let said = std::fs::File::create(folder.path("said")).expect("a file");
        let mut command = folder.command("tcpdump");
        command.args([
            "-i", "wan", "-w", "packets", "-s", "0", "-B", "65536", "-U", "-Z", "root",
        ]);
        command.stdout(Stdio::null()).stderr(said);
        let child = command.spawn().expect("the program ip");
        let mut capture = Self { child, folder };
        wait_until("tcpdump listens (apt install tcpdump)", || {
            assert_eq!(
                capture.child.try_wait().expect("our own child"),
                None,
                "{}",
                capture.said()
            );
            capture.said().contains("listening on")
        });
        capture
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path("said")).expect("its words")
    }

    /// All that was caught.
    fn end(mut self, net: &Net) -> Vec<u8> {
        // What the kernel holds back is written once something comes behind it that is waited for.
        let last = format!("{RELAY_URL}/ping?the-last-packet");
        net.within(At::HomeB, "curl", &["-sf", &last]);
        let file = self.folder.path("packets");
        wait_until("the last packet is caught", || {
            let packets = std::fs::read(&file).expect("what it kept");
            packets
                .windows(15)
                .rev()
                .any(|window| window == b"the-last-packet")
        });
        let id = self.child.id().to_string();
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .expect("kill runs");
        self.child.wait().expect("our own child");
        assert!(self.said().contains("\n0 packets dropped"), "{}", self.said());
        std::fs::read(file).expect("what it kept")
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // It may be gone already; either way nothing is left of it after `wait`.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What is in a repository, in words for each kind.
fn needles(scratch: &Scratch, file: &Path) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let text = |sql: &str| -> Vec<Vec<u8>> {
        let rows = column(file, sql).into_iter();
        rows.map(|row| row.into_bytes()[..NEEDLE].to_vec()).collect()
    };
    let db = open(file);
    let mut statement = db
        .prepare("SELECT content FROM blob WHERE length(content)>1000")
        .expect("a query");
    let blobs = statement
        .query_map([], |row| row.get::<_, Vec<u8>>(0))
        .expect("blobs");
    // From somewhere in each file, every so often: one may fall between two packets.
    let pieces = blobs.flat_map(|blob| {
        let blob = blob.expect("a blob");
        let places = (500..blob.len() - NEEDLE).step_by(40_009);
        places
            .map(|at| blob[at..at + NEEDLE].to_vec())
            .collect::<Vec<_>>()
    });
    vec![
        ("compressed content", pieces.collect()),
        ("hashes", text("SELECT uuid FROM blob WHERE size>=0")),
        (
            "the project code",
            text("SELECT value FROM config WHERE name='project-code'"),
        ),
        ("users", users(scratch, file)),
    ]
}

/// The lines of check-ins that say whose they are.
fn users(scratch: &Scratch, file: &Path) -> Vec<Vec<u8>> {
    let lines = checkins(file).into_iter().map(|hash| {
        let text = scratch.leaf(&["artifact", &hash, "-R", plain(file)]).stdout;
        let at = text.find("\nU alice\n").expect("whose it is");
        text.as_bytes()[at..at + NEEDLE].to_vec()
    });
    lines.collect()
}

fn checkins(file: &Path) -> Vec<String> {
    column(
        file,
        "SELECT uuid FROM event JOIN blob ON objid=rid WHERE type='ci'",
    )
}

/// Which kinds of needles are in `packets`.
fn found(packets: &[u8], needles: &[(&'static str, Vec<Vec<u8>>)]) -> Vec<&'static str> {
    let all: std::collections::HashMap<&[u8], &'static str> = needles
        .iter()
        .flat_map(|(kind, pieces)| pieces.iter().map(|piece| (piece.as_slice(), *kind)))
        .collect();
    let seen: std::collections::BTreeSet<_> = packets
        .windows(NEEDLE)
        .filter_map(|window| all.get(window).copied())
        .collect();
    seen.into_iter().collect()
}

#[test]
fn what_goes_through_a_relay_is_unreadable_there() {
    let net = Net::new(Nat::Hard);
    let relay = relay(&net);
    let (host, guest) = (host(&net, &relay, &[]), guest(&net, &relay));
    host.allow(&guest, "gio");
    let needles = needles(&host.scratch, &host.file);

    let capture = Capture::begin(&net);
    guest.clones(host.server.by_key(), &host.file, &[]);
    let relayed = capture.end(&net);
    assert!(
        relayed.len() as u64 > 2 * crate::pair::SIZE,
        "{} bytes",
        relayed.len()
    );
    assert_eq!(found(&relayed, &needles), [""; 0]);

    // The same search where nothing is encrypted.
    let open = Scratch::on(&net.name(At::Public));
    let copy: PathBuf = open.path("served.fossil");
    std::fs::copy(&host.file, &copy).expect("a copy");
    open.fossil(&["user", "capabilities", "nobody", "gjorz", "-R", "served.fossil"]);
    let server = LeafServer::start_with(&open, &copy, &["--http", "198.51.100.1:8081"]);
    let capture = Capture::begin(&net);
    let url = "http://198.51.100.1:8081/";
    guest
        .scratch
        .leaf(&["clone", url, "by-http.fossil", "--user", "alice"]);
    // Whose a check-in is stands in its compressed text alone; a page is told it plainly.
    for hash in checkins(&host.file) {
        net.within(At::HomeB, "curl", &["-sf", &format!("{url}raw/{hash}")]);
    }
    let packets = capture.end(&net);
    drop(server);
    let kinds: Vec<&str> = needles.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(found(&packets, &needles), kinds);
}
