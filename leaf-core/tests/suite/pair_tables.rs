//! Synced tables between two repositories.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::pair::{NOW, Pair, repository};
use crate::tables::{def, delete, notes, put, rows};
use crate::world::dump;
use leaf_core::limits::Limits;
use leaf_core::repo::{Conflict, Repo, TableHash, UserChange};
use leaf_core::sync::{Goal, SyncEvent, SyncOptions};
use leaf_core::time::Timestamp;
use proptest::prelude::*;

fn later(seconds: i64) -> Timestamp {
    NOW.plus_ms(seconds * 1000)
}

fn hash(repo: &Repo) -> Option<TableHash> {
    let table = repo.table("notes").expect("a sound repository")?;
    Some(repo.table_hash(&table).expect("a sound repository"))
}

/// Gives these capabilities to whoever does not log in.
fn nobody(repo: &mut Repo, capabilities: &str) {
    for (login, capabilities) in [("nobody", capabilities), ("anonymous", "")] {
        let change = UserChange {
            password: None,
            capabilities: Some(capabilities),
            info: None,
        };
        repo.write(|tx| tx.set_user(login, &change, NOW))
            .expect("a sound repository");
    }
}

/// Puts a row into `notes`, which is made if it is not there.
fn note(repo: &mut Repo, id: &str, text: &str, user: &str, now: Timestamp) {
    let table = repo.table("notes").expect("a sound repository");
    let table = table.unwrap_or_else(|| notes(repo, Conflict::MtimeWins));
    put(repo, &table, id, text, user, now).expect("a row");
}

#[test]
fn tables_and_rows_go_to_whoever_lacks_them_in_two_rounds() {
    for goal in [Goal::Sync, Goal::Pull, Goal::Push] {
        let mut pair = Pair::new();
        note(&mut pair.client, "mine", "1", "", NOW);
        note(&mut pair.server, "theirs", "2", "", NOW);
        let outcome = pair.sync(goal);
        assert_eq!(outcome.rounds, 2, "{goal:?}");
        let (client, server): (&[&str], &[&str]) = match goal {
            Goal::Pull => (&["mine=1", "theirs=2"], &["theirs=2"]),
            Goal::Push => (&["mine=1"], &["mine=1", "theirs=2"]),
            _ => (&["mine=1", "theirs=2"], &["mine=1", "theirs=2"]),
        };
        assert_eq!(rows(&pair.client), client, "{goal:?}");
        assert_eq!(rows(&pair.server), server, "{goal:?}");
        let moved = (outcome.stats.rows_sent, outcome.stats.rows_received);
        assert_eq!(
            moved,
            (u64::from(goal != Goal::Pull), u64::from(goal != Goal::Push))
        );
    }
}

#[test]
fn a_table_comes_into_being_on_the_side_that_has_none() {
    let mut pair = Pair::new();
    note(&mut pair.client, "a", "1", "", NOW);
    pair.sync(Goal::Sync);
    assert_eq!(rows(&pair.server), ["a=1"]);
    let mut other = Pair::new();
    note(&mut other.server, "a", "1", "", NOW);
    other.sync(Goal::Sync);
    assert_eq!(rows(&other.client), ["a=1"]);
    assert_eq!(hash(&other.client), hash(&pair.server));
    let empty = &mut Pair::new();
    notes(&mut empty.client, Conflict::MtimeWins);
    empty.sync(Goal::Sync);
    assert!(empty.server.table("notes").expect("a sound repository").is_some());
}

#[test]
fn a_second_sync_says_nothing_of_rows_in_one_round() {
    let mut pair = Pair::new();
    for id in ["a", "b", "c"] {
        note(&mut pair.client, id, "1", "", NOW);
        note(&mut pair.server, id, "2", "", NOW);
    }
    pair.sync(Goal::Sync);
    let before = (dump(&mut pair.client), dump(&mut pair.server));
    let outcome = pair.sync(Goal::Sync);
    assert_eq!(outcome.rounds, 1);
    assert_eq!((outcome.stats.rows_sent, outcome.stats.rows_received), (0, 0));
    for card in ["schema", "xigot", "xrow", "xgimme", "xdelete"] {
        assert_eq!(pair.count(card), (0, 0), "{card}");
    }
    assert_eq!(pair.count("pragma xtable-hash"), (1, 0));
    assert_eq!((dump(&mut pair.client), dump(&mut pair.server)), before);
}

#[test]
fn a_deletion_travels_and_the_deleted_row_does_not_come_back() {
    let mut pair = Pair::new();
    note(&mut pair.client, "a", "1", "", NOW);
    pair.sync(Goal::Sync);
    let mut third = repository(3);
    std::mem::swap(&mut pair.client, &mut third);
    pair.sync(Goal::Sync);
    let table = pair
        .server
        .table("notes")
        .expect("a sound repository")
        .expect("a table");
    delete(&mut pair.server, &table, "a", "", NOW).expect("a row");
    pair.sync(Goal::Sync);
    assert!(rows(&pair.client).is_empty());
    // The first one still holds it.
    std::mem::swap(&mut pair.client, &mut third);
    pair.sync(Goal::Sync);
    assert!(rows(&pair.client).is_empty() && rows(&pair.server).is_empty());
    assert_eq!(hash(&pair.client), hash(&third));
}

#[test]
fn many_rows_go_in_messages_of_bounded_size() {
    let mut pair = Pair::new();
    let text = "x".repeat(100);
    for id in 0..100 {
        note(&mut pair.client, &format!("c{id}"), &text, "", NOW);
        note(&mut pair.server, &format!("s{id}"), &text, "", NOW);
    }
    pair.server_limits.download_bytes = 4_000;
    let mut options = Pair::options(Goal::Sync);
    options.limits.upload_bytes = 4_000;
    let outcome = pair.run(options).expect("honest peers");
    assert!(outcome.rounds > 4, "{} rounds", outcome.rounds);
    assert_eq!(rows(&pair.client).len(), 200);
    assert_eq!(hash(&pair.client), hash(&pair.server));
}

#[test]
fn nobody_who_may_not_read_sees_a_row_and_nobody_who_may_not_write_leaves_one() {
    let mut pair = Pair::new();
    note(&mut pair.client, "mine", "1", "", NOW);
    note(&mut pair.server, "theirs", "2", "", NOW);
    nobody(&mut pair.server, "o");
    let outcome = pair
        .run(SyncOptions::new(Goal::Sync, "http://server/"))
        .expect("a pull at least");
    assert!(outcome.events.contains(&SyncEvent::PullOnly));
    assert_eq!(rows(&pair.client), ["mine=1", "theirs=2"]);
    assert_eq!(rows(&pair.server), ["theirs=2"]);
    nobody(&mut pair.server, "");
    let reply = pair.ask("pragma leaf-tables\npragma xtable-hash notes -\n");
    assert!(!reply.contains("theirs") && !reply.contains("xigot"), "{reply}");
    let project = "07".repeat(20);
    nobody(&mut pair.server, "i");
    let key = "3e45447f193f286160a26c0baf7ae5aeb905c542";
    let reply = pair.ask(&format!("push x {project}\nxgimme notes {key}\n"));
    assert!(!reply.contains("xrow"), "{reply}");
}

#[test]
fn rows_belong_to_the_user_who_logs_in() {
    for conflict in [Conflict::SelfWrite, Conflict::OwnerWrite] {
        let mut pair = Pair::new();
        let table = notes(&mut pair.client, conflict);
        put(&mut pair.client, &table, "a", "admin's", "admin", NOW).expect("a row");
        pair.sync(Goal::Sync);
        let table = pair
            .server
            .table("notes")
            .expect("a sound repository")
            .expect("a table");
        let owners: Vec<String> = pair
            .server
            .table_rows(&table)
            .expect("a sound repository")
            .into_iter()
            .map(|row| row.owner)
            .collect();
        assert_eq!(owners, ["admin"]);
        // Somebody else had the same idea, and is told whose it is.
        let mut other = repository(3);
        let table = notes(&mut other, conflict);
        put(&mut other, &table, "a", "bob's", "bob", later(9)).expect("a row");
        std::mem::swap(&mut pair.client, &mut other);
        nobody(&mut pair.server, "io");
        pair.now = later(10);
        pair.run(SyncOptions::new(Goal::Sync, "http://server/"))
            .expect("honest peers");
        assert_eq!(rows(&pair.server), ["a=admin's"], "{conflict:?}");
        assert_eq!(rows(&pair.client), ["a=admin's"], "{conflict:?}");
        assert!(put(&mut pair.client, &table, "a", "bob's", "bob", later(11)).is_err());
        assert_eq!(hash(&pair.client), hash(&pair.server));
    }
}

#[test]
fn tables_of_one_name_and_two_definitions_stay_apart_and_artifacts_move() {
    let mut pair = Pair::new();
    notes(&mut pair.client, Conflict::MtimeWins);
    let other = def("id integer!, text text", Conflict::MtimeWins);
    pair.server
        .write(|tx| {
            let table = tx.define_table("notes", &other, NOW)?;
            tx.put_row(&table, &[1.into(), "x".into()], "", NOW)
        })
        .expect("a row");
    let artifacts = crate::pair::put(&mut pair.client, 0..3);
    let outcome = pair.sync(Goal::Sync);
    assert!(artifacts.iter().all(|hash| crate::pair::has(&pair.server, hash)));
    let skipped = outcome
        .events
        .iter()
        .any(|event| matches!(event, SyncEvent::TableSkipped { table, .. } if table == "notes"));
    assert!(skipped, "{:?}", outcome.events);
    assert!(rows(&pair.client).is_empty());
    assert_eq!(rows(&pair.server), ["Integer(1)=x"]);
}

#[test]
fn a_column_that_one_side_adds_comes_to_the_other() {
    let mut pair = Pair::new();
    note(&mut pair.client, "a", "1", "", NOW);
    pair.sync(Goal::Sync);
    let more = def("id text!, text text, more text", Conflict::MtimeWins);
    let add = |repo: &mut Repo, id: &str| {
        repo.write(|tx| {
            let table = tx.define_table("notes", &more, NOW)?;
            tx.put_row(&table, &[id.into(), "2".into(), "3".into()], "", NOW)
        })
        .expect("a row");
    };
    add(&mut pair.client, "b");
    pair.sync(Goal::Sync);
    assert_eq!(rows(&pair.server), ["a=1=Null", "b=2=3"]);
    let mut pair = Pair::new();
    note(&mut pair.client, "a", "1", "", NOW);
    pair.sync(Goal::Sync);
    add(&mut pair.server, "b");
    pair.sync(Goal::Sync);
    assert_eq!(rows(&pair.client), ["a=1=Null", "b=2=3"]);
}

#[test]
fn a_session_that_does_not_want_tables_says_nothing_of_them() {
    let mut pair = Pair::new();
    note(&mut pair.client, "a", "1", "", NOW);
    note(&mut pair.server, "b", "1", "", NOW);
    let mut options = Pair::options(Goal::Sync);
    options.tables = false;
    pair.run(options).expect("honest peers");
    assert!(!pair.said().contains("table"), "{}", pair.said());
    assert_eq!(rows(&pair.server), ["b=1"]);
}

#[test]
fn whoever_shows_no_knowledge_of_tables_is_sent_none_of_their_cards() {
    let mut pair = Pair::new();
    note(&mut pair.server, "b", "1", "", NOW);
    nobody(&mut pair.server, "io");
    let project = "07".repeat(20);
    let reply = pair.ask(&format!(
        "pragma client-version 22700 20250801 110500\npull x {project}\npush x {project}\n"
    ));
    for card in ["schema", "xigot", "xgimme", "xtable"] {
        assert!(!reply.contains(card), "{reply}");
    }
}

/// What a libfossil client sends: everything, in every round, and no pragma of ours.
#[test]
fn a_client_of_the_reference_is_served() {
    let mut pair = Pair::new();
    note(&mut pair.server, "both", "late", "", later(5));
    note(&mut pair.server, "theirs", "1", "", NOW);
    nobody(&mut pair.server, "io");
    let project = "07".repeat(20);
    let json = String::from_utf8(def("id text!, text text", Conflict::MtimeWins).json()).expect("text");
    let [both, mine, theirs] = ["both", "mine", "theirs"].map(|id| {
        let mut scratch = repository(9);
        note(&mut scratch, id, "x", "", NOW);
        let table = scratch.table("notes").expect("sound").expect("a table");
        let names = scratch.row_names(&table).expect("sound");
        names.first().expect("a row").key.to_string()
    });
    let round = |rest: &str| {
        format!(
            "pragma client-version 22800 20260315 120000\npush x {project}\npull x {project}\nschema notes 1 0 7 {}\n{json}\n\
             pragma xtable-hash notes da39a3ee5e6b4b0d3255bfef95601890afd80709\n{rest}",
            json.len()
        )
    };
    let reply = pair.ask(&round(&format!("xigot notes {both} 5\nxigot notes {mine} 5\n")));
    let time = later(5).unix();
    for line in [
        "schema notes 1 ".to_owned(),
        format!("xgimme notes {mine}\n"),
        format!("xrow notes {both} {time} 27\n{{\"id\":\"both\",\"text\":\"late\"}}\n"),
        format!("xigot notes {theirs} {}\n", NOW.unix()),
    ] {
        assert!(reply.contains(&line), "{line}: {reply}");
    }
    let row = r#"{"id":"mine","text":null}"#;
    let row = format!("xrow notes {mine} 6 {}\n{row}\n", row.len());
    let reply = pair.ask(&round(&format!("{row}xgimme notes {theirs}\n")));
    assert!(
        reply.contains(&format!(
            "xrow notes {theirs} {} 26\n{{\"id\":\"theirs\",\"text\":\"1\"}}\n",
            NOW.unix()
        )),
        "{reply}"
    );
    assert_eq!(
        rows(&pair.server),
        ["both=late", "theirs=1"],
        "a row of nothing is deleted"
    );
    let gone = r#"{"id":"theirs"}"#;
    pair.ask(&round(&format!(
        "xdelete notes {theirs} {} {}\n{gone}\n",
        later(1).unix(),
        gone.len()
    )));
    assert_eq!(rows(&pair.server), ["both=late"]);
}

#[test]
fn what_is_wrong_with_a_card_is_said_once_and_nothing_is_kept() {
    let mut pair = Pair::new();
    note(&mut pair.server, "b", "1", "", NOW);
    nobody(&mut pair.server, "io");
    pair.server_limits = Limits {
        row_bytes_max: 200,
        ..Limits::default()
    };
    let project = "07".repeat(20);
    let key = "3e45447f193f286160a26c0baf7ae5aeb905c542";
    let good = r#"{"columns":[{"name":"id","type":"text","pk":true}],"conflict":"mtime-wins"}"#;
    let schema = |name: &str, json: &str| format!("schema {name} 1 0 1 {}\n{json}\n", json.len());
    let row = |key: &str, json: &str| format!("xrow notes {key} 9 {}\n{json}\n", json.len());
    for bad in [
        schema("x_notes", good),
        schema("blob", good),
        schema("a\"b", good),
        schema("a;drop", good),
        schema("t", &good.replace("mtime-wins", "whoever-wins")),
        schema("t", &good.replace("text", "varchar")),
        schema("t", &good.replace("\"id\"", "\"i d\"")),
        schema("t", &good.replace("\"id\"", "\"mtime\"")),
        schema("t", &good.replace("true", "false")),
        schema("t", "[]"),
        schema("t", &" ".repeat(201)),
        row(key, r#"{"id":"b","text":"the key of another"}"#),
        row(key, r#"{"id":"a","text":5}"#),
        row(key, r#"{"id":"a","other":"x"}"#),
        row(key, r#"{"id":null,"text":"x"}"#),
        row(key, r#"{"text":"x"}"#),
        row(key, "{"),
        format!("xdelete notes {key} 9 10\n{{\"id\":\"b\"}}\n"),
        format!("xigot notes {key} 1 1 1\nxgimme notes\n"),
    ] {
        let before = dump(&mut pair.server);
        let fine = r#"{"id":"c"}"#;
        let other = schema("fine", good);
        let reply = pair.ask(&format!(
            "push x {project}\n{other}xrow fine {} 5 {}\n{fine}\n{bad}",
            "6744808b3ec86d2f9373ae0186668e26afa1743b",
            fine.len()
        ));
        let errors = reply.lines().filter(|line| line.starts_with("error ")).count();
        assert_eq!(errors, 1, "{bad}: {reply}");
        assert_eq!(dump(&mut pair.server), before, "{bad}");
    }
}

#[test]
fn a_server_that_says_too_much_of_tables_keeps_no_session_going() {
    let mut pair = Pair::new();
    note(&mut pair.client, "a", "1", "", NOW);
    let mut session = leaf_core::sync::SyncSession::new(Pair::options(Goal::Sync));
    let key = "3e45447f193f286160a26c0baf7ae5aeb905c542";
    let mut rounds = 0_u8;
    while let Some(transmit) = session
        .poll_transmit(&mut pair.client, [rounds; 20])
        .expect("a sound repository")
    {
        rounds += 1;
        assert!(rounds < 5, "it goes on");
        // Other names in each round, tables that nobody has, and rows that do not come.
        let other = format!("{rounds:02x}").repeat(20);
        let mut reply = format!("pragma xtable-hash notes -\nxgimme notes {key}\n");
        for table in ["notes", "nothing"] {
            reply +=
                &format!("xigot {table} {other} 9\nxigot {table} {key} 9\npragma xtable-hash no{rounds} -\n");
        }
        for table in 0..1000 {
            reply += &format!("xigot t{rounds}_{table} {key} 9\n");
        }
        let reply = leaf_core::xfer::envelope::pack(reply.into_bytes(), transmit.content_type);
        session
            .handle_reply(&mut pair.client, &reply, transmit.content_type, NOW)
            .expect("cards");
    }
    assert_eq!(rows(&pair.client), ["a=1"]);
}

/// One step of somebody's work on one of two repositories.
#[derive(Clone, Debug)]
enum Step {
    Put { client: bool, id: u8, text: u8, at: i64 },
    Delete { client: bool, id: u8, at: i64 },
    Sync(Goal),
}

fn step() -> impl Strategy<Value = Step> {
    let at = 0_i64..4;
    prop_oneof![
        4 => (any::<bool>(), 0_u8..5, 0_u8..4, at.clone())
            .prop_map(|(client, id, text, at)| Step::Put { client, id, text, at }),
        2 => (any::<bool>(), 0_u8..5, at).prop_map(|(client, id, at)| Step::Delete { client, id, at }),
        1 => prop_oneof![Just(Goal::Sync), Just(Goal::Pull), Just(Goal::Push)].prop_map(Step::Sync),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_two_people_do_their_tables_end_the_same(steps in prop::collection::vec(step(), 0..40), rule in 0..3) {
        let conflict = [Conflict::MtimeWins, Conflict::SelfWrite, Conflict::OwnerWrite]
            [usize::try_from(rule).expect("small")];
        let mut pair = Pair::new();
        let table = notes(&mut pair.client, conflict);
        notes(&mut pair.server, conflict);
        for step in steps {
            match step {
                Step::Put { client, id, text, at } => {
                    let (repo, user) = if client { (&mut pair.client, "admin") } else { (&mut pair.server, "bob") };
                    // Whoever may not, does not.
                    put(repo, &table, &id.to_string(), &text.to_string(), user, later(at)).ok();
                }
                Step::Delete { client, id, at } => {
                    let (repo, user) = if client { (&mut pair.client, "admin") } else { (&mut pair.server, "bob") };
                    delete(repo, &table, &id.to_string(), user, later(at)).ok();
                }
                Step::Sync(goal) => {
                    pair.sync(goal);
                }
            }
        }
        pair.sync(Goal::Sync);
        prop_assert_eq!(rows(&pair.client), rows(&pair.server));
        prop_assert_eq!(hash(&pair.client), hash(&pair.server));
        let again = pair.sync(Goal::Sync);
        prop_assert_eq!((again.rounds, again.stats.rows_sent, again.stats.rows_received), (1, 0, 0));
    }
}
