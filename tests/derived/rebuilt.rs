//! A full rebuild of ours.

use crate::everything::everything;
use leaf_core::repo::Repo;
use leaf_tests::oracle::derived_differences;
use leaf_tests::scene;
use leaf_tests::scratch::Scratch;
use rusqlite::Connection;
use std::path::Path;

/// Rebuilds `file`, checked in `parts` parts.
pub(crate) fn rebuild(file: &Path, parts: usize) {
    let mut repo = Repo::open(Connection::open(file).expect("a file")).expect("a repository");
    let plan = repo.check_plan(parts).expect("a plan");
    let checked = plan
        .iter()
        .map(|part| repo.check(part, &mut |_, _| {}).expect("readable rows"))
        .collect();
    repo.write(|tx| tx.rebuild(checked)).expect("a rebuild");
}

#[track_caller]
pub(crate) fn assert_as_stock(scratch: &Scratch, file: &Path) {
    let differences = derived_differences(scratch, file);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_rebuild_of_everything_is_that_of_stock() {
    let scratch = Scratch::new();
    for parts in [1, 3] {
        let file = everything(&scratch, &format!("rebuilt{parts}.fossil"));
        rebuild(&file, parts);
        assert_as_stock(&scratch, &file);
    }
}

#[test]
fn a_rebuild_of_a_small_history_is_that_of_stock() {
    let scratch = Scratch::new();
    let file = scene::small(&scratch, "small.fossil");
    rebuild(&file, 2);
    assert_as_stock(&scratch, &file);
}

/// Hash of the check-in with this comment.
fn checkin(file: &Path, comment: &str) -> String {
    let sql = format!("SELECT uuid FROM event JOIN blob ON rid=objid WHERE comment='{comment}'");
    leaf_tests::oracle::column(file, &sql).remove(0)
}

#[test]
fn links_of_an_edited_comment_are_those_of_stock() {
    let scratch = Scratch::new();
    let file = everything(&scratch, "edited.fossil");
    let shown = file.to_str().expect("a plain path");
    let target = checkin(&file, "Day 4");
    // From 2.26 on a comment with a broken link in it is refused.
    let lenient = "REPLACE INTO config(name,value,mtime) VALUES('verify-comments','off',now())";
    scratch.fossil(&["sql", "-R", shown, lenient]);
    for (comment, edit) in [
        ("Day 5", format!("Edited, see [{}] & [other]", &target[..10])),
        ("Day 6", format!("Edited too, [{}|shown]", &target[..20])),
        ("Rename b", format!("And [/info/{}]", &target[..20])),
    ] {
        scratch.fossil(&["amend", &checkin(&file, comment), "-m", &edit, "-R", shown]);
    }
    rebuild(&file, 1);
    assert_as_stock(&scratch, &file);
}

#[test]
fn a_checkin_with_other_parents_is_linked_as_by_stock() {
    let scratch = Scratch::new();
    let file = everything(&scratch, "reparented.fossil");
    let shown = file.to_str().expect("a plain path");
    let (child, parent, merged) = (
        checkin(&file, "Back out"),
        checkin(&file, "Day 6"),
        checkin(&file, "Side"),
    );
    scratch.fossil(&["reparent", &child, &parent, &merged, "-R", shown]);
    rebuild(&file, 1);
    assert_as_stock(&scratch, &file);
}
