//! Verifying many contents at once.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::sync::Arc;

use leaf_core::format::artifact::{Artifact, ArtifactView};
use leaf_core::format::batch::{BatchVerifier, Verdict};
use leaf_core::format::hash::{HashKind, name};
use leaf_core::limits::Limits;
use proptest::collection::vec;
use proptest::prelude::*;

const TEXT: &[u8] = include_bytes!("../../../tests/fixtures/delta/text.source");
const MANIFEST: &[u8] = include_bytes!("../../../tests/fixtures/artifact/manifest_files");
const SIGNED: &[u8] = include_bytes!("../../../tests/fixtures/artifact/manifest_signed");
const CLUSTER: &[u8] = include_bytes!("../../../tests/fixtures/artifact/cluster");

/// The verdicts on contents that all have their right SHA3 name.
fn verdicts(contents: &[Vec<u8>]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut verifier = BatchVerifier::new(1 << 20);
    for content in contents {
        let hash = name(HashKind::Sha3, content);
        verifier.push((), hash, content.clone(), &mut |(), verdict, _| {
            verdicts.push(verdict);
        });
    }
    verifier.flush(&mut |(), verdict, _| verdicts.push(verdict));
    verdicts
}

#[test]
fn a_batch_waits_until_its_budget_is_full() {
    let mut heard = Vec::new();
    let mut verifier = BatchVerifier::new(10_000);
    for tag in 0..3 {
        let content = vec![tag; 4_000];
        let hash = name(HashKind::Sha3, &content);
        verifier.push(tag, hash, content, &mut |tag, verdict, _| {
            heard.push((tag, verdict.named_right));
        });
        let wanted: &[(u8, bool)] = if tag < 2 {
            &[]
        } else {
            &[(0, true), (1, true), (2, true)]
        };
        assert_eq!(heard, wanted);
    }
    verifier.flush(&mut |tag, verdict, _| heard.push((tag, verdict.named_right)));
    assert_eq!(heard.len(), 3, "nothing is heard twice");
}

#[test]
fn shared_content_serves_as_a_source_while_it_waits() {
    let content = Arc::new(TEXT.to_vec());
    let mut verifier = BatchVerifier::new(1 << 20);
    verifier.push(
        (),
        name(HashKind::Sha3, TEXT),
        Arc::clone(&content),
        &mut |(), _, _| unreachable!("the budget is not full"),
    );
    assert_eq!(content.as_slice(), TEXT);
    let mut back = None;
    verifier.flush(&mut |(), verdict, content| back = Some((verdict, content)));
    let (verdict, back) = back.expect("one verdict");
    assert!(verdict.named_right && Arc::ptr_eq(&back, &content));
}

#[test]
fn a_batch_checks_z_cards_signed_or_not() {
    let damaged = |content: &[u8]| {
        let mut damaged = content.to_vec();
        damaged[content.len() / 2] ^= 1;
        damaged
    };
    let contents = [
        MANIFEST.to_vec(),
        SIGNED.to_vec(),
        CLUSTER.to_vec(),
        damaged(MANIFEST),
        damaged(CLUSTER),
        TEXT.to_vec(),
    ];
    let wanted = [Some(true), Some(true), Some(true), Some(false), Some(false), None];
    let z_right: Vec<_> = verdicts(&contents)
        .into_iter()
        .map(|verdict| verdict.z_right)
        .collect();
    assert_eq!(z_right, wanted);
}

/// Content, whether it is named by SHA3, and whether the name is a wrong one.
fn claim() -> impl Strategy<Value = (Vec<u8>, bool, bool)> {
    (
        vec(any::<u8>(), 0..700),
        any::<bool>(),
        proptest::bool::weighted(0.2),
    )
}

/// An artifact of stock with up to two bytes changed.
fn artifact() -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (
        prop::sample::select(vec![MANIFEST, SIGNED, CLUSTER, TEXT]),
        changes,
    )
        .prop_map(|(artifact, changes)| {
            let mut artifact = artifact.to_vec();
            for (at, byte) in changes {
                let at = at.index(artifact.len());
                artifact[at] = byte;
            }
            artifact
        })
}

proptest! {
    #![proptest_config(crate::properties::config(60))]

    #[test]
    fn a_batch_gives_each_content_its_own_verdict_in_order(
        claims in vec(claim(), 0..30),
        bytes_max in 0_usize..9_000,
    ) {
        let mut heard = Vec::new();
        let mut done = |tag: usize, verdict: Verdict, content: Vec<u8>| heard.push((tag, verdict.named_right, content));
        let mut verifier = BatchVerifier::new(bytes_max);
        for (tag, (content, sha3, wrong)) in claims.iter().enumerate() {
            let kind = if *sha3 { HashKind::Sha3 } else { HashKind::Sha1 };
            let hash = if *wrong { name(kind, b"something else entirely") } else { name(kind, content) };
            verifier.push(tag, hash, content.clone(), &mut done);
        }
        verifier.flush(&mut done);
        let wanted: Vec<_> =
            claims.into_iter().enumerate().map(|(tag, (content, _, wrong))| (tag, !wrong, content)).collect();
        prop_assert_eq!(heard, wanted);
    }

    #[test]
    fn with_the_verdict_an_artifact_parses_as_without(contents in vec(artifact(), 0..12)) {
        for (content, verdict) in contents.iter().zip(verdicts(&contents)) {
            let alone = ArtifactView::parse(content).map(|view| matches!(view, ArtifactView::Manifest(_)));
            let checked = ArtifactView::parse_checked(content, verdict.z_right, &Limits::default());
            prop_assert_eq!(checked.map(|view| matches!(view, ArtifactView::Manifest(_))), alone);
            prop_assert_eq!(alone.is_ok(), Artifact::parse(content).is_ok());
        }
    }
}
