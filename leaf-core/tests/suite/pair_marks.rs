//! Marks: a sync that moves nothing says nothing, and no artifact is lost for it.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::pair::{NOW, Pair, content, has, name_of, names, new_repo, put, put_as, rid};
use crate::pair_rights::user;
use leaf_core::repo::{Put, Repo};
use leaf_core::sync::{Credentials, Goal};
use rusqlite::Connection;

/// Bytes of the requests and replies of a sync that moves nothing, which takes one round.
fn idle_bytes(artifacts: u32) -> (usize, usize) {
    let mut pair = Pair::new();
    put(&mut pair.client, 0..artifacts / 2);
    put(&mut pair.server, artifacts / 2..artifacts);
    pair.sync(Goal::Sync);
    pair.sync(Goal::Sync);
    let outcome = pair.sync(Goal::Sync);
    assert_eq!(outcome.rounds, 1, "{artifacts} artifacts");
    assert_eq!(pair.count("igot "), (0, 0), "{artifacts} artifacts");
    let (request, reply) = &pair.wire[0];
    (request.len(), reply.len())
}

#[test]
fn an_idle_sync_says_the_same_whatever_the_size() {
    let small = idle_bytes(10);
    for artifacts in [90, 150, 1000] {
        assert_eq!(idle_bytes(artifacts), small, "{artifacts} artifacts");
    }
    assert!(small.0 + small.1 < 1_000, "{small:?}");
}

#[test]
fn the_second_sync_already_announces_nothing() {
    let mut pair = Pair::new();
    put(&mut pair.client, 0..20);
    put(&mut pair.server, 20..40);
    pair.sync(Goal::Sync);
    pair.sync(Goal::Sync);
    assert_eq!(pair.count("igot "), (0, 0));
}

#[test]
fn only_what_is_new_is_announced() {
    let mut pair = Pair::new();
    put(&mut pair.client, 0..20);
    put(&mut pair.server, 20..40);
    pair.sync(Goal::Sync);
    let here = put_as(&mut pair.client, &content(50), Put::default());
    let there = put_as(&mut pair.server, &content(51), Put::default());
    pair.sync(Goal::Sync);
    assert!(has(&pair.server, &here) && has(&pair.client, &there));
    assert_eq!(pair.count("igot "), (1, 1));
}

#[test]
fn a_phantom_filled_in_by_somebody_else_is_announced() {
    let mut pair = Pair::new();
    put(&mut pair.server, 0..5);
    let late = content(77);
    let name = name_of(&late);
    pair.server
        .write(|tx| tx.phantom(&name, false))
        .expect("a sound repository");
    put(&mut pair.server, 5..10);
    pair.sync(Goal::Sync);
    assert!(!has(&pair.client, &name));
    put_as(&mut pair.server, &late, Put::default());
    pair.sync(Goal::Sync);
    assert!(has(&pair.client, &name), "its row is older than the mark");
}

#[test]
fn a_phantom_filled_in_here_is_announced() {
    let mut pair = Pair::new();
    let late = content(77);
    let name = name_of(&late);
    pair.client
        .write(|tx| tx.phantom(&name, false))
        .expect("a sound repository");
    put(&mut pair.client, 0..5);
    pair.sync(Goal::Sync);
    put_as(&mut pair.client, &late, Put::default());
    pair.sync(Goal::Sync);
    assert!(has(&pair.server, &name), "its row is older than the mark");
}

#[test]
fn a_server_restored_from_a_backup_gets_back_what_it_lost() {
    let mut pair = Pair::new();
    put(&mut pair.client, 0..20);
    pair.sync(Goal::Sync);
    let backup = copy(&pair.server);
    let later = put(&mut pair.client, 20..30);
    pair.sync(Goal::Sync);
    pair.sync(Goal::Sync);
    pair.server = backup;
    assert!(!has(&pair.server, &later[0]));
    pair.sync(Goal::Sync);
    assert!(later.iter().all(|hash| has(&pair.server, hash)));
}

#[test]
fn a_server_restored_and_grown_to_the_same_size_gets_back_what_it_lost() {
    let mut pair = Pair::new();
    put(&mut pair.client, 0..20);
    pair.sync(Goal::Sync);
    let backup = copy(&pair.server);
    let later = put(&mut pair.client, 20..30);
    pair.sync(Goal::Sync);
    pair.server = backup;
    let others = put(&mut pair.server, 40..50);
    pair.sync(Goal::Sync);
    assert!(later.iter().all(|hash| has(&pair.server, hash)));
    assert!(others.iter().all(|hash| has(&pair.client, hash)));
}

#[test]
fn a_client_restored_from_a_backup_gets_back_what_it_lost() {
    let mut pair = Pair::new();
    put(&mut pair.server, 0..20);
    pair.sync(Goal::Sync);
    let backup = copy(&pair.client);
    let later = put(&mut pair.server, 20..30);
    pair.sync(Goal::Sync);
    pair.client = backup;
    pair.sync(Goal::Sync);
    assert!(later.iter().all(|hash| has(&pair.client, hash)));
}

#[test]
fn another_server_under_the_same_url_is_told_everything() {
    let mut pair = Pair::new();
    put(&mut pair.client, 0..20);
    pair.sync(Goal::Sync);
    pair.server = crate::pair::repository(9);
    let theirs = put(&mut pair.server, 30..35);
    pair.sync(Goal::Sync);
    assert_eq!(names(&pair.client), names(&pair.server));
    assert!(theirs.iter().all(|hash| has(&pair.client, hash)));
}

#[test]
fn what_was_banned_and_removed_comes_back_when_the_ban_is_dropped() {
    for artifacts in [20, 150] {
        let mut pair = Pair::new();
        let all = put(&mut pair.client, 0..artifacts);
        pair.sync(Goal::Push);
        // The server has it in a cluster, if there are enough; the client has not heard of that.
        pair.server
            .write(|tx| tx.make_clusters(NOW))
            .expect("a sound repository");
        pair.sync(Goal::Push);
        pair.sync(Goal::Push);
        assert_eq!(pair.count("igot "), (0, 0));
        let ban = pair.server.write(|tx| {
            tx.shun(&all[3], None, NOW)?;
            tx.apply_shun()?;
            tx.unshun(&all[3])
        });
        ban.expect("a sound repository");
        assert!(!has(&pair.server, &all[3]));
        pair.sync(Goal::Push);
        assert!(has(&pair.server, &all[3]), "{artifacts} artifacts");
    }
}

#[test]
fn a_mark_made_without_private_artifacts_does_not_hide_them() {
    let mut pair = Pair::new();
    user(&mut pair.server, "x", "oix");
    let secret = put_as(
        &mut pair.server,
        b"their secret",
        Put {
            private: true,
            unsent: false,
        },
    );
    put(&mut pair.server, 0..5);
    let mut options = Pair::options(Goal::Sync);
    options.login = Some(Credentials {
        user: "x".to_owned(),
        password: "x".to_owned(),
    });
    pair.run(options.clone()).expect("an honest server");
    pair.run(options.clone()).expect("an honest server");
    options.private = true;
    pair.run(options.clone()).expect("an honest server");
    assert!(has(&pair.client, &secret));
    pair.run(options).expect("an honest server");
    assert_eq!(pair.count("igot "), (0, 0), "private ones are marked as well");
}

#[test]
fn a_mark_of_a_pull_does_not_hide_what_is_to_be_pushed() {
    let mut pair = Pair::new();
    let here = put(&mut pair.client, 0..5);
    put(&mut pair.server, 5..10);
    pair.sync(Goal::Pull);
    pair.sync(Goal::Pull);
    let mut options = Pair::options(Goal::Sync);
    options.login = None;
    pair.run(options).expect("a pull, as nobody may not write");
    pair.sync(Goal::Sync);
    assert!(here.iter().all(|hash| has(&pair.server, hash)));
}

#[test]
fn a_mark_of_a_push_does_not_hide_what_is_to_be_pulled() {
    let mut pair = Pair::new();
    put(&mut pair.client, 0..5);
    let there = put(&mut pair.server, 5..10);
    pair.sync(Goal::Push);
    pair.sync(Goal::Push);
    assert_eq!(pair.count("igot "), (0, 0));
    pair.sync(Goal::Sync);
    assert!(there.iter().all(|hash| has(&pair.client, hash)));
}

#[test]
fn clusters_made_between_two_syncs_lose_nothing() {
    let mut pair = Pair::new();
    put(&mut pair.server, 0..60);
    pair.sync(Goal::Sync);
    put(&mut pair.server, 60..250);
    let outcome = pair.sync(Goal::Sync);
    assert_eq!(names(&pair.client), names(&pair.server));
    assert!(outcome.rounds <= 5, "{} rounds", outcome.rounds);
    pair.sync(Goal::Sync);
    assert_eq!(pair.sync(Goal::Sync).rounds, 1);
    assert_eq!(pair.count("igot "), (0, 0));
}

#[test]
fn three_leaves_around_one_server_agree_in_the_end() {
    let mut pair = Pair::new();
    let mut others = vec![crate::pair::repository(3), crate::pair::repository(4)];
    for turn in 0..12_u32 {
        put(&mut pair.client, turn * 40..turn * 40 + 30);
        pair.sync(Goal::Sync);
        let next = others.remove(0);
        others.push(core::mem::replace(&mut pair.client, next));
    }
    for _ in 0..3 {
        pair.sync(Goal::Sync);
        assert_eq!(names(&pair.client), names(&pair.server));
        let next = others.remove(0);
        others.push(core::mem::replace(&mut pair.client, next));
    }
}

#[test]
fn marks_are_kept_for_each_remote() {
    let mut pair = Pair::new();
    put(&mut pair.client, 0..5);
    pair.sync(Goal::Sync);
    let mut options = Pair::options(Goal::Sync);
    options.url = "http://elsewhere/".to_owned();
    pair.run(options).expect("an honest server");
    assert_eq!(pair.count("igot ").0, 5);
}

#[test]
fn an_idle_sync_writes_nothing() {
    let mut pair = Pair::new();
    put(&mut pair.client, 0..5);
    let before = |repo: &Repo| {
        let row = repo
            .config("leaf-mark-pull:http://server/")
            .expect("a sound repository");
        (row, repo.standing(false).expect("a sound repository").mark())
    };
    pair.sync(Goal::Sync);
    pair.sync(Goal::Sync);
    let (here, there) = (before(&pair.client), before(&pair.server));
    assert!(here.0.is_some());
    pair.sync(Goal::Sync);
    assert_eq!((before(&pair.client), before(&pair.server)), (here, there));
}

/// A copy of a repository, as of a file.
fn copy(repo: &Repo) -> Repo {
    let mut copy = Repo::create(Connection::open_in_memory().expect("memory"), &new_repo(2)).expect("empty");
    let mut all = Vec::new();
    repo.each_available(&mut |rid, hash| all.push((rid, *hash)))
        .expect("a sound repository");
    for (rid, _) in all.iter().rev() {
        let content = repo
            .content(*rid)
            .expect("a sound repository")
            .expect("available");
        put_as(&mut copy, &content, Put::default());
    }
    for name in ["leaf-mark-pull:http://server/", "leaf-mark-push:http://server/"] {
        if let Some(value) = repo.config(name).expect("a sound repository") {
            copy.write(|tx| tx.set_config(name, &value, NOW))
                .expect("a sound repository");
        }
    }
    for (original, _) in &all {
        let hash = repo.hash_of(*original).expect("known");
        assert!(rid(&copy, &hash).0 > 0);
    }
    copy
}
