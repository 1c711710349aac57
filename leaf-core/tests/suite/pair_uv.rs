//! Unversioned files, configuration and check-in locks between two repositories.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::pair::{NOW, PROJECT, Pair, signed};
use crate::pair_rights::user;
use leaf_core::id::ProjectCode;
use leaf_core::repo::{Author, ConfigGroup, Repo};
use leaf_core::sync::{CiLock, Credentials, Goal, SyncEvent, SyncOptions};
use leaf_core::time::Timestamp;

const VERSION: &str = "pragma client-version 22100 20230226 192424\n";

fn options(pair: &mut Pair) -> SyncOptions {
    user(&mut pair.server, "y", "oiy");
    let mut options = SyncOptions::new(Goal::NoArtifacts, "http://server/");
    options.login = Some(Credentials {
        user: "y".to_owned(),
        password: "y".to_owned(),
    });
    options.unversioned = true;
    options
}

fn at(seconds: i64) -> Timestamp {
    NOW.plus_ms(seconds * 1000)
}

fn write(repo: &mut Repo, name: &str, text: &str, seconds: i64) {
    repo.write(|tx| tx.uv_put(name, text.as_bytes(), at(seconds)))
        .expect("a sound repository");
}

fn delete(repo: &mut Repo, name: &str, seconds: i64) {
    repo.write(|tx| tx.uv_delete(name, at(seconds)))
        .expect("a sound repository");
}

fn read(repo: &Repo, name: &str) -> Option<String> {
    let file = repo
        .uv_stored(name)
        .expect("a sound repository")
        .filter(|file| file.hash.is_some())?;
    Some(String::from_utf8(file.expand().expect("sound")).expect("text"))
}

/// Both sides hold `text` (or nothing) under `name`, and say so.
fn assert_agreed(pair: &Pair, name: &str, text: Option<&str>) {
    assert_eq!(read(&pair.client, name).as_deref(), text, "client");
    assert_eq!(read(&pair.server, name).as_deref(), text, "server");
    assert_eq!(
        pair.client.uv_hash().expect("sound"),
        pair.server.uv_hash().expect("sound")
    );
}

#[test]
fn files_of_either_side_end_on_both() {
    let mut pair = Pair::new();
    let options = options(&mut pair);
    write(&mut pair.client, "here.txt", "here", 0);
    write(&mut pair.server, "there.txt", "there", 0);
    write(&mut pair.server, "empty.txt", "", 0);
    let outcome = pair.run(options.clone()).expect("an honest server");
    assert_eq!((outcome.stats.uv_sent, outcome.stats.uv_received), (1, 2));
    assert_agreed(&pair, "here.txt", Some("here"));
    assert_agreed(&pair, "there.txt", Some("there"));
    assert_agreed(&pair, "empty.txt", Some(""));
    assert_eq!(pair.run(options).expect("an honest server").rounds, 1);
    assert_eq!(pair.count("uvigot "), (0, 0));
    for repo in [&pair.client, &pair.server] {
        assert!(
            !repo.uv_hash_due().expect("sound"),
            "the next sync reads no catalogue"
        );
    }
}

#[test]
fn the_later_file_wins() {
    for (here, there, winner) in [(0, 5, "there"), (5, 0, "here")] {
        let mut pair = Pair::new();
        let options = options(&mut pair);
        write(&mut pair.client, "f", "here", here);
        write(&mut pair.server, "f", "there", there);
        pair.run(options).expect("an honest server");
        assert_agreed(&pair, "f", Some(winner));
    }
}

#[test]
fn of_two_files_of_one_second_both_sides_take_the_same() {
    let mut winners = Vec::new();
    for (here, there) in [("one", "two"), ("two", "one")] {
        let mut pair = Pair::new();
        let options = options(&mut pair);
        write(&mut pair.client, "f", here, 0);
        write(&mut pair.server, "f", there, 0);
        pair.run(options).expect("an honest server");
        let winner = read(&pair.client, "f").expect("a file");
        assert_agreed(&pair, "f", Some(&winner));
        winners.push(winner);
    }
    assert_eq!(winners[0], winners[1]);
}

#[test]
fn a_later_deletion_deletes_on_the_other_side() {
    for deleted_here in [true, false] {
        let mut pair = Pair::new();
        let options = options(&mut pair);
        write(&mut pair.client, "f", "text", 0);
        pair.run(options.clone()).expect("an honest server");
        delete(
            if deleted_here {
                &mut pair.client
            } else {
                &mut pair.server
            },
            "f",
            5,
        );
        pair.run(options).expect("an honest server");
        assert_agreed(&pair, "f", None);
    }
}

#[test]
fn a_deletion_in_the_second_of_the_writing_is_undone() {
    let mut pair = Pair::new();
    let options = options(&mut pair);
    write(&mut pair.client, "f", "text", 0);
    pair.run(options.clone()).expect("an honest server");
    delete(&mut pair.client, "f", 0);
    pair.run(options).expect("an honest server");
    assert_agreed(&pair, "f", Some("text"));
}

#[test]
fn the_same_file_of_another_time_moves_no_content() {
    for (here, there) in [(0, 5), (5, 0)] {
        let mut pair = Pair::new();
        let options = options(&mut pair);
        write(&mut pair.client, "f", "a text of some length", here);
        write(&mut pair.server, "f", "a text of some length", there);
        pair.run(options).expect("an honest server");
        assert_agreed(&pair, "f", Some("a text of some length"));
        let said = pair.said();
        assert!(!said.contains("a text of"), "{said}");
        let mtime = pair.client.uv_list().expect("sound")[0].mtime;
        assert_eq!(mtime, at(5).unix());
    }
}

#[test]
fn whoever_may_not_write_files_gets_them_and_is_told() {
    let mut pair = Pair::new();
    let mut options = options(&mut pair);
    options.login = None;
    write(&mut pair.client, "here", "here", 5);
    write(&mut pair.client, "both", "here", 5);
    write(&mut pair.server, "both", "there", 0);
    write(&mut pair.server, "there", "there", 0);
    let outcome = pair.run(options).expect("an honest server");
    assert!(
        outcome.events.contains(&SyncEvent::UvPullOnly),
        "{:?}",
        outcome.events
    );
    assert_eq!(read(&pair.client, "there").as_deref(), Some("there"));
    assert_eq!(read(&pair.server, "here"), None);
    assert_eq!(read(&pair.server, "both").as_deref(), Some("there"));
    let code = ProjectCode::from_random(PROJECT);
    let card = format!("{VERSION}push x {code}\nuvfile f 5 - 0 1\n");
    assert!(
        pair.ask_bytes(&signed(card.as_bytes(), ""))
            .contains("unversioned"),
        "not even the admin may"
    );
}

#[test]
fn revert_makes_the_client_as_the_server() {
    let mut pair = Pair::new();
    let mut options = options(&mut pair);
    write(&mut pair.client, "only-here", "here", 5);
    write(&mut pair.client, "both", "here", 5);
    write(&mut pair.server, "both", "there", 0);
    options.unversioned_revert = true;
    pair.run(options).expect("an honest server");
    assert_agreed(&pair, "both", Some("there"));
    assert_agreed(&pair, "only-here", None);
}

#[test]
fn files_travel_as_stored_between_leaves_and_plain_to_others() {
    let mut pair = Pair::new();
    let options = options(&mut pair);
    let text = "a line that is compressed well\n".repeat(100);
    write(&mut pair.server, "there", &text, 0);
    write(&mut pair.client, "here", &text, 0);
    pair.run(options).expect("an honest server");
    assert_agreed(&pair, "here", Some(&text));
    assert_agreed(&pair, "there", Some(&text));
    let said = pair.said();
    assert!(!said.contains("a line that"), "compressed both ways");
    let stock = pair.ask(&format!("{VERSION}uvgimme there\n"));
    assert!(stock.contains(&text), "stock does not say that it takes them so");
}

#[test]
fn a_thousand_files_come_in_few_rounds_and_within_the_budget() {
    let mut pair = Pair::new();
    let options = options(&mut pair);
    for number in 0..1000 {
        let text = format!("file {number} {}", number * 7919).repeat(10);
        write(&mut pair.server, &format!("f{number}"), &text, 0);
    }
    pair.server_limits.download_bytes = 100_000;
    let outcome = pair.run(options).expect("an honest server");
    assert_eq!(outcome.stats.uv_received, 1000);
    assert!(outcome.rounds < 6, "{} rounds", outcome.rounds);
    assert_eq!(
        pair.client.uv_hash().expect("sound"),
        pair.server.uv_hash().expect("sound")
    );
}

#[test]
fn files_beyond_the_upload_budget_go_on_until_all_are_there() {
    let mut pair = Pair::new();
    let mut options = options(&mut pair);
    for number in 0..50 {
        write(
            &mut pair.client,
            &format!("f{number}"),
            &format!("{number}-").repeat(200),
            0,
        );
    }
    options.limits.upload_bytes = 1_000;
    let outcome = pair.run(options).expect("an honest server");
    assert_eq!(outcome.stats.uv_sent, 50);
    assert_eq!(
        pair.client.uv_hash().expect("sound"),
        pair.server.uv_hash().expect("sound")
    );
}

#[test]
fn a_file_with_a_wrong_hash_is_refused_by_both_sides() {
    let mut pair = Pair::new();
    user(&mut pair.server, "y", "oiy");
    let secret = leaf_core::xfer::login::secret(&ProjectCode::from_random(PROJECT), "y", "y");
    let tail = format!("{VERSION}uvfile f 5 {} 4 0\ntext", "0".repeat(40));
    let mut request = leaf_core::xfer::login::card("y", &secret, tail.as_bytes());
    request.push(b'\n');
    request.extend_from_slice(tail.as_bytes());
    assert!(pair.ask_bytes(&request).contains("error "));
    assert_eq!(read(&pair.server, "f"), None);
}

#[test]
fn the_server_may_volunteer_its_files_to_a_clone() {
    let mut pair = Pair::new();
    write(&mut pair.server, "there", "there", 0);
    assert!(!pair.ask(&format!("{VERSION}clone 3 1\n")).contains("uvigot"));
    pair.server
        .write(|tx| tx.set_config("uv-sync", "1", NOW))
        .expect("a sound repository");
    assert!(
        pair.ask(&format!("{VERSION}clone 3 1\n"))
            .contains("pragma uv-pull-only\nuvigot there ")
    );
}

// ---- configuration ------------------------------------------------------------------------------------------

#[test]
fn configuration_is_pulled_and_pushed_by_group() {
    let mut pair = Pair::new();
    pair.server
        .write(|tx| tx.set_config("project-description", "it's", at(0)))
        .expect("a sound repository");
    pair.server
        .write(|tx| tx.set_config("css", "body {}", at(0)))
        .expect("a sound repository");
    let mut options = Pair::options(Goal::NoArtifacts);
    options.config_pull = vec![ConfigGroup::Project];
    let outcome = pair.run(options.clone()).expect("an honest server");
    assert_eq!(outcome.rounds, 1);
    assert_eq!(
        pair.client
            .config("project-description")
            .expect("sound")
            .as_deref(),
        Some("it's")
    );
    assert_eq!(pair.client.config("css").expect("sound"), None, "not asked for");
    pair.client
        .write(|tx| tx.set_config("project-description", "ours", at(9)))
        .expect("a sound repository");
    options.config_push = core::mem::take(&mut options.config_pull);
    pair.run(options).expect("an honest server");
    assert_eq!(
        pair.server
            .config("project-description")
            .expect("sound")
            .as_deref(),
        Some("ours")
    );
}

#[test]
fn configuration_that_was_not_asked_for_is_passed_over() {
    let mut pair = Pair::new();
    let mut session = leaf_core::sync::SyncSession::new(Pair::options(Goal::Pull));
    session
        .poll_transmit(&mut pair.client, [1; 20])
        .expect("sound")
        .expect("a request");
    let row = "1895233621 'project-description' value 'forced'";
    let reply = format!(
        "config /config {}\n{row}\n# timestamp 2026-11-21T04:00:00 errors 0\n",
        row.len()
    );
    let debug = leaf_core::xfer::ContentType::Debug;
    session
        .handle_reply(&mut pair.client, reply.as_bytes(), debug, NOW)
        .expect("an honest server");
    assert_eq!(pair.client.config("project-description").expect("sound"), None);
}

// ---- check-in locks -----------------------------------------------------------------------------------------

#[test]
fn a_lock_is_held_until_it_is_dropped_or_too_old() {
    let mut pair = Pair::new();
    let author = Author {
        user: "admin".to_owned(),
        date: NOW,
    };
    let (_, hash) = pair
        .server
        .write(|tx| tx.initial_checkin(&author))
        .expect("a sound repository");
    let lock = |pair: &mut Pair, checkin, client: &str| {
        let mut options = Pair::options(Goal::Pull);
        options.ci_lock = Some(CiLock {
            checkin,
            client: client.to_owned(),
        });
        let events = pair.run(options).expect("an honest server").events;
        events
            .iter()
            .any(|event| matches!(event, SyncEvent::CiLockFailed { user, .. } if user == "admin"))
    };
    assert!(!lock(&mut pair, Some(hash), "1"));
    assert!(!lock(&mut pair, Some(hash), "1"), "it is ours");
    assert!(lock(&mut pair, Some(hash), "2"));
    assert!(!lock(&mut pair, None, "1"));
    assert!(!lock(&mut pair, Some(hash), "2"));
    pair.now = at(61);
    assert!(!lock(&mut pair, Some(hash), "1"), "a minute is enough");
}
