//! Configuration that travels: the cards of each group, and what is taken from a peer.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::world::{NOW, dump, repo};
use leaf_core::repo::{ConfigGroup, Repo};

fn apply(repo: &mut Repo, card: &str, payload: &str, groups: &[ConfigGroup]) -> bool {
    repo.write(|tx| tx.apply_config(card, payload.as_bytes(), groups, NOW))
        .expect("query")
}

#[test]
fn a_project_name_travels_as_stock_writes_it() {
    let mut repo = repo();
    repo.write(|tx| tx.set_config("project-name", "it's ours", NOW))
        .expect("query");
    let cards = repo.config_cards(ConfigGroup::Project, 0).expect("query");
    let texts: Vec<String> = cards
        .iter()
        .map(|(name, payload)| format!("{name} {}", String::from_utf8_lossy(payload)))
        .collect();
    let expected = format!("/config {} 'project-name' value 'it''s ours'", NOW.unix());
    assert!(texts.contains(&expected), "{texts:?}");
}

#[test]
fn what_one_repository_sends_another_takes() {
    let mut from = repo();
    let later = NOW.plus_ms(60_000);
    from.write(|tx| {
        tx.set_config("project-name", "a\\b 'c'\n", later)?;
        tx.shun(&crate::world::named(b"spam"), Some("why not"), later)
    })
    .expect("query");
    let mut to = repo();
    for group in [ConfigGroup::Project, ConfigGroup::Shun] {
        for (name, payload) in from.config_cards(group, 0).expect("query") {
            to.write(|tx| tx.apply_config(&name, &payload, &[group], later))
                .expect("query");
        }
    }
    assert_eq!(
        to.config("project-name").expect("query").as_deref(),
        Some("a\\b 'c'\n")
    );
    assert_eq!(to.shunned().expect("query"), from.shunned().expect("query"));
}

/// The tables that releases from 2.26 on make in another form. Source: Fossil 2.28 `src/schema.c`.
const TABLES_OF_2_28: &str = "
    DROP TABLE config; DROP TABLE shun; DROP TABLE concealed;
    CREATE TABLE config(
      name TEXT PRIMARY KEY NOT NULL,  -- Primary name of the entry
      value CLOB,                      -- Content of the named parameter
      mtime DATE,                      -- last modified.  seconds since 1970
      CHECK( typeof(name)='text' AND length(name)>=1 )
    ) WITHOUT ROWID;
    CREATE TABLE shun(
      uuid TEXT PRIMARY KEY,-- UUID of artifact to be shunned. Canonical form
      mtime DATE,           -- When added.  seconds since 1970
      scom TEXT             -- Optional text explaining why the shun occurred
    ) WITHOUT ROWID;
    CREATE TABLE concealed(
      hash TEXT PRIMARY KEY,    -- The SHA1 hash of content
      mtime DATE,               -- Time created.  Seconds since 1970
      content TEXT              -- Content intended to be concealed
    ) WITHOUT ROWID;
    INSERT INTO config SELECT * FROM kept;
    DROP TABLE kept;";

#[test]
fn tables_of_newer_releases_are_read_and_written_like_the_older() {
    let db = repo().into_connection();
    db.execute_batch(&format!(
        "CREATE TABLE kept AS SELECT * FROM config; {TABLES_OF_2_28}"
    ))
    .expect("valid SQL");
    let mut newer = Repo::open(db).expect("a repository of 2.28");
    let (spam, later) = (crate::world::named(b"spam"), NOW.plus_ms(60_000));
    let mut older = repo();
    let fill = |repo: &mut Repo| {
        repo.write(|tx| {
            tx.set_config("project-name", "ours", NOW)?;
            tx.set_config("project-name", "ours after all", later)?;
            tx.shun(&spam, Some("once"), NOW)?;
            tx.shun(&spam, Some("twice"), later)?;
            tx.note_peer_url("http://mirror.example.org/", true, NOW)?;
            tx.unset_config("project-description")
        })
        .expect("query");
    };
    fill(&mut newer);
    fill(&mut older);
    for (group, card, payload) in [
        (ConfigGroup::Project, "/config", "'project-name' value 'theirs'"),
        (
            ConfigGroup::Shun,
            "/shun",
            "'0123456789012345678901234567890123456789' scom 'theirs'",
        ),
    ] {
        for mtime in [later.unix() - 1, later.unix() + 1] {
            let payload = format!("{mtime} {payload}");
            assert_eq!(
                apply(&mut newer, card, &payload, &[group]),
                apply(&mut older, card, &payload, &[group]),
                "{payload}"
            );
        }
    }
    for group in [ConfigGroup::Project, ConfigGroup::Shun] {
        assert_eq!(
            newer.config_cards(group, 0).expect("query"),
            older.config_cards(group, 0).expect("query")
        );
    }
    assert_eq!(newer.shunned().expect("query"), older.shunned().expect("query"));
}

#[test]
fn the_later_value_stays() {
    let mut repo = repo();
    repo.write(|tx| tx.set_config("project-name", "ours", NOW))
        .expect("query");
    let earlier = format!("{} 'project-name' value 'theirs'", NOW.unix() - 1);
    assert!(!apply(&mut repo, "/config", &earlier, &[ConfigGroup::Project]));
    assert_eq!(
        repo.config("project-name").expect("query").as_deref(),
        Some("ours")
    );
    let later = format!("{} 'project-name' value 'theirs'", NOW.unix() + 1);
    assert!(apply(&mut repo, "/config", &later, &[ConfigGroup::Project]));
    assert_eq!(
        repo.config("project-name").expect("query").as_deref(),
        Some("theirs")
    );
}

#[test]
fn only_the_groups_asked_for_are_taken() {
    let mut repo = repo();
    let before = dump(&mut repo);
    let name = format!("{} 'project-name' value 'theirs'", NOW.unix() + 1);
    assert!(!apply(&mut repo, "/config", &name, &[ConfigGroup::Skin]));
    let user = format!("{} 'mallory' pw 'x' cap 's'", NOW.unix() + 1);
    assert!(!apply(&mut repo, "/user", &user, &[ConfigGroup::Project]));
    assert_eq!(dump(&mut repo), before);
}

#[test]
fn settings_that_do_not_travel_are_never_taken() {
    let mut repo = repo();
    for name in [
        "project-code",
        "server-code",
        "localauth",
        "last-sync-url",
        "ssh-command",
        "no-such-thing",
    ] {
        let payload = format!("{} '{name}' value 'theirs'", NOW.unix() + 1);
        assert!(
            !apply(&mut repo, "/config", &payload, &ConfigGroup::ALL),
            "{name}"
        );
    }
}

#[test]
fn nothing_in_a_payload_is_run_as_sql() {
    let mut repo = repo();
    let before = dump(&mut repo);
    let later = NOW.unix() + 1;
    for payload in [
        format!("{later} 'project-name' value (SELECT pw FROM user)"),
        format!("{later} 'project-name' value 'a'); DROP TABLE blob; --"),
        format!("{later} project-name value 'a'"),
        format!("{later} 'project-name' value=1,name 'a'"),
        format!("{later}-1 'project-name' value 'a'"),
        "2440587.5 'project-name' value 'a'".into(),
        format!("{later} 'project-name' value 'open"),
        String::new(),
    ] {
        let took = apply(&mut repo, "/config", &payload, &ConfigGroup::ALL);
        if took {
            // Whatever follows a whole literal is no token and ends the row, as in stock.
            assert_eq!(
                repo.config("project-name").expect("query").as_deref(),
                Some("a"),
                "{payload}"
            );
            repo.write(|tx| tx.unset_config("project-name")).expect("query");
        }
        assert_eq!(dump(&mut repo), before, "{payload}");
    }
}

#[test]
fn groups_are_found_by_their_names() {
    assert_eq!(ConfigGroup::matching("/project"), [ConfigGroup::Project]);
    assert_eq!(ConfigGroup::matching("/all").len(), ConfigGroup::ALL.len());
    assert_eq!(
        ConfigGroup::matching("/skin"),
        [ConfigGroup::Skin, ConfigGroup::Css]
    );
    assert!(ConfigGroup::matching("/nothing").is_empty());
}
