//! Who may do what, and who is who: logins, capabilities, projects, replays, private artifacts.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::pair::{NOW, PROJECT, Pair, content, has, name_of, names, put, put_as, rid, signed};
use leaf_core::id::ProjectCode;
use leaf_core::repo::{Put, Repo, RepoError, UserChange};
use leaf_core::sync::{Credentials, Goal, SeenLogins, SyncError, SyncEvent};
use leaf_core::xfer::ContentType;
use leaf_core::xfer::envelope::pack;

const VERSION: &str = "pragma client-version 22100 20230226 192424\n";
const PRIVATE: Put = Put {
    private: true,
    unsent: false,
};

fn project() -> ProjectCode {
    ProjectCode::from_random(PROJECT)
}

/// Gives `login` a password equal to its name and these capabilities.
pub(crate) fn user(repo: &mut Repo, login: &str, capabilities: &str) {
    let change = UserChange {
        password: Some(login),
        capabilities: Some(capabilities),
        info: None,
    };
    repo.write(|tx| tx.set_user(login, &change, NOW))
        .expect("a sound repository");
}

/// Takes from `nobody` and `anonymous` what a new repository grants.
pub(crate) fn close(repo: &mut Repo) {
    for login in ["nobody", "anonymous"] {
        let change = UserChange {
            password: None,
            capabilities: Some(""),
            info: None,
        };
        repo.write(|tx| tx.set_user(login, &change, NOW))
            .expect("a sound repository");
    }
}

fn as_user(login: &str) -> Credentials {
    Credentials {
        user: login.to_owned(),
        password: login.to_owned(),
    }
}

#[test]
fn a_wrong_password_is_refused_and_changes_nothing() {
    let mut pair = Pair::new();
    let new = put(&mut pair.client, 0..1);
    let mut options = Pair::options(Goal::Sync);
    options.login = Some(Credentials {
        user: "admin".to_owned(),
        password: "wrong".to_owned(),
    });
    let error = pair.run(options).expect_err("a refusal");
    assert!(
        matches!(&error, SyncError::PeerSaid { message } if message == "login failed"),
        "{error}"
    );
    assert!(!has(&pair.server, &new[0]));
}

#[test]
fn an_unknown_user_is_told_the_same_as_a_wrong_password() {
    let mut pair = Pair::new();
    let mut options = Pair::options(Goal::Sync);
    options.login = Some(as_user("mallory"));
    let error = pair.run(options).expect_err("a refusal");
    assert!(
        matches!(&error, SyncError::PeerSaid { message } if message == "login failed"),
        "{error}"
    );
}

#[test]
fn another_project_is_refused_and_changes_nothing() {
    let mut pair = Pair::new();
    let new = put(&mut pair.client, 0..1);
    pair.server
        .write(|tx| tx.set_config("project-code", &"9".repeat(40), NOW))
        .expect("a sound repository");
    let mut options = Pair::options(Goal::Sync);
    options.login = None;
    assert!(matches!(pair.run(options), Err(SyncError::PeerWrongProject)));
    assert!(!has(&pair.server, &new[0]));
}

#[test]
fn whoever_may_only_read_pulls_and_is_told_so() {
    let mut pair = Pair::new();
    let here = put(&mut pair.client, 0..3);
    let there = put(&mut pair.server, 3..6);
    let mut options = Pair::options(Goal::Sync);
    options.login = None;
    let outcome = pair.run(options).expect("an honest server");
    assert!(
        outcome.events.contains(&SyncEvent::PullOnly),
        "{:?}",
        outcome.events
    );
    assert!(there.iter().all(|hash| has(&pair.client, hash)));
    assert!(!here.iter().any(|hash| has(&pair.server, hash)));
    let unsent = pair.client.unsent_artifacts().expect("a sound repository");
    assert_eq!(unsent.len(), 3, "they are still to be sent");
}

#[test]
fn whoever_may_not_write_cannot_push() {
    let mut pair = Pair::new();
    put(&mut pair.client, 0..1);
    let mut options = Pair::options(Goal::Push);
    options.login = None;
    let error = pair.run(options).expect_err("a refusal");
    assert!(
        matches!(&error, SyncError::PeerSaid { message } if message == "not authorized to write"),
        "{error}"
    );
}

#[test]
fn a_closed_repository_gives_nothing_to_nobody() {
    let mut pair = Pair::new();
    let there = put(&mut pair.server, 0..2);
    pair.server
        .write(|tx| tx.uv_put("uv.txt", b"unversioned", NOW))
        .expect("a sound repository");
    close(&mut pair.server);
    let code = project();
    let gimme = format!("{VERSION}gimme {}\n", there[0]);
    assert!(!pair.ask(&gimme).contains("file "));
    assert!(
        pair.ask(&format!("{VERSION}pull x {code}\n{gimme}"))
            .contains(r"error not\sauthorized\sto\sread")
    );
    assert!(
        pair.ask(&format!("{VERSION}clone 3 1\n"))
            .contains(r"error not\sauthorized\sto\sclone")
    );
    assert!(!pair.ask(&format!("{VERSION}uvgimme uv.txt\n")).contains("uvfile"));
    assert!(
        !pair
            .ask(&format!("{VERSION}pragma uv-hash {}\n", "0".repeat(40)))
            .contains("uvigot")
    );
    assert!(
        !pair
            .ask(&format!("{VERSION}reqconfig /all\n"))
            .contains("config ")
    );
    assert!(
        !pair
            .ask(&format!("{VERSION}pragma req-clusters\n"))
            .contains("igot")
    );
    assert!(
        !pair
            .ask(&format!("{VERSION}pragma ci-lock {} me\n", there[0]))
            .contains("ci-lock")
    );
    assert!(
        pair.server
            .config(&format!("ci-lock-{}", there[0]))
            .expect("a sound repository")
            .is_none()
    );
}

#[test]
fn the_users_of_a_repository_are_told_to_admins_only() {
    let mut pair = Pair::new();
    user(&mut pair.server, "reader1", "o");
    let nobody = pair.ask(&format!("{VERSION}reqconfig /user\n"));
    assert!(!nobody.contains("config /user"), "{nobody}");
    let admin = pair.ask_bytes(&signed(b"reqconfig /user\n", VERSION));
    assert!(admin.contains("'reader1'"), "{admin}");
}

#[test]
fn configuration_is_taken_from_admins_only() {
    let mut pair = Pair::new();
    let card = "config /config 46\n1895233621 'project-description' value 'taken'\n\n";
    let size = card.lines().nth(1).expect("a payload").len() + 1;
    let card = card.replace(" 46\n", &format!(" {size}\n"));
    let nobody = pair.ask(&format!("{VERSION}{card}"));
    assert!(
        nobody.contains(r"error not\sauthorized\sto\spush\sconfiguration"),
        "{nobody}"
    );
    assert_eq!(pair.server.config("project-description").expect("sound"), None);
    let admin = pair.ask_bytes(&signed(card.as_bytes(), VERSION));
    assert!(!admin.contains("error "), "{admin}");
    assert_eq!(
        pair.server
            .config("project-description")
            .expect("sound")
            .as_deref(),
        Some("taken")
    );
}

#[test]
fn a_login_works_as_card_and_as_cookie() {
    for cookie_login in [false, true] {
        let mut pair = Pair::new();
        close(&mut pair.server);
        let there = put(&mut pair.server, 0..300);
        pair.server_limits.download_bytes = 10_000;
        let mut options = Pair::options(Goal::Pull);
        options.cookie_login = cookie_login;
        pair.run(options).expect("an honest server");
        assert!(there.iter().all(|hash| has(&pair.client, hash)));
        let with_card = pair.count("login admin ").0;
        assert_eq!(
            with_card == pair.wire.len(),
            !cookie_login,
            "{with_card} of {}",
            pair.wire.len()
        );
    }
}

#[test]
fn a_message_changed_under_its_login_is_refused() {
    let mut pair = Pair::new();
    let request = signed(format!("pull x {}\n", project()).as_bytes(), VERSION);
    let mut changed = request.clone();
    let last = changed.len() - 3;
    changed[last] ^= 1;
    assert!(pair.ask_bytes(&changed).contains(r"error login\sfailed"));
    assert!(
        !pair.ask_bytes(&request).contains("error "),
        "the request itself is good"
    );
}

#[test]
fn a_request_sent_twice_is_refused_the_second_time() {
    let mut pair = Pair::new();
    let request = signed(format!("pull x {}\n", project()).as_bytes(), VERSION);
    assert!(!pair.ask_bytes(&request).contains("error "));
    assert!(pair.ask_bytes(&request).contains("sent\\sbefore"));
    pair.now = pair.now.plus_ms(599_000);
    assert!(pair.ask_bytes(&request).contains("sent\\sbefore"));
    pair.now = pair.now.plus_ms(2_000);
    assert!(
        !pair.ask_bytes(&request).contains("error "),
        "ten minutes are the window"
    );
}

#[test]
fn a_request_that_stored_something_is_refused_ever_after() {
    let mut pair = Pair::new();
    let bytes = content(1);
    let file = [
        format!("file {} {}\n", name_of(&bytes), bytes.len()).into_bytes(),
        bytes,
    ]
    .concat();
    let request = signed(&file, &format!("{VERSION}push x {}\n", project()));
    assert!(!pair.ask_bytes(&request).contains("error "));
    pair.seen = SeenLogins::default();
    assert!(
        pair.ask_bytes(&request).contains("sent\\sbefore"),
        "the server was started anew"
    );
}

#[test]
fn a_second_login_is_refused() {
    let mut pair = Pair::new();
    let inner = signed(b"# more\n", VERSION);
    let secret = leaf_core::xfer::login::secret(&project(), "admin", "secret");
    let outer = [
        leaf_core::xfer::login::card("admin", &secret, &inner),
        b"\n".to_vec(),
        inner,
    ]
    .concat();
    assert!(pair.ask_bytes(&outer).contains(r"error multiple\slogin\scards"));
}

#[test]
fn nobody_gains_nothing_by_naming_itself() {
    let mut pair = Pair::new();
    close(&mut pair.server);
    for name in ["nobody", "anonymous"] {
        let tail = format!("{VERSION}pull x {}\n", project());
        let mut request = leaf_core::xfer::login::card(name, "", tail.as_bytes());
        request.push(b'\n');
        request.extend_from_slice(tail.as_bytes());
        assert!(
            pair.ask_bytes(&request)
                .contains(r"error not\sauthorized\sto\sread")
        );
    }
}

// ---- private artifacts --------------------------------------------------------------------------------------

#[test]
fn private_artifacts_stay_where_they_are_unless_asked_for() {
    let mut pair = Pair::new();
    user(&mut pair.server, "x", "oix");
    let here = put_as(&mut pair.client, b"my secret", PRIVATE);
    let there = put_as(&mut pair.server, b"their secret", PRIVATE);
    let mut options = Pair::options(Goal::Sync);
    options.login = Some(as_user("x"));
    pair.run(options.clone()).expect("an honest server");
    assert!(!has(&pair.server, &here) && !has(&pair.client, &there));
    let said = pair.said();
    assert!(
        !said.contains(&here.to_string()) && !said.contains(&there.to_string()),
        "not even their names"
    );
    options.private = true;
    pair.run(options).expect("an honest server");
    assert!(has(&pair.server, &here) && has(&pair.client, &there));
    for repo in [&pair.client, &pair.server] {
        for hash in [&here, &there] {
            assert!(repo.is_private(rid(repo, hash)).expect("a sound repository"));
        }
    }
}

#[test]
fn private_artifacts_take_a_right_that_even_admins_lack() {
    let mut pair = Pair::new();
    let there = put_as(&mut pair.server, b"their secret", PRIVATE);
    let here = put_as(&mut pair.client, b"my secret", PRIVATE);
    let mut options = Pair::options(Goal::Sync);
    options.private = true;
    let error = pair.run(options).expect_err("a refusal");
    assert!(error.to_string().contains("private content"), "{error}");
    assert!(!has(&pair.client, &there) && !has(&pair.server, &here));
    let reply = pair.ask_bytes(&signed(
        format!(
            "pull x {}\npush x {}\nprivate\nfile {here} 9\nmy secret",
            project(),
            project()
        )
        .as_bytes(),
        VERSION,
    ));
    assert!(reply.contains("private\\scontent"), "{reply}");
    assert!(
        !has(&pair.server, &here),
        "and it is not taken as a public one either"
    );
}

#[test]
fn a_private_artifact_asked_for_by_name_is_said_to_be_private() {
    let mut pair = Pair::new();
    let there = put_as(&mut pair.server, b"their secret", PRIVATE);
    let reply = pair.ask_bytes(&signed(
        format!("pull x {}\ngimme {there}\n", project()).as_bytes(),
        VERSION,
    ));
    assert!(
        reply.contains(&format!("igot {there} 1\n")) && !reply.contains("file "),
        "{reply}"
    );
}

#[test]
fn naming_a_private_artifact_does_not_make_it_public() {
    let mut pair = Pair::new();
    let there = put_as(&mut pair.server, b"their secret", PRIVATE);
    user(&mut pair.server, "writer", "oi");
    let secret = leaf_core::xfer::login::secret(&project(), "writer", "writer");
    let ask = |pair: &mut Pair, tail: String| {
        let mut request = leaf_core::xfer::login::card("writer", &secret, tail.as_bytes());
        request.push(b'\n');
        request.extend_from_slice(tail.as_bytes());
        pair.ask_bytes(&request)
    };
    let head = format!("{VERSION}pull x {}\npush x {}\n", project(), project());
    let reply = ask(&mut pair, format!("{head}igot {there}\n"));
    assert!(
        pair.server
            .is_private(rid(&pair.server, &there))
            .expect("a sound repository")
    );
    assert!(reply.contains(&format!("gimme {there}\n")), "{reply}");
    let reply = ask(&mut pair, format!("{head}file {there} 12\ntheir secret"));
    assert!(!reply.contains("error "), "{reply}");
    assert!(
        !pair
            .server
            .is_private(rid(&pair.server, &there))
            .expect("a sound repository"),
        "it was shown"
    );
}

#[test]
fn a_public_artifact_cannot_be_hidden_by_calling_it_private() {
    let mut pair = Pair::new();
    user(&mut pair.server, "x", "oix");
    let there = put(&mut pair.server, 0..1)[0];
    let here = put_as(&mut pair.client, &content(0), PRIVATE);
    assert_eq!(there, here);
    let mut options = Pair::options(Goal::Push);
    options.login = Some(as_user("x"));
    options.private = true;
    pair.run(options).expect("an honest server");
    assert!(
        !pair
            .server
            .is_private(rid(&pair.server, &there))
            .expect("a sound repository")
    );
}

#[test]
fn an_artifact_made_public_goes_out_with_the_next_sync() {
    let mut pair = Pair::new();
    let here = put_as(&mut pair.client, b"my secret", PRIVATE);
    pair.sync(Goal::Sync);
    let there = put_as(&mut pair.server, b"their secret", PRIVATE);
    pair.sync(Goal::Sync);
    let publish = |repo: &mut Repo, hash| {
        let rid = rid(repo, hash);
        repo.write(|tx| tx.set_public(rid)).expect("a sound repository");
    };
    publish(&mut pair.client, &here);
    publish(&mut pair.server, &there);
    pair.sync(Goal::Sync);
    assert!(has(&pair.server, &here) && has(&pair.client, &there));
}

#[test]
fn no_delta_is_sent_against_a_private_artifact() {
    let mut pair = Pair::new();
    let old = content(1);
    let new = [content(1), b"and a public line\n".to_vec()].concat();
    let secret = put_as(&mut pair.server, &old, PRIVATE);
    let public = put_as(&mut pair.server, &new, Put::default());
    let (from, to) = (rid(&pair.server, &public), rid(&pair.server, &secret));
    // Whoever stored the public one as a delta of the private one.
    let delta = pair.server.write(|tx| tx.deltify(from, to));
    delta.expect("a sound repository");
    pair.sync(Goal::Pull);
    assert!(has(&pair.client, &public) && !has(&pair.client, &secret));
    let said: String = pair.wire.iter().map(|(_, reply)| reply.as_str()).collect();
    assert!(!said.contains(&secret.to_string()));
}

// ---- shunned artifacts --------------------------------------------------------------------------------------

#[test]
fn a_shunned_artifact_is_neither_taken_nor_asked_for_nor_sent() {
    let mut pair = Pair::new();
    let here = put(&mut pair.client, 0..2);
    let there = put(&mut pair.server, 10..12);
    let shun = |repo: &mut Repo, hash| {
        repo.write(|tx| tx.shun(hash, None, NOW))
            .expect("a sound repository");
    };
    shun(&mut pair.server, &here[0]);
    shun(&mut pair.server, &there[0]);
    let outcome = pair.sync(Goal::Sync);
    assert!(
        pair.server
            .rid_of(&here[0])
            .expect("a sound repository")
            .is_none(),
        "not even a phantom"
    );
    assert!(has(&pair.server, &here[1]) && has(&pair.client, &there[1]));
    assert!(!has(&pair.client, &there[0]));
    assert!(outcome.rounds <= 3);
    let reply = pair.ask_bytes(&signed(
        format!("pull x {}\ngimme {}\n", project(), there[0]).as_bytes(),
        VERSION,
    ));
    assert!(!reply.contains("file "), "{reply}");
    assert_eq!(pair.sync(Goal::Sync).rounds, 1);
}

#[test]
fn a_dropped_ban_lets_the_artifact_in() {
    let mut pair = Pair::new();
    let here = put(&mut pair.client, 0..2);
    pair.server
        .write(|tx| tx.shun(&here[0], None, NOW))
        .expect("a sound repository");
    pair.sync(Goal::Sync);
    pair.sync(Goal::Sync);
    assert!(!has(&pair.server, &here[0]));
    pair.server
        .write(|tx| tx.unshun(&here[0]))
        .expect("a sound repository");
    pair.sync(Goal::Sync);
    assert!(has(&pair.server, &here[0]));
}

// ---- all or nothing -----------------------------------------------------------------------------------------

#[test]
fn a_wrong_hash_leaves_nothing_of_the_request_behind() {
    let mut pair = Pair::new();
    let (good, bad) = (content(1), content(2));
    let before = names(&pair.server);
    let mut tail = format!("file {} {}\n", name_of(&good), good.len()).into_bytes();
    tail.extend_from_slice(&good);
    tail.extend_from_slice(format!("file {} {}\n", name_of(&bad), good.len()).as_bytes());
    tail.extend_from_slice(&good);
    let reply = pair.ask_bytes(&signed(&tail, &format!("{VERSION}push x {}\n", project())));
    assert!(reply.contains("error "), "{reply}");
    assert_eq!(names(&pair.server), before);
}

#[test]
fn a_damaged_request_is_answered_by_an_error_and_changes_nothing() {
    let mut pair = Pair::new();
    let before = names(&pair.server);
    let bytes = content(1);
    let file = [
        format!("file {} {}\n", name_of(&bytes), bytes.len()).into_bytes(),
        bytes,
    ]
    .concat();
    let packed = pack(
        signed(&file, &format!("{VERSION}push x {}\n", project())),
        ContentType::Compressed,
    );
    for cut in (5..packed.len()).step_by(7) {
        let reply = pair.serve_damaged(&packed[..cut]);
        assert!(reply.served.error.is_some(), "{cut} bytes");
    }
    for byte in (0..packed.len()).step_by(5) {
        let mut flipped = packed.clone();
        flipped[byte] ^= 0x10;
        let reply = pair.serve_damaged(&flipped);
        assert!(
            reply.served.error.is_some() || byte < 8,
            "byte {byte}: the zlib header has idle bits"
        );
    }
    assert_eq!(
        pair.server
            .read(|repo| Ok::<_, RepoError>(names(repo)))
            .expect("sound"),
        before
    );
}

#[test]
fn unknown_cards_are_refused() {
    let mut pair = Pair::new();
    for card in ["xother t 1 2", "message hello", "error hello", "uvigot a 1 - 0"] {
        assert!(
            pair.ask(&format!("{VERSION}{card}\n"))
                .contains(r"error bad\scommand"),
            "{card}"
        );
    }
    assert!(
        !pair
            .ask(&format!("{VERSION}pragma of-the-future 1 2 3\n"))
            .contains("error ")
    );
}
