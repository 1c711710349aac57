//! Peers that are broken, foreign, or mean: one clear error, and the repository as it was.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::pair::{NOW, PROJECT, Pair, content, has, name_of, names, put, put_as, rid};
use leaf_core::Blame;
use leaf_core::format::zblob;
use leaf_core::id::ProjectCode;
use leaf_core::limits::Limits;
use leaf_core::repo::{Put, RepoError};
use leaf_core::sync::{Goal, SyncError, SyncEvent, SyncOptions, SyncSession};
use leaf_core::xfer::{BadCard, ContentType};

/// What a session of `options` says to one reply to its first request.
fn answer(pair: &mut Pair, options: SyncOptions, reply: &[u8]) -> (Result<(), SyncError>, SyncSession) {
    let mut session = SyncSession::new(options);
    let entropy = pair.entropy();
    session
        .poll_transmit(&mut pair.client, entropy)
        .expect("sound")
        .expect("a request");
    let heard = session.handle_reply(&mut pair.client, reply, ContentType::Uncompressed, NOW);
    (heard, session)
}

fn pull(pair: &mut Pair, reply: &[u8]) -> Result<(), SyncError> {
    answer(pair, Pair::options(Goal::Pull), reply).0
}

/// A good reply with one file in it.
fn good_reply() -> Vec<u8> {
    let bytes = content(5);
    let head = format!(
        "pragma server-version 22100 20230226 192424\nfile {} {}\n",
        name_of(&bytes),
        bytes.len()
    );
    [
        head.into_bytes(),
        bytes,
        b"# timestamp 2026-11-21T04:00:00 errors 0\n".to_vec(),
    ]
    .concat()
}

#[test]
fn a_reply_cut_anywhere_inside_a_card_is_an_error_and_changes_nothing() {
    let mut pair = Pair::new();
    let before = names(&pair.client);
    let reply = good_reply();
    pull(&mut pair, &reply).expect("whole");
    assert_ne!(names(&pair.client), before);
    let mut pair = Pair::new();
    let ends: Vec<_> = reply
        .windows(1)
        .enumerate()
        .filter(|(_, byte)| *byte == b"\n")
        .map(|(at, _)| at + 1)
        .collect();
    for cut in 5..reply.len() - 1 {
        let heard = pull(&mut pair, &reply[..cut]);
        let card_ends = ends.contains(&cut) && !reply[..cut].windows(5).any(|window| window == b"file ");
        let file_ends = reply[cut..].starts_with(b"# timestamp");
        assert_eq!(heard.is_ok(), card_ends || file_ends, "cut at {cut}: {heard:?}");
        if heard.is_err() {
            assert_eq!(names(&pair.client), before, "cut at {cut}");
        }
        if file_ends {
            pair = Pair::new();
        }
    }
}

#[test]
fn a_reply_with_a_flipped_bit_in_its_artifact_is_an_error_and_changes_nothing() {
    let mut pair = Pair::new();
    let before = names(&pair.client);
    let reply = good_reply();
    let from = reply.len() - content(5).len() - 41;
    for byte in from..from + content(5).len() {
        let mut flipped = reply.clone();
        flipped[byte] ^= 4;
        let error = pull(&mut pair, &flipped).expect_err("a wrong hash");
        assert!(
            matches!(error, SyncError::PeerSentBadArtifact(RepoError::WrongHash { .. })),
            "{error:?}"
        );
        assert_eq!(error.blame(), Blame::Peer);
        assert_eq!(names(&pair.client), before);
    }
}

#[test]
fn a_session_is_over_after_an_error() {
    let mut pair = Pair::new();
    let (heard, mut session) = answer(&mut pair, Pair::options(Goal::Pull), b"nonsense of a server\n");
    assert!(
        matches!(
            heard,
            Err(SyncError::PeerSentBadCard(BadCard::Unknown { offset: 0 }))
        ),
        "{heard:?}"
    );
    assert!(
        session
            .poll_transmit(&mut pair.client, [9; 20])
            .expect("sound")
            .is_none()
    );
    let late = session.handle_reply(&mut pair.client, b"", ContentType::Debug, NOW);
    assert!(matches!(late, Err(SyncError::OutOfTurn)));
}

#[test]
fn a_web_page_is_recognised() {
    let mut pair = Pair::new();
    assert!(matches!(
        pull(&mut pair, b"<!DOCTYPE html>\n<html>\n"),
        Err(SyncError::PeerSentHtml)
    ));
}

#[test]
fn an_empty_reply_is_a_failure() {
    let mut pair = Pair::new();
    assert!(matches!(pull(&mut pair, b""), Err(SyncError::PeerSentNothing)));
}

#[test]
fn an_error_of_the_server_ends_the_session_in_its_words() {
    let mut pair = Pair::new();
    let error = pull(&mut pair, b"error out\\sof\\spaper\n").expect_err("an error");
    assert_eq!(error.to_string(), "the server says: out of paper");
    let mut reply = good_reply();
    reply.extend_from_slice(b"error out\\sof\\spaper\n");
    pull(&mut pair, &reply).expect_err("an error");
    assert!(
        !has(&pair.client, &name_of(&content(5))),
        "what came before it is not kept either"
    );
}

#[test]
fn a_message_of_the_server_is_passed_on() {
    let mut pair = Pair::new();
    let reply = b"message maintenance\\sat\\snoon\n";
    let (heard, mut session) = answer(&mut pair, Pair::options(Goal::Pull), reply);
    heard.expect("not an error");
    let said = SyncEvent::ServerSays {
        message: "maintenance at noon".to_owned(),
    };
    assert!(std::iter::from_fn(|| session.poll_event()).any(|event| event == said));
}

#[test]
fn a_flood_of_names_is_refused() {
    let mut pair = Pair::new();
    let flood: Vec<_> = (0..60_u32)
        .map(|number| {
            format!(
                "igot {number:040x}
"
            )
        })
        .collect();
    let mut options = Pair::options(Goal::Pull);
    options.limits.phantoms_max = 50;
    let (heard, _) = answer(&mut pair, options, flood.concat().as_bytes());
    assert!(
        matches!(heard, Err(SyncError::PeerAnnouncedTooMuch { max: 50 })),
        "{heard:?}"
    );
    assert!(!pair.client.has_phantoms().expect("a sound repository"));
}

#[test]
fn a_bomb_in_a_cfile_is_refused() {
    let mut pair = Pair::new();
    let zeros = vec![0; 1 << 20];
    let bomb = zblob::compress(&zeros);
    pair.client.set_limits(Limits {
        artifact_bytes_max: 1 << 16,
        ..Limits::default()
    });
    let head = format!("cfile {} {} {}\n", name_of(&zeros), zeros.len(), bomb.len());
    let reply = [head.into_bytes(), bomb].concat();
    let error = pull(&mut pair, &reply).expect_err("too large");
    assert!(matches!(error, SyncError::PeerSentBadArtifact(_)), "{error:?}");
    assert!(!has(&pair.client, &name_of(&zeros)));
}

#[test]
fn a_bomb_for_a_reply_is_refused() {
    let mut pair = Pair::new();
    let mut options = Pair::options(Goal::Pull);
    options.limits.message_bytes_max = 1 << 16;
    let mut session = SyncSession::new(options);
    session
        .poll_transmit(&mut pair.client, [1; 20])
        .expect("sound")
        .expect("a request");
    let bomb = zblob::compress(&vec![b'#'; 1 << 20]);
    let heard = session.handle_reply(&mut pair.client, &bomb, ContentType::Compressed, NOW);
    assert!(
        matches!(heard, Err(SyncError::PeerSentBadEnvelope(_))),
        "{heard:?}"
    );
}

#[test]
fn a_server_that_asks_for_the_same_for_ever_is_left() {
    let mut pair = Pair::new();
    let hash = put(&mut pair.client, 0..1)[0];
    let mut session = SyncSession::new(Pair::options(Goal::Push));
    let mut rounds = 0;
    while session
        .poll_transmit(&mut pair.client, [rounds; 20])
        .expect("sound")
        .is_some()
    {
        rounds += 1;
        let reply = format!("gimme {hash}\n");
        session
            .handle_reply(&mut pair.client, reply.as_bytes(), ContentType::Debug, NOW)
            .expect("cards");
        assert!(rounds < 5, "it goes on and on");
    }
}

#[test]
fn a_server_that_never_comes_to_an_end_is_left() {
    let mut pair = Pair::new();
    let mut options = Pair::options(Goal::Pull);
    options.limits.rounds_max = 20;
    let mut session = SyncSession::new(options);
    let mut number = 0;
    let error = loop {
        number += 1;
        match session.poll_transmit(&mut pair.client, [number; 20]) {
            Ok(Some(_)) => {}
            Ok(None) => panic!("there is always more"),
            Err(error) => break error,
        }
        let reply = format!("igot {number:040x}\n");
        session
            .handle_reply(&mut pair.client, reply.as_bytes(), ContentType::Debug, NOW)
            .expect("cards");
    };
    assert!(matches!(error, SyncError::TooManyRounds { rounds: 20 }));
    assert_eq!(error.blame(), Blame::Peer);
}

#[test]
fn a_server_cannot_make_a_push_take_anything() {
    let mut pair = Pair::new();
    let (heard, _) = answer(&mut pair, Pair::options(Goal::Push), &good_reply());
    heard.expect("passed over");
    assert!(!has(&pair.client, &name_of(&content(5))));
}

#[test]
fn private_artifacts_that_were_not_asked_for_are_passed_over() {
    let mut pair = Pair::new();
    let reply = good_reply();
    let at = reply
        .windows(5)
        .position(|window| window == b"file ")
        .expect("a file");
    let reply = [&reply[..at], b"private\n", &reply[at..]].concat();
    pull(&mut pair, &reply).expect("passed over");
    assert!(!has(&pair.client, &name_of(&content(5))));
    pull(&mut pair, format!("igot {} 1\n", "1".repeat(40)).as_bytes()).expect("passed over");
    assert!(!pair.client.has_phantoms().expect("a sound repository"));
}

#[test]
fn a_server_cannot_get_a_private_artifact_by_asking() {
    let mut pair = Pair::new();
    let secret = put_as(
        &mut pair.client,
        b"my secret",
        Put {
            private: true,
            unsent: false,
        },
    );
    let (heard, mut session) = answer(
        &mut pair,
        Pair::options(Goal::Sync),
        format!("gimme {secret}\n").as_bytes(),
    );
    heard.expect("cards");
    let next = session
        .poll_transmit(&mut pair.client, [2; 20])
        .expect("sound")
        .expect("a last word");
    let said = leaf_core::xfer::envelope::unpack(&next.body, next.content_type, 1 << 20).expect("ours");
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        said.contains(&format!("igot {secret} 1\n")) && !said.contains("my secret"),
        "{said}"
    );
    assert!(
        pair.client
            .is_private(rid(&pair.client, &secret))
            .expect("a sound repository")
    );
}

#[test]
fn clocks_that_differ_are_reported_once() {
    let mut pair = Pair::new();
    let mut skew = |time: &str| {
        let reply = format!("# timestamp {time} errors 0\n# timestamp {time} errors 0\n");
        let (heard, mut session) = answer(&mut pair, Pair::options(Goal::Pull), reply.as_bytes());
        heard.expect("cards");
        let skews = std::iter::from_fn(|| session.poll_event()).filter_map(|event| match event {
            SyncEvent::ClockSkew { seconds } => Some(seconds),
            _ => None,
        });
        skews.collect::<Vec<_>>()
    };
    // NOW is 2026-11-21T04:00:00.
    assert_eq!(skew("2026-11-21T04:00:05"), [0_i64; 0]);
    assert_eq!(skew("2026-11-21T04:00:11"), [11]);
    assert_eq!(
        skew("2026-11-21T03:59:45"),
        [0_i64; 0],
        "the reply may have been long under way"
    );
    assert_eq!(skew("2026-11-21T03:00:00"), [-3600]);
    assert_eq!(skew("yesterday"), [0_i64; 0]);
}

// ---- legacy nodes -------------------------------------------------------------------------------------------

#[test]
fn both_orders_of_push_and_pull_are_taken() {
    let mut pair = Pair::new();
    let all = put(&mut pair.server, 0..2);
    let code = ProjectCode::from_random(PROJECT);
    let other = "f".repeat(40);
    for order in [
        format!("pull {other} {code}"),
        format!("pull {code} {other}"),
        format!("pull {code}"),
        format!("pull {code} 0"),
    ] {
        let reply = pair.ask(&format!("pragma client-version 22800 20260315 120000\n{order}\n"));
        assert!(reply.contains(&format!("igot {}\n", all[0])), "{order}: {reply}");
    }
    assert!(
        pair.ask(&format!("pull {other} {other}\n"))
            .contains(r"error wrong\sproject")
    );
}

#[test]
fn a_cfile_without_its_size_is_taken() {
    let mut pair = Pair::new();
    let bytes = content(3);
    let zblob = zblob::compress(&bytes);
    let bare = &zblob[4..];
    let head = format!("cfile {} {} {}\n", name_of(&bytes), bytes.len(), bare.len());
    let reply = [head.into_bytes(), bare.to_vec(), b"\n".to_vec()].concat();
    pull(&mut pair, &reply).expect("a legacy reply");
    assert!(has(&pair.client, &name_of(&bytes)));
}

#[test]
fn a_legacy_client_says_where_its_clone_goes_on_in_a_card_of_its_own() {
    let mut pair = Pair::new();
    put(&mut pair.server, 0..5);
    let version = "pragma client-version 22800 20260315 120000\n";
    let reply = pair.ask(&format!("{version}clone 3 1\nclone_seqno 4\n"));
    assert_eq!(
        reply.lines().filter(|line| line.starts_with("cfile ")).count(),
        2,
        "{reply}"
    );
}

/// What a clone makes of a first reply: the project, and what it asks for next.
fn cloned(project: Option<&str>, reply: &[u8]) -> Result<(String, String), SyncError> {
    let db = rusqlite::Connection::open_in_memory().expect("memory");
    let mut client = leaf_core::repo::Repo::create_for_clone(db, &crate::pair::new_repo(1)).expect("empty");
    let mut session = SyncSession::new(SyncOptions {
        project: project.map(|code| ProjectCode::parse(code.as_bytes()).expect("a code")),
        ..Pair::options(Goal::Clone)
    });
    session
        .poll_transmit(&mut client, [1; 20])
        .expect("sound")
        .expect("a request");
    session.handle_reply(&mut client, reply, ContentType::Uncompressed, NOW)?;
    let next = session
        .poll_transmit(&mut client, [2; 20])
        .expect("sound")
        .expect("there is more");
    let said = leaf_core::xfer::envelope::unpack(&next.body, next.content_type, 1 << 20).expect("ours");
    let code = client.config("project-code").expect("sound").expect("a project");
    Ok((code, String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn a_legacy_server_names_the_project_first_and_wants_the_row_apart() {
    let (bytes, project, server) = (content(3), "a".repeat(40), "b".repeat(40));
    let (name, zblob) = (name_of(&bytes), zblob::compress(&bytes));
    let bare = &zblob[4..];
    let push = format!("push {project} {server}\n").into_bytes();
    let row = b"\nclone_seqno 200\n".to_vec();
    let cfile = format!("cfile {name} {} {}\n", bytes.len(), bare.len());
    let by_its_cfile = [push.clone(), cfile.into_bytes(), bare.to_vec(), row.clone()].concat();
    // As a hub of 0.0.20 really begins a clone.
    let cookie = b"cookie lf-clone-cap:274\n".to_vec();
    let file = [
        format!("file {name} {}\n", bytes.len()).into_bytes(),
        bytes.clone(),
    ]
    .concat();
    let by_its_cookie = [push.clone(), cookie.clone(), file.clone(), row.clone()].concat();
    let by_its_project = [push.clone(), file.clone(), row.clone()].concat();
    for (known, reply) in [
        (None, by_its_cfile),
        (None, by_its_cookie),
        (Some(project.as_str()), by_its_project),
    ] {
        let (code, said) = cloned(known, &reply).expect("a legacy reply");
        assert_eq!(code, project);
        assert!(said.contains("clone 3 200\nclone_seqno 200\n"), "{said}");
    }
    // As a hub of today does: the cookie first, and the other order.
    let today = [
        cookie,
        file,
        row,
        format!("push {server} {project}\n").into_bytes(),
    ]
    .concat();
    for known in [None, Some(project.as_str())] {
        let (code, said) = cloned(known, &today).expect("a reply");
        assert_eq!(code, project);
        assert!(
            said.contains("clone 3 200\n") && !said.contains("clone_seqno"),
            "{said}"
        );
    }
    let another = cloned(Some(&"c".repeat(40)), &today);
    assert!(matches!(another, Err(SyncError::PeerWrongProject)), "{another:?}");
}

#[test]
fn what_a_client_has_named_is_not_announced_to_it_even_when_it_only_pulls() {
    let mut pair = Pair::new();
    let all = put(&mut pair.server, 0..3);
    let code = ProjectCode::from_random(PROJECT);
    let version = "pragma client-version 22800 20260315 120000\n";
    let reply = pair.ask(&format!("{version}pull x {code}\nigot {}\n", all[1]));
    assert!(reply.contains(&format!("igot {}\n", all[0])), "{reply}");
    assert!(!reply.contains(&format!("igot {}\n", all[1])), "{reply}");
    assert!(reply.contains(&format!("igot {}\n", all[2])), "{reply}");
}
