//! Reading artifacts: a manifest of a thousand files, the same in place, and an ordinary file turned away.
#![allow(missing_docs, reason = "criterion's macros write functions without any")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use leaf_core::format::artifact::{Artifact, ManifestView};
use leaf_core::format::hash::{HashKind, md5_hex, name};
use std::fmt::Write;

fn manifest(files: usize) -> Vec<u8> {
    let mut text = "C A\\scheck-in\nD 2026-01-01T00:00:00.000\n".to_owned();
    for n in 0..files {
        let hash = name(HashKind::Sha3, &n.to_le_bytes());
        writeln!(text, "F src/module{:03}/file{n:05}.c {hash}", n / 40).expect("a string");
    }
    text.push_str("U alice\n");
    let checksum = md5_hex(text.as_bytes());
    writeln!(text, "Z {checksum}").expect("a string");
    text.into_bytes()
}

fn artifacts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("artifact");
    let manifest = manifest(1000);
    group.throughput(Throughput::Bytes(manifest.len() as u64));
    group.bench_function("md5 alone", |b| b.iter(|| md5_hex(&manifest)));
    group.bench_function("parse", |b| b.iter(|| Artifact::parse(&manifest)));
    group.bench_function("view", |b| b.iter(|| ManifestView::parse(&manifest)));
    let file = include_bytes!("artifact.rs");
    group.bench_function("ordinary file", |b| b.iter(|| Artifact::parse(file)));
    group.finish();
}

criterion_group!(benches, artifacts);
criterion_main!(benches);
