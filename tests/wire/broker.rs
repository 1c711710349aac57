//! The NATS broker of `leaf serve` from outside: what is told of it, to whom, and where it refuses to start.

use crate::web_page::{served, text, value};
use leaf_tests::scratch::Scratch;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

const HOST: &str = "Host: localhost:8080";

/// Sends to the broker and reads until its PONG.
fn talk(address: &str, said: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the broker listens");
    write!(stream, "{said}PING\r\n").expect("sent");
    let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
    assert!(lines.any(|line| line.expect("a line") == "PONG"));
    stream
}

#[test]
fn whoever_watches_nats_servers_reads_of_ours() {
    let served = served(&["--nats", "127.0.0.1:0"]);
    let address = served.server.nats().first().expect("it listens").clone();
    let _listener = talk(
        &address,
        "CONNECT {\"verbose\":false,\"name\":\"kitchen\",\"lang\":\"test\"}\r\nSUB tea.> 1\r\n",
    );
    let _publisher = talk(
        &address,
        "CONNECT {\"verbose\":false}\r\nPUB tea.green 3\r\nhot\r\n",
    );
    let json = |path: &str| {
        let reply = served.ask(&format!("GET {path}"), &[HOST]);
        assert_eq!(reply.status, 200, "{}", reply.header);
        assert_eq!(value(&reply, "content-type"), Some("application/json"));
        serde_json::from_str::<Value>(&text(&reply)).expect("JSON")
    };
    let all = json("/varz");
    for (key, wanted) in [
        ("connections", 2),
        ("subscriptions", 1),
        ("in_msgs", 1),
        ("out_bytes", 3),
    ] {
        assert_eq!(all[key], wanted, "{key} in {all}");
    }
    let each = json("/connz?subs=1");
    assert_eq!(each["num_connections"], 2);
    let listener = &each["connections"][0];
    assert_eq!(listener["name"], "kitchen");
    assert_eq!(listener["out_msgs"], 1);
    assert_eq!(listener["subscriptions_list"], serde_json::json!(["tea.>"]));
    assert_eq!(json("/connz?limit=1&offset=1")["num_connections"], 1);
    assert_eq!(
        json("/connz")["connections"][0]["subscriptions_list"],
        Value::Null
    );
}

#[test]
fn behind_another_server_nobody_is_told_of_the_broker() {
    let served = served(&["--base-url", "https://leaf.example/"]);
    for path in ["/varz", "/connz"] {
        let reply = served.ask(&format!("GET {path}"), &["Host: leaf.example"]);
        assert_eq!(reply.status, 403, "{}", reply.header);
    }
}

#[test]
fn a_broker_that_others_reach_and_that_knows_nobody_does_not_start() {
    let scratch = Scratch::new();
    scratch.leaf(&["new", "any.fossil"]);
    std::fs::write(scratch.path("leaf.toml"), "[nats]\nfossil-users = false\n").expect("a file");
    let said = scratch.leaf_any(&[
        "serve",
        "any.fossil",
        "--http",
        "127.0.0.1:0",
        "--nats",
        "0.0.0.0:0",
        "--config",
        "leaf.toml",
    ]);
    assert_eq!(said.code, Some(2), "{}", said.text());
    assert!(
        said.text().contains("nobody would have to say who they are"),
        "{}",
        said.text()
    );
    assert!(
        said.text().contains("next: drop `fossil-users = false`"),
        "{}",
        said.text()
    );
}

#[test]
fn a_configuration_is_checked_before_it_is_used() {
    let scratch = Scratch::new();
    let check = |text: &str| {
        std::fs::write(scratch.path("leaf.toml"), text).expect("a file");
        scratch.leaf_any(&["config-check", "leaf.toml"])
    };
    let good = check(
        "[nats]\nlisten = [\"127.0.0.1:4222\"]\npeers = [\"nats://other:4222\"]\n\n\
         [[nats.user]]\nname = \"ann\"\npassword = \"secret\"\n",
    );
    assert_eq!(good.code, Some(0), "{}", good.text());
    assert!(
        good.text().contains("at 127.0.0.1:4222: 1 user"),
        "{}",
        good.text()
    );
    assert!(!good.text().contains("secret"), "{}", good.text());
    let exposed = check("[nats]\nlisten = [\"0.0.0.0:4222\"]\n");
    assert!(
        exposed.text().contains("the users of the repositories"),
        "{}",
        exposed.text()
    );
    for (bad, told) in [
        ("[nats]\nlissten = []\n", "lissten"),
        (
            "[nats]\nlisten = [\"0.0.0.0:4222\"]\nfossil-users = false\n",
            "nobody would have to say who they are",
        ),
        ("[nats]\nlisten = [\"4222\"]\n", "no address to listen on"),
        ("[nats]\npeers = [\"http://other\"]\n", "tls://HOST:PORT"),
        ("[[nats.user]]\nname = \"ann\"\n", "neither password nor nkey"),
        ("[[nats.user]]\nnkey = \"UNOTAKEY\"\n", "no public nkey"),
    ] {
        let said = check(bad);
        assert_eq!(said.code, Some(2), "{bad}: {}", said.text());
        assert!(said.text().contains(told), "{bad}: {}", said.text());
    }
}
