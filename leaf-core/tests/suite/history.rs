//! Writing history in a repository in memory: what comes out again, and what is refused.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::format::artifact::{Artifact, BadArtifact, FilePerm, TagKind, TicketField};
use leaf_core::format::path::BadPath;
use leaf_core::id::{ArtifactHash, ProjectCode, Rid, ServerCode};
use leaf_core::repo::{
    Author, BadChange, EventKind, FileChange, ForumPlace, NameScope, NewAttachment, NewBranch, NewCheckin,
    NewForumPost, NewRepo, NewTag, NewTechNote, NewTicketChange, NewWikiPage, Repo, RepoError, TimelineQuery,
};
use leaf_core::time::Timestamp;

/// 2026-01-01 and `second` seconds.
fn at(second: i64) -> Author {
    Author {
        user: "alice".to_owned(),
        date: Timestamp(1_767_225_600_000 + second * 1000),
    }
}

fn repo() -> (Repo, Rid) {
    let new = NewRepo {
        project_code: ProjectCode::from_random([1; 20]),
        server_code: ServerCode::from_random([2; 20]),
        project_name: None,
        admin: "alice".to_owned(),
        admin_password: "secret".to_owned(),
        now: at(0).date,
    };
    let db = rusqlite::Connection::open_in_memory().expect("memory");
    let mut repo = Repo::create(db, &new).expect("created");
    let (root, _) = repo
        .write(|tx| tx.initial_checkin(&at(0)))
        .expect("initial check-in");
    (repo, root)
}

fn put(path: &str, content: &str) -> FileChange {
    let (path, content) = (path.as_bytes().to_vec(), content.as_bytes().to_vec());
    FileChange::Put {
        path,
        content,
        perm: FilePerm::Regular,
    }
}

fn remove(path: &str) -> FileChange {
    FileChange::Remove {
        path: path.as_bytes().to_vec(),
    }
}

fn rename(from: &str, to: &str) -> FileChange {
    FileChange::Rename {
        from: from.as_bytes().to_vec(),
        to: to.as_bytes().to_vec(),
    }
}

fn checkin(parent: Rid, second: i64, changes: Vec<FileChange>) -> NewCheckin {
    NewCheckin::new(Some(parent), changes, &format!("check-in {second}"), at(second))
}

fn commit(repo: &mut Repo, new: &NewCheckin) -> Rid {
    repo.write(|tx| tx.checkin(new)).expect("a check-in").0
}

fn refused<T: std::fmt::Debug>(result: Result<T, RepoError>) -> BadChange {
    match result {
        Err(RepoError::Change(bad)) => bad,
        other => panic!("not refused: {other:?}"),
    }
}

fn names(repo: &Repo, rid: Rid) -> Vec<String> {
    repo.files(rid)
        .expect("files")
        .iter()
        .map(|file| file.name.to_string())
        .collect()
}

#[test]
fn what_is_checked_in_is_read_again() {
    let (mut repo, root) = repo();
    let first = commit(
        &mut repo,
        &checkin(root, 10, vec![put("b", "1"), put("a/x", "2"), put("c", "3")]),
    );
    let changes = vec![put("b", "4"), remove("c"), rename("a/x", "a/y"), put("d", "5")];
    let second = commit(&mut repo, &checkin(first, 20, changes));
    assert_eq!(names(&repo, first), ["a/x", "b", "c"]);
    assert_eq!(names(&repo, second), ["a/y", "b", "d"]);
    let content = |rid, name: &[u8]| {
        repo.file_content(rid, name)
            .expect("read")
            .map(|bytes| bytes.to_vec())
    };
    assert_eq!(content(first, b"b"), Some(b"1".to_vec()));
    assert_eq!(content(second, b"b"), Some(b"4".to_vec()));
    assert_eq!(content(second, b"a/y"), Some(b"2".to_vec()));
    assert_eq!(content(second, b"c"), None);
    let Some(Artifact::Manifest(manifest)) = repo.artifact(second).expect("read") else {
        panic!("a check-in")
    };
    let renamed = manifest.files.first().expect("a file");
    assert_eq!(renamed.old_name.as_ref().expect("an old name"), "a/x");
    let third = commit(&mut repo, &checkin(second, 30, vec![put("e", "6")]));
    let Some(Artifact::Manifest(manifest)) = repo.artifact(third).expect("read") else {
        panic!("a check-in")
    };
    let kept = manifest.files.first().expect("a file");
    assert_eq!(
        (kept.old_name.clone(), kept.perm),
        (None, FilePerm::Regular),
        "renamed once, not for ever"
    );
}

#[test]
fn an_older_version_becomes_a_delta_of_the_newer() {
    let (mut repo, root) = repo();
    let text = |edition: &str| format!("{}\n{edition}\n", "a line of text that stays\n".repeat(30));
    let first = commit(&mut repo, &checkin(root, 10, vec![put("a", &text("one"))]));
    let second = commit(&mut repo, &checkin(first, 20, vec![put("a", &text("two"))]));
    let rid = |checkin| {
        let hash = repo.files(checkin).expect("files").first().expect("a file").hash;
        repo.rid_of(&hash).expect("read").expect("there")
    };
    let source = |rid| {
        repo.stored(rid)
            .expect("read")
            .expect("there")
            .source
            .map(|(source, _)| source)
    };
    assert_eq!(source(rid(first)), Some(rid(second)));
    assert_eq!(source(rid(second)), None);
}

#[test]
fn checkins_that_make_no_sense_are_refused_and_leave_nothing() {
    let (mut repo, root) = repo();
    let first = commit(&mut repo, &checkin(root, 10, vec![put("a.txt", "a\n")]));
    let before = repo.artifact_count().expect("count");
    let mut attempt = |parent, second, changes| {
        let new = checkin(parent, second, changes);
        refused(repo.write(|tx| tx.checkin(&new)))
    };
    assert_eq!(attempt(root, 20, vec![put("b", "b")]), BadChange::WouldFork);
    assert_eq!(attempt(first, 5, vec![put("b", "b")]), BadChange::OlderThanParent);
    assert_eq!(attempt(first, 20, vec![]), BadChange::NothingChanged);
    assert_eq!(
        attempt(first, 20, vec![put("a.txt", "a\n")]),
        BadChange::NothingChanged
    );
    assert_eq!(
        attempt(first, 20, vec![put("a.txt/b", "b")]),
        BadChange::FileExists
    );
    assert_eq!(
        attempt(first, 20, vec![put("d/e", "e"), put("d", "d")]),
        BadChange::FileExists
    );
    assert_eq!(
        attempt(first, 20, vec![put("c", "c"), rename("c", "a.txt")]),
        BadChange::FileExists
    );
    assert_eq!(
        attempt(first, 20, vec![put("../b", "b")]),
        BadChange::MalformedPath(BadPath::NotSimple)
    );
    assert_eq!(
        attempt(first, 20, vec![put("x/.fslckout", "b")]),
        BadChange::MalformedPath(BadPath::Reserved)
    );
    assert_eq!(
        attempt(first, 20, vec![put("c", "stored first"), remove("b")]),
        BadChange::NoSuchFile
    );
    let page = include_str!("../../../tests/fixtures/artifact/wiki_new");
    assert_eq!(attempt(first, 20, vec![put("page", page)]), BadChange::Structural);
    assert_eq!(repo.artifact_count().expect("count"), before);
}

#[test]
fn a_fork_is_made_when_it_is_asked_for() {
    let (mut repo, root) = repo();
    let first = commit(&mut repo, &checkin(root, 10, vec![put("a", "a")]));
    assert!(repo.would_fork(root).expect("read") && !repo.would_fork(first).expect("read"));
    let fork = NewCheckin {
        allow_fork: true,
        ..checkin(root, 20, vec![put("b", "b")])
    };
    commit(&mut repo, &fork);
    let leaves = repo.timeline(&TimelineQuery::default()).expect("timeline");
    assert_eq!(leaves.iter().filter(|entry| entry.is_leaf).count(), 2);
}

#[test]
fn a_closed_branch_takes_no_checkins_until_it_is_opened_again() {
    let (mut repo, root) = repo();
    repo.write(|tx| tx.branch_close("trunk", true, &at(10)))
        .expect("closed");
    assert_eq!(
        refused(repo.write(|tx| tx.branch_close("trunk", true, &at(11)))),
        BadChange::NothingChanged
    );
    assert_eq!(
        refused(repo.write(|tx| tx.branch_close("none", true, &at(11)))),
        BadChange::NoSuchName
    );
    let new = checkin(root, 20, vec![put("a", "a")]);
    assert_eq!(refused(repo.write(|tx| tx.checkin(&new))), BadChange::ClosedLeaf);
    repo.write(|tx| tx.branch_close("trunk", false, &at(30)))
        .expect("opened");
    commit(&mut repo, &new);
}

#[test]
fn a_branch_carries_its_name_and_not_that_of_its_parent() {
    let (mut repo, root) = repo();
    let side = NewCheckin {
        branch: Some("side".to_owned()),
        ..checkin(root, 10, vec![put("a", "a")])
    };
    let side = commit(&mut repo, &side);
    let on = commit(&mut repo, &checkin(side, 20, vec![put("b", "b")]));
    assert_eq!(repo.branch_of(on).expect("read"), "side");
    assert_eq!(repo.symbolic_tags(on).expect("tags"), ["side"]);
    assert_eq!(repo.resolve_checkin("side").expect("found"), on);
    assert_eq!(repo.resolve_checkin("trunk").expect("found"), root);
    let new = NewBranch {
        name: "side",
        basis: root,
        bgcolor: None,
        private: false,
    };
    assert_eq!(
        refused(repo.write(|tx| tx.branch_new(&new, &at(30)))),
        BadChange::BranchExists
    );
    let missing = repo.write(|tx| {
        tx.wiki_put(
            &NewWikiPage {
                title: "P",
                text: b"x",
                mimetype: None,
            },
            &at(40),
        )
    });
    let (page, _) = missing.expect("a page");
    let new = NewBranch {
        name: "other",
        basis: page,
        bgcolor: None,
        private: false,
    };
    assert_eq!(
        refused(repo.write(|tx| tx.branch_new(&new, &at(50)))),
        BadChange::OtherKind
    );
}

#[test]
fn what_follows_a_private_checkin_is_private() {
    let (mut repo, root) = repo();
    let hidden = NewCheckin {
        branch: Some("hidden".to_owned()),
        private: true,
        ..checkin(root, 10, vec![put("secret", "s")])
    };
    let hidden = commit(&mut repo, &hidden);
    let child = commit(&mut repo, &checkin(hidden, 20, vec![put("secret", "t")]));
    let tag = NewTag {
        target: child,
        name: "sym-seen",
        kind: TagKind::Add,
        value: None,
    };
    let (tag, _) = repo.write(|tx| tx.tag(&tag, &at(30))).expect("a tag");
    for rid in [hidden, child, tag] {
        assert!(repo.is_private(rid).expect("read"));
    }
    assert!(!repo.is_private(root).expect("read"));
    let unnamed = NewCheckin {
        private: true,
        ..checkin(root, 40, vec![put("other", "o")])
    };
    let unnamed = commit(&mut repo, &unnamed);
    assert_eq!(repo.branch_of(unnamed).expect("read"), "private");
    assert!(
        !repo.would_fork(root).expect("read"),
        "trunk itself has not gone on"
    );
}

#[test]
fn names_that_are_unknown_or_ambiguous_are_told_apart() {
    let (mut repo, root) = repo();
    let mut parent = root;
    for second in 1..=300 {
        parent = commit(
            &mut repo,
            &checkin(parent, second, vec![put("a", &second.to_string())]),
        );
    }
    let timeline = repo
        .timeline(&TimelineQuery {
            limit: 1000,
            ..TimelineQuery::default()
        })
        .expect("timeline");
    let mut hashes: Vec<_> = timeline.iter().map(|entry| entry.hash.to_string()).collect();
    hashes.sort();
    let shared = |pair: &[String]| {
        pair[0]
            .bytes()
            .zip(pair[1].bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let closest = hashes.windows(2).max_by_key(|pair| shared(pair)).expect("pairs");
    let prefix = &closest[0][..=shared(closest).max(4)];
    assert!(
        repo.resolve(prefix, NameScope::Any)
            .is_ok_and(|found| found.is_some())
    );
    assert_eq!(repo.resolve("ffff0000ffff", NameScope::Any).expect("read"), None);
    assert_eq!(repo.resolve("", NameScope::Any).expect("read"), None);
    assert_eq!(refused(repo.resolve_checkin("nothing")), BadChange::NoSuchName);
}

#[test]
fn a_prefix_of_two_artifacts_is_ambiguous() {
    let (mut repo, _) = repo();
    let id = |last: u8| {
        let mut bytes = [0xab; 20];
        bytes[19] = last;
        ArtifactHash::Sha1(bytes)
    };
    repo.write(|tx| {
        tx.phantom(&id(1), false)?;
        tx.phantom(&id(2), false)
    })
    .expect("phantoms");
    let found = refused(repo.resolve("abababab", NameScope::Any));
    assert_eq!(found, BadChange::AmbiguousName { matches: 2 });
    assert!(
        repo.resolve(&id(1).to_string(), NameScope::Any)
            .expect("read")
            .is_some()
    );
}

#[test]
fn the_timeline_is_filtered_and_continued() {
    let (mut repo, root) = repo();
    let mut parent = root;
    for second in 1..=9 {
        parent = commit(
            &mut repo,
            &checkin(parent, second, vec![put("a", &second.to_string())]),
        );
    }
    repo.write(|tx| {
        tx.wiki_put(
            &NewWikiPage {
                title: "P",
                text: b"x",
                mimetype: None,
            },
            &at(20),
        )
    })
    .expect("a page");
    let all = repo
        .timeline(&TimelineQuery {
            limit: 1000,
            ..TimelineQuery::default()
        })
        .expect("timeline");
    assert_eq!(all.len(), 11);
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = repo
            .timeline(&TimelineQuery {
                limit: 4,
                after,
                ..TimelineQuery::default()
            })
            .expect("timeline");
        let Some(last) = page.last() else { break };
        after = Some(last.cursor);
        pages.extend(page);
    }
    assert_eq!(pages, all);
    let count = |query: TimelineQuery| repo.timeline(&query).expect("timeline").len();
    let any = TimelineQuery::default;
    assert_eq!(
        count(TimelineQuery {
            kind: Some(EventKind::Wiki),
            ..any()
        }),
        1
    );
    assert_eq!(
        count(TimelineQuery {
            branch: Some("trunk".to_owned()),
            ..any()
        }),
        10
    );
    assert_eq!(
        count(TimelineQuery {
            branch: Some("none".to_owned()),
            ..any()
        }),
        0
    );
    assert_eq!(
        count(TimelineQuery {
            user: Some("alice".to_owned()),
            ..any()
        }),
        11
    );
    assert_eq!(
        count(TimelineQuery {
            since: Some(at(8).date),
            until: Some(at(19).date),
            ..any()
        }),
        2
    );
}

#[test]
fn a_wiki_page_is_written_replaced_and_deleted() {
    let (mut repo, _) = repo();
    let mut write = |text: &[u8], second| {
        let new = NewWikiPage {
            title: "A page",
            text,
            mimetype: None,
        };
        repo.write(|tx| tx.wiki_put(&new, &at(second))).expect("written");
    };
    write(b"one", 10);
    write(b"two", 5);
    let (_, page) = repo.wiki_page("A page").expect("read").expect("there");
    assert_eq!(
        page.text, "two",
        "the later write counts, whatever the clock said"
    );
    assert_eq!(page.parents.len(), 1);
    let deletion = NewWikiPage {
        title: "A page",
        text: b"",
        mimetype: None,
    };
    repo.write(|tx| tx.wiki_put(&deletion, &at(20))).expect("deleted");
    assert!(
        repo.wiki_pages()
            .expect("pages")
            .iter()
            .all(|page| page.is_deleted)
    );
    let bad = NewWikiPage {
        title: " bad",
        text: b"",
        mimetype: None,
    };
    let error = refused(repo.write(|tx| tx.wiki_put(&bad, &at(30))));
    assert!(matches!(
        error,
        BadChange::Malformed(BadArtifact::Malformed { card: 'L', .. })
    ));
}

#[test]
fn a_technote_a_ticket_and_an_attachment_are_written_and_read() {
    let (mut repo, _) = repo();
    let id = ArtifactHash::Sha1([7; 20]);
    let note = NewTechNote {
        id,
        event_date: at(0).date,
        comment: "A note",
        text: b"text",
        mimetype: None,
        tags: &[],
        bgcolor: None,
    };
    let field = |append, name: &str, value: &str| TicketField {
        append,
        name: name.into(),
        value: value.into(),
    };
    let ticket = "4".repeat(40);
    let change = |fields| NewTicketChange {
        ticket: ticket.clone(),
        fields,
    };
    repo.write(|tx| {
        tx.technote_put(&note, &at(10))?;
        tx.technote_put(
            &NewTechNote {
                text: b"more",
                ..note
            },
            &at(11),
        )?;
        tx.ticket_change(
            &change(vec![
                field(false, "title", "Broken"),
                field(false, "status", "Open"),
            ]),
            &at(12),
        )?;
        tx.ticket_change(&change(vec![field(false, "status", "Fixed")]), &at(13))?;
        let file = NewAttachment {
            target: &ticket,
            filename: "a/b.txt",
            content: Some(b"b"),
            comment: "",
        };
        tx.attach(&file, &at(14))
    })
    .expect("written");
    assert_eq!(repo.technotes().expect("notes").len(), 1);
    let (_, read) = repo
        .technote(&repo.technote_id("0707").expect("found"))
        .expect("read")
        .expect("there");
    assert_eq!(read.text, "more");
    let read = repo.ticket("4444").expect("found");
    assert!(read.fields.contains(&("status".to_owned(), "Fixed".to_owned())));
    assert_eq!(repo.ticket_history(&ticket).expect("history").len(), 2);
    assert_eq!(
        repo.attachments(None)
            .expect("attachments")
            .first()
            .expect("one")
            .filename,
        "b.txt"
    );
    assert_eq!(refused(repo.ticket("5555")), BadChange::NoSuchName);
    assert_eq!(
        refused(repo.write(|tx| tx.ticket_change(&change(vec![]), &at(20)))),
        BadChange::NothingChanged
    );
}

#[test]
fn a_thread_is_started_answered_and_edited() {
    let (mut repo, root) = repo();
    let post = |place, text| NewForumPost {
        place,
        text,
        mimetype: None,
    };
    repo.write(|tx| {
        let (first, _) = tx.forum_put(&post(ForumPlace::Thread("Title"), b"Hello"), &at(10))?;
        let (reply, _) = tx.forum_put(&post(ForumPlace::Reply(first), b"Hi"), &at(11))?;
        tx.forum_put(&post(ForumPlace::Edit(reply, None), b"Hi there"), &at(12))
    })
    .expect("written");
    let threads = repo.forum_threads().expect("threads");
    assert!(matches!(threads.as_slice(), [thread] if thread.posts == 2));
    let mut attempt = |place| refused(repo.write(|tx| tx.forum_put(&post(place, b"x"), &at(20))));
    assert_eq!(attempt(ForumPlace::Reply(root)), BadChange::OtherKind);
}
