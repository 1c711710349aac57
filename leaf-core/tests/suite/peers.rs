//! The registry of leaves that hold a project.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::pair::{NOW, Pair};
use crate::tables::def;
use crate::world::dump;
use leaf_core::repo::{Conflict, Peer, Repo, RepoError};
use leaf_core::sync::Goal;
use leaf_core::time::Timestamp;

fn peer(name: &str, seen: Timestamp) -> Peer {
    Peer {
        peer_id: format!("{name}-id"),
        name: name.to_owned(),
        kind: "native".to_owned(),
        repository: "project".to_owned(),
        version: "1".to_owned(),
        platform: "linux/x86_64".to_owned(),
        transports: "serve-http,pull".to_owned(),
        nats_subject: "fossil".to_owned(),
        addr: String::new(),
        seen,
    }
}

fn note(repo: &mut Repo, peer: &Peer) -> bool {
    repo.write(|tx| tx.note_peer(peer)).expect("a sound repository")
}

fn names(repo: &Repo, now: Timestamp) -> Vec<String> {
    let peers = repo.peers(now).expect("a sound repository");
    peers.into_iter().map(|peer| peer.name).collect()
}

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

#[test]
fn two_leaves_know_each_other_after_a_sync() {
    let mut pair = Pair::new();
    let (here, there) = (peer("here", NOW), peer("there", NOW));
    assert!(note(&mut pair.client, &here));
    assert!(note(&mut pair.server, &there));
    assert_eq!(pair.sync(Goal::Sync).rounds, 2);
    for repo in [&pair.client, &pair.server] {
        let peers = repo.peers(NOW).expect("a sound repository");
        assert_eq!(peers, [here.clone(), there.clone()]);
    }
    assert_eq!(pair.sync(Goal::Sync).rounds, 1);
}

#[test]
fn a_row_is_written_again_only_after_an_hour_or_a_change() {
    let mut pair = Pair::new();
    let repo = &mut pair.client;
    assert!(note(repo, &peer("a", NOW)));
    let before = dump(repo);
    assert!(!note(repo, &peer("a", NOW.plus_ms(59 * MINUTE))));
    assert_eq!(dump(repo), before);
    assert!(note(repo, &peer("a", NOW.plus_ms(60 * MINUTE))));
    let changed = Peer {
        version: "2".to_owned(),
        ..peer("a", NOW.plus_ms(61 * MINUTE))
    };
    assert!(note(repo, &changed));
    assert_eq!(repo.peers(NOW).expect("a sound repository"), [changed]);
}

#[test]
fn who_is_silent_for_a_month_is_not_listed() {
    let mut pair = Pair::new();
    note(&mut pair.client, &peer("old", NOW));
    note(&mut pair.client, &peer("new", NOW.plus_ms(DAY)));
    assert_eq!(names(&pair.client, NOW.plus_ms(30 * DAY)), ["new", "old"]);
    assert_eq!(names(&pair.client, NOW.plus_ms(30 * DAY + MINUTE)), ["new"]);
}

#[test]
fn a_table_of_the_references_columns_gets_ours_and_another_one_is_left_alone() {
    let mut pair = Pair::new();
    let columns = "peer_id text!, last_sync integer, repo_hash text, version text, platform text, capabilities text, \
                   nats_subject text, addr text";
    pair.client
        .write(|tx| tx.define_table("peer_registry", &def(columns, Conflict::MtimeWins), NOW))
        .expect("a table");
    note(&mut pair.client, &peer("a", NOW));
    assert_eq!(names(&pair.client, NOW), ["a"]);
    pair.server
        .write(|tx| {
            tx.define_table(
                "peer_registry",
                &def("id text!, x text", Conflict::MtimeWins),
                NOW,
            )
        })
        .expect("a table");
    let refused = pair.server.write(|tx| tx.note_peer(&peer("a", NOW)));
    assert!(matches!(refused, Err(RepoError::Table(_))), "{refused:?}");
    assert!(names(&pair.server, NOW).is_empty());
}
