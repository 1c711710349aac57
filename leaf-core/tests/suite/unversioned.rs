//! Unversioned files: what is stored, which of two versions wins, what the catalogue hash says.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::world::{NOW, dump, named, repo};
use leaf_core::format::zblob;
use leaf_core::repo::{Repo, RepoError, UvBody, UvVerdict};

const LATER: i64 = NOW.0 / 1000 + 10;

fn with(name: &str, content: &[u8]) -> Repo {
    let mut repo = repo();
    repo.write(|tx| tx.uv_put(name, content, NOW))
        .expect("a good name");
    repo
}

fn content(repo: &Repo, name: &str) -> Option<Vec<u8>> {
    let file = repo.uv_stored(name).expect("query")?;
    file.hash?;
    Some(file.expand().expect("sound"))
}

#[test]
fn the_catalogue_hash_of_nothing_is_that_of_the_empty_text() {
    assert_eq!(
        repo().uv_hash().expect("query"),
        "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    );
}

#[test]
fn the_catalogue_hash_changes_with_content_and_comes_back_when_the_file_goes() {
    let mut repo = with("a.txt", b"one");
    let one = repo.uv_hash().expect("query");
    assert_ne!(one, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    repo.write(|tx| tx.uv_put("a.txt", b"two", NOW))
        .expect("a good name");
    assert_ne!(repo.uv_hash().expect("query"), one);
    assert!(
        repo.write(|tx| tx.uv_delete("a.txt", NOW.plus_ms(5000)))
            .expect("there")
    );
    assert_eq!(
        repo.uv_hash().expect("query"),
        "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    );
}

#[test]
fn only_content_that_shrinks_by_a_fifth_is_stored_compressed() {
    let repo = with("a.txt", &[b'a'; 1000]);
    assert!(repo.uv_stored("a.txt").expect("query").expect("there").compressed);
    let repo = with("b.bin", named(b"noise").as_bytes());
    assert!(!repo.uv_stored("b.bin").expect("query").expect("there").compressed);
}

#[test]
fn the_later_of_two_versions_wins_and_the_greater_hash_breaks_a_tie() {
    let repo = with("a.txt", b"ours");
    let (ours, now) = (named(b"ours"), NOW.unix());
    let other = named(b"theirs");
    let verdict = |mtime, hash| repo.uv_status("a.txt", mtime, hash).expect("query");
    assert_eq!(verdict(now + 1, Some(&other)), UvVerdict::Pull);
    assert_eq!(verdict(now - 1, Some(&other)), UvVerdict::Push);
    assert_eq!(verdict(now + 1, Some(&ours)), UvVerdict::PullTime);
    assert_eq!(verdict(now - 1, Some(&ours)), UvVerdict::PushTime);
    assert_eq!(verdict(now, Some(&ours)), UvVerdict::Same);
    let tie = if other > ours {
        UvVerdict::Pull
    } else {
        UvVerdict::Push
    };
    assert_eq!(verdict(now, Some(&other)), tie);
    assert_eq!(
        verdict(now, None),
        UvVerdict::Push,
        "in one second a deletion loses"
    );
    assert_eq!(verdict(now + 1, None), UvVerdict::Pull);
    assert_eq!(
        repo.uv_status("b.txt", now, None).expect("query"),
        UvVerdict::Unknown
    );
}

#[test]
fn a_received_file_is_verified_before_it_is_stored() {
    let mut repo = with("a.txt", b"ours");
    let before = dump(&mut repo);
    let hash = named(b"what was promised");
    let error = repo
        .write(|tx| tx.uv_receive("a.txt", LATER, Some(&hash), UvBody::Plain(b"what came"), NOW))
        .expect_err("the hash is wrong");
    assert!(matches!(error, RepoError::WrongHash { .. }));
    assert_eq!(dump(&mut repo), before);
}

#[test]
fn a_bomb_in_a_stored_file_is_refused() {
    let mut repo = repo();
    let mut limits = *repo.limits();
    limits.artifact_bytes_max = 1 << 20;
    repo.set_limits(limits);
    let bomb = zblob::compress(&vec![0; 64 << 20]);
    let body = UvBody::Stored {
        zblob: &bomb,
        size: 64 << 20,
    };
    let hash = named(b"whatever");
    let error = repo
        .write(|tx| tx.uv_receive("a", LATER, Some(&hash), body, NOW))
        .expect_err("too large");
    assert!(matches!(error, RepoError::WrongZblob { .. }));
    assert!(repo.uv_list().expect("query").is_empty());
}

#[test]
fn a_file_from_the_far_future_is_taken_as_of_now() {
    let mut repo = repo();
    let far = NOW.unix() + 10_000_000;
    let hash = named(b"hello");
    repo.write(|tx| tx.uv_receive("a", far, Some(&hash), UvBody::Plain(b"hello"), NOW))
        .expect("sound");
    let ours = repo.uv_list().expect("query")[0].mtime;
    assert!(ours <= NOW.unix() + 300, "{ours} lies in the future");
}

#[test]
fn an_earlier_version_changes_nothing() {
    let mut repo = with("a.txt", b"ours");
    let hash = named(b"old");
    repo.write(|tx| tx.uv_receive("a.txt", NOW.unix() - 9, Some(&hash), UvBody::Plain(b"old"), NOW))
        .expect("no error, no change");
    assert_eq!(content(&repo, "a.txt").expect("there"), b"ours");
}

#[test]
fn names_with_white_space_backslashes_or_parent_folders_are_refused() {
    let mut repo = repo();
    for name in ["", "a b", "a\tb", "a\\b", "../a", "/a", "a//b", "a/../b", "a\nb"] {
        let put = repo.write(|tx| tx.uv_put(name, b"x", NOW));
        assert!(matches!(put, Err(RepoError::BadUvName)), "{name:?}");
    }
    assert!(repo.uv_list().expect("query").is_empty());
}
