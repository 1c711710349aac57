//! The page over a socket, with files of its own: whether this program was built with one does not matter here.

use super::*;
use crate::disk::{self, Access};
use crate::serve::{Repositories, Server, ServerOptions};
use leaf_core::id::{ProjectCode, ServerCode};
use leaf_core::repo::{NewRepo, Repo};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const fn asset(path: &'static str, plain: &'static [u8], brotli: Option<&'static [u8]>) -> Asset {
    Asset {
        path,
        plain,
        brotli,
        tag: "0123",
    }
}

static PAGE: &[Asset] = &[
    asset("index.html", b"<!doctype html>the page", Some(b"index packed")),
    asset("sw.js", b"the worker", None),
    asset("manifest.webmanifest", b"{}", None),
    asset("icon.svg", b"<svg/>", None),
    asset("assets/index-B3x_9-Zq.js", b"the script", Some(b"script packed")),
    asset("assets/index-Dk39sLq1.css", b"the style", None),
    asset("assets/leaf_bg-a1b2c3d4.wasm", b"\0asm", Some(b"wasm packed")),
    asset("assets/font-Abcdef12.woff2", b"wOF2", None),
    asset("assets/not-resolved.js", b"a word", None),
    asset("style-Abcdef12.css", b"not in assets", None),
];

/// A folder of one test, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("leaf-page-{process}-{number}"));
        std::fs::create_dir(&path).expect("a new folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it does no harm.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A server of a folder that holds a repository for each of `names`.
async fn served(names: &[&str], assets: &'static [Asset]) -> (Folder, SocketAddr) {
    let folder = Folder::new();
    for name in names {
        let db = disk::connect(&folder.0.join(format!("{name}.fossil")), Access::Create);
        let new = NewRepo {
            project_code: ProjectCode::from_random([1; 20]),
            server_code: ServerCode::from_random([2; 20]),
            project_name: None,
            admin: "admin".to_owned(),
            admin_password: "secret".to_owned(),
            now: crate::world::now(),
        };
        Repo::create(db.expect("a file"), &new).expect("a repository");
    }
    let repositories = Arc::new(Repositories::new(std::slice::from_ref(&folder.0)).expect("a folder"));
    let options = ServerOptions {
        addresses: vec!["127.0.0.1:0".to_owned()],
        ..ServerOptions::default()
    };
    let server = Server::bind_with(repositories, &options, assets)
        .await
        .expect("a free port");
    let address = *server.bound().addresses.first().expect("one socket");
    tokio::spawn(server.run(std::future::pending()));
    (folder, address)
}

struct Got {
    status: String,
    head: String,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .collect()
    }
}

async fn ask(address: SocketAddr, what: &str, headers: &str) -> Got {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("{what} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.expect("it answers");
    let reply = String::from_utf8_lossy(&reply);
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
    Got {
        status: head.split(' ').nth(1).expect("a status").to_owned(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn the_files_of_the_page_have_their_types_and_are_kept_as_long_as_they_last() {
    let (_folder, address) = served(&[], PAGE).await;
    let (forever, never) = (&["public, max-age=31536000, immutable"], &["no-cache"]);
    for (path, body, kind, keep) in [
        ("/", "<!doctype html>the page", "text/html; charset=utf-8", never),
        (
            "/index.html",
            "<!doctype html>the page",
            "text/html; charset=utf-8",
            never,
        ),
        ("/sw.js", "the worker", "text/javascript; charset=utf-8", never),
        ("/manifest.webmanifest", "{}", "application/manifest+json", never),
        ("/icon.svg", "<svg/>", "image/svg+xml", never),
        (
            "/assets/index-B3x_9-Zq.js",
            "the script",
            "text/javascript; charset=utf-8",
            forever,
        ),
        (
            "/assets/index-Dk39sLq1.css",
            "the style",
            "text/css; charset=utf-8",
            forever,
        ),
        (
            "/assets/leaf_bg-a1b2c3d4.wasm",
            "\0asm",
            "application/wasm",
            forever,
        ),
        ("/assets/font-Abcdef12.woff2", "wOF2", "font/woff2", forever),
        (
            "/assets/not-resolved.js",
            "a word",
            "text/javascript; charset=utf-8",
            never,
        ),
        (
            "/style-Abcdef12.css",
            "not in assets",
            "text/css; charset=utf-8",
            never,
        ),
    ] {
        let got = ask(address, &format!("GET {path}"), "").await;
        assert_eq!((&*got.status, &*got.body), ("200", body), "{path}");
        assert_eq!(got.header("content-type"), [kind], "{path}");
        assert_eq!(got.header("cache-control"), keep, "{path}");
        assert_eq!(got.header("content-encoding"), [""; 0], "{path}");
        assert_eq!(got.header("vary"), ["Accept-Encoding", "Origin"], "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(got.header(name), [value], "{path}");
        }
        let head = ask(address, &format!("HEAD {path}"), "").await;
        assert_eq!((&*head.status, &*head.body), ("200", ""), "{path}");
        assert_eq!(head.header("content-length"), [body.len().to_string()], "{path}");
    }
    for path in [
        "/other",
        "/assets/",
        "/assets",
        "/assets/index-B3x_9-Zq.js.br",
        "/../index.html",
    ] {
        assert_eq!(
            ask(address, &format!("GET {path}"), "Accept: text/html\r\n")
                .await
                .status,
            "404",
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_page_may_run_its_own_scripts_and_nothing_else() {
    let (_folder, address) = served(&[], PAGE).await;
    let page = ask(address, "GET /", "").await;
    let expected = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' \
        blob: data:; font-src 'self'; connect-src 'self' https: http: wss: ws:; worker-src 'self'; manifest-src 'self'; base-uri \
        'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types \
        edgesync-leaf leaf-page dompurify";
    assert_eq!(page.header("content-security-policy"), [expected]);
    for script in ["/sw.js", "/assets/index-B3x_9-Zq.js"] {
        let got = ask(address, &format!("GET {script}"), "").await;
        let policy = got.header("content-security-policy").concat();
        for part in [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "connect-src 'self' https: http: wss: ws:",
        ] {
            assert!(policy.split("; ").any(|said| said == part), "{script}: {policy}");
        }
    }
    let picture = ask(address, "GET /icon.svg", "")
        .await
        .header("content-security-policy")
        .concat();
    assert!(
        picture.contains("default-src 'none'") && picture.contains("sandbox"),
        "{picture}"
    );
}

#[tokio::test]
async fn a_browser_gets_the_compressed_form_if_it_takes_it_and_nothing_if_it_has_it() {
    let (_folder, address) = served(&[], PAGE).await;
    let script = "GET /assets/index-B3x_9-Zq.js";
    for (takes, is_packed) in [
        ("gzip, deflate, br", true),
        ("BR;q=0.5", true),
        ("br;q=0, gzip", false),
        ("brotli, gzip", false),
        ("identity", false),
    ] {
        let got = ask(address, script, &format!("Accept-Encoding: {takes}\r\n")).await;
        let expected = match is_packed {
            true => ("script packed", &["br"][..], &["\"0123-br\""]),
            false => ("the script", &[][..], &["\"0123\""]),
        };
        let said = (&*got.body, &*got.header("content-encoding"), &got.header("etag"));
        assert_eq!(
            (said.0, said.1, &said.2[..]),
            (expected.0, expected.1, &expected.2[..]),
            "{takes}"
        );
    }
    for (known, takes, status) in [
        ("\"0123\"", "", "304"),
        ("\"x\", W/\"0123\"", "", "304"),
        ("*", "", "304"),
        ("\"0123-br\"", "Accept-Encoding: br\r\n", "304"),
        ("\"0123\"", "Accept-Encoding: br\r\n", "200"),
        ("\"0124\"", "", "200"),
    ] {
        let got = ask(address, script, &format!("If-None-Match: {known}\r\n{takes}")).await;
        assert_eq!(got.status, status, "{known} {takes}");
        assert_eq!(got.body.is_empty(), status == "304");
        assert_eq!(got.header("etag").len(), 1);
    }
}

#[tokio::test]
async fn the_place_of_a_repository_shows_a_browser_the_page_and_takes_sync_messages() {
    let (_folder, address) = served(&["project", "sw.js"], PAGE).await;
    let html = "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n";
    for path in ["/project", "/project/"] {
        let got = ask(address, &format!("GET {path}"), html).await;
        assert_eq!(
            (&*got.status, &*got.body),
            ("200", "<!doctype html>the page"),
            "{path}"
        );
    }
    for (path, headers) in [
        ("/project", ""),
        ("/project", "Accept: application/json\r\n"),
        ("/project/timeline", html),
        ("/other", html),
    ] {
        assert_eq!(
            ask(address, &format!("GET {path}"), headers).await.status,
            "404",
            "{path} {headers}"
        );
    }
    // A file of the page does not stand before a repository of its name.
    assert_eq!(ask(address, "GET /sw.js", html).await.body, "the worker");
    let message = "Content-Type: application/x-fossil-debug\r\nContent-Length: 0\r\n";
    for (path, status) in [("/sw.js", "200"), ("/project", "200"), ("/index.html", "404")] {
        let got = ask(address, &format!("POST {path}"), message).await;
        assert_eq!(got.status, status, "{path}: {}", got.body);
        assert!(
            status == "404" || got.body.contains("# timestamp "),
            "{}",
            got.body
        );
    }
}

#[tokio::test]
async fn without_a_built_page_a_browser_is_told_how_to_clone() {
    let (_folder, address) = served(&["project"], &[]).await;
    for path in ["/", "/any/where"] {
        let got = ask(address, &format!("GET {path}"), "").await;
        assert_eq!(got.header("content-type"), ["text/html; charset=utf-8"]);
        assert!(
            got.body
                .contains("leaf clone http://localhost/project project.fossil"),
            "{}",
            got.body
        );
        let policy = got.header("content-security-policy").concat();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("script-src"),
            "{policy}"
        );
    }
}
