//! Stock's commands against our server function.

use crate::http::{serve_until_stopped, stop};
use crate::stock::Stock;
use leaf_core::repo::Repo;
use rusqlite::Connection;
use std::net::TcpListener;

/// Serves `server.fossil` by our function while `work` talks to the port.
fn serving(stock: &Stock, work: impl FnOnce(u16)) {
    let repo =
        Repo::open(Connection::open(stock.path("server.fossil")).expect("a file")).expect("a repository");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let server = std::thread::spawn(move || drop(serve_until_stopped(&listener, repo)));
    work(port);
    stop(port);
    server.join().expect("a server that does not panic");
}

fn url(port: u16) -> String {
    format!("http://bob:bpw@127.0.0.1:{port}/")
}

#[test]
fn stock_clones_from_us_all_that_is_there() {
    let stock = Stock::new();
    for number in 0..40 {
        stock.commit(
            "file.txt",
            &format!("version {number}\n{}", "a line\n".repeat(100)),
        );
    }
    stock.commit_in("work", "file.txt", "secret\n", &["--private"]);
    std::fs::write(stock.path("uv.txt"), "unversioned\n".repeat(50)).expect("a writable folder");
    stock.run(&["uv", "add", "uv.txt", "-R", "server.fossil"]);
    serving(&stock, |port| {
        stock.run(&["clone", "-u", "--no-open", &url(port), "clone.fossil"]);
    });
    let public =
        "SELECT uuid FROM blob WHERE size >= 0 AND rid NOT IN (SELECT rid FROM private) ORDER BY uuid";
    assert_eq!(
        stock.artifacts("clone.fossil"),
        stock.query("server.fossil", public)
    );
    assert_eq!(
        stock.run(&["uv", "cat", "uv.txt", "-R", "clone.fossil"]),
        "unversioned\n".repeat(50)
    );
    stock.assert_sound("clone.fossil");
}

#[test]
fn stock_clones_private_artifacts_if_it_may() {
    let stock = Stock::new();
    stock.commit("file.txt", "one\n");
    stock.commit_in("work", "file.txt", "secret\n", &["--private"]);
    serving(&stock, |port| {
        stock.run(&["clone", "--private", "--no-open", &url(port), "clone.fossil"]);
    });
    assert_eq!(stock.artifacts("clone.fossil"), stock.artifacts("server.fossil"));
    assert_eq!(
        stock
            .query("clone.fossil", "SELECT count(*) FROM private")
            .concat(),
        "2"
    );
}

#[test]
fn stock_syncs_both_ways_with_us() {
    let stock = Stock::new();
    stock.commit("file.txt", "one\n");
    serving(&stock, |port| {
        stock.run(&["clone", "--no-open", &url(port), "clone.fossil"]);
        stock.run(&["open", "clone.fossil", "--nosync", "--workdir", "there"]);
        stock.run_in("there", &["settings", "autosync", "off"]);
        stock.run_in("there", &["settings", "mtime-changes", "off"]);
        for number in 0..60 {
            stock.commit_in(
                "there",
                "there.txt",
                &format!("version {number}\n{}", "a line\n".repeat(50)),
                &[],
            );
        }
        let said = stock.run_in("there", &["sync", &url(port), "--once"]);
        assert!(!said.to_lowercase().contains("error"), "{said}");
        assert_eq!(stock.artifacts("clone.fossil"), stock.artifacts("server.fossil"));
        let said = stock.run_in("there", &["sync", &url(port), "--once"]);
        assert!(
            said.contains("Round-trips: 1   Artifacts sent: 0  received: 0"),
            "{said}"
        );
    });
    stock.assert_sound("server.fossil");
}

#[test]
fn stock_is_refused_with_a_wrong_password() {
    let stock = Stock::new();
    stock.commit("file.txt", "one\n");
    serving(&stock, |port| {
        let wrong = format!("http://bob:wrong@127.0.0.1:{port}/");
        let (good, said) = stock.attempt("", &["clone", "--no-open", &wrong, "clone.fossil"]);
        assert!(!good && said.contains("login failed"), "{said}");
    });
}

#[test]
fn stock_exchanges_unversioned_files_with_us() {
    let stock = Stock::new();
    serving(&stock, |port| {
        stock.run(&["clone", "--no-open", &url(port), "clone.fossil"]);
        std::fs::write(stock.path("uv.txt"), "unversioned\n".repeat(50)).expect("a writable folder");
        stock.run(&["uv", "add", "uv.txt", "-R", "clone.fossil"]);
        let said = stock.run(&["uv", "sync", &url(port), "-R", "clone.fossil"]);
        assert!(!said.to_lowercase().contains("error"), "{said}");
    });
    assert_eq!(
        stock.run(&["uv", "cat", "uv.txt", "-R", "server.fossil"]),
        "unversioned\n".repeat(50)
    );
}

#[test]
fn stock_pulls_and_pushes_configuration() {
    let stock = Stock::new();
    serving(&stock, |port| {
        stock.run(&["clone", "--no-open", &url(port), "clone.fossil"]);
        stock.execute(
            "clone.fossil",
            "INSERT INTO shun VALUES ('0123456789012345678901234567890123456789', 5, NULL)",
        );
        let said = stock.run(&["config", "push", "shun", &url(port), "-R", "clone.fossil"]);
        assert!(!said.to_lowercase().contains("error"), "{said}");
        let said = stock.run(&["config", "pull", "all", &url(port), "-R", "clone.fossil"]);
        assert!(!said.to_lowercase().contains("error"), "{said}");
    });
    assert_eq!(
        stock.query("server.fossil", "SELECT uuid FROM shun").concat(),
        "0123456789012345678901234567890123456789"
    );
}
