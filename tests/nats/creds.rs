//! A leaf that signs in with a key: to our broker, to real servers, with claims, and with files that hold none.
//!
//! Source: credentials files and nkeys of NATS as nats-server 2.9.10 and 2.15.1 take them.

use crate::nkey::Nkey;
use crate::servers::{Broker, Setup, User};
use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::assert_same_artifacts;
use leaf_tests::scene::small;
use leaf_tests::scratch::Scratch;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

/// How long something that has to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that knows one key, a leaf that is its client with that key, and a clone with that key.
fn a_key_opens(broker: Broker) {
    let (known, unknown) = (Nkey::from_seed([7; 32]), Nkey::from_seed([8; 32]));
    let server = broker.start(&Setup::users([User::with_nkey(known.public())]));
    let url = format!("nats://{}", server.address);
    let scratch = Scratch::new();
    let origin = small(&scratch, "origin.fossil");
    for (name, key) in [("known.nk", &known), ("unknown.nk", &unknown)] {
        std::fs::write(scratch.path(name), format!("{}\n", key.seed())).expect("a file");
    }
    std::fs::write(scratch.path("leaf.toml"), "[nats]\ncreds = \"known.nk\"\n").expect("a file");
    let _leaf = LeafServer::start_with(&scratch, &origin, &["--config", "leaf.toml", "--nats", &url]);
    let end = Instant::now() + PATIENCE;
    let peers = ["peers", &url, "--json", "--creds", "known.nk"];
    while !scratch.leaf(&peers).text().contains("project_code") {
        assert!(Instant::now() < end, "nobody answers");
    }
    scratch.leaf(&["clone", &url, "clone.fossil", "--creds", "known.nk"]);
    assert_same_artifacts(&origin, &scratch.path("clone.fossil"));
    for creds in [&[][..], &["--creds", "unknown.nk"]] {
        let said = scratch.leaf_any(&[&["clone", &url, "no.fossil"][..], creds].concat());
        assert_eq!(said.code, Some(3), "{}", said.text());
        assert!(said.stderr.contains("does not let us in"), "{}", said.stderr);
        assert!(said.stderr.contains("--creds FILE"), "{}", said.stderr);
        assert!(!said.text().contains(&unknown.seed()), "the seed is shown");
    }
    let log = std::fs::read_to_string(scratch.path("serve.log")).expect("a log");
    assert!(!log.contains(&known.seed()), "the seed is in the log");
}

#[test]
fn a_key_opens_our_broker() {
    a_key_opens(Broker::Ours);
}

#[test]
fn a_key_opens_a_server_of_2_9() {
    a_key_opens(Broker::Nats2_9);
}

#[test]
fn a_key_opens_a_server_of_2_15() {
    a_key_opens(Broker::Nats2_15);
}

#[test]
fn a_credentials_file_brings_its_claims_and_a_signature() {
    let key = Nkey::from_seed([9; 32]);
    let scratch = Scratch::new();
    let creds = format!(
        "-----BEGIN NATS USER JWT-----\neyJ0.eyJz.c2ln\n------END NATS USER JWT------\n\n\
         ************************* IMPORTANT *************************\n\
         NKEY Seed printed below can be used to sign and prove identity.\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        key.seed()
    );
    std::fs::write(scratch.path("user.creds"), creds).expect("a file");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("nats://{}", listener.local_addr().expect("it is bound"));
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let info = "INFO {\"server_id\":\"S\",\"max_payload\":1048576,\"proto\":1,\"headers\":true,\"nonce\":\"once\"}\r\n";
        stream.write_all(info.as_bytes()).expect("it listens");
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).expect("a line");
        stream
            .write_all(b"-ERR 'Authorization Violation'\r\n")
            .expect("it listens");
        line
    });
    let said = scratch.leaf_any(&["peers", &url, "--creds", "user.creds"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(!said.text().contains(&key.seed()), "the seed is shown");
    let line = server.join().expect("it heard a line");
    let json = line.strip_prefix("CONNECT ").expect("CONNECT");
    let connect: Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(connect["jwt"], "eyJ0.eyJz.c2ln");
    assert_eq!(connect["sig"], key.sign("once"));
    assert_eq!(connect["nkey"], Value::Null);
    assert!(!line.contains(&key.seed()), "the seed is sent");
}

#[test]
fn a_file_without_a_users_seed_is_refused_and_not_shown() {
    let scratch = Scratch::new();
    let seed = Nkey::from_seed([5; 32]).seed();
    let broken = format!("{}A", &seed[..seed.len() - 2]);
    for text in ["", &broken, "-----BEGIN NATS USER JWT-----\neyJ0\n"] {
        std::fs::write(scratch.path("bad.nk"), text).expect("a file");
        std::fs::write(
            scratch.path("leaf.toml"),
            "[nats]\ncreds = \"bad.nk\"\nservers = [\"nats://127.0.0.1:1\"]\n",
        )
        .expect("a file");
        for args in [
            &["peers", "nats://127.0.0.1:1", "--creds", "bad.nk"][..],
            &["config-check", "leaf.toml"],
        ] {
            let said = scratch.leaf_any(args);
            assert_eq!(said.code, Some(2), "{}", said.text());
            let wanted = "no seed of a NATS user is in bad.nk";
            assert!(said.stderr.contains(wanted), "{}", said.stderr);
            assert!(!said.text().contains("SUA"), "{}", said.stderr);
        }
    }
}
