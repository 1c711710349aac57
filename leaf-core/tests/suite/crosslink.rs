//! Crosslinking: whatever the order in which artifacts come, the tables are those that a rebuild makes.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::format::hash::md5_hex;
use leaf_core::id::ArtifactHash;
use leaf_core::repo::{Body, Incoming, Repo, RepoError};

use crate::world::{named, repo};

/// Derived tables, with names in place of the numbers that names have here.
const DERIVED: [&str; 15] = [
    "SELECT type, mtime, objid, user, euser, comment, ecomment, bgcolor, brief, omtime FROM event ORDER BY 3",
    "SELECT pid, cid, isprim, mtime, baseid FROM plink ORDER BY 1, 2",
    "SELECT mid, fid, pmid, pid, f.name, p.name, mperm, isaux FROM mlink JOIN filename f USING(fnid)
       LEFT JOIN filename p ON p.fnid=mlink.pfnid ORDER BY 1, 2, 3, 4, 5",
    "SELECT rid FROM leaf ORDER BY 1",
    "SELECT tagname, tagtype, srcid, origid, value, mtime, rid FROM tagxref JOIN tag USING(tagid) ORDER BY rid, 1",
    "SELECT target, srctype, mtime FROM backlink ORDER BY 1, 2",
    "SELECT attachid, isLatest, mtime, src, target, filename, comment, user FROM attachment ORDER BY 1",
    "SELECT parentid, childid, isExclude FROM cherrypick ORDER BY 1, 2",
    "SELECT fpid, froot, fprev, firt, fmtime FROM forumpost ORDER BY 1",
    "SELECT rid FROM phantom ORDER BY 1",
    "SELECT rid, baseline FROM orphan ORDER BY 1",
    "SELECT rid FROM unclustered ORDER BY 1",
    "SELECT rid FROM private ORDER BY 1",
    "SELECT tkt_uuid, tkt_mtime, tkt_ctime, type, status, title, comment FROM ticket ORDER BY 1",
    "SELECT tkt_rid, tkt_mtime, tkt_user, mimetype, icomment FROM ticketchng ORDER BY 1",
];

/// The derived tables as text, and the repository again.
fn derived(repo: Repo) -> (Vec<String>, Repo) {
    let db = repo.into_connection();
    let mut text = Vec::new();
    for sql in DERIVED {
        let mut statement = db.prepare(sql).expect("the tables are there");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("a query without parameters");
        while let Some(row) = rows.next().expect("readable") {
            let values = (0..columns).map(|at| format!("{:?}", row.get_ref(at).expect("a column")));
            text.push(values.collect::<Vec<_>>().join(" "));
        }
        text.push(String::new());
    }
    (text, Repo::open(db).expect("it was a repository"))
}

/// Cards with their checksum.
fn sealed(cards: &str) -> Vec<u8> {
    format!("{cards}Z {}\n", md5_hex(cards.as_bytes())).into_bytes()
}

/// A history with something of every kind, in an order in which it may have been written.
fn artifacts() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut add = |content: Vec<u8>| -> ArtifactHash {
        let hash = named(&content);
        all.push(content);
        hash
    };
    let (one, two) = (add(b"content one\n".to_vec()), add(b"content two\n".to_vec()));
    let root = add(sealed(&format!(
        "C root\nD 2026-01-01T00:00:00\nF a {one}\nF b {two}\nT *branch * trunk\nT *sym-trunk *\nU alice\n"
    )));
    let child = add(sealed(&format!(
        "C see\\s[{root}]\nD 2026-01-01T00:00:01\nF a {two}\nF c {two} x b\nP {root}\nU alice\n"
    )));
    let side = add(sealed(&format!(
        "C side\nD 2026-01-02T00:00:00\nF a {one}\nF b {two}\nF s {one}\nP {root}\nT *branch * side\nT *sym-side *\nT -sym-trunk *\nU bob\n"
    )));
    let merged = add(sealed(&format!(
        "C merge\nD 2026-01-03T00:00:00\nF a {two}\nF c {two} x\nF s {one}\nP {child} {side}\nU alice\n"
    )));
    add(sealed(&format!(
        "B {merged}\nC on\\sa\\sbaseline\nD 2026-01-04T00:00:00\nF s\nF t {two}\nP {merged}\nQ +{side}\nU alice\n"
    )));
    add(sealed(&format!(
        "C without\\sits\\sparent\nD 2026-01-05T00:00:00\nF a {one}\nP {}\nU alice\n",
        "c".repeat(64)
    )));
    add(sealed(&format!(
        "D 2026-01-06T00:00:00\nT *bgcolor {root} #abc\nU alice\n"
    )));
    add(sealed(&format!(
        "D 2026-01-07T00:00:00\nT +comment {child} better\nT +user {child} carol\nU alice\n"
    )));
    add(sealed(&format!(
        "D 2026-01-08T00:00:00\nT -bgcolor {side}\nT +closed {side}\nU alice\n"
    )));
    let page = add(sealed("D 2026-02-01T00:00:00\nL Page\nU alice\nW 5\nfirst\n"));
    add(sealed(&format!(
        "D 2026-02-02T00:00:00\nL Page\nP {page}\nU bob\nW 6\n[{}]\n",
        "abcd"
    )));
    let note = "e".repeat(40);
    let first = add(sealed(&format!(
        "C note\nD 2026-02-03T00:00:00\nE 2026-02-03T00:00:00 {note}\nU alice\nW 1\nx\n"
    )));
    add(sealed(&format!(
        "C note\\sagain\nD 2026-02-04T00:00:00\nE 2026-02-03T00:00:00 {note}\nP {first}\nU alice\nW 1\ny\n"
    )));
    let ticket = "f".repeat(40);
    add(sealed(&format!(
        "D 2026-03-01T00:00:00\nJ status Open\nJ title Broken\nK {ticket}\nU alice\n"
    )));
    add(sealed(&format!(
        "D 2026-03-02T00:00:00\nJ +comment more\nJ status Fixed\nK {ticket}\nU bob\n"
    )));
    add(sealed(&format!(
        "A f.txt {ticket} {one}\nD 2026-03-03T00:00:00\nU bob\n"
    )));
    add(sealed("A f.txt Page\nD 2026-03-04T00:00:00\nU bob\n"));
    let post = add(sealed("D 2026-04-01T00:00:00\nH Question\nU alice\nW 1\n?\n"));
    add(sealed(&format!(
        "D 2026-04-02T00:00:00\nG {post}\nI {post}\nU bob\nW 1\n!\n"
    )));
    let mut members = [one, two, root, child];
    members.sort();
    add(sealed(&members.map(|member| format!("M {member}\n")).concat()));
    all
}

fn receive(repo: &mut Repo, artifacts: &[Vec<u8>]) {
    for content in artifacts {
        let incoming = Incoming {
            hash: named(content),
            source: None,
            body: Body::Plain(content),
            private: false,
        };
        let taken: Result<_, RepoError> = repo.write(|tx| {
            let received = tx.receive(&incoming)?;
            tx.crosslink(&received.settled)
        });
        taken.expect("good artifacts");
    }
}

pub(crate) fn rebuild(repo: &mut Repo, parts: usize) {
    let plan = repo.check_plan(parts).expect("a plan");
    let checked = plan
        .iter()
        .map(|part| repo.check(part, &mut |_, _| {}).expect("readable"));
    let checked = checked.collect();
    repo.write(|tx| tx.rebuild(checked)).expect("a rebuild");
}

/// That the tables after receipt in this order are those after a rebuild.
fn assert_as_rebuilt(artifacts: &[Vec<u8>]) -> Vec<String> {
    let mut repo = repo();
    receive(&mut repo, artifacts);
    let (received, mut repo) = derived(repo);
    rebuild(&mut repo, 2);
    let (rebuilt, _) = derived(repo);
    for (received, rebuilt) in received.iter().zip(&rebuilt) {
        assert_eq!(received, rebuilt);
    }
    assert_eq!(received.len(), rebuilt.len());
    rebuilt
}

#[test]
fn artifacts_in_order_give_the_tables_of_a_rebuild() {
    let tables = assert_as_rebuilt(&artifacts());
    assert!(tables.len() > 60, "something of every kind: {}", tables.len());
}

#[test]
fn artifacts_in_reverse_give_the_tables_of_a_rebuild() {
    let mut artifacts = artifacts();
    artifacts.reverse();
    assert_as_rebuilt(&artifacts);
}

#[test]
fn artifacts_rotated_give_the_tables_of_a_rebuild() {
    let mut artifacts = artifacts();
    for _ in 0..artifacts.len() {
        artifacts.rotate_left(1);
        assert_as_rebuilt(&artifacts);
    }
}

#[test]
fn crosslinking_twice_changes_nothing() {
    let mut repo = repo();
    let artifacts = artifacts();
    receive(&mut repo, &artifacts);
    let rids: Vec<_> = artifacts
        .iter()
        .map(|content| repo.rid_of(&named(content)).expect("readable").expect("received"))
        .collect();
    let (once, mut repo) = derived(repo);
    repo.write(|tx| tx.crosslink(&rids)).expect("the same again");
    let (twice, _) = derived(repo);
    assert_eq!(once, twice);
}
