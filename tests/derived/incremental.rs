//! Artifacts that arrive one by one, in any order.

use crate::everything::everything;
use crate::rebuilt::assert_as_stock;
use leaf_core::id::{ArtifactHash, ProjectCode, Rid, ServerCode};
use leaf_core::repo::{Body, Incoming, NewRepo, Repo, RepoError};
use leaf_core::time::Timestamp;
use leaf_tests::scratch::Scratch;
use leaf_tests::seed::Seed;
use rusqlite::Connection;
use std::path::Path;

/// Hash, content and whether it is private, of everything in `file` by row.
fn contents(file: &Path) -> Vec<(ArtifactHash, Vec<u8>, bool)> {
    let repo = Repo::open(Connection::open(file).expect("a file")).expect("a repository");
    let rids = leaf_tests::oracle::column(file, "SELECT rid FROM blob WHERE size>=0");
    let mut rids: Vec<i64> = rids.iter().map(|rid| rid.parse().expect("a number")).collect();
    rids.sort_unstable();
    let read = |rid: i64| {
        let rid = Rid(rid);
        let content = repo.content(rid).expect("sound").expect("not a phantom");
        let hash = repo.hash_of(rid).expect("a name");
        (hash, content.to_vec(), repo.is_private(rid).expect("a row"))
    };
    rids.into_iter().map(read).collect()
}

fn new_repository(file: &Path) -> Repo {
    let new = NewRepo {
        project_code: ProjectCode::from_random([1; 20]),
        server_code: ServerCode::from_random([2; 20]),
        project_name: None,
        admin: "alice".to_owned(),
        admin_password: "pw".to_owned(),
        now: Timestamp::from_unix(1_700_000_000),
    };
    Repo::create(Connection::open(file).expect("a file"), &new).expect("a new repository")
}

/// Takes the artifacts in as a sync would, `batch` of them in each transaction.
fn receive(repo: &mut Repo, artifacts: &[(ArtifactHash, Vec<u8>, bool)], batch: usize) {
    for artifacts in artifacts.chunks(batch) {
        let taken: Result<(), RepoError> = repo.write(|tx| {
            let mut settled = Vec::new();
            for (hash, content, private) in artifacts {
                let incoming = Incoming {
                    hash: *hash,
                    source: None,
                    body: Body::Plain(content),
                    private: *private,
                };
                settled.extend(tx.receive(&incoming)?.settled);
            }
            tx.crosslink(&settled)?;
            Ok(())
        });
        taken.expect("good artifacts");
    }
}

fn as_stock_in_order(
    scratch: &Scratch,
    name: &str,
    batch: usize,
    order: impl FnOnce(&mut Vec<(ArtifactHash, Vec<u8>, bool)>),
) {
    let source = everything(scratch, "source.fossil");
    let mut artifacts = contents(&source);
    order(&mut artifacts);
    let file = scratch.path(name);
    let mut repo = new_repository(&file);
    receive(&mut repo, &artifacts, batch);
    drop(repo);
    assert_as_stock(scratch, &file);
}

#[test]
fn artifacts_in_order_give_the_tables_of_stock() {
    let scratch = Scratch::new();
    as_stock_in_order(&scratch, "forward.fossil", 1, |_| {});
    as_stock_in_order(&scratch, "forward7.fossil", 7, |_| {});
}

#[test]
fn artifacts_in_reverse_give_the_tables_of_stock() {
    let scratch = Scratch::new();
    as_stock_in_order(&scratch, "reverse.fossil", 1, |artifacts| artifacts.reverse());
}

#[test]
fn artifacts_in_any_order_give_the_tables_of_stock() {
    for number in 0..6 {
        let scratch = Scratch::new();
        let mut seed = Seed::from_environment(number);
        println!("LEAF_SEED={}", seed.value());
        as_stock_in_order(
            &scratch,
            "shuffled.fossil",
            1 + usize::try_from(number).expect("a few") * 5,
            |artifacts| {
                for at in (1..artifacts.len()).rev() {
                    let other = usize::try_from(seed.below(at as u64 + 1)).expect("below a length");
                    artifacts.swap(at, other);
                }
            },
        );
    }
}
