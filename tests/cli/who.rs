//! Who one is when nothing says so: the first user of a new repository and of a clone.
//!
//! Source: Fossil `src/db.c` `db_create_default_users()`, `src/clone.c` `clone_cmd()`, `src/user.c` `user_select()`.

use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::column;
use leaf_tests::scene;
use leaf_tests::scratch::{Said, Scratch};

const NAMES: [&str; 5] = ["LEAF_USER", "FOSSIL_USER", "USER", "LOGNAME", "USERNAME"];

/// Runs `leaf` in an environment that has nobody's name but those of `known`.
fn leaf_as(scratch: &Scratch, known: &[(&str, &str)], args: &[&str]) -> Said {
    let mut command = scratch.leaf_command();
    for name in NAMES {
        command.env_remove(name);
    }
    command.envs(known.iter().copied()).args(args);
    scratch.run(command)
}

/// The users of `name` who may do everything.
fn admins(scratch: &Scratch, name: &str) -> Vec<String> {
    column(
        &scratch.path(name),
        "SELECT login FROM user WHERE cap LIKE '%s%' ORDER BY login",
    )
}

#[test]
fn a_repository_made_by_nobody_in_particular_belongs_to_root_and_says_so() {
    let scratch = Scratch::new();
    let said = leaf_as(&scratch, &[], &["new", "new.fossil"]).well();
    assert!(said.stderr.contains("the first user is root"), "{}", said.stderr);
    assert_eq!(admins(&scratch, "new.fossil"), ["root"]);
    let named = leaf_as(
        &scratch,
        &[("USER", "")],
        &["new", "named.fossil", "--user", "eve"],
    )
    .well();
    assert_eq!(named.stderr, "");
    assert_eq!(admins(&scratch, "named.fossil"), ["eve"]);
}

#[test]
fn a_name_is_looked_for_where_stock_looks_and_in_its_order() {
    let scratch = Scratch::new();
    for from in 0..NAMES.len() {
        let known: Vec<(&str, &str)> = NAMES[from..].iter().map(|name| (*name, *name)).collect();
        let file = format!("{from}.fossil");
        let said = leaf_as(&scratch, &known, &["new", &file]).well();
        assert_eq!(said.stderr, "", "nothing was guessed");
        assert_eq!(admins(&scratch, &file), [NAMES[from]]);
    }
}

#[test]
fn a_clone_without_a_name_belongs_to_whom_it_logged_in_as_else_to_root() {
    let scratch = Scratch::new();
    let origin = scene::small(&scratch, "origin.fossil");
    let server = LeafServer::start(&scratch, &origin);
    let guessed = leaf_as(&scratch, &[], &["clone", &server.url(), "guessed.fossil"]).well();
    assert!(
        guessed.stderr.contains("the first user is root"),
        "{}",
        guessed.stderr
    );
    assert_eq!(admins(&scratch, "guessed.fossil"), ["root"]);
    let url = server.url_as("bob", "bob-pw");
    let said = leaf_as(&scratch, &[("USER", "eve")], &["clone", &url, "bob.fossil"]).well();
    assert!(!said.stderr.contains("root"), "{}", said.stderr);
    assert_eq!(admins(&scratch, "bob.fossil"), ["bob"]);
}

#[test]
fn a_checkin_is_not_made_in_a_guessed_name() {
    let scratch = Scratch::new();
    scratch.leaf(&["new", "new.fossil"]);
    std::fs::write(scratch.path("a.txt"), "a").expect("a file");
    let commit = ["commit", "-R", "new.fossil", "-m", "A", "a.txt"];
    let said = leaf_as(&scratch, &[], &commit);
    assert_eq!(said.code, Some(2), "{}", said.text());
    assert!(said.stderr.contains("--user LOGIN"), "{}", said.stderr);
    leaf_as(&scratch, &[("LOGNAME", "eve")], &commit).well();
}
