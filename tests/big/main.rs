//! Repositories that do not fit into what a server may take: its memory is bounded by the reply, not by the file.
//!
//! The peak is the kernel's own figure, `VmHWM`: all that a process ever held in memory at once.
//!
//! Source: Fossil setting `max-download`; `proc_pid_status(5)`.
#![cfg(not(target_arch = "wasm32"))]

use leaf_core::repo::{Put, Repo, RepoError};
use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::number;
use leaf_tests::scratch::Scratch;
use leaf_tests::seed::Seed;
use std::path::{Path, PathBuf};

/// Size of each artifact. Units: bytes.
const ARTIFACT_BYTES: usize = 1 << 20;
/// What a server of any repository may take. Units: KiB.
const PEAK_MAX_KIB: u64 = 64 << 10;
/// What five times the repository may add: which thread has served what is a matter of chance. Units: KiB.
const GROWTH_MAX_KIB: u64 = 12 << 10;

/// A repository of `artifacts` that no compression makes smaller.
fn big(scratch: &Scratch, artifacts: u64) -> PathBuf {
    let name = format!("{artifacts}.fossil");
    scratch.leaf(&["new", &name]);
    let file = scratch.path(&name);
    let db = rusqlite::Connection::open(&file).expect("a new repository");
    db.pragma_update(None, "synchronous", "OFF")
        .expect("a connection");
    let mut repo = Repo::open(db).expect("a repository");
    // One is like the other but for its number: each is compressed by itself.
    let mut content = Seed::new(1).bytes(ARTIFACT_BYTES);
    let put = repo.write(|tx| {
        for number in 0..artifacts {
            content[..8].copy_from_slice(&number.to_le_bytes());
            tx.put(&content, Put::default())?;
        }
        Ok::<_, RepoError>(())
    });
    put.expect("the disk has room");
    let bytes = std::fs::metadata(&file).expect("the repository").len();
    let plain = artifacts * ARTIFACT_BYTES as u64;
    assert!(bytes > plain, "it compresses: {bytes} bytes for {plain}");
    file
}

/// The most memory that a process has held so far. Units: KiB.
fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux tells");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next());
    peak.and_then(|kib| kib.parse().ok()).expect("a number of kB")
}

/// What a server of `origin` takes while `program` clones it, once.
fn peak_of_serving(scratch: &Scratch, origin: &Path, program: &str) -> u64 {
    let server = LeafServer::start(scratch, origin);
    let clone = scratch.path("clone.fossil");
    if program == "leaf" {
        scratch.leaf(&["clone", &server.url(), "clone.fossil"]);
    } else {
        scratch.fossil(&["clone", "--no-open", &server.url(), "clone.fossil"]);
    }
    let peak = peak_kib(server.pid());
    let all = "SELECT count(*) FROM blob WHERE size >= 0";
    assert_eq!(number(&clone, all), number(origin, all), "the clone is whole");
    std::fs::remove_file(clone).expect("the clone");
    peak
}

#[test]
fn serving_a_clone_takes_the_same_little_memory_whatever_the_size() {
    let scratch = Scratch::new();
    let origins = [32, 160].map(|mebibytes| big(&scratch, mebibytes));
    for program in ["leaf", "fossil"] {
        let peaks = origins
            .each_ref()
            .map(|origin| peak_of_serving(&scratch, origin, program));
        let [small, large] = peaks;
        println!("server of {program}: {small} KiB for 32 MiB, {large} KiB for 160 MiB");
        assert!(large < PEAK_MAX_KIB, "{program}: {large} KiB to serve 160 MiB");
        assert!(
            large < small + GROWTH_MAX_KIB,
            "{program}: it grows with the repository: {small} KiB for 32 MiB, {large} KiB for 160 MiB"
        );
    }
}
