//! The lock on a leaf check-in that warns two people who are about to commit on top of it.

use crate::pairing::{Pairing, Program};
use leaf_tests::oracle::column;
use leaf_tests::{scene, wire};

fn tip(file: &std::path::Path) -> String {
    let sql =
        "SELECT uuid FROM leaf JOIN blob USING(rid) JOIN event ON objid=rid ORDER BY mtime DESC LIMIT 1";
    column(file, sql).pop().expect("a leaf")
}

fn the_second_client_is_told_who_holds_the_lock(program: Program) {
    let pairing = Pairing::new(Program::Stock, program);
    let origin = scene::small(&pairing.scratch, "origin.fossil");
    let path = origin.to_str().expect("a plain path");
    pairing
        .scratch
        .fossil(&["user", "capabilities", "nobody", "gio", "-R", path]);
    let code = column(&origin, "SELECT value FROM config WHERE name='project-code'")
        .pop()
        .expect("a code");
    let server = pairing.serve(&origin);
    let ask = |client: &str, verb: &str| {
        let request = format!(
            "pragma client-version 22100 20230226 192424\npull {code} {code}\npush {code} {code}\npragma {verb}\n# {client}\n"
        );
        String::from_utf8_lossy(&wire::cards(&server.address(), "/", &request)).into_owned()
    };
    let (first, second): (String, String) = ("1".repeat(40), "2".repeat(40));
    let leaf = tip(&origin);
    let lock = |client: &str| ask(client, &format!("ci-lock {leaf} {client}"));
    assert!(
        !lock(&first).contains("ci-lock-fail"),
        "the first client gets the lock"
    );
    assert!(
        lock(&second).contains("pragma ci-lock-fail"),
        "the second client does not"
    );
    assert!(
        !lock(&first).contains("ci-lock-fail"),
        "the first client keeps it"
    );
    ask(&first, &format!("ci-unlock {first}"));
    assert!(
        !lock(&second).contains("ci-lock-fail"),
        "released, the second client gets it"
    );
}

#[test]
fn a_leaf_server_tells_the_second_client_who_holds_the_lock() {
    the_second_client_is_told_who_holds_the_lock(Program::Leaf);
}

#[test]
fn a_stock_server_tells_the_second_client_who_holds_the_lock() {
    the_second_client_is_told_who_holds_the_lock(Program::Stock);
}
