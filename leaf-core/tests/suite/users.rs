//! Users: what letters grant, which logins pass.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::world::{NOW, repo};
use leaf_core::format::hash::sha1_hex;
use leaf_core::repo::{Cap, Capabilities, Repo, UserChange};

/// What a login with `password` may do, signed as a client signs.
fn login(repo: &Repo, user: &str, password: &str) -> Option<Capabilities> {
    let project = repo.project_code().expect("every repository has one");
    let secret = sha1_hex(format!("{project}/{user}/{password}").as_bytes());
    let nonce = sha1_hex(b"the rest of the message");
    let signature = sha1_hex(format!("{nonce}{secret}").as_bytes());
    repo.check_login(user, nonce.as_bytes(), signature.as_bytes())
        .expect("query")
}

fn with_user(capabilities: &str) -> Repo {
    let mut repo = repo();
    let change = UserChange {
        password: Some("pw"),
        capabilities: Some(capabilities),
        info: None,
    };
    repo.write(|tx| tx.set_user("bob", &change, NOW)).expect("a user");
    repo
}

#[test]
fn the_right_password_passes_and_a_wrong_one_does_not() {
    let repo = with_user("v");
    assert!(login(&repo, "bob", "pw").is_some());
    assert!(login(&repo, "bob", "Pw").is_none());
    assert!(login(&repo, "Bob", "pw").is_none(), "logins are case-sensitive");
    assert!(login(&repo, "carol", "pw").is_none());
}

#[test]
fn users_without_a_password_cannot_log_in() {
    let mut repo = repo();
    let change = UserChange {
        capabilities: Some("s"),
        ..UserChange::default()
    };
    repo.write(|tx| tx.set_user("bob", &change, NOW)).expect("a user");
    assert!(login(&repo, "bob", "").is_none());
}

#[test]
fn developer_and_reader_are_no_users() {
    let mut repo = repo();
    for name in ["developer", "reader"] {
        let change = UserChange {
            password: Some("pw"),
            ..UserChange::default()
        };
        repo.write(|tx| tx.set_user(name, &change, NOW)).expect("a row");
        assert!(login(&repo, name, "pw").is_none());
    }
}

#[test]
fn nobody_may_clone_and_read_a_new_repository_and_no_more() {
    let nobody = repo().capabilities_of_nobody().expect("query");
    assert!(nobody.has(Cap::Clone) && nobody.has(Cap::Read));
    for cap in [
        Cap::Write,
        Cap::Private,
        Cap::WriteUnversioned,
        Cap::Admin,
        Cap::Setup,
        Cap::ReadAddresses,
    ] {
        assert!(!nobody.has(cap), "{cap:?}");
    }
}

#[test]
fn setup_includes_writing_but_neither_private_nor_unversioned() {
    let caps = login(&with_user("s"), "bob", "pw").expect("the right password");
    assert!(caps.has(Cap::Setup) && caps.has(Cap::Admin) && caps.has(Cap::Write));
    assert!(!caps.has(Cap::Private) && !caps.has(Cap::WriteUnversioned));
}

#[test]
fn v_inherits_what_developers_may() {
    let caps = login(&with_user("v"), "bob", "pw").expect("the right password");
    assert!(caps.has(Cap::Write));
    assert!(
        !login(&with_user("u"), "bob", "pw")
            .expect("the right password")
            .has(Cap::Write)
    );
}

#[test]
fn the_password_is_kept_as_its_secret_only() {
    let db = with_user("v").into_connection();
    let stored: String = db
        .query_row("SELECT pw FROM user WHERE login = 'bob'", [], |row| row.get(0))
        .expect("a row");
    assert_eq!(stored.len(), 40);
}
