//! The hot paths of the format, each at the sizes that repositories have: a 200-byte source line file, a
//! 3 KB source file, a 66 KB manifest of a project with many files.
#![allow(missing_docs, reason = "criterion's macros write functions without any")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use leaf_core::format::batch::{BatchVerifier, Verdict};
use leaf_core::format::hash::{HashKind, name, sha1_hex, verify};
use leaf_core::format::zblob::{Inflater, compress, compress_fast, expand};
use leaf_core::format::{delta, hash};

const SIZES: [usize; 3] = [200, 3_000, 66_000];

/// A manifest-like text: lines of a path and a hash.
fn manifest(bytes: usize, seed: usize) -> Vec<u8> {
    let line = |n: usize| {
        let hash = name(HashKind::Sha3, &(n * 7919 + seed).to_le_bytes());
        format!("F src/module{}/file{n:05}.c {hash}\n", n / 40)
    };
    let mut text = (0..).flat_map(|n| line(n).into_bytes());
    text.by_ref().take(bytes).collect()
}

/// As `manifest`, with two lines changed and one new.
fn next_version(manifest: &[u8]) -> Vec<u8> {
    let mut next = manifest.to_vec();
    for at in [next.len() / 3, next.len() / 2] {
        next[at..at + 40].reverse();
    }
    let at = next.len() * 4 / 5;
    next.splice(at..at, *b"F src/new/file.c 0123456789abcdef\n");
    next
}

fn deltas(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("delta");
    for bytes in SIZES {
        let source = manifest(bytes, 0);
        let target = next_version(&source);
        let made = delta::create(&source, &target);
        let unrelated: Vec<u8> = target
            .iter()
            .enumerate()
            .map(|(at, byte)| byte ^ at.to_le_bytes()[0])
            .collect();
        group.throughput(Throughput::Bytes(target.len() as u64));
        group.bench_function(BenchmarkId::new("create", bytes), |b| {
            b.iter(|| delta::create(&source, &target));
        });
        group.bench_function(BenchmarkId::new("create unrelated", bytes), |b| {
            b.iter(|| delta::create(&source, &unrelated));
        });
        group.bench_function(BenchmarkId::new("apply", bytes), |b| {
            b.iter(|| delta::apply(&source, &made, 1 << 20).expect("our own delta"));
        });
    }
    group.finish();
}

fn blobs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("zblob");
    for bytes in SIZES {
        let content = manifest(bytes, 0);
        let stored = compress(&content);
        let mut inflater = Inflater::new();
        let mut out = Vec::new();
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::new("inflate", bytes), |b| {
            b.iter(|| {
                inflater
                    .expand_into(black_box(&stored), 1 << 20, &mut out)
                    .expect("our own blob");
            });
        });
        group.bench_function(BenchmarkId::new("expand", bytes), |b| {
            b.iter(|| expand(&stored, 1 << 20));
        });
        group.bench_function(BenchmarkId::new("compress", bytes), |b| {
            b.iter(|| compress(&content));
        });
        group.bench_function(BenchmarkId::new("compress fast", bytes), |b| {
            b.iter(|| compress_fast(&content));
        });
    }
    group.finish();
}

fn hashes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hash");
    for bytes in SIZES {
        let content = manifest(bytes, 0);
        let sha1 = name(HashKind::Sha1, &content);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::new("sha3", bytes), |b| {
            b.iter(|| name(HashKind::Sha3, &content));
        });
        group.bench_function(BenchmarkId::new("sha1 checked", bytes), |b| {
            b.iter(|| verify(&sha1, &content));
        });
        group.bench_function(BenchmarkId::new("sha1", bytes), |b| b.iter(|| sha1_hex(&content)));
        group.bench_function(BenchmarkId::new("md5", bytes), |b| {
            b.iter(|| hash::md5_hex(&content));
        });
        batch(&mut group, bytes);
    }
    group.finish();
}

/// 4 MB of contents through the verifier.
fn batch(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, bytes: usize) {
    let contents: Vec<Vec<u8>> = (0..4_000_000 / bytes).map(|seed| manifest(bytes, seed)).collect();
    let named: Vec<_> = contents
        .into_iter()
        .map(|content| (name(HashKind::Sha3, &content), content))
        .collect();
    group.throughput(Throughput::Bytes((named.len() * bytes) as u64));
    let contents: Vec<&[u8]> = named.iter().map(|(_, content)| content.as_slice()).collect();
    group.bench_function(BenchmarkId::new("md5 batch", bytes), |b| {
        b.iter(|| hash::md5_many(&contents));
    });
    group.bench_function(BenchmarkId::new("sha3 batch", bytes), |b| {
        b.iter_batched(
            || named.clone(),
            |named| {
                let mut verifier = BatchVerifier::new(usize::MAX);
                let mut right = 0;
                let mut done = |(), verdict: Verdict, _: Vec<u8>| right += usize::from(verdict.named_right);
                for (hash, content) in named {
                    verifier.push((), hash, content, &mut done);
                }
                verifier.flush(&mut done);
                right
            },
            criterion::BatchSize::LargeInput,
        );
    });
}

criterion_group!(benches, deltas, blobs, hashes);
criterion_main!(benches);
