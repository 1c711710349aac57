//! Verification: what is damaged is named, and what is damaged is not made a repository.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::format::zblob;
use leaf_core::id::{ArtifactHash, Rid};
use leaf_core::repo::{Fault, Put, Repo, RepoError};
use rusqlite::Connection;

use crate::world::repo;

/// A repository with `count` contents, and their rows.
fn filled(count: usize) -> (Repo, Vec<(Rid, ArtifactHash)>) {
    let mut repo = repo();
    let put = |number: usize| format!("content number {number}, and some more bytes of it\n").into_bytes();
    let rows = repo.write(|tx| -> Result<_, RepoError> {
        (0..count)
            .map(|number| tx.put(&put(number), Put::default()))
            .collect()
    });
    (repo, rows.expect("small contents"))
}

/// Changes the database behind the back of the repository.
fn tamper(repo: Repo, change: impl FnOnce(&Connection)) -> Repo {
    let db = repo.into_connection();
    change(&db);
    Repo::open(db).expect("still a repository")
}

/// What verification says of each row.
fn faults(repo: &Repo) -> Vec<(i64, Fault)> {
    let report = repo.verify(&mut |_, _| {}).expect("readable");
    report.bad.iter().map(|row| (row.rid.0, row.why)).collect()
}

fn set_content(db: &Connection, rid: Rid, stored: &[u8], size: usize) {
    db.execute(
        "UPDATE blob SET content = ?2, size = ?3 WHERE rid = ?1",
        (rid.0, stored, i64::try_from(size).expect("small")),
    )
    .expect("an update");
}

#[test]
fn content_under_a_wrong_name_is_named() {
    let (repo, rows) = filled(3);
    let (rid, hash) = rows[1];
    let other = b"other content";
    let mut repo = tamper(repo, |db| {
        set_content(db, rid, &zblob::compress(other), other.len());
    });
    assert_eq!(faults(&repo), [(rid.0, Fault::Hash)]);
    let plan = repo.check_plan(1).expect("a plan");
    let checked: Result<Vec<_>, _> = plan.iter().map(|part| repo.check(part, &mut |_, _| {})).collect();
    match repo.write(|tx| tx.rebuild(checked.expect("readable"))) {
        Err(RepoError::WrongContent { hashes }) => assert_eq!(hashes, [hash]),
        other => panic!("rebuilt in spite of it: {other:?}"),
    }
}

#[test]
fn bytes_that_do_not_expand_are_named() {
    let (repo, rows) = filled(3);
    let repo = tamper(repo, |db| set_content(db, rows[0].0, b"\0\0\0\x09garbage", 9));
    assert_eq!(faults(&repo), [(rows[0].0.0, Fault::Zblob)]);
}

#[test]
fn a_wrong_size_is_named_and_mended_by_a_rebuild() {
    let (repo, rows) = filled(2);
    let rid = rows[0].0;
    let mut repo = tamper(repo, |db| {
        db.execute("UPDATE blob SET size = 5 WHERE rid = ?1", [rid.0])
            .expect("an update");
    });
    assert_eq!(faults(&repo), [(rid.0, Fault::Size)]);
    let plan = repo.check_plan(2).expect("a plan");
    let checked: Result<Vec<_>, _> = plan.iter().map(|part| repo.check(part, &mut |_, _| {})).collect();
    repo.write(|tx| tx.rebuild(checked.expect("readable")))
        .expect("a rebuild");
    assert_eq!(faults(&repo), []);
}

#[test]
fn deltas_in_a_circle_are_named() {
    let (repo, rows) = filled(3);
    let (one, two) = (rows[0].0.0, rows[1].0.0);
    let repo = tamper(repo, |db| {
        db.execute(
            "INSERT INTO delta(rid, srcid) VALUES (?1, ?2), (?2, ?1)",
            [one, two],
        )
        .expect("an insert");
    });
    assert_eq!(faults(&repo), [(one, Fault::Cycle), (two, Fault::Cycle)]);
}

#[test]
fn what_hangs_on_damage_is_named_too() {
    let (repo, rows) = filled(3);
    let (root, delta, below) = (rows[0].0, rows[1].0, rows[2].0);
    let repo = tamper(repo, |db| {
        let insert = "INSERT INTO delta(rid, srcid) VALUES (?1, ?2), (?3, ?1)";
        db.execute(insert, [delta.0, root.0, below.0]).expect("an insert");
    });
    assert_eq!(faults(&repo), [(delta.0, Fault::Delta), (below.0, Fault::Source)]);
}

#[test]
fn a_chain_of_3000_deltas_verifies_and_a_longer_one_than_allowed_does_not() {
    let mut repo = repo();
    let text =
        |number: usize| format!("{}version {number}\n", "a line of the file\n".repeat(20)).into_bytes();
    let versions: Vec<Rid> = repo
        .write(|tx| -> Result<_, RepoError> {
            let rows: Result<Vec<_>, _> = (0..3000)
                .map(|number| tx.put(&text(number), Put::default()))
                .collect();
            let rids: Vec<Rid> = rows?.into_iter().map(|(rid, _)| rid).collect();
            for pair in rids.windows(2) {
                assert!(tx.deltify(pair[0], pair[1])?, "a delta is much smaller");
            }
            Ok(rids)
        })
        .expect("small contents");
    let report = repo.verify(&mut |_, _| {}).expect("readable");
    assert!(report.is_sound());
    assert_eq!(report.artifacts, 3000);
    let mut limits = *repo.limits();
    limits.delta_depth_max = 2000;
    repo.set_limits(limits);
    let found = faults(&repo);
    assert_eq!(found.len(), 999, "those below the first too deep one with it");
    assert!(
        found.contains(&(versions[998].0, Fault::Depth)),
        "{:?}",
        found.last()
    );
}

#[test]
fn parts_share_the_work_and_cover_all_of_it() {
    let (repo, rows) = filled(500);
    let plan = repo.check_plan(3).expect("a plan");
    assert_eq!(plan.len(), 3);
    let checked: Result<Vec<_>, _> = plan.iter().map(|part| repo.check(part, &mut |_, _| {})).collect();
    let counts: Vec<u64> = checked
        .expect("readable")
        .iter()
        .map(|part| part.artifacts)
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), rows.len() as u64);
    assert!(
        counts.iter().all(|count| (150..=180).contains(count)),
        "{counts:?}"
    );
}
