//! Where the repositories of a project are: said by clients, kept by servers, told to whom asks.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::pair::{Loss, NOW, Pair};
use crate::pair_rights::user;
use leaf_core::repo::Repo;
use leaf_core::sync::{Credentials, Goal, SyncEvent, SyncOptions, SyncSession};
use leaf_core::time::Timestamp;
use leaf_core::xfer::ContentType;

const OURS: &str = "https://leaf.example.org/home";
const DAY_MS: i64 = 86_400_000;

/// Makes `url` the place where `repo` is served.
fn served_at(repo: &mut Repo, url: &str) {
    let set = repo.write(|tx| {
        tx.set_config("email-url", url, NOW)?;
        tx.set_config(&format!("baseurl:{url}"), "1", NOW)
    });
    set.expect("a sound repository");
}

fn asking_for_links() -> SyncOptions {
    SyncOptions {
        share_links: true,
        ..Pair::options(Goal::Pull)
    }
}

fn config(repo: &Repo, name: &str) -> Option<String> {
    repo.config(name).expect("a sound repository")
}

#[test]
fn a_client_says_where_it_is_once_and_the_server_keeps_it() {
    let mut pair = Pair::new();
    served_at(&mut pair.client, OURS);
    crate::pair::put(&mut pair.server, 0..20);
    let outcome = pair.sync(Goal::Sync);
    assert!(outcome.rounds > 1, "{} rounds", outcome.rounds);
    assert_eq!(pair.count("pragma client-url "), (1, 0));
    assert!(pair.said().contains(&format!("pragma client-url {OURS}\n")));
    assert_eq!(
        config(&pair.server, &format!("syncfrom:{OURS}")).as_deref(),
        Some("{}")
    );
}

#[test]
fn a_client_says_where_it_is_again_when_the_first_request_was_lost() {
    let mut pair = Pair::new();
    served_at(&mut pair.client, OURS);
    let lost = pair.run_losing(Pair::options(Goal::Sync), &mut |attempt| {
        if attempt == 1 {
            Loss::Request
        } else {
            Loss::Nothing
        }
    });
    lost.expect("honest peers");
    assert!(config(&pair.server, &format!("syncfrom:{OURS}")).is_some());
}

#[test]
fn a_client_that_was_never_served_or_only_to_itself_says_no_place() {
    let mut pair = Pair::new();
    let set = |repo: &mut Repo, url: &str| repo.write(|tx| tx.set_config("email-url", url, NOW));
    set(&mut pair.client, OURS).expect("a sound repository");
    pair.sync(Goal::Sync);
    assert_eq!(pair.count("pragma client-url"), (0, 0), "never served there");
    served_at(&mut pair.client, "http://localhost:8080");
    pair.sync(Goal::Sync);
    assert_eq!(pair.count("pragma client-url"), (0, 0), "of no use to others");
}

#[test]
fn whoever_may_not_write_leaves_no_place_behind() {
    let mut pair = Pair::new();
    user(&mut pair.server, "reader-only", "go");
    served_at(&mut pair.client, OURS);
    let mut options = Pair::options(Goal::Pull);
    options.login = Some(Credentials {
        user: "reader-only".to_owned(),
        password: "reader-only".to_owned(),
    });
    pair.run(options).expect("honest peers");
    assert_eq!(pair.count("pragma client-url"), (1, 0));
    assert_eq!(config(&pair.server, &format!("syncfrom:{OURS}")), None);
}

#[test]
fn links_are_told_to_whom_asks_and_kept() {
    let mut pair = Pair::new();
    pair.base_url = Some("http://server".to_owned());
    let noted = pair.server.write(|tx| {
        tx.note_peer_url("https://bob@mirror.example.org/x", false, NOW)?;
        tx.note_peer_url("http://localhost:8080/", true, NOW)
    });
    noted.expect("a sound repository");
    let outcome = pair.sync(Goal::Pull);
    assert_eq!(pair.count("pragma req-links"), (0, 0));
    assert_eq!(pair.count("pragma link "), (0, 0));
    assert!(
        !outcome
            .events
            .iter()
            .any(|event| matches!(event, SyncEvent::Link { .. }))
    );

    let outcome = pair.run(asking_for_links()).expect("honest peers");
    assert_eq!(pair.count("pragma req-links"), (1, 0));
    let url = "https://mirror.example.org/x".to_owned();
    assert!(outcome.events.contains(&SyncEvent::Link { url: url.clone() }));
    let kept = config(&pair.client, &format!("link:{url}"));
    assert_eq!(kept.as_deref(), Some(r#"{"src":"http://server"}"#));
    let all = pair.said();
    assert!(!all.contains("bob@") && !all.contains("localhost"), "{all}");
}

/// What a pull that does or does not ask for links makes of a reply.
fn hears(client: &mut Repo, options: SyncOptions, reply: &str) -> Vec<SyncEvent> {
    let mut session = SyncSession::new(options);
    session
        .poll_transmit(client, [1; 20])
        .expect("a sound repository")
        .expect("a first request");
    session
        .handle_reply(client, reply.as_bytes(), ContentType::Debug, NOW)
        .expect("a well formed reply");
    std::iter::from_fn(|| session.poll_event())
        .filter(|event| matches!(event, SyncEvent::Link { .. }))
        .collect()
}

#[test]
fn links_that_nobody_asked_for_or_could_use_are_not_kept() {
    let mut pair = Pair::new();
    let good = "pragma link http://other.example.org/ {} 1795233000\n";
    assert_eq!(hears(&mut pair.client, Pair::options(Goal::Pull), good), []);
    assert_eq!(config(&pair.client, "link:http://other.example.org/"), None);
    let useless = "pragma link http://localhost/ {} 1795233000\npragma link file:///etc/passwd {} 1795233000\n\
                   pragma link http://never.example.org/ {} 0\npragma link http://a\\sb/ {} 1795233000\n";
    assert_eq!(hears(&mut pair.client, asking_for_links(), useless), []);
    assert_eq!(hears(&mut pair.client, asking_for_links(), good).len(), 1);
    let older = "pragma link http://other.example.org/ {\"src\":\"x\"} 1795232000\n";
    assert_eq!(hears(&mut pair.client, asking_for_links(), older).len(), 1);
    let kept = config(&pair.client, "link:http://other.example.org/");
    assert_eq!(kept.as_deref(), Some("{}"), "the newer stays");
}

#[test]
fn a_client_notes_whom_it_synced_with_once_a_day() {
    let mut pair = Pair::new();
    let name = "syncwith:http://server/";
    let noted = |repo: &Repo| {
        let links = repo.peer_links("http://here", pair_now(0)).expect("readable");
        links.first().map(|link| link.mtime)
    };
    pair.sync(Goal::Pull);
    assert_eq!(config(&pair.client, name).as_deref(), Some("{}"));
    assert_eq!(noted(&pair.client), Some(NOW.unix()));
    for (hours, expected) in [(1, NOW), (25, pair_now(25))] {
        pair.now = pair_now(hours);
        pair.sync(Goal::Pull);
        assert_eq!(noted(&pair.client), Some(expected.unix()), "after {hours} hours");
    }
}

fn pair_now(hours: i64) -> Timestamp {
    Timestamp(NOW.0 + hours * DAY_MS / 24)
}
