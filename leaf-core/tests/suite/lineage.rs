//! What check-ins have to do with each other, in a repository in memory, and requests that are made twice.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::crosslink::rebuild;
use crate::world::{NOW, dump, named, repo};
use leaf_core::format::artifact::FilePerm;
use leaf_core::id::{ArtifactHash, Rid};
use leaf_core::repo::{
    Author, ChangedFile, EventKind, FileChange, NewCheckin, NewWikiPage, Repo, RepoError, TimelineQuery,
};
use leaf_core::time::Timestamp;

const DAY: i64 = 86_400;

fn at(second: i64) -> Author {
    Author {
        user: "alice".to_owned(),
        date: Timestamp(NOW.0 + second * 1000),
    }
}

fn put(path: &str, content: &str) -> FileChange {
    FileChange::Put {
        path: path.into(),
        content: content.into(),
        perm: FilePerm::Regular,
    }
}

fn remove(path: &str) -> FileChange {
    FileChange::Remove { path: path.into() }
}

fn rename(from: &str, to: &str) -> FileChange {
    FileChange::Rename {
        from: from.into(),
        to: to.into(),
    }
}

fn checkin(parent: Rid, second: i64, changes: Vec<FileChange>) -> NewCheckin {
    NewCheckin::new(Some(parent), changes, &format!("check-in {second}"), at(second))
}

fn commit(repo: &mut Repo, new: &NewCheckin) -> (Rid, ArtifactHash) {
    repo.write(|tx| tx.checkin(new)).expect("a check-in")
}

fn root(repo: &mut Repo) -> (Rid, ArtifactHash) {
    repo.write(|tx| tx.initial_checkin(&at(0)))
        .expect("initial check-in")
}

/// A change of a file, by its contents.
fn change(name: &str, old_name: Option<&str>, before: Option<&str>, after: Option<&str>) -> ChangedFile {
    let hash = |content: Option<&str>| content.map(|content| named(content.as_bytes()));
    ChangedFile {
        name: name.to_owned(),
        old_name: old_name.map(str::to_owned),
        before: hash(before),
        after: hash(after),
    }
}

/// The root, two branches from it, and their merge; each with what it is called.
struct Merged {
    repo: Repo,
    root: (Rid, ArtifactHash),
    trunk: (Rid, ArtifactHash),
    side: (Rid, ArtifactHash),
    merge: (Rid, ArtifactHash),
}

fn merged() -> Merged {
    let mut repo = repo();
    let first = root(&mut repo);
    let trunk = commit(
        &mut repo,
        &checkin(first.0, 10, vec![put("a", "1"), put("b", "2")]),
    );
    let side = NewCheckin {
        branch: Some("side".to_owned()),
        ..checkin(first.0, 20, vec![put("c", "3")])
    };
    let side = commit(&mut repo, &side);
    let merge = NewCheckin {
        merges: vec![side.0],
        ..checkin(trunk.0, 30, vec![put("c", "3")])
    };
    let merge = commit(&mut repo, &merge);
    Merged {
        repo,
        root: first,
        trunk,
        side,
        merge,
    }
}

#[test]
fn a_merge_has_two_parents_and_the_one_it_continues_comes_first() {
    let Merged {
        repo,
        root,
        trunk,
        side,
        merge,
    } = merged();
    assert_eq!(repo.parents(root.0).expect("read"), []);
    assert_eq!(repo.parents(trunk.0).expect("read"), [root.1]);
    assert_eq!(repo.parents(merge.0).expect("read"), [trunk.1, side.1]);
    assert_eq!(
        repo.children(root.0).expect("read"),
        [trunk.1, side.1],
        "oldest first"
    );
    assert_eq!(repo.children(side.0).expect("read"), [merge.1]);
    assert_eq!(repo.children(merge.0).expect("read"), []);
    assert_eq!(repo.checkin_count().expect("count"), 4);
}

#[test]
fn a_merge_changed_what_its_first_parent_had_not() {
    let Merged {
        repo, trunk, merge, ..
    } = merged();
    let added = |name, content| change(name, None, None, Some(content));
    assert_eq!(
        repo.changed_files(trunk.0).expect("read"),
        [added("a", "1"), added("b", "2")]
    );
    assert_eq!(
        repo.changed_files(merge.0).expect("read"),
        [added("c", "3")],
        "and neither `a` nor `b`, which the other parent had not"
    );
}

#[test]
fn files_are_added_changed_removed_and_renamed() {
    let mut repo = repo();
    let root = root(&mut repo);
    let first = vec![
        put("change", "1"),
        put("go", "2"),
        put("keep", "3"),
        put("move", "4"),
        put("move and change", "5"),
    ];
    let first = commit(&mut repo, &checkin(root.0, 10, first));
    let second = vec![
        put("change", "6"),
        remove("go"),
        rename("move", "to"),
        rename("move and change", "to and changed"),
        put("to and changed", "7"),
        put("come", "8"),
    ];
    let second = commit(&mut repo, &checkin(first.0, 20, second));
    assert_eq!(
        repo.changed_files(second.0).expect("read"),
        [
            change("change", None, Some("1"), Some("6")),
            change("come", None, None, Some("8")),
            change("go", None, Some("2"), None),
            change("to", Some("move"), Some("4"), Some("4")),
            change("to and changed", Some("move and change"), Some("5"), Some("7")),
        ]
    );
    assert_eq!(repo.changed_files(root.0).expect("read"), []);
}

#[test]
fn a_file_has_a_history_newest_first() {
    let mut repo = repo();
    let root = root(&mut repo);
    let first = commit(
        &mut repo,
        &checkin(root.0, 10, vec![put("a", "1"), put("b", "x")]),
    );
    let second = commit(&mut repo, &checkin(first.0, 20, vec![put("b", "y")]));
    let third = commit(&mut repo, &checkin(second.0, 30, vec![put("a", "2")]));
    let fourth = commit(&mut repo, &checkin(third.0, 40, vec![remove("a")]));
    let history = repo.file_history("a", 10).expect("read");
    let versions: Vec<_> = history
        .iter()
        .map(|version| (version.checkin, version.content))
        .collect();
    assert_eq!(
        versions,
        [
            (fourth.1, None),
            (third.1, Some(named(b"2"))),
            (first.1, Some(named(b"1")))
        ]
    );
    let newest = history.first().expect("three");
    assert_eq!(
        (newest.user.as_str(), newest.comment.as_str(), newest.time),
        ("alice", "check-in 40", at(40).date)
    );
    assert_eq!(
        repo.file_history("a", 1).expect("read"),
        history.get(..1).expect("three")
    );
    assert_eq!(repo.file_history("never", 10).expect("read"), []);
}

#[test]
fn an_entry_of_the_timeline_is_found_by_its_artifact() {
    let Merged { mut repo, merge, .. } = merged();
    let page = NewWikiPage {
        title: "P",
        text: b"x",
        mimetype: None,
    };
    let (page, _) = repo.write(|tx| tx.wiki_put(&page, &at(40))).expect("a page");
    let all = repo.timeline(&TimelineQuery::default()).expect("timeline");
    for entry in &all {
        let found = repo.timeline_entry(entry.rid).expect("read");
        assert_eq!(found.as_ref(), Some(entry));
    }
    let kind = |rid| repo.timeline_entry(rid).expect("read").map(|entry| entry.kind);
    assert_eq!(kind(page), Some(EventKind::Wiki));
    let entry = repo.timeline_entry(merge.0).expect("read").expect("there");
    assert!(entry.is_merge && entry.is_leaf && entry.branch.as_deref() == Some("trunk"));
    let content = repo.rid_of(&named(b"1")).expect("read").expect("there");
    assert_eq!(kind(content), None, "the content of a file is no event");
}

#[test]
fn the_main_checkin_is_the_tip_of_trunk_else_the_newest() {
    let mut repo = repo();
    let main = |repo: &Repo| repo.main_checkin().expect("read");
    assert_eq!(main(&repo), None, "there is none yet");
    let on = |branch: &str, parent, second| NewCheckin {
        branch: Some(branch.to_owned()),
        ..NewCheckin::new(parent, Vec::new(), "a branch", at(second))
    };
    let (first, _) = commit(&mut repo, &on("develop", None, 0));
    let (second, _) = commit(&mut repo, &on("next", Some(first), 10));
    assert_eq!(main(&repo), Some(second), "the newest, as there is no trunk");
    let (trunk, _) = commit(&mut repo, &on("trunk", Some(first), 20));
    commit(&mut repo, &on("late", Some(trunk), 30));
    assert_eq!(main(&repo), Some(trunk), "not the newest");
}

#[test]
fn what_is_unsent_is_counted_and_marked_unless_it_may_not_be_told() {
    let mut repo = repo();
    let (root, _) = root(&mut repo);
    let (public, hash) = commit(&mut repo, &checkin(root, 10, vec![put("a", "1")]));
    let hidden = NewCheckin {
        private: true,
        ..checkin(root, 20, vec![put("b", "2")])
    };
    let (hidden, _) = commit(&mut repo, &hidden);
    let is_unsent = |repo: &Repo, rid| {
        let entry = repo.timeline_entry(rid).expect("read").expect("there");
        entry.is_unsent
    };
    let count = |repo: &Repo| {
        let count = repo.unsent_count().expect("read");
        let named = repo.unsent_artifacts().expect("read");
        assert_eq!(count, named.len() as u64);
        count
    };
    assert_eq!(count(&repo), 3, "two check-ins and a file");
    let marks = [root, public, hidden].map(|rid| is_unsent(&repo, rid));
    assert_eq!(marks, [true, true, false], "private ones are not to be sent");
    repo.write(|tx| tx.shun(&hash, None, NOW)).expect("a ban");
    assert_eq!((count(&repo), is_unsent(&repo, public)), (2, false), "banned");
    repo.write(|tx| {
        let unsent = tx.unsent_artifacts()?;
        unsent.iter().try_for_each(|(rid, _)| tx.mark_sent(*rid))
    })
    .expect("sent");
    assert_eq!((count(&repo), is_unsent(&repo, root)), (0, false), "sent");
}

#[test]
fn a_request_is_known_by_what_it_made_and_by_its_own_name() {
    let mut repo = repo();
    assert_eq!(repo.request("one").expect("read"), None);
    let hash = named(b"made");
    repo.write(|tx| tx.note_request("one", &hash, NOW))
        .expect("noted");
    assert_eq!(repo.request("one").expect("read"), Some(hash));
    assert_eq!(repo.request("two").expect("read"), None);
}

#[test]
fn a_request_is_noted_once_and_what_was_made_the_second_time_is_taken_back() {
    let mut repo = repo();
    let root = root(&mut repo);
    let (_, made) = repo
        .write(|tx| {
            let made = tx.checkin(&checkin(root.0, 10, vec![put("a", "1")]))?;
            tx.note_request("one", &made.1, NOW)?;
            Ok::<_, RepoError>(made)
        })
        .expect("made");
    let before = dump(&mut repo);
    let again = repo.write(|tx| {
        let second = NewCheckin {
            allow_fork: true,
            ..checkin(root.0, 20, vec![put("a", "2")])
        };
        let (_, hash) = tx.checkin(&second)?;
        tx.note_request("one", &hash, NOW)
    });
    assert!(matches!(again, Err(RepoError::Sqlite(_))));
    assert_eq!(dump(&mut repo), before);
    assert_eq!(repo.request("one").expect("read"), Some(made));
}

#[test]
fn a_request_is_forgotten_after_a_week_and_no_sooner() {
    let mut repo = repo();
    let hash = named(b"made");
    let mut note = |name: &str, second| {
        repo.write(|tx| tx.note_request(name, &hash, at(second).date))
            .expect("noted");
        ["first", "second"].map(|name| repo.request(name).expect("read").is_some())
    };
    assert_eq!(note("first", 0), [true, false]);
    assert_eq!(note("second", DAY), [true, true]);
    assert_eq!(note("third", 7 * DAY), [true, true], "to the second");
    assert_eq!(note("fourth", 7 * DAY + 1), [false, true]);
}

#[test]
fn requests_outlive_a_rebuild_and_the_connection() {
    let mut repo = repo();
    let root = root(&mut repo);
    let (_, made) = commit(&mut repo, &checkin(root.0, 10, vec![put("a", "1")]));
    repo.write(|tx| tx.note_request("one", &made, NOW))
        .expect("noted");
    rebuild(&mut repo, 1);
    assert_eq!(repo.request("one").expect("read"), Some(made));
    let again = Repo::open(repo.into_connection()).expect("opened");
    assert_eq!(again.request("one").expect("read"), Some(made));
}
