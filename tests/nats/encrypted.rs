//! TLS on all ways: of clients to a broker, of leaf nodes in both roles, of the mesh, of commands.
//!
//! Source: the NATS client protocol (a greeting in the clear, TLS behind it) as nats-server 2.9.10 and 2.15.1 speak it.

use crate::links::free_ports;
use crate::servers::{Broker, Certificate, Running, Setup};
use crate::wire::Wire;
use async_nats::{Client, ConnectOptions};
use futures_util::StreamExt;
use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::assert_same_artifacts;
use leaf_tests::scene::small;
use leaf_tests::scratch::Scratch;
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How long something that has to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime
        .expect("a runtime")
        .block_on(async { timeout(PATIENCE, work).await });
    ended.expect("all that was waited for came in time")
}

async fn client(broker: &Running, trusted: &Certificate) -> Client {
    let options = ConnectOptions::new().add_root_certificates(trusted.cert.clone().into());
    options.connect(&broker.address).await.expect("it is let in")
}

/// Says something at one place until it is heard at the other one.
async fn passes(from: &Client, to: &Client) {
    let mut heard = to.subscribe("news").await.expect("an open connection");
    loop {
        from.publish("news", "much".repeat(50_000).into())
            .await
            .expect("an open connection");
        if let Ok(message) = timeout(Duration::from_millis(100), heard.next()).await {
            assert_eq!(message.expect("no end").payload.len(), 200_000);
            return;
        }
    }
}

async fn logged(broker: &Running, text: &str) {
    while !broker.log().contains(text) {
        sleep(Duration::from_millis(20)).await;
    }
}

on_each![
    who_trusts_its_certificate_gets_in,
    who_speaks_in_the_clear_hears_nothing_but_the_greeting,
    who_says_nothing_after_the_greeting_is_cut_off,
];

fn who_trusts_its_certificate_gets_in(broker: Broker) {
    let scratch = Scratch::new();
    let (own, other) = (
        Certificate::new(&scratch, "own"),
        Certificate::new(&scratch, "other"),
    );
    let broker = broker.start(&Setup::open().encrypted(&own));
    run(async {
        let (one, two) = (client(&broker, &own).await, client(&broker, &own).await);
        passes(&one, &two).await;
        let stranger = ConnectOptions::new().add_root_certificates(other.cert.into());
        let refused = stranger.connect(&broker.address).await;
        refused.expect_err("its certificate is signed by somebody else");
    });
}

fn who_speaks_in_the_clear_hears_nothing_but_the_greeting(broker: Broker) {
    let scratch = Scratch::new();
    let broker = broker.start(&Setup::open().encrypted(&Certificate::new(&scratch, "own")));
    let mut open = Wire::tcp("open", &broker.address);
    assert_eq!(open.info()["tls_required"], true);
    open.send(b"CONNECT {\"verbose\":true}\r\nPING\r\n");
    let rest = open.rest();
    // Whatever comes is TLS saying why it ends.
    for word in [&b"PONG"[..], b"+OK", b"INFO"] {
        assert!(!rest.windows(word.len()).any(|part| part == word), "{rest:?}");
    }
}

fn who_says_nothing_after_the_greeting_is_cut_off(broker: Broker) {
    let scratch = Scratch::new();
    let setup = Setup::open().encrypted(&Certificate::new(&scratch, "own"));
    let broker = broker.start(&setup.auth_timeout(1.0));
    let mut silent = Wire::tcp("silent", &broker.address);
    silent.info();
    silent.rest();
}

on_every_pair![
    a_spoke_that_trusts_its_hub_carries_messages,
    a_spoke_that_does_not_trust_its_hub_says_so,
];

fn a_spoke_that_trusts_its_hub_carries_messages(hub: Broker, spoke: Broker) {
    let scratch = Scratch::new();
    let (own, other) = (
        Certificate::new(&scratch, "own"),
        Certificate::new(&scratch, "other"),
    );
    let hub = hub.start(&Setup::open().named("hub").takes_leafnodes().encrypted(&own));
    let place = hub.leafnodes.as_deref().expect("it takes leaf nodes");
    let setup = Setup::open().named("spoke").joins(place).trusts(&own);
    let spoke = spoke.start(&setup.encrypted(&other));
    run(async {
        let (up, down) = (client(&hub, &own).await, client(&spoke, &other).await);
        passes(&up, &down).await;
        passes(&down, &up).await;
    });
}

fn a_spoke_that_does_not_trust_its_hub_says_so(hub: Broker, spoke: Broker) {
    let scratch = Scratch::new();
    let (own, other) = (
        Certificate::new(&scratch, "own"),
        Certificate::new(&scratch, "other"),
    );
    let hub = hub.start(&Setup::open().named("hub").takes_leafnodes().encrypted(&own));
    let place = hub.leafnodes.as_deref().expect("it takes leaf nodes");
    let spoke = spoke.start(&Setup::open().named("spoke").joins(place).trusts(&other));
    run(async {
        logged(&spoke, "certificate").await;
        logged(&hub, "handshake").await;
    });
    assert!(!spoke.log().contains("link open"));
}

#[test]
fn two_of_a_mesh_are_linked_by_tls() {
    let scratch = Scratch::new();
    let own = Certificate::new(&scratch, "own");
    let ports: [u16; 2] = free_ports();
    let members = ports.map(|port| {
        let other = ports.iter().find(|other| **other != port).expect("two of them");
        let setup = Setup::open().named("member").clients_at(port).encrypted(&own);
        let link = format!("127.0.0.1:{other}");
        Broker::Ours.start(&setup.trusts(&own).links_encrypted(&link))
    });
    run(async {
        let (one, two) = (client(&members[0], &own).await, client(&members[1], &own).await);
        passes(&one, &two).await;
        passes(&two, &one).await;
    });
}

#[test]
fn who_insists_on_tls_links_nobody_without_it() {
    let open = Broker::Ours.start(&Setup::open().named("open"));
    let strict = Broker::Ours.start(&Setup::open().named("strict").links_encrypted(&open.address));
    run(logged(&strict, "no link"));
    assert!(!strict.log().contains("link open"), "{}", strict.log());
}

#[test]
fn a_clone_by_tls_succeeds_only_with_a_trusted_certificate() {
    let scratch = Scratch::new();
    let origin = small(&scratch, "origin.fossil");
    let own = Certificate::new(&scratch, "own");
    let other = Certificate::new(&scratch, "other");
    // The certificate of the page serves here, too.
    let args = [
        "--tls-cert",
        &own.cert,
        "--tls-key",
        &own.key,
        "--nats",
        "127.0.0.1:0",
    ];
    let server = LeafServer::start_with(&scratch, &origin, &args);
    let address = server.nats().first().expect("it listens");
    let end = Instant::now() + PATIENCE;
    for scheme in ["tls", "nats"] {
        let url = format!("{scheme}://{address}");
        let trust = ["--ca-cert", &own.cert];
        // The leaf may not have asked for its subject yet.
        while !scratch
            .leaf(&[&["peers", &url, "--json"][..], &trust].concat())
            .text()
            .contains("project_code")
        {
            assert!(Instant::now() < end, "nobody answers");
        }
        let file = format!("{scheme}.fossil");
        scratch.leaf(&[&["clone", &url, &file][..], &trust].concat());
        assert_same_artifacts(&origin, &scratch.path(&file));
        for trust in [&[][..], &["--ca-cert", &other.cert]] {
            let said = scratch.leaf_any(&[&["clone", &url, "no.fossil"][..], trust].concat());
            assert_eq!(said.code, Some(3), "{}", said.text());
            for text in ["the certificate of 127.0.0.1 is not trusted", "--ca-cert FILE"] {
                assert!(said.stderr.contains(text), "{}", said.stderr);
            }
            assert!(
                !scratch.path("no.fossil").exists(),
                "a refused clone leaves a file"
            );
        }
    }
}

#[test]
fn a_leaf_is_client_of_a_server_whose_certificate_it_trusts() {
    let certificates = Scratch::new();
    let own = Certificate::new(&certificates, "own");
    let real = Broker::Nats2_15.start(&Setup::open().encrypted(&own));
    let scratch = Scratch::new();
    let origin = small(&scratch, "origin.fossil");
    let url = format!("tls://{}", real.address);
    let trust = ["--ca-cert", &own.cert];
    let args = [&["--nats", &url][..], &trust].concat();
    let _leaf = LeafServer::start_with(&scratch, &origin, &args);
    let end = Instant::now() + PATIENCE;
    while !scratch
        .leaf(&[&["peers", &url, "--json"][..], &trust].concat())
        .text()
        .contains("project_code")
    {
        assert!(Instant::now() < end, "nobody answers");
    }
    scratch.leaf(&[&["clone", &url, "clone.fossil"][..], &trust].concat());
    assert_same_artifacts(&origin, &scratch.path("clone.fossil"));
}

#[test]
fn a_configuration_with_half_of_what_tls_needs_is_refused() {
    let scratch = Scratch::new();
    let own = Certificate::new(&scratch, "own");
    let check = |toml: String| {
        std::fs::write(scratch.path("leaf.toml"), toml).expect("a file");
        scratch.leaf_any(&["config-check", "leaf.toml"])
    };
    let good = check(format!(
        "[nats]\nlisten = [\"127.0.0.1:4222\"]\ntls-cert = {:?}\ntls-key = {:?}\n",
        own.cert, own.key
    ));
    assert_eq!(good.code, Some(0), "{}", good.text());
    assert!(
        good.text().contains("by TLS at 127.0.0.1:4222"),
        "{}",
        good.text()
    );
    for (toml, word) in [
        (format!("[nats]\ntls-cert = {:?}\n", own.cert), "tls-key"),
        (
            format!("[nats]\ntls-cert = {:?}\ntls-key = \"no.key\"\n", own.cert),
            "no.key",
        ),
        (format!("[nats]\nca-cert = {:?}\n", own.key), "own.key"),
    ] {
        let bad = check(toml);
        assert_ne!(bad.code, Some(0), "{}", bad.text());
        assert!(bad.stderr.contains(word), "{}", bad.stderr);
    }
}
