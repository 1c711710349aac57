//! Clones: all three versions of the protocol, budgets, resumption, deltas.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::pair::{NOW, PROJECT, Pair, content, has, name_of, names, new_repo, put, put_as, rid, signed};
use crate::pair_rights::user;
use leaf_core::format::zblob;
use leaf_core::id::{ArtifactHash, ProjectCode, ServerCode};
use leaf_core::limits::Limits;
use leaf_core::repo::{ConfigGroup, Put, Repo, RepoError};
use leaf_core::sync::{Credentials, Goal, SyncError, SyncEvent, SyncSession};
use leaf_core::xfer::{Card, Cards, ContentType};
use rusqlite::Connection;
use std::ops::ControlFlow;

const VERSION: &str = "pragma client-version 22100 20230226 192424\n";

fn unfinished() -> Repo {
    Repo::create_for_clone(Connection::open_in_memory().expect("memory"), &new_repo(1)).expect("empty")
}

fn finish(repo: &mut Repo) {
    let plan = repo.check_plan(1).expect("a sound repository");
    let checked = plan.iter().map(|part| repo.check(part, &mut |_, _| {}));
    let checked = checked.collect::<Result<Vec<_>, _>>().expect("readable");
    repo.finish_clone(checked, NOW).expect("every hash is right");
}

/// Versions of one file, each stored as a delta of the next, as stock stores them.
fn put_history(repo: &mut Repo, versions: u32) -> Vec<ArtifactHash> {
    let version = |number: u32| {
        let lines = (0..60).map(|line| {
            format!(
                "line {line} of {}\n",
                if line == number % 60 { number } else { 0 }
            )
        });
        lines.collect::<String>().into_bytes()
    };
    let hashes: Vec<_> = (0..versions)
        .map(|number| put_as(repo, &version(number), Put::default()))
        .collect();
    for pair in hashes.windows(2) {
        let (old, new) = (rid(repo, &pair[0]), rid(repo, &pair[1]));
        assert!(repo.write(|tx| tx.deltify(old, new)).expect("a sound repository"));
    }
    hashes
}

#[test]
fn a_clone_brings_everything_public_and_ends_as_a_repository() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    put_history(&mut pair.server, 30);
    let secret = put_as(
        &mut pair.server,
        b"their secret",
        Put {
            private: true,
            unsent: false,
        },
    );
    let mut options = Pair::options(Goal::Clone);
    options.login = None;
    let outcome = pair.run(options).expect("an honest server");
    assert_eq!(outcome.rounds, 1, "nothing but artifacts was wanted");
    assert!(outcome.events.contains(&SyncEvent::CloneReceived));
    let project = ProjectCode::from_random(PROJECT);
    assert_eq!(
        pair.client.config("project-code").expect("sound").as_deref(),
        Some(project.as_str())
    );
    finish(&mut pair.client);
    assert_eq!(names(&pair.client), names(&pair.server));
    assert!(!has(&pair.client, &secret));
    assert_eq!(pair.sync(Goal::Sync).stats.artifacts_received, 0);
}

#[test]
fn a_clone_copies_stored_bytes() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    let all = put_history(&mut pair.server, 10);
    pair.run(Pair::options(Goal::Clone)).expect("an honest server");
    for hash in &all {
        let stored = |repo: &Repo| repo.stored(rid(repo, hash)).expect("sound").expect("here").zblob;
        assert_eq!(stored(&pair.client), stored(&pair.server));
    }
}

#[test]
fn a_clone_beyond_the_budget_goes_on_until_all_is_there() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    put(&mut pair.server, 0..200);
    pair.server_limits.download_bytes = 2_000;
    let mut options = Pair::options(Goal::Clone);
    options.config_pull = vec![ConfigGroup::Project];
    let outcome = pair.run(options).expect("an honest server");
    assert!(outcome.rounds > 5, "{} rounds", outcome.rounds);
    assert!(pair.wire.iter().all(|(_, reply)| reply.len() < 3_000));
    finish(&mut pair.client);
    assert_eq!(names(&pair.client), names(&pair.server));
}

#[test]
fn a_clone_that_was_cut_off_goes_on_where_it_was() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    put(&mut pair.server, 0..200);
    pair.server_limits.download_bytes = 2_000;
    begin(&mut pair, &mut SyncSession::new(Pair::options(Goal::Clone)), 4).expect("an honest server");
    let there = names(&pair.client).len();
    assert!(there > 10);
    let outcome = pair.run(Pair::options(Goal::Clone)).expect("an honest server");
    let all = names(&pair.server).len();
    assert_eq!(
        outcome.stats.artifacts_received,
        (all - there) as u64,
        "nothing came twice"
    );
    assert!(
        pair.wire[0].0.starts_with("login admin "),
        "the project is known by now"
    );
    finish(&mut pair.client);
    assert_eq!(names(&pair.client), names(&pair.server));
}

/// The first rounds of a clone that is then cut off.
fn begin(pair: &mut Pair, session: &mut SyncSession, rounds: usize) -> Result<(), SyncError> {
    for _ in 0..rounds {
        let entropy = pair.entropy();
        let transmit = session
            .poll_transmit(&mut pair.client, entropy)?
            .expect("a request");
        let reply = pair.serve(&transmit.body, transmit.content_type, None);
        session.handle_reply(&mut pair.client, &reply.body, reply.content_type, NOW)?;
    }
    Ok(())
}

#[test]
fn a_clone_that_goes_on_with_another_leaf_misses_nothing() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    put(&mut pair.server, 0..200);
    pair.server_limits.download_bytes = 2_000;
    begin(&mut pair, &mut SyncSession::new(Pair::options(Goal::Clone)), 4).expect("an honest server");
    assert!(names(&pair.client).len() > 10);
    // The same artifacts in another order.
    let mut other = crate::pair::repository(3);
    put(&mut other, 100..200);
    put(&mut other, 0..100);
    pair.server = other;
    pair.run(Pair::options(Goal::Clone)).expect("an honest server");
    let all = names(&pair.server);
    assert_eq!(
        pair.client.clone_source().expect("sound").as_deref(),
        Some(ServerCode::from_random([3; 20]).as_str())
    );
    finish(&mut pair.client);
    assert_eq!(names(&pair.client), all);
    assert_eq!(pair.client.clone_source().expect("sound"), None);
}

#[test]
fn a_clone_whose_source_changes_from_round_to_round_fails() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    put(&mut pair.server, 0..200);
    pair.server_limits.download_bytes = 2_000;
    let mut session = SyncSession::new(Pair::options(Goal::Clone));
    begin(&mut pair, &mut session, 2).expect("an honest server");
    pair.server = crate::pair::repository(3);
    put(&mut pair.server, 0..200);
    let there = names(&pair.client);
    let refused = begin(&mut pair, &mut session, 1).expect_err("two servers");
    assert!(matches!(refused, SyncError::PeersTakeTurns), "{refused}");
    assert_eq!(names(&pair.client), there, "as it was");
}

/// What a session was told to expect.
fn expected(events: &[SyncEvent]) -> Vec<u64> {
    let expected = events.iter().filter_map(|event| match event {
        SyncEvent::Expected { artifacts } => Some(*artifacts),
        _ => None,
    });
    expected.collect()
}

#[test]
fn a_leaf_tells_whoever_clones_how_much_is_to_come() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    put(&mut pair.server, 0..200);
    put_as(
        &mut pair.server,
        b"their secret",
        Put {
            private: true,
            unsent: false,
        },
    );
    let phantom = name_of(b"known by name only");
    let made = pair.server.write(|tx| tx.phantom(&phantom, false));
    made.expect("sound").expect("a phantom");
    pair.server_limits.download_bytes = 2_000;
    let mut session = SyncSession::new(Pair::options(Goal::Clone));
    let mut events = Vec::new();
    for _ in 0..4 {
        let entropy = pair.entropy();
        let transmit = session
            .poll_transmit(&mut pair.client, entropy)
            .expect("sound")
            .expect("a request");
        let reply = pair.serve(&transmit.body, transmit.content_type, None);
        session
            .handle_reply(&mut pair.client, &reply.body, reply.content_type, NOW)
            .expect("an honest server");
        events.extend(std::iter::from_fn(|| session.poll_event()));
    }
    let all = names(&pair.server).len() as u64;
    assert_eq!(expected(&events), [all], "once, before anything came");
    let rest = pair.run(Pair::options(Goal::Clone)).expect("an honest server");
    assert_eq!(
        expected(&rest.events),
        [rest.stats.artifacts_received],
        "the rest"
    );
    assert_eq!(pair.count("pragma leaf-count"), (1, 1));
    pair.sync(Goal::Sync);
    assert_eq!(pair.count("pragma leaf-count"), (0, 0), "in clones only");
}

#[test]
fn private_artifacts_are_counted_for_whom_they_are_for() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    user(&mut pair.server, "insider", "gox");
    let secret = Put {
        private: true,
        unsent: false,
    };
    put_as(&mut pair.server, b"their secret", secret);
    put(&mut pair.server, 0..5);
    let mut options = Pair::options(Goal::Clone);
    options.private = true;
    options.login = Some(Credentials {
        user: "insider".to_owned(),
        password: "insider".to_owned(),
    });
    let outcome = pair.run(options).expect("an honest server");
    assert_eq!(
        outcome.stats.artifacts_received,
        names(&pair.server).len() as u64 + 1
    );
    assert_eq!(expected(&outcome.events), [outcome.stats.artifacts_received]);
}

#[test]
fn a_clone_that_gets_nowhere_leaves_nothing_behind() {
    let mut client = unfinished();
    let config = |repo: &Repo| {
        let mut rows = Vec::new();
        let all = repo.query("SELECT name, value FROM config ORDER BY name", &mut |_, row| {
            rows.push(format!("{row:?}"));
            ControlFlow::Continue(())
        });
        all.expect("readable");
        rows
    };
    let before = config(&client);
    let mut session = SyncSession::new(Pair::options(Goal::Clone));
    session
        .poll_transmit(&mut client, [1; 20])
        .expect("sound")
        .expect("a request");
    let nothing = b"# timestamp 2026-11-21T00:00:00 errors 0\n";
    let error = session
        .handle_reply(&mut client, nothing, ContentType::Debug, NOW)
        .expect_err("neither rows nor a project");
    assert!(matches!(error, SyncError::PeerStalled { .. }), "{error}");
    assert_eq!(config(&client), before);
}

#[test]
fn how_much_there_is_is_told_to_nobody_who_may_not_clone() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    for login in ["nobody", "anonymous"] {
        user(&mut pair.server, login, "");
    }
    let reply = pair.ask(&format!("{VERSION}pragma leaf-count\nclone 3 1\n"));
    assert!(
        reply.contains("not\\sauthorized") && !reply.contains("leaf-count"),
        "{reply}"
    );
    let outcome = pair.run(Pair::options(Goal::Clone)).expect("an honest server");
    assert_eq!(
        expected(&outcome.events),
        [outcome.stats.artifacts_received],
        "with a login"
    );
}

#[test]
fn a_clone_that_needs_a_login_logs_in_as_soon_as_it_can() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    put(&mut pair.server, 0..20);
    for login in ["nobody", "anonymous"] {
        let change = leaf_core::repo::UserChange {
            password: None,
            capabilities: Some(""),
            info: None,
        };
        pair.server
            .write(|tx| tx.set_user(login, &change, NOW))
            .expect("a sound repository");
    }
    let outcome = pair.run(Pair::options(Goal::Clone)).expect("an honest server");
    assert_eq!(outcome.rounds, 2);
    finish(&mut pair.client);
    assert_eq!(names(&pair.client), names(&pair.server));
    pair.client = unfinished();
    let mut options = Pair::options(Goal::Clone);
    options.login = None;
    let error = pair.run(options).expect_err("a refusal");
    assert!(
        matches!(&error, SyncError::PeerSaid { message } if message == "not authorized to clone"),
        "{error}"
    );
}

#[test]
fn a_private_clone_brings_what_is_private_as_private() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    put(&mut pair.server, 0..5);
    user(&mut pair.server, "x", "oixg");
    let secret = put_as(
        &mut pair.server,
        b"their secret",
        Put {
            private: true,
            unsent: false,
        },
    );
    let mut options = Pair::options(Goal::Clone);
    options.login = Some(Credentials {
        user: "x".to_owned(),
        password: "x".to_owned(),
    });
    options.private = true;
    pair.run(options).expect("an honest server");
    finish(&mut pair.client);
    assert!(has(&pair.client, &secret));
    assert!(
        pair.client
            .is_private(rid(&pair.client, &secret))
            .expect("a sound repository")
    );
}

#[test]
fn a_clone_of_what_is_a_delta_of_a_private_artifact_is_whole() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    let secret = put_as(
        &mut pair.server,
        &content(1),
        Put {
            private: true,
            unsent: false,
        },
    );
    let public = put_as(
        &mut pair.server,
        &[content(1), b"more\n".to_vec()].concat(),
        Put::default(),
    );
    let (from, to) = (rid(&pair.server, &public), rid(&pair.server, &secret));
    pair.server
        .write(|tx| tx.deltify(from, to))
        .expect("a sound repository");
    pair.run(Pair::options(Goal::Clone)).expect("an honest server");
    assert!(
        !pair
            .wire
            .iter()
            .any(|(_, reply)| reply.contains(&secret.to_string()))
    );
    finish(&mut pair.client);
    assert!(has(&pair.client, &public));
}

#[test]
fn shunned_artifacts_are_not_cloned_nor_named() {
    let mut pair = Pair::of(unfinished(), crate::pair::repository(2));
    let all = put_history(&mut pair.server, 4);
    pair.server
        .write(|tx| tx.shun(&all[2], None, NOW))
        .expect("a sound repository");
    pair.run(Pair::options(Goal::Clone)).expect("an honest server");
    assert!(
        !pair
            .wire
            .iter()
            .any(|(_, reply)| reply.contains(&all[2].to_string()))
    );
    finish(&mut pair.client);
    assert!(has(&pair.client, &all[0]) && has(&pair.client, &all[1]) && has(&pair.client, &all[3]));
    assert!(!has(&pair.client, &all[2]));
}

#[test]
fn the_row_to_go_on_with_comes_before_the_push_card() {
    let mut pair = Pair::new();
    put(&mut pair.server, 0..50);
    pair.server_limits.download_bytes = 1_000;
    let reply = pair.ask(&format!("{VERSION}clone 3 1\n"));
    let (seqno, push) = (
        reply.find("\nclone_seqno ").expect("a row"),
        reply.find("\npush ").expect("codes"),
    );
    assert!(seqno < push);
    assert!(
        pair.ask(&format!("{VERSION}clone 3 1000000\n"))
            .contains("\nclone_seqno 0\n")
    );
    assert!(
        pair.ask(&format!("{VERSION}clone 3 0\n")).contains("cfile "),
        "0 is the beginning to older clients"
    );
}

#[test]
fn the_reply_to_a_clone_is_not_compressed_again() {
    let mut pair = Pair::new();
    put(&mut pair.server, 0..5);
    let packed = leaf_core::xfer::envelope::pack(
        format!("{VERSION}clone 3 1\n").into_bytes(),
        ContentType::Compressed,
    );
    assert_eq!(
        pair.serve(&packed, ContentType::Compressed, None).content_type,
        ContentType::Uncompressed
    );
    let packed = leaf_core::xfer::envelope::pack(
        format!("{VERSION}clone 2 1\n").into_bytes(),
        ContentType::Compressed,
    );
    assert_eq!(
        pair.serve(&packed, ContentType::Compressed, None).content_type,
        ContentType::Compressed
    );
}

#[test]
fn a_clone_of_the_second_version_gets_plain_deltas() {
    let mut pair = Pair::new();
    let all = put_history(&mut pair.server, 20);
    pair.server_limits.download_bytes = 1_500;
    let mut seqno = 1;
    let mut found = Vec::new();
    while seqno > 0 {
        let cards = format!("{VERSION}clone 2 {seqno}\n").into_bytes();
        let reply = pair.serve(&cards, ContentType::Debug, None).body;
        for card in Cards::new(&reply, &Limits::default()) {
            match card.expect("a good reply") {
                Card::File { hash, source, .. } => found.push((hash, source.is_some())),
                Card::CloneSeqno(next) => seqno = next,
                Card::Cfile { .. } => panic!("that is the third version"),
                _ => {}
            }
        }
    }
    assert!(
        all[..19].iter().all(|hash| found.contains(&(*hash, true))),
        "deltas as stored"
    );
    assert!(found.contains(&(all[19], false)));
    assert_eq!(found.len(), names(&pair.server).len());
}

#[test]
fn a_clone_of_the_first_version_is_told_everything_and_asks() {
    let mut pair = Pair::new();
    let all = put_history(&mut pair.server, 20);
    let reply = pair.ask(&format!("{VERSION}clone\n"));
    for hash in &all {
        assert!(reply.contains(&format!("igot {hash}\n")));
    }
    assert!(reply.contains("\npush "));
    let reply = pair.ask(&format!("{VERSION}clone\ngimme {}\n", all[0]));
    assert!(
        reply.contains(&format!("file {} {} ", all[0], all[1])),
        "a delta as stored"
    );
}

#[test]
fn a_client_too_old_for_sha3_is_told_so() {
    let mut pair = Pair::new();
    put(&mut pair.server, 0..1);
    for cards in ["clone 3 1\n", "clone 2 1\n"] {
        assert!(pair.ask(cards).contains(r"error Fossil\sversion\s2.0"), "{cards}");
    }
}

#[test]
fn artifacts_that_are_not_what_they_are_called_do_not_end_as_a_repository() {
    let mut client = unfinished();
    let mut session = SyncSession::new(Pair::options(Goal::Clone));
    session
        .poll_transmit(&mut client, [1; 20])
        .expect("sound")
        .expect("a request");
    let zblob = zblob::compress(b"something else");
    let mut reply = format!("cfile {} 14 {}\n", name_of(b"what it is called"), zblob.len()).into_bytes();
    reply.extend_from_slice(&zblob);
    let codes = format!("\nclone_seqno 0\npush {} {}\n", "a".repeat(40), "b".repeat(40));
    reply.extend_from_slice(codes.as_bytes());
    session
        .handle_reply(&mut client, &reply, ContentType::Uncompressed, NOW)
        .expect("not looked into yet");
    let plan = client.check_plan(1).expect("a sound repository");
    let checked = plan.iter().map(|part| client.check(part, &mut |_, _| {}));
    let checked = checked.collect::<Result<Vec<_>, _>>().expect("readable");
    let error = client.finish_clone(checked, NOW).expect_err("a wrong hash");
    assert!(
        matches!(&error, RepoError::WrongContent { hashes } if hashes.len() == 1),
        "{error:?}"
    );
    assert_eq!(
        client.config("aux-schema").expect("readable"),
        None,
        "still unfinished"
    );
}

#[test]
fn a_server_that_does_not_go_on_ends_the_clone_with_an_error() {
    let mut client = unfinished();
    for reply in [
        format!("clone_seqno 1\npush {} {}\n", "a".repeat(40), "b".repeat(40)),
        format!("push {} {}\n", "a".repeat(40), "b".repeat(40)),
        "# timestamp 2026-11-21T06:58:14 errors 0\n".to_owned(),
    ] {
        let mut session = SyncSession::new(Pair::options(Goal::Clone));
        session
            .poll_transmit(&mut client, [1; 20])
            .expect("sound")
            .expect("a request");
        let error = session.handle_reply(&mut client, reply.as_bytes(), ContentType::Uncompressed, NOW);
        assert!(
            matches!(error, Err(SyncError::PeerStalled { .. })),
            "{reply}: {error:?}"
        );
    }
}

#[test]
fn the_catalogue_of_clusters_is_told_on_request() {
    let mut pair = Pair::new();
    put(&mut pair.server, 0..120);
    pair.sync(Goal::Pull);
    put(&mut pair.server, 200..320);
    pair.sync(Goal::Pull);
    let code = ProjectCode::from_random(PROJECT);
    let reply = pair.ask_bytes(&signed(
        format!("pull x {code}\npragma req-clusters\n").as_bytes(),
        VERSION,
    ));
    assert_eq!(reply.lines().filter(|line| line.starts_with("igot ")).count(), 2);
}
