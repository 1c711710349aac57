//! History that stock Fossil wrote, as this project reads it.

use crate::stock::Stock;
use leaf_core::format::artifact::FilePerm;
use leaf_core::repo::{EventKind, NameScope, Repo, TimelineQuery};

/// A repository of stock with something of each kind in it.
fn by_stock(stock: &Stock) -> Repo {
    stock.fossil(&["init", "-A", "alice", "theirs.fossil"]);
    std::fs::create_dir(stock.path("w")).expect("a folder");
    let fossil = |arguments: &[&str]| stock.fossil_in("w", arguments);
    let write = |name: &str, text: &str| std::fs::write(stock.path("w").join(name), text).expect("written");
    fossil(&["open", "../theirs.fossil"]);
    fossil(&["settings", "autosync", "off"]);
    write("a.txt", "first\n");
    write("b c.txt", "second\n");
    fossil(&["add", "a.txt", "b c.txt"]);
    fossil(&["commit", "-m", "Two files", "--no-warnings"]);
    write("a.txt", "changed\n");
    fossil(&[
        "commit",
        "-m",
        "Aside",
        "--no-warnings",
        "--branch",
        "side",
        "--tag",
        "v1",
    ]);
    fossil(&["tag", "add", "--propagate", "note", "trunk", "its value"]);
    fossil(&["branch", "close", "side"]);
    fossil(&["wiki", "create", "Page", "a.txt"]);
    fossil(&["wiki", "create", "Note", "a.txt", "-t", "now"]);
    fossil(&["attachment", "add", "Page", "b c.txt"]);
    fossil(&["ticket", "add", "title", "Broken", "status", "Open"]);
    stock.open("theirs.fossil")
}

#[test]
fn the_timeline_has_all_that_happened() {
    let repo = by_stock(&Stock::new());
    let timeline = repo.timeline(&TimelineQuery::default()).expect("timeline");
    let count = |kind| timeline.iter().filter(|entry| entry.kind == kind).count();
    let kinds = [
        EventKind::Checkin,
        EventKind::Control,
        EventKind::TechNote,
        EventKind::Ticket,
        EventKind::Wiki,
    ];
    assert_eq!(kinds.map(count), [3, 2, 1, 1, 2]);
    assert!(timeline.is_sorted_by(|a, b| a.time >= b.time));
    let aside = timeline
        .iter()
        .find(|entry| entry.comment == "Aside")
        .expect("the check-in");
    assert_eq!(aside.tags, ["note", "side", "v1"]);
    assert!(aside.is_leaf && aside.is_closed && !aside.is_merge);
    let only = TimelineQuery {
        kind: Some(EventKind::Wiki),
        ..TimelineQuery::default()
    };
    assert_eq!(repo.timeline(&only).expect("timeline").len(), 2);
    let by_nobody = TimelineQuery {
        user: Some("nobody".to_owned()),
        ..TimelineQuery::default()
    };
    assert_eq!(repo.timeline(&by_nobody).expect("timeline"), []);
}

#[test]
fn branches_tags_and_files_are_listed() {
    let repo = by_stock(&Stock::new());
    let branches = repo.branches().expect("branches");
    let told: Vec<_> = branches
        .iter()
        .map(|b| (b.name.as_str(), b.checkins, b.is_closed))
        .collect();
    assert_eq!(told, [("side", 1, true), ("trunk", 2, false)]);
    let side = repo.resolve_checkin("side").expect("a branch");
    assert_eq!(repo.branch_of(side).expect("branch"), "side");
    let tags: Vec<_> = repo
        .tags_on(side)
        .expect("tags")
        .into_iter()
        .map(|tag| tag.name)
        .collect();
    assert_eq!(tags, ["branch", "closed", "sym-note", "sym-side", "sym-v1"]);
    let trunk = repo.resolve_checkin("trunk").expect("a branch");
    let note = repo
        .tags_on(trunk)
        .expect("tags")
        .into_iter()
        .find(|tag| tag.name == "sym-note")
        .expect("tag");
    assert!(note.propagates && !note.inherited && note.value.as_deref() == Some("its value"));
    assert_eq!(repo.tagged("sym-v1").expect("tagged"), [side]);
    let files = repo.files(side).expect("files");
    let told: Vec<_> = files
        .iter()
        .map(|f| (f.name.to_string(), f.perm, f.size))
        .collect();
    let regular = FilePerm::Regular;
    assert_eq!(
        told,
        [
            ("a.txt".to_owned(), regular, Some(8)),
            ("b c.txt".to_owned(), regular, Some(7))
        ]
    );
    let content = repo.file_content(trunk, b"a.txt").expect("read").expect("there");
    assert_eq!(content.as_slice(), b"first\n");
}

#[test]
fn pages_notes_tickets_and_attachments_are_read() {
    let repo = by_stock(&Stock::new());
    let pages = repo.wiki_pages().expect("pages");
    assert!(matches!(pages.as_slice(), [page] if page.title == "Page" && !page.is_deleted));
    let (_, page) = repo.wiki_page("Page").expect("read").expect("there");
    assert_eq!(page.text.as_bytes(), b"changed\n");
    let notes = repo.technotes().expect("notes");
    let note = notes.first().expect("one");
    let id = repo.technote_id(&note.id[..10]).expect("its id");
    assert_eq!(repo.technote(&id).expect("read").expect("there").0, note.rid);
    let attachments = repo.attachments(Some("Page")).expect("attachments");
    assert!(matches!(attachments.as_slice(), [one] if one.filename == "b c.txt"));
    let tickets = repo.tickets().expect("tickets");
    let ticket = tickets.first().expect("one");
    assert!(ticket.fields.contains(&("title".to_owned(), "Broken".to_owned())));
    assert_eq!(repo.ticket(&ticket.id[..8]).expect("found"), *ticket);
    assert_eq!(repo.ticket_history(&ticket.id).expect("history").len(), 1);
    assert_eq!(repo.forum_threads().expect("threads"), []);
}

#[test]
fn names_stand_for_what_they_stand_for_in_stock() {
    let stock = Stock::new();
    let repo = by_stock(&stock);
    let tip = repo.resolve_checkin("tip").expect("tip");
    let hash = repo.hash_of(tip).expect("hash").to_string();
    let names = [
        "tip",
        "trunk",
        "side",
        "v1",
        "tag:v1",
        "root:side",
        "start:side",
        "note",
        "2100-01-01",
        &hash[..6],
    ];
    for name in names {
        let ours = repo.resolve(name, NameScope::Checkin).expect("resolved");
        let ours = ours.map(|rid| repo.hash_of(rid).expect("hash").to_string());
        assert_eq!(ours, stock.whatis(name), "{name}");
    }
}
