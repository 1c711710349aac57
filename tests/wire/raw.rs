//! What a page reads of `leaf serve` besides sync messages: the list of repositories, and artifacts as they are.

use crate::web_page::{Served, text, value};
use leaf_tests::leaf::LeafServer;
use leaf_tests::scratch::Scratch;
use leaf_tests::wire::Reply;
use rusqlite::Connection;
use std::path::Path;

const HOST: &str = "Host: localhost";

/// A server of a project whose check-ins hold `files`; the last one private, if there is one.
fn served(files: &[(&str, &[u8])], private: Option<(&str, &[u8])>) -> Served {
    let scratch = Scratch::new();
    scratch.fossil(&["init", "project.fossil"]);
    let work = scratch.path("work");
    std::fs::create_dir(&work).expect("a folder");
    let alice = |args: &[&str]| scratch.fossil_in(&work, "alice", args);
    alice(&[
        "open",
        "--nested",
        scratch.path("project.fossil").to_str().expect("plain"),
    ]);
    let commit = |files: &[(&str, &[u8])], more: &[&str]| {
        for (name, content) in files {
            std::fs::write(work.join(name), content).expect("a file");
            alice(&["add", name]);
        }
        let command = ["commit", "-m", "x", "--no-warnings", "--user-override", "alice"];
        alice(&[&command[..], more].concat());
    };
    commit(files, &[]);
    if let Some(private) = private {
        commit(&[private], &["--private"]);
    }
    let server = LeafServer::start(&scratch, &scratch.path("project.fossil"));
    Served { scratch, server }
}

/// The artifact that holds what the file `name` held last.
fn hash(served: &Served, name: &str) -> String {
    let db = Connection::open(served.scratch.path("project.fossil")).expect("a repository");
    let query =
        "SELECT uuid FROM mlink JOIN filename USING (fnid) JOIN blob ON blob.rid = mlink.fid WHERE name = ?1";
    db.query_row(query, [name], |row| row.get(0))
        .expect("a file of that name")
}

fn execute(file: &Path, sql: &str) {
    Connection::open(file)
        .expect("a repository")
        .execute_batch(sql)
        .expect("a statement");
}

impl Served {
    fn raw(&self, name: &str) -> Reply {
        self.ask(&format!("GET /raw/{}?name={name}", hash(self, name)), &[HOST])
    }
}

#[test]
fn an_artifact_is_shown_as_text_or_picture_or_saved_and_never_run() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let served = served(
        &[
            ("main.rs", b"fn main() {}\n"),
            ("picture.png", png),
            ("page.html", b"<script>alert(1)</script>"),
            (
                "drawing.svg",
                b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            ),
            ("paper.pdf", b"%PDF-1.7\n"),
            ("notes.txt", b"<!DOCTYPE html><script>alert(1)</script>"),
            ("data.bin", b"\0\x01\x02"),
        ],
        None,
    );
    let saved = "application/octet-stream";
    for (name, kind, how) in [
        ("main.rs", "text/plain; charset=utf-8", "inline"),
        ("picture.png", "image/png", "inline"),
        ("page.html", saved, "attachment"),
        ("drawing.svg", saved, "attachment"),
        ("paper.pdf", saved, "attachment"),
        ("notes.txt", saved, "attachment"),
        ("data.bin", saved, "attachment"),
    ] {
        let reply = served.raw(name);
        let content = std::fs::read(served.scratch.path("work").join(name)).expect("a file");
        assert_eq!((reply.status, &reply.body), (200, &content), "{name}");
        let disposition = format!("{how}; filename=\"{name}\"");
        for (header, expected) in [
            ("content-type", kind),
            ("content-disposition", &disposition),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "private, no-cache"),
        ] {
            assert_eq!(value(&reply, header), Some(expected), "{name}");
        }
    }
    let main = hash(&served, "main.rs");
    let renamed = served.ask(
        &format!("GET /project/raw/{main}?name=x%2F..%2F%22a%0Ab%C3%A9%22.txt"),
        &[HOST],
    );
    assert_eq!(
        (renamed.status, value(&renamed, "content-disposition")),
        (
            200,
            Some("inline; filename=\"_ab__.txt\"; filename*=utf-8''%22ab%c3%a9%22.txt")
        )
    );
    let head = served.ask(&format!("HEAD /raw/{main}"), &[HOST]);
    assert_eq!(
        (head.status, head.body.len(), value(&head, "content-length")),
        (200, 0, Some("13"))
    );
    let known = served.ask(
        &format!("GET /raw/{main}"),
        &[HOST, &format!("If-None-Match: \"{main}\"")],
    );
    assert_eq!((known.status, known.body.len()), (304, 0));
}

#[test]
fn what_is_private_or_banned_is_as_if_it_were_not_there() {
    let served = served(
        &[("open.txt", b"open\n"), ("banned.txt", b"banned\n")],
        Some(("secret.txt", b"secret\n")),
    );
    let banned = hash(&served, "banned.txt");
    assert_eq!(served.raw("banned.txt").status, 200);
    let file = served.scratch.path("project.fossil");
    execute(&file, &format!("INSERT INTO shun(uuid) VALUES ('{banned}')"));
    let nowhere = served.ask(&format!("GET /raw/{}", "a".repeat(64)), &[HOST]);
    assert_eq!(nowhere.status, 404);
    let others = [
        served.raw("secret.txt"),
        served.raw("banned.txt"),
        served.ask("GET /raw/trunk", &[HOST]),
        served.ask("GET /raw/", &[HOST]),
        served.ask(
            &format!("GET /raw/{}", hash(&served, "secret.txt")),
            &[HOST, "If-None-Match: *"],
        ),
    ];
    let undated = |reply: &Reply| {
        let lines = reply.header.lines().filter(|line| !line.starts_with("date: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for other in &others {
        assert_eq!((undated(other), text(other)), (undated(&nowhere), text(&nowhere)));
    }
    assert_eq!(served.raw("open.txt").status, 200);
}

#[test]
fn artifacts_are_shown_to_nobody_whom_the_administrator_does_not_let_read() {
    let served = served(&[("open.txt", b"open\n")], None);
    assert_eq!(served.raw("open.txt").status, 200);
    execute(
        &served.scratch.path("project.fossil"),
        "UPDATE user SET cap = 'gjrz' WHERE login = 'nobody'; UPDATE user SET cap = 'o' WHERE login = 'anonymous'",
    );
    let there = served.raw("open.txt");
    let nowhere = served.ask(&format!("GET /raw/{}", "a".repeat(64)), &[HOST]);
    assert_eq!((there.status, nowhere.status), (403, 403));
    assert_eq!(text(&there), text(&nowhere));
}

#[test]
fn a_page_is_told_which_repositories_there_are() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("all")).expect("a folder");
    scratch.fossil(&["init", "all/one.fossil"]);
    scratch.fossil(&["init", "all/two.fossil"]);
    let list = |target: &str| {
        let server = LeafServer::start(&scratch, &scratch.path(target));
        let request = b"GET /leaf.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let reply = leaf_tests::wire::exchange(&server.address(), request).expect("an answer");
        assert_eq!(value(&reply, "cache-control"), Some("no-store"));
        assert_eq!(value(&reply, "content-type"), Some("application/json"));
        serde_json::from_slice::<serde_json::Value>(&reply.body).expect("JSON")
    };
    let single = list("all/one.fossil");
    assert_eq!(
        single["repositories"],
        serde_json::json!([{"name": "one", "path": "/"}])
    );
    assert!(single["version"].is_string());
    assert_eq!(single.as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(
        list("all")["repositories"],
        serde_json::json!([{"name": "one", "path": "/one"}, {"name": "two", "path": "/two"}])
    );
}

#[test]
fn an_artifact_of_several_repositories_is_found_by_the_name_of_its_own() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("all")).expect("a folder");
    scratch.fossil(&["init", "all/raw.fossil"]);
    scratch.fossil(&["init", "all/two.fossil"]);
    let db = Connection::open(scratch.path("all/raw.fossil")).expect("a repository");
    let hash: String = db
        .query_row("SELECT uuid FROM blob", [], |row| row.get(0))
        .expect("a check-in");
    let server = LeafServer::start(&scratch, &scratch.path("all"));
    let served = Served { scratch, server };
    for (place, status) in [
        ("/raw/raw", 200),
        ("/two/raw", 404),
        ("/raw", 404),
        ("/three/raw", 404),
    ] {
        let reply = served.ask(&format!("GET {place}/{hash}"), &[HOST]);
        assert_eq!(reply.status, status, "{place}: {}", text(&reply));
    }
}
