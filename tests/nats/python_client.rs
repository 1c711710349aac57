//! The official client of Python, `nats-py`, on each broker: `python_client.py` says what it does.
//!
//! Needs `python3` and the package, which `tests/nats-py.sh` fetches; without them every test fails and says why.
//!
//! Source: package `nats-py` 2.16.0.

use crate::links::free_ports;
use crate::servers::{Broker, Setup, User};
use leaf_tests::scratch::Scratch;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What the script has to do, in its order: none may be left out.
const CHECKS: [&str; 11] = [
    "subjects_and_wildcards_are_heard",
    "a_group_shares_the_work",
    "a_request_with_headers_is_answered",
    "who_asks_nobody_is_told_so",
    "a_subscription_ends_after_as_many_as_it_wanted",
    "a_name_and_a_password_open",
    "a_token_opens",
    "a_message_that_is_too_big_is_an_error",
    "a_drained_subscription_keeps_what_came_in",
    "a_drained_connection_leaves_nothing_unsaid",
    "after_the_broker_was_away_all_is_heard_again",
];

/// The folder of the package, fetched if it is not there.
fn package() -> &'static str {
    static FOLDER: OnceLock<String> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("nats-py.sh");
        let said = Command::new(script).output().expect("bash runs");
        let trouble = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{trouble}");
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    })
}

fn all_checks_pass_on(kind: Broker) {
    let [port] = free_ports();
    let guarded = Setup::users([User::new("ann", "secret")])
        .max_payload(5000)
        .clients_at(port);
    let mut broker = Some(kind.start(&guarded));
    let with_token = kind.start(&Setup::token("open sesame"));
    let scratch = Scratch::new();
    let complaints = scratch.path("complaints");
    let mut script = scratch
        .command("python3")
        // Says at once what it has to say, and leaves nothing beside the sources.
        .args(["-u", "-B"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("nats/python_client.py"))
        .arg(format!("nats://127.0.0.1:{port}"))
        .arg(format!("nats://{}", with_token.address))
        .env("PYTHONPATH", package())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&complaints).expect("a file"))
        .spawn()
        .expect("python3 runs");
    let mut done = script.stdin.take().expect("piped");
    let mut passed = Vec::new();
    for line in BufReader::new(script.stdout.take().expect("piped")).lines() {
        let line = line.expect("text");
        match line.split_once(' ') {
            Some(("passed", check)) => passed.push(check.to_owned()),
            Some(("please", "stop")) => broker = None,
            Some(("please", "start")) => broker = Some(kind.start(&guarded)),
            _ => passed.push(line.clone()),
        }
        if line.starts_with("please") {
            done.write_all(b"\n").expect("it waits for this");
        }
    }
    let ended = script.wait().expect("our own child");
    drop(broker);
    let complaints = std::fs::read_to_string(complaints).expect("text");
    assert_eq!(passed, CHECKS, "{ended}\n{complaints}");
    assert!(ended.success(), "{ended}\n{complaints}");
}

#[test]
fn the_official_client_of_python_is_at_home_on_ours() {
    all_checks_pass_on(Broker::Ours);
}

#[test]
fn the_official_client_of_python_is_at_home_on_nats_2_9() {
    all_checks_pass_on(Broker::Nats2_9);
}

#[test]
fn the_official_client_of_python_is_at_home_on_nats_2_15() {
    all_checks_pass_on(Broker::Nats2_15);
}
