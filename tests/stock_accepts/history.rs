//! History that this project writes: stock finds it sound, shows it, goes on with it, and writes the same bytes
//! when told to do the same.

use crate::stock::{Stock, at};
use leaf_core::format::artifact::{Cherrypick, FilePerm, TagKind, TicketField};
use leaf_core::id::{ArtifactHash, Rid};
use leaf_core::repo::{
    BadChange, FileChange, ForumPlace, NameScope, NewAttachment, NewBranch, NewCheckin, NewForumPost, NewTag,
    NewTechNote, NewTicketChange, NewWikiPage, Repo, RepoError, RepoTx, TimelineQuery,
};
use leaf_core::time::Timestamp;

fn put(path: &str, content: &str) -> FileChange {
    let (path, content) = (path.as_bytes().to_vec(), content.as_bytes().to_vec());
    FileChange::Put {
        path,
        content,
        perm: FilePerm::Regular,
    }
}

fn field(append: bool, name: &str, value: &str) -> TicketField {
    TicketField {
        append,
        name: name.into(),
        value: value.into(),
    }
}

/// Long enough to be worth a delta, and longer with each edition: stock looks for changes by size and second.
fn prose(edition: usize) -> String {
    let lines = (0..40).map(|line| format!("line {line} of the text\n"));
    lines.collect::<String>() + &"more\n".repeat(edition)
}

fn commit(repo: &mut Repo, parent: Rid, second: i64, changes: Vec<FileChange>) -> Rid {
    let new = NewCheckin::new(Some(parent), changes, &format!("Check-in {second}"), at(second));
    repo.write(|tx| tx.checkin(&new)).expect("a check-in").0
}

fn refused<T: std::fmt::Debug>(result: Result<T, RepoError>) -> BadChange {
    match result {
        Err(RepoError::Change(bad)) => bad,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn the_initial_checkin_is_that_of_fossil_init() {
    let stock = Stock::new();
    let (repo, rid) = stock.create();
    let date = at(0).date.iso();
    stock.fossil(&["init", "-A", "alice", "--date-override", &date, "theirs.fossil"]);
    let theirs = stock.open("theirs.fossil");
    let tip = theirs.resolve_checkin("tip").expect("a check-in");
    assert_eq!(
        repo.hash_of(rid).expect("hash"),
        theirs.hash_of(tip).expect("hash")
    );
    stock.accepts("ours.fossil");
}

#[test]
fn a_checkin_is_byte_for_byte_that_of_fossil_commit() {
    let stock = Stock::new();
    let (mut repo, root) = stock.create();
    let files = vec![
        put("a.txt", &prose(1)),
        put("b c.txt", "b\n"),
        put("gone.txt", "x\n"),
        put("old.txt", &prose(7)),
    ];
    commit(&mut repo, root, 10, files);
    drop(repo);
    std::fs::copy(stock.path("ours.fossil"), stock.path("theirs.fossil")).expect("copied");

    std::fs::create_dir(stock.path("w")).expect("a folder");
    stock.fossil_in("w", &["open", "../theirs.fossil"]);
    stock.fossil_in("w", &["settings", "autosync", "off"]);
    std::fs::write(stock.path("w/a.txt"), prose(2)).expect("written");
    stock.fossil_in("w", &["rm", "--hard", "gone.txt"]);
    stock.fossil_in("w", &["mv", "--hard", "old.txt", "new.txt"]);
    let date = at(20).date.iso();
    let arguments = [
        "commit",
        "-m",
        "Same here",
        "--no-warnings",
        "--branch",
        "side",
        "--tag",
        "one",
        "--tag",
        "two",
    ];
    stock.fossil_in(
        "w",
        &[
            &arguments[..],
            &["--date-override", &date, "--user-override", "alice"],
        ]
        .concat(),
    );

    let mut repo = stock.open("ours.fossil");
    let parent = repo.resolve_checkin("tip").expect("the parent");
    let changes = vec![
        put("a.txt", &prose(2)),
        FileChange::Remove {
            path: b"gone.txt".to_vec(),
        },
        FileChange::Rename {
            from: b"old.txt".to_vec(),
            to: b"new.txt".to_vec(),
        },
    ];
    let mut new = NewCheckin::new(Some(parent), changes, "Same here", at(20));
    new.branch = Some("side".to_owned());
    new.tags = vec!["two".to_owned(), "one".to_owned()];
    let (rid, hash) = repo.write(|tx| tx.checkin(&new)).expect("a check-in");
    let ours = String::from_utf8(repo.content(rid).expect("content").expect("here").to_vec()).expect("text");
    let theirs = stock.fossil(&["artifact", "side", "-R", "theirs.fossil"]);
    assert_eq!(ours, theirs);
    assert_eq!(repo.resolve_checkin("side").expect("branch"), rid);
    drop(repo);
    assert!(
        stock
            .fossil(&["info", &hash.to_string(), "-R", "ours.fossil"])
            .contains("Same here")
    );
    stock.accepts("ours.fossil");
}

#[test]
fn a_branch_and_a_tag_are_byte_for_byte_those_of_fossil() {
    let stock = Stock::new();
    let (mut repo, root) = stock.create();
    let first = commit(&mut repo, root, 10, vec![put("a.txt", "a\n")]);
    let basis = repo.hash_of(first).expect("hash").to_string();
    drop(repo);
    std::fs::copy(stock.path("ours.fossil"), stock.path("theirs.fossil")).expect("copied");
    let date = at(20).date.iso();
    let by = [
        "--date-override",
        &date,
        "--user-override",
        "alice",
        "-R",
        "theirs.fossil",
    ];
    stock.fossil(&[&["branch", "new", "R&D", &basis, "--bgcolor", "#c0ffee"], &by[..]].concat());
    stock.fossil(
        &[
            &["tag", "add", "--propagate", "release", &basis, "1.0 beta"],
            &by[..],
        ]
        .concat(),
    );
    stock.fossil(&[&["tag", "add", "--raw", "bgcolor", &basis, "#aaaaaa"], &by[..]].concat());

    let mut repo = stock.open("ours.fossil");
    let new = NewBranch {
        name: "R&D",
        basis: first,
        bgcolor: Some("#c0ffee"),
        private: false,
    };
    repo.write(|tx| {
        tx.branch_new(&new, &at(20))?;
        let (kind, value) = (TagKind::Propagate, Some("1.0 beta"));
        tx.tag(
            &NewTag {
                target: first,
                name: "sym-release",
                kind,
                value,
            },
            &at(20),
        )?;
        let (kind, value) = (TagKind::Add, Some("#aaaaaa"));
        tx.tag(
            &NewTag {
                target: first,
                name: "bgcolor",
                kind,
                value,
            },
            &at(20),
        )
    })
    .expect("written");
    let hashes = |repo: &Repo| -> Vec<ArtifactHash> {
        let query = TimelineQuery::default();
        let mut hashes: Vec<_> = repo
            .timeline(&query)
            .expect("timeline")
            .iter()
            .map(|entry| entry.hash)
            .collect();
        hashes.sort();
        hashes
    };
    assert_eq!(hashes(&repo), hashes(&stock.open("theirs.fossil")));
    assert_eq!(repo.branches().expect("branches").len(), 2);
    assert!(
        repo.tags()
            .expect("tags")
            .iter()
            .any(|tag| tag.name == "sym-release")
    );
    drop(repo);
    stock.accepts("ours.fossil");
}

#[test]
fn pages_notes_tickets_and_files_are_those_of_fossil_but_for_their_dates() {
    let stock = Stock::new();
    let (mut repo, _) = stock.create();
    drop(std::mem::replace(&mut repo, stock.open("ours.fossil")));
    std::fs::copy(stock.path("ours.fossil"), stock.path("theirs.fossil")).expect("copied");
    std::fs::write(stock.path("text"), "Some *text*.\n").expect("written");
    let on = ["-R", "theirs.fossil"];
    let wiki = [
        "wiki",
        "create",
        "A page",
        "text",
        "--mimetype",
        "text/x-markdown",
    ];
    stock.fossil(&[&wiki[..], &on].concat());
    let note = [
        "wiki",
        "create",
        "A note",
        "text",
        "--technote",
        "2026-01-01 10:00:00",
        "--technote-tags",
        "b,a",
    ];
    stock.fossil(&[&note[..], &on].concat());
    stock.fossil(&[&["attachment", "add", "A page", "text"], &on[..]].concat());
    stock.fossil(
        &[
            &[
                "ticket",
                "add",
                "title",
                "It is broken",
                "private_contact",
                "a@b.c",
            ],
            &on[..],
        ]
        .concat(),
    );

    repo.write(|tx| {
        let text = b"Some *text*.\n".as_slice();
        let mimetype = Some("text/x-markdown");
        tx.wiki_put(
            &NewWikiPage {
                title: "A page",
                text,
                mimetype,
            },
            &at(1),
        )?;
        let event_date = Timestamp::parse_iso(b"2026-01-01T10:00:00").expect("a date");
        let tags = ["b".to_owned(), "a".to_owned()];
        let id = ArtifactHash::Sha1([7; 20]);
        tx.technote_put(
            &NewTechNote {
                id,
                event_date,
                comment: "A note",
                text,
                mimetype: None,
                tags: &tags,
                bgcolor: None,
            },
            &at(2),
        )?;
        let content = Some(text);
        tx.attach(
            &NewAttachment {
                target: "A page",
                filename: "some/text",
                content,
                comment: "",
            },
            &at(3),
        )?;
        let ticket = "8".repeat(40);
        let fields = vec![
            field(false, "title", "It is broken"),
            field(false, "private_contact", "a@b.c"),
        ];
        tx.ticket_change(&NewTicketChange { ticket, fields }, &at(4))
    })
    .expect("written");
    assert_eq!(undated(&repo), undated(&stock.open("theirs.fossil")));
    drop(repo);
    stock.accepts("ours.fossil");
    assert_eq!(stock.fossil(&["wiki", "list", "-R", "ours.fossil"]), "A page\n");
    assert_eq!(
        stock
            .fossil(&["wiki", "export", "A page", "-R", "ours.fossil"])
            .trim_end(),
        "Some *text*."
    );
}

/// All artifacts of a timeline without what differs from one run to the next: dates, random ids, checksums.
fn undated(repo: &Repo) -> Vec<String> {
    let timeline = repo.timeline(&TimelineQuery::default()).expect("timeline");
    let mut artifacts: Vec<_> = timeline
        .iter()
        .map(|entry| {
            let content = repo.content(entry.rid).expect("content").expect("here");
            let text = String::from_utf8_lossy(&content).into_owned();
            let keep = |line: &&str| !["D ", "E ", "K ", "Z "].iter().any(|card| line.starts_with(card));
            text.lines().filter(keep).collect::<Vec<_>>().join("\n")
        })
        .collect();
    artifacts.sort();
    artifacts
}

/// A history with everything in it; returns its newest check-in on trunk.
fn write_everything(repo: &mut Repo, root: Rid) -> Rid {
    let first = commit(
        repo,
        root,
        10,
        vec![put("a.txt", &prose(1)), put("dir/b.txt", &prose(2))],
    );
    let script = FileChange::Put {
        path: b"run".to_vec(),
        content: b"#!/bin/sh\n".to_vec(),
        perm: FilePerm::Executable,
    };
    let link = FileChange::Put {
        path: b"link".to_vec(),
        content: b"a.txt".to_vec(),
        perm: FilePerm::Symlink,
    };
    let second = commit(repo, first, 20, vec![put("a.txt", &prose(3)), script, link]);
    let mut side = NewCheckin::new(
        Some(first),
        vec![put("side.txt", &prose(4))],
        "On the side",
        at(30),
    );
    side.branch = Some("side".to_owned());
    side.bgcolor = Some("#ddeeff".to_owned());
    let (side, side_hash) = repo.write(|tx| tx.checkin(&side)).expect("a branch");
    let third = commit(
        repo,
        second,
        40,
        vec![FileChange::Rename {
            from: b"a.txt".to_vec(),
            to: b"z.txt".to_vec(),
        }],
    );
    let mut merge = NewCheckin::new(Some(third), vec![put("side.txt", &prose(4))], "Merge", at(50));
    merge.merges = vec![side];
    merge.cherrypicks = vec![Cherrypick {
        backout: false,
        hash: side_hash,
        base: None,
    }];
    merge.tags = vec!["v1.0".to_owned()];
    let (merge, merge_hash) = repo.write(|tx| tx.checkin(&merge)).expect("a merge");
    let mut hidden = NewCheckin::new(Some(merge), vec![put("secret.txt", "secret\n")], "Hidden", at(55));
    hidden.branch = Some("hidden".to_owned());
    hidden.private = true;
    repo.write(|tx| tx.checkin(&hidden)).expect("a private branch");
    repo.write(|tx| {
        write_tags(tx, [first, second, third])?;
        write_pages(tx, &merge_hash)?;
        write_talk(tx)
    })
    .expect("written");
    merge
}

fn write_tags(tx: &RepoTx<'_>, [first, second, third]: [Rid; 3]) -> Result<(), RepoError> {
    tx.branch_close("side", true, &at(60))?;
    let tag = |target, name, kind, value, second| {
        let new = NewTag {
            target,
            name,
            kind,
            value,
        };
        tx.tag(&new, &at(second))
    };
    tag(first, "sym-milestone", TagKind::Propagate, None, 61)?;
    tag(third, "sym-milestone", TagKind::Cancel, None, 62)?;
    tag(second, "comment", TagKind::Add, Some("A better comment"), 63)?;
    Ok(())
}

fn write_pages(tx: &RepoTx<'_>, mentioned: &ArtifactHash) -> Result<(), RepoError> {
    let page = |title, text: &[u8], mimetype, second| {
        let new = NewWikiPage {
            title,
            text,
            mimetype,
        };
        tx.wiki_put(&new, &at(second))
    };
    page("Page", format!("See [{mentioned}].\n").as_bytes(), None, 70)?;
    page("Page", prose(1).as_bytes(), None, 71)?;
    page("Going", b"soon gone\n", Some("text/plain"), 72)?;
    page("Going", b"", None, 73)?;
    Ok(())
}

fn write_talk(tx: &RepoTx<'_>) -> Result<(), RepoError> {
    let note = NewTechNote {
        id: ArtifactHash::Sha1([9; 20]),
        event_date: at(5).date,
        comment: "A note",
        text: b"The text of the note.\n",
        mimetype: Some("text/plain"),
        tags: &["n1".to_owned()],
        bgcolor: Some("#ffeedd"),
    };
    tx.technote_put(&note, &at(80))?;
    tx.technote_put(
        &NewTechNote {
            text: b"Another text.\n",
            ..note
        },
        &at(81),
    )?;
    let ticket = "4".repeat(40);
    let fields = vec![
        field(false, "title", "Broken"),
        field(false, "status", "Open"),
        field(false, "type", "Code_Defect"),
    ];
    tx.ticket_change(
        &NewTicketChange {
            ticket: ticket.clone(),
            fields,
        },
        &at(90),
    )?;
    let fields = vec![
        field(false, "status", "Fixed"),
        field(true, "icomment", "Mended."),
    ];
    tx.ticket_change(
        &NewTicketChange {
            ticket: ticket.clone(),
            fields,
        },
        &at(91),
    )?;
    let file = NewAttachment {
        target: "Page",
        filename: "note.txt",
        content: Some(b"attached\n"),
        comment: "look",
    };
    tx.attach(&file, &at(100))?;
    tx.attach(
        &NewAttachment {
            target: &ticket,
            ..file
        },
        &at(101),
    )?;
    tx.attach(
        &NewAttachment {
            content: None,
            ..file
        },
        &at(102),
    )?;
    let post = |place, text| NewForumPost {
        place,
        text,
        mimetype: Some("text/x-markdown"),
    };
    let (first, _) = tx.forum_put(&post(ForumPlace::Thread("A thread"), b"Hello.\n"), &at(110))?;
    let (reply, _) = tx.forum_put(&post(ForumPlace::Reply(first), b"Hi.\n"), &at(111))?;
    tx.forum_put(&post(ForumPlace::Edit(reply, None), b"Hi there.\n"), &at(112))?;
    tx.forum_put(
        &post(ForumPlace::Edit(first, Some("A better title")), b"Hello all.\n"),
        &at(113),
    )?;
    Ok(())
}

#[test]
fn stock_finds_a_history_of_everything_sound_and_rebuilds_the_same_tables() {
    let stock = Stock::new();
    let (mut repo, root) = stock.create();
    write_everything(&mut repo, root);
    drop(repo);
    stock.accepts("ours.fossil");
}

#[test]
fn stock_shows_what_was_written() {
    let stock = Stock::new();
    let (mut repo, root) = stock.create();
    write_everything(&mut repo, root);
    drop(repo);
    let on = |arguments: &[&str]| stock.fossil(&[arguments, &["-R", "ours.fossil"]].concat());
    let timeline = on(&["timeline", "-n", "0"]);
    let parts = [
        "Merge",
        "On the side",
        "A better comment",
        "A note",
        "Fixed ticket",
        "Post: A better title",
    ];
    for part in parts {
        assert!(timeline.contains(part), "{part}: {timeline}");
    }
    assert_eq!(
        on(&["ls", "-r", "v1.0"]),
        "dir/b.txt\nlink\nrun\nside.txt\nz.txt\n"
    );
    assert_eq!(on(&["branch", "list", "--closed"]).trim(), "side");
    assert!(on(&["tag", "list"]).contains("v1.0"));
    assert_eq!(on(&["wiki", "list"]), "Page\n");
}

#[test]
fn stock_opens_our_file_and_goes_on_with_it() {
    let stock = Stock::new();
    let (mut repo, root) = stock.create();
    let merge = write_everything(&mut repo, root);
    let trunk = repo.hash_of(merge).expect("hash").to_string();
    drop(repo);
    std::fs::create_dir(stock.path("w")).expect("a folder");
    stock.fossil_in("w", &["open", "../ours.fossil", &trunk]);
    assert_eq!(stock.read("w/z.txt"), prose(3));
    stock.fossil_in("w", &["settings", "autosync", "off"]);
    std::fs::write(stock.path("w/z.txt"), prose(9)).expect("written");
    stock.fossil_in("w", &["commit", "-m", "Stock goes on", "--no-warnings"]);
    stock.fossil_in("w", &["wiki", "create", "Theirs", "z.txt"]);

    let mut repo = stock.open("ours.fossil");
    let tip = repo.resolve_checkin("trunk").expect("the tip");
    let content = repo.file_content(tip, b"z.txt").expect("read").expect("there");
    assert_eq!(String::from_utf8_lossy(&content), prose(9));
    assert!(repo.wiki_page("Theirs").expect("read").is_some());
    let author = leaf_core::repo::Author {
        user: "alice".to_owned(),
        date: Timestamp(4_000_000_000_000),
    };
    let new = NewCheckin::new(Some(tip), vec![put("z.txt", &prose(10))], "Ours goes on", author);
    repo.write(|tx| tx.checkin(&new)).expect("a check-in");
    drop(repo);
    stock.accepts("ours.fossil");
    stock.fossil_in("w", &["update", "trunk"]);
    assert_eq!(stock.read("w/z.txt"), prose(10));
}

#[test]
fn delta_manifests_of_stock_are_read_whole() {
    let stock = Stock::new();
    let (mut repo, root) = stock.create();
    let files = (0..30)
        .map(|n| put(&format!("f{n:02}.txt"), &format!("file {n}\n")))
        .collect();
    commit(&mut repo, root, 10, files);
    drop(repo);
    std::fs::create_dir(stock.path("w")).expect("a folder");
    stock.fossil_in("w", &["open", "../ours.fossil"]);
    stock.fossil_in("w", &["settings", "autosync", "off"]);
    // From 2.29 on they are forbidden unless allowed.
    stock.fossil_in("w", &["settings", "forbid-delta-manifests", "off"]);
    std::fs::write(stock.path("w/f05.txt"), "changed\n").expect("written");
    stock.fossil_in("w", &["rm", "--hard", "f06.txt"]);
    stock.fossil_in("w", &["commit", "-m", "As a delta", "--delta", "--no-warnings"]);
    let repo = stock.open("ours.fossil");
    let tip = repo.resolve_checkin("tip").expect("the tip");
    let names: Vec<_> = repo
        .files(tip)
        .expect("files")
        .iter()
        .map(|file| file.name.to_string())
        .collect();
    assert_eq!(names.join("\n"), stock.fossil_in("w", &["ls"]).trim_end());
    assert_eq!(names.len(), 29);
    assert_eq!(
        repo.file_content(tip, b"f05.txt").expect("read").as_deref(),
        Some(&b"changed\n".to_vec())
    );
    assert_eq!(repo.file_content(tip, b"f06.txt").expect("read"), None);
}

#[test]
fn names_mean_what_they_mean_to_stock() {
    let stock = Stock::new();
    let (mut repo, root) = stock.create();
    let merge = write_everything(&mut repo, root);
    let hash = repo.hash_of(merge).expect("hash").to_string();
    let names = [
        "tip",
        "trunk",
        "side",
        "tag:v1.0",
        "v1.0",
        "root:side",
        "start:side",
        "date:2026-01-01",
        "20260101000025",
        "2026-01-01 00:00:45",
        "2026-01-01T00:00:20",
        "trunk:2026-01-01 00:00:25",
        &hash,
        &hash[..10],
        "milestone",
    ];
    for name in names {
        let ours = repo
            .resolve(name, NameScope::Checkin)
            .expect("resolved")
            .map(|rid| repo.hash_of(rid).expect("hash"));
        assert_eq!(ours.map(|hash| hash.to_string()), stock.whatis(name), "{name}");
    }
    assert_eq!(
        repo.resolve("no-such-name", NameScope::Any).expect("resolved"),
        None
    );
    assert_eq!(
        refused(repo.resolve_checkin("no-such-name")),
        BadChange::NoSuchName
    );
}
