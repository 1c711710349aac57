//! Our session against `fossil server`.

use crate::http::{now, run};
use crate::stock::Stock;
use leaf_core::id::{ProjectCode, ServerCode};
use leaf_core::repo::{ConfigGroup, NewRepo, Put, Repo, RepoError};
use leaf_core::sync::{Credentials, Goal, SyncEvent, SyncOptions};
use leaf_core::xfer::envelope;
use rusqlite::Connection;

fn options(goal: Goal, port: u16) -> SyncOptions {
    let mut options = SyncOptions::new(goal, format!("http://127.0.0.1:{port}/"));
    options.login = Some(Credentials {
        user: "bob".to_owned(),
        password: "bpw".to_owned(),
    });
    options
}

/// An empty repository of the same project.
fn leaf(stock: &Stock) -> Repo {
    let code = stock
        .query(
            "server.fossil",
            "SELECT value FROM config WHERE name = 'project-code'",
        )
        .concat();
    let new = NewRepo {
        project_code: ProjectCode::parse(code.as_bytes()).expect("40 digits"),
        server_code: ServerCode::from_random([3; 20]),
        project_name: None,
        admin: "admin".to_owned(),
        admin_password: "secret".to_owned(),
        now: now(),
    };
    Repo::create(Connection::open_in_memory().expect("memory"), &new).expect("an empty database")
}

fn names(repo: &Repo) -> Vec<String> {
    let mut names = Vec::new();
    repo.each_available(&mut |_, hash| names.push(hash.to_string()))
        .expect("a sound repository");
    names.sort_unstable();
    names
}

#[test]
fn a_pull_brings_what_a_stock_server_has() {
    let stock = Stock::new();
    for number in 0..70 {
        stock.commit(
            "file.txt",
            &format!("version {number}\n{}", "a line\n".repeat(100)),
        );
    }
    let server = stock.serve();
    let mut repo = leaf(&stock);
    let outcome = run(&mut repo, options(Goal::Pull, server.port), server.port).expect("an honest server");
    assert_eq!(names(&repo), stock.artifacts("server.fossil"));
    assert!(outcome.events.contains(&SyncEvent::Done {
        rounds: outcome.rounds
    }));
    let again = run(&mut repo, options(Goal::Sync, server.port), server.port).expect("an honest server");
    assert_eq!(
        (
            again.rounds,
            again.stats.artifacts_received,
            again.stats.artifacts_sent
        ),
        (1, 0, 0)
    );
}

#[test]
fn a_push_of_a_thousand_artifacts_to_a_stock_server_takes_one_request() {
    let stock = Stock::new();
    let server = stock.serve();
    let mut repo = leaf(&stock);
    run(&mut repo, options(Goal::Pull, server.port), server.port).expect("an honest server");
    let put = repo.write(|tx| {
        for number in 0..1000 {
            let content = format!("file {number}\n{}", "a line that nobody reads\n".repeat(20));
            tx.put(
                content.as_bytes(),
                Put {
                    private: false,
                    unsent: true,
                },
            )?;
        }
        Ok::<_, RepoError>(())
    });
    put.expect("a sound repository");
    let outcome = run(&mut repo, options(Goal::Push, server.port), server.port).expect("an honest server");
    assert_eq!((outcome.rounds, outcome.stats.artifacts_sent), (1, 1000));
    assert_eq!(names(&repo), stock.artifacts("server.fossil"));
    stock.assert_sound("server.fossil");
}

#[test]
fn a_wrong_password_is_said_to_be_one() {
    let stock = Stock::new();
    let server = stock.serve();
    let mut repo = leaf(&stock);
    let mut options = options(Goal::Pull, server.port);
    options.login = Some(Credentials {
        user: "bob".to_owned(),
        password: "wrong".to_owned(),
    });
    let error = run(&mut repo, options, server.port).expect_err("a refusal");
    assert_eq!(error.to_string(), "the server says: login failed");
}

#[test]
fn another_project_is_said_to_be_one() {
    let stock = Stock::new();
    let server = stock.serve();
    let mut repo = leaf(&stock);
    repo.write(|tx| tx.set_config("project-code", &"9".repeat(40), now()))
        .expect("a sound repository");
    let mut options = options(Goal::Pull, server.port);
    options.login = None;
    let error = run(&mut repo, options, server.port).expect_err("a refusal");
    assert_eq!(error.to_string(), "the peer belongs to another project");
}

#[test]
fn nobody_may_pull_but_not_push() {
    let stock = Stock::new();
    stock.commit("file.txt", "one\n");
    let server = stock.serve();
    let mut repo = leaf(&stock);
    repo.write(|tx| {
        tx.put(
            b"ours",
            Put {
                private: false,
                unsent: true,
            },
        )
    })
    .expect("a sound repository");
    let mut options = options(Goal::Sync, server.port);
    options.login = None;
    let outcome = run(&mut repo, options, server.port).expect("an honest server");
    assert!(
        outcome.events.contains(&SyncEvent::PullOnly),
        "{:?}",
        outcome.events
    );
    assert_eq!(names(&repo).len(), stock.artifacts("server.fossil").len() + 1);
}

#[test]
fn unversioned_files_go_both_ways() {
    let stock = Stock::new();
    std::fs::write(stock.path("theirs.txt"), "theirs\n".repeat(50)).expect("a writable folder");
    stock.run(&["uv", "add", "theirs.txt", "-R", "server.fossil"]);
    let server = stock.serve();
    let mut repo = leaf(&stock);
    repo.write(|tx| tx.uv_put("ours.txt", &b"ours\n".repeat(50), now()))
        .expect("a sound repository");
    let mut options = options(Goal::NoArtifacts, server.port);
    options.unversioned = true;
    run(&mut repo, options.clone(), server.port).expect("an honest server");
    let theirs = repo
        .uv_stored("theirs.txt")
        .expect("a sound repository")
        .expect("a file");
    assert_eq!(theirs.expand().expect("sound"), "theirs\n".repeat(50).as_bytes());
    assert_eq!(
        stock.run(&["uv", "cat", "ours.txt", "-R", "server.fossil"]),
        "ours\n".repeat(50)
    );
    let again = run(&mut repo, options, server.port).expect("an honest server");
    assert_eq!(
        (again.rounds, again.stats.uv_sent, again.stats.uv_received),
        (1, 0, 0)
    );
}

#[test]
fn private_artifacts_go_both_ways_on_request_only() {
    let stock = Stock::new();
    stock.commit("file.txt", "one\n");
    stock.commit_in("work", "file.txt", "secret\n", &["--private"]);
    let secret = stock
        .query("server.fossil", "SELECT count(*) FROM private")
        .concat();
    assert_eq!(secret, "2");
    let server = stock.serve();
    let mut repo = leaf(&stock);
    let ours = repo
        .write(|tx| {
            tx.put(
                b"our secret",
                Put {
                    private: true,
                    unsent: false,
                },
            )
        })
        .expect("sound")
        .1;
    run(&mut repo, options(Goal::Sync, server.port), server.port).expect("an honest server");
    assert_eq!(repo.private_artifacts().expect("a sound repository").len(), 1);
    assert_eq!(
        stock
            .query("server.fossil", "SELECT count(*) FROM private")
            .concat(),
        "2"
    );
    let mut options = options(Goal::Sync, server.port);
    options.private = true;
    run(&mut repo, options, server.port).expect("an honest server");
    assert_eq!(repo.private_artifacts().expect("a sound repository").len(), 3);
    let there = "SELECT uuid FROM private JOIN blob USING (rid) WHERE size >= 0";
    assert!(stock.query("server.fossil", there).contains(&ours.to_string()));
}

#[test]
fn configuration_comes_over() {
    let stock = Stock::new();
    stock.execute(
        "server.fossil",
        "REPLACE INTO config VALUES ('project-description', 'it''s stock', 1795233621)",
    );
    let server = stock.serve();
    let mut repo = leaf(&stock);
    let mut options = options(Goal::NoArtifacts, server.port);
    options.config_pull = vec![ConfigGroup::Project];
    run(&mut repo, options, server.port).expect("an honest server");
    assert_eq!(
        repo.config("project-description").expect("sound").as_deref(),
        Some("it's stock")
    );
}

#[test]
fn a_clone_stages_every_artifact_and_learns_the_project() {
    let stock = Stock::new();
    for number in 0..30 {
        stock.commit(
            "file.txt",
            &format!("version {number}\n{}", "a line\n".repeat(100)),
        );
    }
    stock.execute(
        "server.fossil",
        "REPLACE INTO config VALUES ('max-download', '3000', 0)",
    );
    let server = stock.serve();
    let new = NewRepo {
        project_code: ProjectCode::from_random([0; 20]),
        server_code: ServerCode::from_random([3; 20]),
        project_name: None,
        admin: "admin".to_owned(),
        admin_password: "secret".to_owned(),
        now: now(),
    };
    let db = Connection::open_in_memory().expect("memory");
    let mut repo = Repo::create_for_clone(db, &new).expect("an empty database");
    let mut options = options(Goal::Clone, server.port);
    options.config_pull = vec![ConfigGroup::Project];
    let outcome = run(&mut repo, options, server.port).expect("an honest server");
    assert!(
        outcome.rounds > 2 && outcome.events.contains(&SyncEvent::CloneReceived),
        "{outcome:?}"
    );
    assert_eq!(names(&repo), stock.artifacts("server.fossil"));
    let code = stock
        .query(
            "server.fossil",
            "SELECT value FROM config WHERE name = 'project-code'",
        )
        .concat();
    assert_eq!(repo.config("project-code").expect("sound"), Some(code));
}

#[test]
fn a_check_in_lock_is_seen_by_the_next_client() {
    let stock = Stock::new();
    stock.commit("file.txt", "one\n");
    let server = stock.serve();
    let mut repo = leaf(&stock);
    let tip = stock
        .query("server.fossil", "SELECT uuid FROM leaf JOIN blob USING (rid)")
        .concat();
    let mut lock = |client: &str| {
        let mut options = options(Goal::Sync, server.port);
        let checkin = Some(tip.parse().expect("a name"));
        options.ci_lock = Some(leaf_core::sync::CiLock {
            checkin,
            client: client.to_owned(),
        });
        run(&mut repo, options, server.port)
            .expect("an honest server")
            .events
    };
    let failed = |event: &SyncEvent| matches!(event, SyncEvent::CiLockFailed { user, .. } if user == "bob");
    assert!(!lock(&"1".repeat(40)).iter().any(failed));
    assert!(lock(&"2".repeat(40)).iter().any(failed));
}

#[test]
fn uncompressed_messages_are_understood_as_well() {
    let stock = Stock::new();
    stock.commit("file.txt", "one\n");
    let server = stock.serve();
    let mut repo = leaf(&stock);
    let mut options = options(Goal::Pull, server.port);
    options.debug = true;
    run(&mut repo, options, server.port).expect("an honest server");
    assert_eq!(names(&repo), stock.artifacts("server.fossil"));
    assert!(envelope::ContentType::parse("application/x-fossil-debug").is_some());
}
