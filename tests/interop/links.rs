//! Where other repositories of the project are: asked for, told, kept; and where the client itself is.

use crate::pairing::{Options, Pairing};
use leaf_tests::oracle::column;
use std::path::Path;

every_pairing!(
    links_are_passed_on_to_whoever_asks,
    a_client_that_is_served_somewhere_says_so,
);

const MIRROR: &str = "https://mirror.example.org/project";

fn configure(pairing: &Pairing, file: &Path, name: &str, value: &str) {
    let file = file.to_str().expect("a plain path");
    let sql = format!("REPLACE INTO config(name,value,mtime) VALUES('{name}','{value}',now())");
    pairing.scratch.fossil(&["sql", "-R", file, &sql]);
}

fn links_are_passed_on_to_whoever_asks(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    configure(&pairing, &origin, &format!("syncfrom:{MIRROR}"), "{}");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    let links = "SELECT substr(name, 6) FROM config WHERE name GLOB 'link:*' AND json_valid(value)";
    pairing.transfer_well("pull", &clone, &server.url_of("bob"), Options::PLAIN);
    assert_eq!(column(&clone, links), [""; 0], "nobody asked");
    pairing.transfer_well("pull", &clone, &server.url_of("bob"), Options::SHARE_LINKS);
    assert_eq!(column(&clone, links), [MIRROR]);
}

fn a_client_that_is_served_somewhere_says_so(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    configure(&pairing, &clone, "email-url", MIRROR);
    configure(&pairing, &clone, &format!("baseurl:{MIRROR}"), "1");
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    let known = "SELECT substr(name, 10) FROM config WHERE name GLOB 'syncfrom:*'";
    assert_eq!(column(&origin, known), [MIRROR]);
    let synced = "SELECT substr(name, 10) FROM config WHERE name GLOB 'syncwith:*'";
    let synced = column(&clone, synced);
    let synced: Vec<&str> = synced.iter().map(|url| url.trim_end_matches('/')).collect();
    assert_eq!(synced, [server.url().trim_end_matches('/')]);
}
