//! A clone that is cut off is kept, is no repository, and is continued by the same command.

use leaf_tests::oracle::artifacts;
use leaf_tests::scene;
use leaf_tests::scratch::Scratch;
use leaf_tests::stock::StockServer;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::spawn;
use std::time::Duration;

/// Passes `rounds_max` exchanges on to `upstream` and cuts every later one in the middle of its reply.
fn cutting_proxy(upstream: String, rounds_max: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    spawn(move || {
        for (round, client) in listener.incoming().enumerate() {
            let mut client = client.expect("a connection");
            client
                .set_read_timeout(Some(Duration::from_secs(10)))
                .expect("a timeout can be set");
            let request = read_request(&mut client);
            let mut server = TcpStream::connect(&upstream).expect("the server is there");
            server.write_all(&request).expect("it reads");
            let mut reply = Vec::new();
            server.read_to_end(&mut reply).expect("it closes");
            if round >= rounds_max {
                reply.truncate(reply.len() - 10);
            }
            // The client may have given up.
            client.write_all(&reply).ok();
        }
    });
    address
}

fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let announced = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let announced: usize = announced
                .and_then(|value| value.trim().parse().ok())
                .expect("a length");
            if request.len() >= head.len() + 4 + announced {
                return request;
            }
        }
        let bytes = stream.read(&mut piece).expect("a whole request");
        assert!(bytes > 0, "half a request");
        request.extend_from_slice(&piece[..bytes]);
    }
}

#[test]
fn a_clone_that_was_cut_off_goes_on_where_it_was() {
    let scratch = Scratch::new();
    let origin = scene::small(&scratch, "origin.fossil");
    // A few artifacts a round.
    let small = "REPLACE INTO config(name,value,mtime) VALUES('max-download','200',now());";
    scratch.fossil(&["sql", "-R", "origin.fossil", small]);
    let server = StockServer::start(&scratch, &origin);
    let whole = scratch
        .leaf(&["clone", "--json", &server.url(), "whole.fossil"])
        .stdout;
    let whole: serde_json::Value = serde_json::from_str(&whole).expect("JSON");
    let rounds = whole["rounds"].as_u64().expect("a number");
    assert!(rounds > 6, "only {rounds} rounds");

    let proxy = cutting_proxy(server.address(), 4);
    let cut = scratch.leaf_any(&["clone", &format!("http://{proxy}/"), "clone.fossil"]);
    assert_eq!(cut.code, Some(3), "{}", cut.text());
    assert!(cut.stderr.contains("the connection was cut"), "{}", cut.stderr);
    assert!(
        cut.stderr.contains("run the same command again"),
        "{}",
        cut.stderr
    );
    let unfinished = scratch.leaf_any(&["timeline", "-R", "clone.fossil"]);
    assert_eq!(unfinished.code, Some(2), "{}", unfinished.text());
    assert!(
        unfinished.stderr.contains("unfinished clone"),
        "{}",
        unfinished.stderr
    );
    let stock = scratch.fossil_any(&["timeline", "-R", "clone.fossil"]);
    assert_ne!(
        stock.code,
        Some(0),
        "stock takes it for a repository: {}",
        stock.text()
    );

    let rest = scratch.leaf(&["clone", "--json", &server.url(), "clone.fossil"]);
    let said: serde_json::Value = serde_json::from_str(&rest.stdout).expect("JSON");
    let rest = said["rounds"].as_u64().expect("a number");
    assert!(
        rest < rounds,
        "{rest} rounds for the rest, {rounds} for the whole"
    );
    assert_eq!(artifacts(&origin), artifacts(&scratch.path("clone.fossil")));
    scratch.leaf(&["verify", "clone.fossil"]);
}
