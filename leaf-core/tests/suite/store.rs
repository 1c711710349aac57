//! Content in and out of a repository: receipt, deltas, phantoms, limits, and that a refusal changes nothing.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::world::{dump, named, repo};
use leaf_core::Blame;
use leaf_core::format::{delta, zblob};
use leaf_core::id::ArtifactHash;
use leaf_core::repo::{Body, Incoming, Put, Received, Repo, RepoError};

fn receive(repo: &mut Repo, incoming: &Incoming<'_>) -> Result<Received, RepoError> {
    repo.write(|tx| tx.receive(incoming))
}

fn full(content: &[u8]) -> Incoming<'_> {
    Incoming {
        hash: named(content),
        source: None,
        body: Body::Plain(content),
        private: false,
    }
}

fn delta_of(source: &[u8], target: &[u8]) -> (ArtifactHash, Vec<u8>) {
    (named(target), delta::create(source, target))
}

fn line(n: usize) -> String {
    format!("line {n} of a file with enough text in it to be worth a delta\n")
}

fn text(lines: usize) -> Vec<u8> {
    (0..lines).map(line).collect::<String>().into_bytes()
}

#[test]
fn content_comes_back_as_it_was_put() {
    let mut repo = repo();
    let (rid, hash) = repo
        .write(|tx| tx.put(b"hello", Put::default()))
        .expect("a small artifact");
    assert_eq!(hash, named(b"hello"));
    assert_eq!(repo.rid_of(&hash).expect("query"), Some(rid));
    assert_eq!(
        repo.content(rid).expect("stored").expect("no phantom").as_slice(),
        b"hello"
    );
}

#[test]
fn the_same_content_put_twice_is_one_artifact() {
    let mut repo = repo();
    let first = repo.write(|tx| tx.put(b"hello", Put::default())).expect("put");
    let second = repo.write(|tx| tx.put(b"hello", Put::default())).expect("put");
    assert_eq!(first, second);
    assert_eq!(repo.artifact_count().expect("count"), 1);
}

#[test]
fn content_known_under_its_sha1_name_is_not_stored_again() {
    let mut repo = repo();
    let sha1 = leaf_core::format::hash::name(leaf_core::format::hash::HashKind::Sha1, b"old times");
    let old = Incoming {
        hash: sha1,
        source: None,
        body: Body::Plain(b"old times"),
        private: false,
    };
    let rid = receive(&mut repo, &old).expect("a right hash").rid;
    let put = repo
        .write(|tx| tx.put(b"old times", Put::default()))
        .expect("put");
    assert_eq!((rid, sha1), (Some(put.0), put.1));
}

#[test]
fn a_wrong_hash_is_refused_and_changes_nothing() {
    let mut repo = repo();
    receive(&mut repo, &full(b"here before")).expect("a right hash");
    let before = dump(&mut repo);
    let lie = Incoming {
        hash: named(b"one thing"),
        ..full(b"another thing")
    };
    let error = receive(&mut repo, &lie).expect_err("the hash is wrong");
    assert!(matches!(error, RepoError::WrongHash { hash } if hash == named(b"one thing")));
    assert_eq!(error.blame(), Blame::Peer);
    assert_eq!(dump(&mut repo), before);
}

#[test]
fn a_delta_is_applied_and_verified_against_its_source() {
    let mut repo = repo();
    let (old, new) = (text(40), text(41));
    receive(&mut repo, &full(&old)).expect("a right hash");
    let (hash, bytes) = delta_of(&old, &new);
    let incoming = Incoming {
        hash,
        source: Some(named(&old)),
        body: Body::Plain(&bytes),
        private: false,
    };
    let received = receive(&mut repo, &incoming).expect("the delta fits");
    let rid = received.rid.expect("not shunned");
    assert_eq!(received.settled, [rid]);
    assert_eq!(
        repo.content(rid).expect("stored").expect("no phantom").as_slice(),
        new
    );
    let stored = repo.stored(rid).expect("query").expect("no phantom");
    assert_eq!(
        stored.size,
        new.len() as u64,
        "blob.size is that of the artifact, not of the delta"
    );
}

#[test]
fn a_delta_that_gives_other_content_is_refused_and_changes_nothing() {
    let mut repo = repo();
    let (old, new) = (text(40), text(41));
    receive(&mut repo, &full(&old)).expect("a right hash");
    let before = dump(&mut repo);
    let (_, bytes) = delta_of(&old, &new);
    let lie = Incoming {
        hash: named(b"other"),
        source: Some(named(&old)),
        body: Body::Plain(&bytes),
        private: false,
    };
    assert!(matches!(
        receive(&mut repo, &lie),
        Err(RepoError::WrongHash { .. })
    ));
    assert_eq!(dump(&mut repo), before);
}

#[test]
fn a_dangling_delta_waits_unseen_and_settles_when_its_source_comes() {
    let mut repo = repo();
    let (a, b, c) = (text(40), text(41), text(42));
    let (hash_b, delta_b) = delta_of(&a, &b);
    let (hash_c, delta_c) = delta_of(&b, &c);
    let incoming_c = Incoming {
        hash: hash_c,
        source: Some(hash_b),
        body: Body::Plain(&delta_c),
        private: false,
    };
    let incoming_b = Incoming {
        hash: hash_b,
        source: Some(named(&a)),
        body: Body::Plain(&delta_b),
        private: false,
    };
    let waiting = receive(&mut repo, &incoming_c).expect("stored dangling");
    assert!(waiting.settled.is_empty());
    let rid_c = waiting.rid.expect("has a row");
    assert_eq!(repo.content(rid_c).expect("no damage"), None);
    assert!(
        receive(&mut repo, &incoming_b)
            .expect("stored dangling")
            .settled
            .is_empty()
    );
    let settled = receive(&mut repo, &full(&a)).expect("the source").settled;
    assert_eq!(settled.len(), 3, "the source and both that hung on it");
    assert_eq!(
        repo.content(rid_c)
            .expect("no damage")
            .expect("now here")
            .as_slice(),
        c
    );
    assert!(repo.phantoms(10).expect("query").is_empty());
}

#[test]
fn a_lie_told_by_a_dangling_delta_comes_out_when_the_source_arrives() {
    let mut repo = repo();
    let (a, b) = (text(40), text(41));
    let (_, bytes) = delta_of(&a, &b);
    let lie = Incoming {
        hash: named(b"other"),
        source: Some(named(&a)),
        body: Body::Plain(&bytes),
        private: false,
    };
    receive(&mut repo, &lie).expect("nobody can know yet");
    let received = receive(&mut repo, &full(&a)).expect("the source is what it is called");
    assert_eq!(
        received.settled,
        [repo.rid_of(&named(&a)).expect("readable").expect("known")],
        "and the lie is not"
    );
    let lied_about = repo.rid_of(&named(b"other")).expect("readable").expect("known");
    assert_eq!(repo.content(lied_about).expect("readable"), None);
    receive(&mut repo, &full(b"other")).expect("it is asked for, and comes");
    assert_eq!(
        repo.content(lied_about)
            .expect("readable")
            .as_deref()
            .map(Vec::as_slice),
        Some(b"other".as_slice())
    );
}

#[test]
fn bytes_that_come_compressed_are_stored_as_they_came() {
    let mut repo = repo();
    let content = text(50);
    let stored = zblob::compress(&content);
    let body = Body::Stored {
        zblob: &stored,
        size: content.len() as u64,
    };
    let incoming = Incoming {
        hash: named(&content),
        source: None,
        body,
        private: false,
    };
    let rid = receive(&mut repo, &incoming)
        .expect("a right hash")
        .rid
        .expect("not shunned");
    assert_eq!(repo.stored(rid).expect("query").expect("here").zblob, stored);
}

#[test]
fn a_compressed_artifact_with_another_size_than_announced_is_refused() {
    let mut repo = repo();
    let content = text(50);
    let stored = zblob::compress(&content);
    let incoming = Incoming {
        hash: named(&content),
        source: None,
        body: Body::Stored {
            zblob: &stored,
            size: 1,
        },
        private: false,
    };
    assert!(matches!(
        receive(&mut repo, &incoming),
        Err(RepoError::WrongSize { declared: 1, .. })
    ));
    assert_eq!(repo.artifact_count().expect("count"), 0);
}

#[test]
fn a_bomb_in_a_compressed_artifact_is_refused_before_it_expands() {
    let mut repo = repo();
    let mut limits = *repo.limits();
    limits.artifact_bytes_max = 1 << 20;
    repo.set_limits(limits);
    let bomb = zblob::compress(&vec![0; 64 << 20]);
    assert!(bomb.len() < 100_000, "it is a bomb");
    let incoming = Incoming {
        hash: named(b"whatever"),
        source: None,
        body: Body::Stored {
            zblob: &bomb,
            size: 64 << 20,
        },
        private: false,
    };
    let error = receive(&mut repo, &incoming).expect_err("too large");
    assert!(matches!(error, RepoError::WrongZblob { .. }));
    assert_eq!(error.blame(), Blame::Peer);
    assert_eq!(repo.artifact_count().expect("count"), 0);
}

#[test]
fn what_is_shunned_is_dropped_and_never_becomes_a_phantom() {
    let mut repo = repo();
    let hash = named(b"spam");
    repo.write(|tx| tx.shun(&hash, Some("spam"), crate::world::NOW))
        .expect("shun");
    assert_eq!(receive(&mut repo, &full(b"spam")).expect("dropped").rid, None);
    assert_eq!(repo.write(|tx| tx.phantom(&hash, false)).expect("query"), None);
    assert_eq!(repo.rid_of(&hash).expect("query"), None);
}

#[test]
fn what_comes_to_be_shunned_goes_and_what_hung_on_it_stays_whole() {
    let mut repo = repo();
    let (old, new) = (text(40), text(41));
    receive(&mut repo, &full(&old)).expect("a right hash");
    let (hash, bytes) = delta_of(&old, &new);
    let incoming = Incoming {
        hash,
        source: Some(named(&old)),
        body: Body::Plain(&bytes),
        private: false,
    };
    let rid = receive(&mut repo, &incoming)
        .expect("fits")
        .rid
        .expect("not shunned");
    repo.write(|tx| tx.shun(&named(&old), None, crate::world::NOW))
        .expect("shun");
    let gone = repo.write(|tx| {
        let gone = tx.apply_shun()?;
        Ok::<_, RepoError>(gone)
    });
    assert_eq!(gone.expect("applied"), 1);
    assert_eq!(repo.rid_of(&named(&old)).expect("query"), None);
    assert_eq!(
        repo.content(rid).expect("no damage").expect("here").as_slice(),
        new
    );
}

#[test]
fn private_artifacts_are_on_no_public_list_until_they_are_made_public() {
    let mut repo = repo();
    let incoming = Incoming {
        private: true,
        ..full(b"between us")
    };
    let rid = receive(&mut repo, &incoming)
        .expect("a right hash")
        .rid
        .expect("not shunned");
    assert!(repo.is_private(rid).expect("query"));
    assert!(repo.announced().expect("query").is_empty());
    receive(&mut repo, &full(b"between us")).expect("again, in public");
    assert!(!repo.is_private(rid).expect("query"));
    assert_eq!(repo.announced().expect("query").len(), 1);
}

#[test]
fn a_name_without_its_content_makes_nothing_public() {
    let mut repo = repo();
    let secret = Incoming {
        private: true,
        ..full(b"between us")
    };
    let rid = receive(&mut repo, &secret)
        .expect("a right hash")
        .rid
        .expect("not shunned");
    let lie = Incoming {
        hash: named(b"between us"),
        ..full(b"made up")
    };
    receive(&mut repo, &lie).expect("it is known already");
    assert!(repo.is_private(rid).expect("query"));
}

#[test]
fn a_delta_of_itself_is_refused_and_changes_nothing() {
    let mut repo = repo();
    let before = dump(&mut repo);
    let (hash, bytes) = delta_of(&text(40), &text(41));
    let body = Body::Plain(&bytes);
    let lie = Incoming {
        hash,
        source: Some(hash),
        body,
        private: false,
    };
    assert!(matches!(
        receive(&mut repo, &lie),
        Err(RepoError::WrongHash { .. })
    ));
    assert!(matches!(
        repo.write(|tx| tx.stage(&lie)),
        Err(RepoError::WrongHash { .. })
    ));
    assert_eq!(dump(&mut repo), before);
}

/// A repository whose artifact `depth` is the end of a chain of that many deltas.
fn chain(depth: usize) -> (Repo, Vec<ArtifactHash>) {
    let mut repo = repo();
    let contents: Vec<Vec<u8>> = (0..=depth)
        .map(|n| format!("{}{n}\n", line(1)).into_bytes())
        .collect();
    let hashes: Vec<ArtifactHash> = contents.iter().map(|content| named(content)).collect();
    repo.write(|tx| {
        tx.stage(&full(&contents[0]))?;
        for (pair, names) in contents.windows(2).zip(hashes.windows(2)) {
            let bytes = delta::create(&pair[0], &pair[1]);
            let body = Body::Plain(&bytes);
            tx.stage(&Incoming {
                hash: names[1],
                source: Some(names[0]),
                body,
                private: false,
            })?;
        }
        Ok::<_, RepoError>(())
    })
    .expect("staging looks into nothing");
    (repo, hashes)
}

#[test]
fn a_chain_of_three_thousand_deltas_is_expanded() {
    let (repo, hashes) = chain(3000);
    let rid = repo.rid_of(&hashes[3000]).expect("query").expect("here");
    let content = repo.content(rid).expect("a long chain is fine").expect("here");
    assert_eq!(named(&content), hashes[3000]);
}

#[test]
fn a_chain_of_fifty_thousand_deltas_is_refused_by_name() {
    let (repo, hashes) = chain(50_000);
    let rid = repo.rid_of(&hashes[50_000]).expect("query").expect("here");
    assert!(matches!(repo.content(rid), Err(RepoError::DeltaChain { .. })));
}

#[test]
fn deltas_that_go_in_a_circle_are_refused_by_name() {
    let (repo, hashes) = chain(3);
    let db = repo.into_connection();
    db.execute_batch("INSERT INTO delta SELECT min(rid), max(rid) FROM blob")
        .expect("the root hangs on the last");
    let repo = Repo::open(db).expect("such damage is not looked for when opening");
    let rid = repo.rid_of(&hashes[3]).expect("query").expect("here");
    assert!(matches!(repo.content(rid), Err(RepoError::DeltaChain { .. })));
    assert!(matches!(
        repo.is_available(rid),
        Err(RepoError::DeltaChain { .. })
    ));
}

#[test]
fn a_failed_transaction_leaves_no_content_in_the_cache() {
    let mut repo = repo();
    let failed: Result<(), RepoError> = repo.write(|tx| {
        let (rid, _) = tx.put(b"never was", Put::default())?;
        tx.content(rid)?;
        Err(RepoError::BadUvName)
    });
    failed.expect_err("asked for");
    let (rid, _) = repo.write(|tx| tx.put(b"is", Put::default())).expect("put");
    assert_eq!(
        repo.content(rid).expect("stored").expect("here").as_slice(),
        b"is"
    );
}
