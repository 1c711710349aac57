//! Hostile clients against `leaf serve`: refused, and the server goes on serving the others.

use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::{artifacts, assert_sound, column};
use leaf_tests::scene;
use leaf_tests::scratch::Scratch;
use leaf_tests::wire;
use std::io::Write;
use std::net::TcpStream;

/// Serves a small repository, lets `attack` at it, then demands that an honest clone still works and nothing changed.
fn survives(attack: impl Fn(&LeafServer, &Scratch)) {
    let scratch = Scratch::new();
    let file = scene::small(&scratch, "origin.fossil");
    let before = artifacts(&file);
    let server = LeafServer::start(&scratch, &file);
    attack(&server, &scratch);
    scratch.leaf(&[
        "clone",
        &server.url(),
        scratch.path("after.fossil").to_str().expect("a plain path"),
    ]);
    assert_eq!(artifacts(&file), before, "the repository changed");
    assert_sound(&scratch, &file);
}

#[test]
fn a_garbage_request_is_refused() {
    survives(|server, _| {
        for content_type in ["application/x-fossil", "application/x-fossil-debug"] {
            let garbage = leaf_tests::seed::Seed::new(8).bytes(3000);
            let reply = wire::post(&server.address(), "/", content_type, &garbage).expect("an answer");
            let refused = reply.status >= 400 || wire::plain(&reply).windows(6).any(|word| word == b"error ");
            assert!(
                refused,
                "{} {:?}",
                reply.header,
                String::from_utf8_lossy(&reply.body)
            );
        }
    });
}

#[test]
fn bytes_that_are_no_http_are_refused() {
    survives(|server, _| {
        let reply = wire::exchange(&server.address(), b"\x16\x03\x01\x02\x00 not http at all\r\n\r\n");
        assert!(reply.map_or(0, |reply| reply.status) != 200);
    });
}

#[test]
fn a_request_announced_larger_than_the_limit_is_refused() {
    survives(|server, _| {
        let request =
            "POST / HTTP/1.0\r\nContent-Type: application/x-fossil\r\nContent-Length: 99999999999\r\n\r\n";
        let reply = wire::exchange(&server.address(), request.as_bytes()).expect("an answer");
        assert!(reply.status >= 400, "{}", reply.header);
    });
}

#[test]
fn a_zip_bomb_as_request_is_refused() {
    survives(|server, _| {
        let zeros = leaf_core::format::zblob::compress(&vec![0; 60_000_000]);
        let bomb = [&[0xff, 0xff, 0xff, 0xff][..], &zeros[4..]].concat();
        let reply = wire::post(&server.address(), "/", "application/x-fossil", &bomb).expect("an answer");
        let refused = reply.status >= 400 || wire::plain(&reply).windows(6).any(|word| word == b"error ");
        assert!(refused, "{}", reply.header);
    });
}

#[test]
fn a_client_that_stops_in_the_middle_does_not_hold_up_the_others() {
    survives(|server, _| {
        let half =
            b"POST / HTTP/1.0\r\nContent-Type: application/x-fossil\r\nContent-Length: 5000\r\n\r\nhalf";
        let mut idle = Vec::new();
        for _ in 0..40 {
            let mut socket = TcpStream::connect(server.address()).expect("a connection");
            socket.write_all(half).expect("a request");
            idle.push(socket);
        }
        // Still connected while others are served.
        let reply = wire::exchange(&server.address(), b"GET /healthz HTTP/1.0\r\n\r\n").expect("an answer");
        assert_eq!(reply.status, 200);
    });
}

#[test]
fn an_artifact_under_a_wrong_hash_is_not_stored() {
    survives(|server, scratch| {
        let file = scratch.path("origin.fossil");
        let code = column(&file, "SELECT value FROM config WHERE name='project-code'")
            .pop()
            .expect("a code");
        let body = format!("push {code} {code}\nfile {:064} 5\nhello# x\n", 1);
        let login = login_card("bob", "bob-pw", &code, body.as_bytes());
        let request = [login.as_bytes(), body.as_bytes()].concat();
        let reply =
            wire::post(&server.address(), "/", "application/x-fossil-debug", &request).expect("an answer");
        let said = String::from_utf8_lossy(&wire::plain(&reply)).into_owned();
        assert!(reply.status >= 400 || said.contains("error "), "{said}");
    });
}

#[test]
fn a_replayed_login_is_refused() {
    survives(|server, scratch| {
        let file = scratch.path("origin.fossil");
        let code = column(&file, "SELECT value FROM config WHERE name='project-code'")
            .pop()
            .expect("a code");
        let body = format!("pragma client-version 22100 20230226 192424\npull {code} {code}\n# once\n");
        let login = login_card("bob", "bob-pw", &code, body.as_bytes());
        let request = [login.as_bytes(), body.as_bytes()].concat();
        let ask =
            || wire::post(&server.address(), "/", "application/x-fossil-debug", &request).expect("an answer");
        let first = String::from_utf8_lossy(&wire::plain(&ask())).into_owned();
        assert!(!first.contains("error "), "the first login is good: {first}");
        let again = ask();
        let second = String::from_utf8_lossy(&wire::plain(&again)).into_owned();
        assert!(
            again.status >= 400 || second.contains("error "),
            "a replay is accepted: {second}"
        );
    });
}

/// `login USER NONCE SIGNATURE` as stock computes it: the nonce is the hash of what follows.
fn login_card(user: &str, password: &str, project_code: &str, rest: &[u8]) -> String {
    use leaf_core::format::hash::sha1_hex;
    let nonce = sha1_hex(rest);
    let secret = sha1_hex(format!("{project_code}/{user}/{password}").as_bytes());
    let signature = sha1_hex(format!("{nonce}{secret}").as_bytes());
    format!("login {user} {nonce} {signature}\n")
}
