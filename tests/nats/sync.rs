//! Fossil's sync over NATS: by the leaf's own broker and by real servers, in one message or in many, with nodes that
//! are no leaves, and when something on the way is wrong or goes away.
//!
//! Source: EdgeSync's framing (a sync message, 4-byte size and zlib, no headers; nothing at all for a failure); stock
//! Fossil is the judge of every repository that comes out.

use crate::links::free_ports;
use crate::servers::{Broker, Running, Setup, User};
use async_nats::{Client, HeaderMap};
use futures_util::StreamExt;
use leaf_core::xfer::{ContentType, envelope};
use leaf_tests::corpus;
use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::{artifacts, assert_same_artifacts, assert_sound, column};
use leaf_tests::peers::{commit, plain, wait_until};
use leaf_tests::scene::{empty, small};
use leaf_tests::scratch::Scratch;
use leaf_tests::seed::Seed;
use leaf_tests::stock::StockServer;
use leaf_tests::wire;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long something that has to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A leaf that serves one repository, and the folder that it lives in.
pub(crate) struct Leaf {
    pub(crate) server: LeafServer,
    pub(crate) file: PathBuf,
    pub(crate) scratch: Scratch,
}

impl Leaf {
    /// Serves a fresh copy of the small repository.
    pub(crate) fn small(args: &[&str]) -> Self {
        let scratch = Scratch::new();
        let file = small(&scratch, "served.fossil");
        Self::of(scratch, file, args)
    }

    pub(crate) fn of(scratch: Scratch, file: PathBuf, args: &[&str]) -> Self {
        let server = LeafServer::start_with(&scratch, &file, args);
        Self {
            server,
            file,
            scratch,
        }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path("serve.log")).unwrap_or_default()
    }

    /// Where NATS clients reach its broker.
    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.server.nats().first().expect("it listens"))
    }

    pub(crate) fn commit(&self, message: &str) {
        commit(&self.scratch, &self.file, message);
    }
}

/// Clones from `url` once somebody there answers, and compares with what was served.
#[track_caller]
fn assert_clones(url: &str, served: &Path) -> (Scratch, PathBuf) {
    let scratch = Scratch::new();
    let file = scratch.path("clone.fossil");
    // A link or a connection of the leaf may still be on its way.
    wait_until("somebody answers", || {
        let said = scratch.leaf(&["peers", url, "--json"]).text();
        said.contains("project_code")
    });
    scratch.leaf(&["clone", url, plain(&file)]);
    assert_same_artifacts(served, &file);
    assert_sound(&scratch, &file);
    (scratch, file)
}

#[test]
fn a_repository_is_cloned_by_the_leafs_own_broker() {
    let leaf = Leaf::small(&["--nats", "127.0.0.1:0"]);
    assert_clones(&leaf.url(), &leaf.file);
}

#[test]
fn a_repository_is_cloned_through_the_web_socket_of_its_page() {
    let leaf = Leaf::small(&[]);
    assert_clones(&format!("ws://{}/nats", leaf.server.address()), &leaf.file);
}

/// Real history through a server that is not ours, of which the leaf is a client.
fn clones_as_client_of(real: Broker) {
    let real = real.start(&Setup::open());
    let scratch = Scratch::new();
    let file = scratch.path("served.fossil");
    std::fs::copy(corpus::packages(), &file).expect("a copy");
    let url = format!("nats://{}", real.address);
    let leaf = Leaf::of(scratch, file, &["--nats", &url]);
    assert_clones(&url, &leaf.file);
}

#[test]
fn real_history_is_cloned_by_a_server_of_2_9() {
    clones_as_client_of(Broker::Nats2_9);
}

#[test]
fn real_history_is_cloned_by_a_server_of_2_15() {
    clones_as_client_of(Broker::Nats2_15);
}

/// The leaf joins a real server as a leaf node; whoever clones is a client of the hub.
fn clones_over_hub(hub: Broker) {
    let hub = hub.start(&Setup::open().takes_leafnodes());
    let link = format!(
        "nats-leaf://{}",
        hub.leafnodes.as_deref().expect("it takes leaf nodes")
    );
    let scratch = Scratch::new();
    let file = scratch.path("served.fossil");
    std::fs::copy(corpus::packages(), &file).expect("a copy");
    let leaf = Leaf::of(scratch, file, &["--leafnode", &link]);
    assert_clones(&format!("nats://{}", hub.address), &leaf.file);
}

#[test]
fn a_hub_of_2_9_carries_a_full_clone() {
    clones_over_hub(Broker::Nats2_9);
}

#[test]
fn a_hub_of_2_15_carries_a_full_clone() {
    clones_over_hub(Broker::Nats2_15);
}

/// A real server joins the leaf as a leaf node; whoever clones is a client of the spoke.
fn clones_over_spoke(spoke: Broker) {
    let scratch = Scratch::new();
    let file = scratch.path("served.fossil");
    std::fs::copy(corpus::packages(), &file).expect("a copy");
    let leaf = Leaf::of(scratch, file, &["--nats-leafnodes", "127.0.0.1:0"]);
    let place = leaf.server.nats_leafnodes().first().expect("it takes leaf nodes");
    let spoke = spoke.start(&Setup::open().joins(place));
    assert_clones(&format!("nats://{}", spoke.address), &leaf.file);
}

#[test]
fn a_spoke_of_2_9_carries_a_full_clone() {
    clones_over_spoke(Broker::Nats2_9);
}

#[test]
fn a_spoke_of_2_15_carries_a_full_clone() {
    clones_over_spoke(Broker::Nats2_15);
}

/// Artifacts far above what a server takes in one message, both ways.
fn large_artifacts_pass(server: Broker) {
    let server = server.start(&Setup::open());
    let url = format!("nats://{}", server.address);
    let leaf = Leaf::small(&["--nats", &url]);
    let (scratch, clone) = assert_clones(&url, &leaf.file);
    let mut seed = Seed::new(7);
    for (file, scratch, name) in [(&leaf.file, &leaf.scratch, "theirs"), (&clone, &scratch, "ours")] {
        let noise = scratch.path(name);
        std::fs::write(&noise, seed.bytes(3_500_000)).expect("a file");
        let content = format!("{name}.bin={}", plain(&noise));
        let branch = ["--new-branch", name];
        let mut args = vec![
            "commit",
            "-R",
            plain(file),
            "-m",
            name,
            "--user",
            "alice",
            &content,
        ];
        args.extend(branch);
        scratch.leaf(&args);
    }
    let alice = url.replace("nats://", "nats://alice:alice-pw@");
    scratch.leaf(&["sync", &alice, "-R", plain(&clone)]);
    assert_same_artifacts(&leaf.file, &clone);
    assert_sound(&leaf.scratch, &leaf.file);
    assert_sound(&scratch, &clone);
}

#[test]
fn artifacts_beyond_max_payload_pass_our_broker() {
    large_artifacts_pass(Broker::Ours);
}

#[test]
fn artifacts_beyond_max_payload_pass_a_real_server() {
    large_artifacts_pass(Broker::Nats2_9);
}

#[test]
fn names_beyond_max_payload_pass_in_parts() {
    let server = Broker::Nats2_15.start(&Setup::open());
    let url = format!("nats://{}", server.address);
    let scratch = Scratch::new();
    let full = scratch.path("full.fossil");
    std::fs::copy(corpus::tiny(30_000), &full).expect("a copy");
    // All of it is unsent, and the other side has nothing of the project.
    scratch.fossil(&[
        "sql",
        "-R",
        plain(&full),
        "INSERT OR IGNORE INTO unsent SELECT rid FROM blob",
    ]);
    let code = column(&full, "SELECT value FROM config WHERE name = 'project-code'").remove(0);
    let other = Scratch::new();
    let file = empty(&other, "empty.fossil");
    let change = format!("UPDATE config SET value = '{code}' WHERE name = 'project-code'");
    other.fossil(&["sql", "-R", plain(&file), &change]);
    other.fossil(&["user", "password", "alice", "alice-pw", "-R", plain(&file)]);
    let leaf = Leaf::of(other, file, &["--nats", &url]);
    wait_until("the leaf is there", || {
        scratch.leaf(&["peers", &url]).text().contains(&code)
    });
    let alice = url.replace("nats://", "nats://alice:alice-pw@");
    let said = scratch
        .leaf(&["push", &alice, "-R", plain(&full), "--json"])
        .text();
    let missing: Vec<String> = artifacts(&full)
        .difference(&artifacts(&leaf.file))
        .cloned()
        .collect();
    assert!(missing.is_empty(), "{} are missing: {said}", missing.len());
}

#[test]
fn a_check_in_appears_on_all_leaves_of_a_mesh() {
    let [one, two, three] = free_ports();
    let place = |port: u16| format!("127.0.0.1:{port}");
    let link = |port: u16| format!("nats://{}", place(port));
    let first = Leaf::small(&[
        "--nats",
        &place(one),
        "--peer",
        &link(two),
        "--peer",
        &link(three),
    ]);
    let copy = |own: u16, others: [u16; 2]| {
        let scratch = Scratch::new();
        let file = scratch.path("copy.fossil");
        scratch.leaf(&["clone", &first.server.url(), plain(&file)]);
        let links = others.map(link);
        let mut args = vec!["--nats".to_owned(), place(own)];
        args.extend(links.iter().flat_map(|link| ["--peer".to_owned(), link.clone()]));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        Leaf::of(scratch, file, &args)
    };
    let leaves = [copy(two, [one, three]), copy(three, [one, two]), first];
    for (at, leaf) in leaves.iter().enumerate() {
        // A link that is open is no matter of the log alone: each has to see both others.
        wait_until("all see each other", || {
            let said = leaf.scratch.leaf(&["peers", &leaf.url(), "--json"]).text();
            said.matches("project_code").count() == 3
        });
        let message = format!("news from {at}");
        leaf.commit(&message);
        for other in &leaves {
            wait_until("the check-in is there", || {
                let sql = format!("SELECT comment FROM event WHERE comment = '{message}'");
                !column(&other.file, &sql).is_empty()
            });
        }
    }
    for leaf in &leaves {
        assert_sound(&leaf.scratch, &leaf.file);
        assert_same_artifacts(&leaves[0].file, &leaf.file);
    }
}

#[test]
fn unversioned_files_are_announced_put_or_deleted_by_stock_fossil() {
    // Nothing comes by itself within an hour.
    let settings = Scratch::new();
    let seldom = settings.path("leaf.toml");
    std::fs::write(&seldom, "[sync]\nevery-s = 3600\n").expect("a file");
    let first = Leaf::small(&["--nats", "127.0.0.1:0", "--config", plain(&seldom)]);
    let scratch = Scratch::new();
    let copy = scratch.path("copy.fossil");
    scratch.leaf(&["clone", &first.server.url(), plain(&copy)]);
    let second = Leaf::of(
        scratch,
        copy,
        &["--nats", &first.url(), "--config", plain(&seldom)],
    );
    wait_until("both are there", || {
        let said = first.scratch.leaf(&["peers", &first.url(), "--json"]).text();
        said.matches("project_code").count() == 2
    });
    // Each asks everybody once, within a second of being connected.
    sleep(Duration::from_secs(2));
    let note = first.scratch.path("note.txt");
    std::fs::write(&note, "unversioned").expect("a file");
    let uv = |args: &[&str]| {
        first
            .scratch
            .fossil(&[&["uv"], args, &["-R", plain(&first.file)]].concat())
    };
    let there = || {
        column(
            &second.file,
            "SELECT name FROM unversioned WHERE hash IS NOT NULL",
        )
    };
    uv(&["add", plain(&note), "--as", "note.txt"]);
    wait_until("the file is there", || there() == ["note.txt"]);
    // The later change wins, and Fossil counts in seconds.
    sleep(Duration::from_millis(1_100));
    uv(&["rm", "note.txt"]);
    wait_until("the file is gone", || there().is_empty());
}

#[test]
fn peers_that_announce_and_never_answer_hold_up_nobody() {
    let first = Leaf::small(&["--nats", "127.0.0.1:0"]);
    let code = column(
        &first.file,
        "SELECT value FROM config WHERE name = 'project-code'",
    )
    .remove(0);
    let scratch = Scratch::new();
    let (copy, seldom) = (scratch.path("copy.fossil"), scratch.path("leaf.toml"));
    std::fs::write(&seldom, "[sync]\nevery-s = 3600\n").expect("a file");
    scratch.leaf(&["clone", &first.server.url(), plain(&copy)]);
    let seldom = plain(&seldom).to_owned();
    let second = Leaf::of(scratch, copy, &["--nats", &first.url(), "--config", &seldom]);
    wait_until("both are there", || {
        let said = first.scratch.leaf(&["peers", &first.url(), "--json"]).text();
        said.matches("project_code").count() == 2
    });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut asked = runtime.block_on(async {
        let client = client(first.server.nats().first().expect("it listens")).await;
        let asked = client
            .subscribe(format!("fossil.{code}.sync.>"))
            .await
            .expect("a subject");
        // Three at a time were more than one after the other could wait for within our patience.
        for number in 0..3 {
            let hint = format!("{{\"rid\":1,\"uuid\":\"{number:040}\",\"peer_id\":\"hung-{number}\"}}");
            client
                .publish(format!("fossil.{code}.commit"), hint.into())
                .await
                .expect("a subject");
        }
        client.flush().await.expect("a connection");
        asked
    });
    let hung = async {
        let mut hung = std::collections::BTreeSet::new();
        while hung.len() < 3 {
            let request = asked.next().await.expect("a connection");
            hung.insert(request.subject.rsplit('.').next().unwrap_or_default().to_owned());
            hung.retain(|name| name.starts_with("hung-"));
        }
    };
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, hung).await })
        .expect("all three are asked before one of them is given up");
    first.commit("news");
    let sql = "SELECT comment FROM event WHERE comment = 'news'";
    wait_until("it is there", || !column(&second.file, sql).is_empty());
    assert_same_artifacts(&first.file, &second.file);
}

#[test]
fn a_leaf_never_answers_itself() {
    let real = Broker::Nats2_9.start(&Setup::open());
    let leaf = Leaf::small(&["--nats", &format!("nats://{}", real.address)]);
    let (scratch, file) = assert_clones(&format!("nats://{}", real.address), &leaf.file);
    drop((scratch, file));
    // It has asked whoever is there within its first second, and nobody is.
    sleep(Duration::from_secs(2));
    let own = column(&leaf.file, "SELECT value FROM config WHERE name = 'server-code'").remove(0);
    assert!(!leaf.log().contains(&format!("peer=\"{own}\"")), "{}", leaf.log());
}

#[test]
fn news_is_printed_as_it_comes() {
    let leaf = Leaf::small(&["--nats", "127.0.0.1:0"]);
    let scratch = Scratch::new();
    let mut command = scratch.leaf_command();
    command.args(["watch", &leaf.url(), "--count", "1", "--json"]);
    let log = std::fs::File::create(scratch.path("watch.log")).expect("a file");
    command.stderr(log).stdout(std::process::Stdio::piped());
    let watching = command.spawn().expect("leaf runs");
    wait_until("it watches", || {
        std::fs::read_to_string(scratch.path("watch.log")).is_ok_and(|said| said.contains("watching"))
    });
    leaf.commit("news");
    let said = watching.wait_with_output().expect("it ends");
    let line: serde_json::Value = serde_json::from_slice(&said.stdout).expect("a line of JSON");
    let newest = column(
        &leaf.file,
        "SELECT uuid FROM blob JOIN event ON rid = objid WHERE comment = 'news'",
    );
    assert_eq!(line["artifact"].as_str(), newest.first().map(String::as_str));
    assert_eq!(line["leaf"], "leaf");
}

// ---- nodes that are no leaves -------------------------------------------------------------------------------

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.expect("in time") })
}

async fn client(address: &str) -> Client {
    async_nats::connect(address).await.expect("it lets us in")
}

/// What a node of either dialect sends for a pull, and what comes back, expanded.
fn pull_as_edgesync(cards: &str) -> String {
    let leaf = Leaf::small(&["--nats", "127.0.0.1:0"]);
    let code = column(&leaf.file, "SELECT value FROM config WHERE name = 'project-code'").remove(0);
    let body = envelope::pack(
        cards.replace("PROJECT", &code).into_bytes(),
        ContentType::Compressed,
    );
    let reply = run(async {
        let client = client(leaf.server.nats().first().expect("it listens")).await;
        let subject = format!("fossil.{code}.sync");
        loop {
            // The leaf may not have asked for its subject yet.
            if let Ok(reply) = client.request(subject.clone(), body.clone().into()).await {
                return reply;
            }
        }
    });
    assert!(reply.headers.is_none(), "such a node knows no headers");
    let size = u32::from_be_bytes(reply.payload[..4].try_into().expect("4 bytes"));
    let expanded = envelope::unpack(&reply.payload, ContentType::Compressed, 1 << 20).expect("zlib");
    assert_eq!(expanded.len(), size as usize);
    String::from_utf8_lossy(&expanded).into_owned()
}

#[test]
fn a_node_of_edgesync_pulls() {
    let reply = pull_as_edgesync("pragma client-version 22800 20260315 120000\npull x PROJECT\n# A\n");
    assert!(
        reply.lines().filter(|line| line.starts_with("igot ")).count() >= 20,
        "{reply}"
    );
}

#[test]
fn a_node_of_the_legacy_dialect_pulls() {
    let reply = pull_as_edgesync("pull PROJECT 0\n");
    assert!(
        reply.lines().filter(|line| line.starts_with("igot ")).count() >= 20,
        "{reply}"
    );
}

#[test]
fn a_node_of_edgesync_clones_in_compressed_messages() {
    let reply = pull_as_edgesync("pragma client-version 22800 20260315 120000\nclone 3 1\n# A\n");
    assert!(
        reply.contains("\ncfile ") || reply.starts_with("cfile "),
        "{reply}"
    );
    assert!(reply.contains("push "), "{reply}");
}

/// A node that answers as EdgeSync does: the sync message alone, by what stock Fossil answers to it.
async fn answer_as_edgesync(client: Client, subject: String, address: String, is_failing: bool) {
    let mut requests = client.subscribe(subject).await.expect("subscribed");
    while let Some(request) = requests.next().await {
        let address = address.clone();
        let asked = request.payload.to_vec();
        let reply = match is_failing {
            true => Vec::new(),
            false => tokio::task::spawn_blocking(move || post(&address, &asked))
                .await
                .expect("posted"),
        };
        let to = request.reply.expect("a request");
        client.publish(to, reply.into()).await.expect("published");
        client.flush().await.expect("flushed");
    }
}

/// One round to a stock server; the reply compressed, whatever the server made of it.
fn post(address: &str, body: &[u8]) -> Vec<u8> {
    let reply = wire::post(address, "/", "application/x-fossil", body).expect("a reply");
    envelope::pack(wire::plain(&reply), ContentType::Compressed)
}

/// A real server, a node on it that answers as EdgeSync does, and a repository that is to sync with it.
fn with_edgesync(is_failing: bool, test: impl FnOnce(&Running, &str, &Path, &Scratch)) {
    let real = Broker::Nats2_15.start(&Setup::open());
    let scratch = Scratch::new();
    let served = small(&scratch, "served.fossil");
    let stock = StockServer::start(&scratch, &served);
    let code = column(&served, "SELECT value FROM config WHERE name = 'project-code'").remove(0);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let subject = format!("fossil.{code}.sync");
    let client = runtime.block_on(client(&real.address));
    runtime.spawn(answer_as_edgesync(client, subject, stock.address(), is_failing));
    test(&real, &code, &served, &scratch);
    runtime.shutdown_background();
}

#[test]
fn a_leaf_clones_from_and_syncs_with_a_node_of_edgesync() {
    with_edgesync(false, |real, code, served, scratch| {
        let file = scratch.path("clone.fossil");
        let url = format!("nats://{}/{code}", real.address);
        scratch.leaf(&["clone", &url, plain(&file)]);
        assert_same_artifacts(served, &file);
        commit(scratch, &file, "from the leaf");
        let alice = url.replace("nats://", "nats://alice:alice-pw@");
        scratch.leaf(&["sync", &alice, "-R", plain(&file)]);
        assert_same_artifacts(served, &file);
        assert_sound(scratch, served);
    });
}

#[test]
fn a_node_that_sends_nothing_has_failed_and_a_message_it_cannot_take_is_an_error() {
    with_edgesync(true, |real, code, _, scratch| {
        let file = small(scratch, "own.fossil");
        let url = format!("nats://{}/{code}", real.address);
        let said = scratch.leaf_any(&["pull", &url, "-R", plain(&file)]);
        assert_eq!(said.code, Some(3), "{}", said.text());
        assert!(said.text().contains("the peer failed"), "{}", said.text());
    });
    with_edgesync(false, |real, code, _, scratch| {
        let file = small(scratch, "own.fossil");
        let noise = scratch.path("noise");
        std::fs::write(&noise, Seed::new(3).bytes(2_000_000)).expect("a file");
        let content = format!("noise.bin={}", plain(&noise));
        scratch.leaf(&[
            "commit",
            "-R",
            plain(&file),
            "-m",
            "large",
            "--user",
            "alice",
            &content,
        ]);
        let url = format!("nats://alice:alice-pw@{}/{code}", real.address);
        let said = scratch.leaf_any(&["push", &url, "-R", plain(&file)]);
        assert_eq!(said.code, Some(3), "{}", said.text());
        assert!(said.text().contains("takes no parts"), "{}", said.text());
        assert!(
            said.text().contains("next: raise `max_payload`"),
            "{}",
            said.text()
        );
    });
}

// ---- bridge -------------------------------------------------------------------------------------------------

#[test]
fn a_stock_server_is_cloned_and_synced_through_a_bridge() {
    let real = Broker::Nats2_9.start(&Setup::open());
    let scratch = Scratch::new();
    let served = small(&scratch, "served.fossil");
    let stock = StockServer::start(&scratch, &served);
    let url = format!("nats://{}", real.address);
    let mut command = scratch.leaf_command();
    command.args(["bridge", "--nats", &url, "--remote", &stock.url()]);
    let log = std::fs::File::create(scratch.path("bridge.log")).expect("a file");
    let mut bridge = command.stderr(log).spawn().expect("leaf runs");
    let (clone_scratch, clone) = assert_clones(&url, &served);
    commit(&clone_scratch, &clone, "over the bridge");
    let alice = url.replace("nats://", "nats://alice:alice-pw@");
    clone_scratch.leaf(&["sync", &alice, "-R", plain(&clone)]);
    assert_same_artifacts(&served, &clone);
    assert_sound(&scratch, &served);
    // The server goes: whoever asks is told, and does not wait.
    drop(stock);
    let said = clone_scratch.leaf_any(&["pull", &url, "-R", plain(&clone)]);
    bridge.kill().expect("it ran");
    bridge.wait().expect("it ends");
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(
        said.text().contains("the peer says: cannot connect"),
        "{}",
        said.text()
    );
}

// ---- what goes wrong ----------------------------------------------------------------------------------------

/// What a clone from `url` says, which must not end well.
#[track_caller]
fn assert_refused(url: &str, words: &[&str]) {
    let scratch = Scratch::new();
    let file = scratch.path("clone.fossil");
    let said = scratch.leaf_any(&["clone", url, plain(&file)]);
    let text = said.text();
    assert!(said.code.is_some_and(|code| code != 0), "{text}");
    for word in words {
        assert!(text.contains(word), "{word} is missing in: {text}");
    }
    assert!(!text.contains("s3cret"), "a password is shown: {text}");
    assert!(!file.exists(), "a file is left behind");
}

#[test]
fn a_wrong_port_a_wrong_password_and_nobody_there_are_told_apart() {
    let open = Broker::Nats2_15.start(&Setup::open().takes_leafnodes());
    let leafnodes = open.leafnodes.as_deref().expect("it takes leaf nodes");
    assert_refused(
        &format!("nats://{leafnodes}"),
        &["port for leaf nodes", "next: name the port for clients"],
    );
    assert_refused(
        &format!("nats://{}", open.address),
        &["no leaf answers", "leaf serve"],
    );
    for broker in [Broker::Ours, Broker::Nats2_9, Broker::Nats2_15] {
        let closed = broker.start(&Setup::users([User::new("ann", "right")]));
        let url = format!("nats://ann:s3cret@{}", closed.address);
        assert_refused(&url, &["does not let us in", "LEAF_PASSWORD"]);
    }
    let leaf = Leaf::small(&[]);
    assert_refused(
        &format!("nats://{}", leaf.server.address()),
        &["cannot connect to", "check host and port"],
    );
    let [nobody] = free_ports();
    assert_refused(
        &format!("nats://127.0.0.1:{nobody}"),
        &["Connection refused", "check host and port"],
    );
}

#[test]
fn a_broker_that_vanishes_in_the_middle_of_a_clone_is_waited_for() {
    let [port] = free_ports();
    let setup = Setup::open().clients_at(port);
    let real = Broker::Nats2_9.start(&setup);
    let url = format!("nats://{}", real.address);
    let scratch = Scratch::new();
    let served = scratch.path("served.fossil");
    std::fs::copy(corpus::tiny(30_000), &served).expect("a copy");
    let leaf = Leaf::of(scratch, served, &["--nats", &url]);
    let scratch = Scratch::new();
    wait_until("the leaf is there", || {
        scratch
            .leaf(&["peers", &url, "--json"])
            .text()
            .contains("project_code")
    });
    let file = scratch.path("clone.fossil");
    let mut command = scratch.leaf_command();
    command.args(["clone", &url, plain(&file)]);
    let log = std::fs::File::create(scratch.path("clone.log")).expect("a file");
    let mut cloning = command
        .stderr(log)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("leaf runs");
    wait_until("some of it is there", || {
        let log = leaf.log();
        log.contains("request by NATS")
    });
    drop(real);
    let real = Broker::Nats2_9.start(&setup);
    let ended = cloning.wait().expect("it ends");
    if !ended.success() {
        // It gave up before the server was back: what has arrived is kept, and the same command goes on.
        wait_until("the leaf is back", || {
            scratch
                .leaf_any(&["peers", &url, "--json"])
                .text()
                .contains("project_code")
        });
        scratch.leaf(&["clone", &url, plain(&file)]);
    }
    drop(real);
    assert_same_artifacts(&leaf.file, &file);
    assert_sound(&scratch, &file);
}

#[test]
fn a_leaf_that_goes_leaves_an_error_and_no_waiting() {
    let real = Broker::Nats2_15.start(&Setup::open());
    let url = format!("nats://{}", real.address);
    let leaf = Leaf::small(&["--nats", &url]);
    let (scratch, clone) = assert_clones(&url, &leaf.file);
    assert_eq!(leaf.server.stop(), Some(0));
    let begin = Instant::now();
    let said = scratch.leaf_any(&["pull", &url, "-R", plain(&clone)]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.text().contains("nobody answers"), "{}", said.text());
    assert!(begin.elapsed() < Duration::from_secs(20), "it was told at once");
}

#[test]
fn headers_of_strangers_break_nothing() {
    let leaf = Leaf::small(&["--nats", "127.0.0.1:0"]);
    let code = column(&leaf.file, "SELECT value FROM config WHERE name = 'project-code'").remove(0);
    run(async {
        let client = client(leaf.server.nats().first().expect("it listens")).await;
        let subject = format!("fossil.{code}.sync");
        let bad = [
            ("Leaf-Part", "1 0 99999999999999999999"),
            ("Leaf-Part", "1 0 999999999999"),
            ("Leaf-Part", "1 5 10"),
            ("Leaf-More", "1 0"),
            ("Leaf-More", "zz -1"),
            ("Leaf-Type", "text/html"),
        ];
        for (name, value) in bad {
            let mut headers = HeaderMap::new();
            headers.insert("Leaf-From", "stranger");
            headers.insert(name, value);
            let reply = loop {
                let asked = client.request_with_headers(subject.clone(), headers.clone(), "nonsense".into());
                if let Ok(reply) = asked.await {
                    break reply;
                }
            };
            let from = reply
                .headers
                .as_ref()
                .and_then(|headers| headers.get("Leaf-From"));
            assert!(from.is_some(), "{name}: {value}");
        }
    });
    assert_clones(&leaf.url(), &leaf.file);
}

// ---- settings -----------------------------------------------------------------------------------------------

#[test]
fn all_settings_may_stand_in_one_file_and_a_leaf_fetches_as_the_user_there() {
    let first = Scratch::new();
    let served = small(&first, "served.fossil");
    // Nobody may read it; bob may.
    first.fossil(&["user", "capabilities", "nobody", "h", "-R", plain(&served)]);
    first.fossil(&["user", "capabilities", "anonymous", "h", "-R", plain(&served)]);
    let first = Leaf::of(first, served, &["--nats", "127.0.0.1:0"]);
    let scratch = Scratch::new();
    let copy = scratch.path("copy.fossil");
    scratch.leaf(&["clone", &first.server.url_as("bob", "bob-pw"), plain(&copy)]);
    let (settings, ready) = (scratch.path("leaf.toml"), scratch.path("ready.json"));
    let text = format!(
        "[http]\nlisten = [\"127.0.0.1:0\"]\nallow-origins = [\"https://app.example.org\"]\nconcurrent = 4\n\n\
         [nats]\nlisten = [\"127.0.0.1:0\"]\npeers = [{:?}]\nname = \"kitchen\"\n\n\
         [sync]\nuser = \"bob\"\npassword = \"bob-pw\"\nevery-s = 5\n",
        first.url()
    );
    std::fs::write(&settings, text).expect("a file");
    let checked = scratch.leaf(&["config-check", plain(&settings)]).text();
    assert!(
        checked.contains("good:") && !checked.contains("bob-pw"),
        "{checked}"
    );
    let mut command = scratch.leaf_command();
    command.args([
        "serve",
        plain(&copy),
        "--config",
        plain(&settings),
        "--ready-file",
        plain(&ready),
    ]);
    let log = std::fs::File::create(scratch.path("serve.log")).expect("a file");
    let mut second = command.stderr(log).spawn().expect("leaf runs");
    wait_until("it listens", || ready.exists());
    let bound = std::fs::read_to_string(&ready).expect("a file");
    first.commit("for those who may read");
    let arrived = Instant::now() + PATIENCE;
    let sql = "SELECT comment FROM event WHERE comment = 'for those who may read'";
    let mut is_there = false;
    while !is_there && Instant::now() < arrived {
        sleep(Duration::from_millis(50));
        is_there = !column(&copy, sql).is_empty();
    }
    let named = scratch.leaf(&["peers", &first.url()]).text();
    second.kill().expect("it ran");
    second.wait().expect("it ends");
    let log = std::fs::read_to_string(scratch.path("serve.log")).expect("a file");
    assert!(is_there, "{log}");
    assert!(bound.contains("\"nats\":[\"127.0.0.1:"), "{bound}");
    assert!(named.contains("kitchen/copy"), "{named}");
    assert!(!log.contains("bob-pw"), "a password is logged");
    assert_same_artifacts(&first.file, &copy);
}
