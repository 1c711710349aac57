//! Web pages from elsewhere: what a browser in their hands may ask of `leaf serve`, and what it may not.

use leaf_tests::leaf::LeafServer;
use leaf_tests::scratch::Scratch;
use leaf_tests::wire::{Reply, exchange};

/// A server of one empty project that nobody may push to.
pub(crate) struct Served {
    pub(crate) scratch: Scratch,
    pub(crate) server: LeafServer,
}

pub(crate) fn served(options: &[&str]) -> Served {
    let scratch = Scratch::new();
    scratch.fossil(&["init", "project.fossil"]);
    let server = LeafServer::start_with(&scratch, &scratch.path("project.fossil"), options);
    Served { scratch, server }
}

impl Served {
    /// Sends a request with `headers`, which name the host as well, and an empty sync message if it is a POST.
    pub(crate) fn ask(&self, what: &str, headers: &[&str]) -> Reply {
        ask(&self.server.address(), what, headers)
    }
}

fn ask(address: &str, what: &str, headers: &[&str]) -> Reply {
    let message = match what.starts_with("POST") {
        true => "Content-Type: application/x-fossil-debug\r\nContent-Length: 0\r\n",
        false => "",
    };
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let request = format!("{what} HTTP/1.1\r\n{headers}{message}\r\n");
    exchange(address, request.as_bytes()).expect("an answer")
}

/// The value of a header of `reply`, in lower case.
pub(crate) fn value<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    values(reply, name).first().copied()
}

/// All lines of that name: a reply may vary by what more than one layer looks at.
fn values<'a>(reply: &'a Reply, name: &str) -> Vec<&'a str> {
    let lines = reply.header.lines().filter_map(|line| line.split_once(": "));
    lines
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .collect()
}

pub(crate) fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

const HOST: &str = "Host: localhost:8080";
const PAGE: &str = "Origin: https://app.example";
const STRANGER: &str = "Origin: https://evil.example";

#[test]
fn a_page_from_elsewhere_is_refused_and_told_the_flag() {
    let served = served(&["--allow-origin", "https://app.example"]);
    for what in [
        "POST /",
        "GET /",
        "GET /healthz",
        "OPTIONS /",
        "POST /project/xfer",
    ] {
        for origin in [
            STRANGER,
            "Origin: null",
            "Origin: http://localhost:8081",
            "Origin: https://app.example:444",
        ] {
            let reply = ask(&served.server.address(), what, &[HOST, origin]);
            assert_eq!(reply.status, 403, "{what} {origin}: {}", reply.header);
            assert_eq!(text(&reply).lines().count(), 1);
            assert!(
                text(&reply).contains("leaf serve --allow-origin "),
                "{}",
                text(&reply)
            );
            assert_eq!(value(&reply, "access-control-allow-origin"), None);
        }
    }
    let said = text(&served.ask("POST /", &[HOST, STRANGER]));
    assert!(said.contains("--allow-origin https://evil.example"), "{said}");
    let log = std::fs::read_to_string(served.scratch.path("serve.log")).expect("a log");
    assert!(
        log.contains("status=403") && log.contains("--allow-origin https://evil.example"),
        "{log}"
    );
}

#[test]
fn a_page_that_is_allowed_reads_the_reply_to_its_sync() {
    let served = served(&[
        "--allow-origin",
        "https://App.example/",
        "--allow-origin",
        "http://localhost:5173",
    ]);
    for origin in [PAGE, "Origin: http://localhost:5173"] {
        for what in ["POST /", "GET /healthz", "GET /"] {
            let reply = served.ask(what, &[HOST, origin]);
            assert_eq!(reply.status, 200, "{}", reply.header);
            let allowed = value(&reply, "access-control-allow-origin").expect("allowed");
            assert_eq!(origin, format!("Origin: {allowed}"));
            assert_eq!(value(&reply, "access-control-allow-credentials"), Some("true"));
            assert!(
                value(&reply, "access-control-expose-headers")
                    .is_some_and(|told| told.contains("retry-after"))
            );
            let varies = values(&reply, "vary");
            assert!(varies.contains(&"origin"), "{what}: {varies:?}");
        }
    }
    // An error is for its eyes as well.
    let reply = served.ask("DELETE /", &[HOST, PAGE]);
    assert_eq!(
        (reply.status, value(&reply, "access-control-allow-origin")),
        (405, Some("https://app.example"))
    );
}

#[test]
fn a_browser_that_asks_first_is_told_what_a_page_may_send() {
    let served = served(&["--allow-origin", "https://app.example"]);
    let asking = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type";
    let reply = served.ask("OPTIONS /project", &[HOST, PAGE, asking]);
    assert_eq!((reply.status, reply.body.len()), (204, 0), "{}", reply.header);
    for (name, expected) in [
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-allow-methods", "get, head, post"),
        ("access-control-allow-headers", "content-type, if-none-match"),
        ("access-control-max-age", "7200"),
        ("access-control-allow-credentials", "true"),
    ] {
        assert_eq!(value(&reply, name), Some(expected), "{name}");
    }
    let private = "access-control-allow-private-network";
    assert_eq!(value(&reply, private), None, "nobody asked");
    let asking = format!("{asking}\r\nAccess-Control-Request-Private-Network: true");
    let reply = served.ask("OPTIONS /", &[HOST, PAGE, &asking]);
    assert_eq!(value(&reply, private), Some("true"));
    let reply = served.ask("OPTIONS /", &[HOST, STRANGER, &asking]);
    assert_eq!((reply.status, value(&reply, private)), (403, None));
}

#[test]
fn a_star_lets_every_page_in_without_cookies() {
    let served = served(&["--allow-origin", "*"]);
    for what in ["POST /", "OPTIONS /"] {
        let reply = served.ask(what, &[HOST, STRANGER]);
        assert!(reply.status < 300, "{}", reply.header);
        assert_eq!(value(&reply, "access-control-allow-origin"), Some("*"));
        assert_eq!(value(&reply, "access-control-allow-credentials"), None);
    }
}

#[test]
fn the_page_of_the_server_itself_and_programs_need_no_permission() {
    let served = served(&["--base-url", "https://leaf.example/fossil"]);
    for headers in [
        &[HOST][..],
        &[HOST, "Origin: http://localhost:8080"],
        &["Host: LEAF.example", "Origin: https://leaf.example"],
    ] {
        let reply = served.ask("POST /", headers);
        assert_eq!(reply.status, 200, "{headers:?}: {}", reply.header);
        assert_eq!(value(&reply, "access-control-allow-origin"), None);
    }
}

#[test]
fn on_loopback_a_name_that_was_made_to_lead_here_is_refused() {
    let served = served(&["--allow-host", "leaf.example"]);
    for host in [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "192.168.1.1",
    ] {
        let host = format!("Host: {host}");
        for what in ["POST /", "GET /", "GET /leaf.json", "OPTIONS /"] {
            let reply = served.ask(what, &[&host]);
            assert_eq!(reply.status, 403, "{what} {host}: {}", reply.header);
            assert!(
                text(&reply).contains("leaf serve --allow-host "),
                "{}",
                text(&reply)
            );
        }
        assert_eq!(
            served.ask("GET /healthz", &[&host]).status,
            200,
            "whoever watches may use any name"
        );
    }
    assert!(text(&served.ask("GET /", &["Host: evil.example:1"])).ends_with("--allow-host evil.example\n"));
    // At home by its own word, but under a name that is not ours.
    let rebound = ["Host: evil.example", "Origin: http://evil.example"];
    assert_eq!(served.ask("POST /", &rebound).status, 403);
    let in_line = served.ask("GET http://evil.example/", &[HOST]);
    assert_eq!(in_line.status, 403);
    for host in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1:8080",
        "[::1]:8080",
        "leaf.example:80",
    ] {
        assert_eq!(
            served.ask("POST /", &[&format!("Host: {host}")]).status,
            200,
            "{host}"
        );
    }
    let old = b"POST / HTTP/1.0\r\nContent-Type: application/x-fossil-debug\r\nContent-Length: 0\r\n\r\n";
    let reply = exchange(&served.server.address(), old).expect("an answer");
    assert_eq!(reply.status, 200, "a client of old says no name");
}

#[test]
fn elsewhere_every_name_is_answered_until_one_is_given() {
    let open = served(&["--http", "0.0.0.0:0"]);
    let listed = served(&["--http", "0.0.0.0:0", "--allow-host", "leaf.example"]);
    let outside = |served: &Served| {
        let address = served.server.addresses().get(1).expect("two sockets");
        address.replace("0.0.0.0", "127.0.0.1")
    };
    for (host, when_open, when_listed) in [
        ("any.example", 200, 403),
        ("leaf.example", 200, 200),
        ("localhost:8080", 200, 200),
        ("192.168.1.1", 200, 200),
        ("[fe80::1]:8080", 200, 200),
    ] {
        let headers = [&*format!("Host: {host}")];
        assert_eq!(
            ask(&outside(&open), "POST /", &headers).status,
            when_open,
            "{host}"
        );
        assert_eq!(
            ask(&outside(&listed), "POST /", &headers).status,
            when_listed,
            "{host}"
        );
    }
    // The socket on loopback of the same server stays strict.
    assert_eq!(open.ask("POST /", &["Host: any.example"]).status, 403);
}

#[test]
fn stock_clones_and_syncs_by_every_name_of_this_machine() {
    let served = served(&[]);
    let port = served.server.address();
    let (_, port) = port.rsplit_once(':').expect("a port");
    for name in ["localhost", "127.0.0.1"] {
        let (url, file) = (format!("http://{name}:{port}/"), format!("{name}.fossil"));
        served.scratch.fossil(&["clone", "--no-open", &url, &file]);
        let said = served
            .scratch
            .fossil(&["sync", &url, "-R", &file, "--once"])
            .text();
        assert!(said.contains("Round-trips: 1 "), "{said}");
    }
}

#[test]
fn what_is_no_origin_or_name_is_refused_at_the_start() {
    let scratch = Scratch::new();
    scratch.fossil(&["init", "project.fossil"]);
    for (flag, bad) in [
        ("--allow-origin", "example.org"),
        ("--allow-origin", "https://example.org/page"),
        ("--allow-origin", "null"),
        ("--allow-host", "http://example.org"),
        ("--allow-host", "example.org:80"),
    ] {
        let said = scratch.leaf_any(&["serve", "project.fossil", "--http", "127.0.0.1:0", flag, bad]);
        assert_eq!(said.code, Some(2), "{flag} {bad}: {}", said.text());
        assert!(
            said.text().contains("like "),
            "it gives an example: {}",
            said.text()
        );
    }
}
