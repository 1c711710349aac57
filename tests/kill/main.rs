//! `kill -9` at random points of clone, sync, commit and rebuild: nothing acknowledged is lost, nothing half done stays.
//!
//! Points are drawn from `$LEAF_SEED` (default 1), printed with each test. A run holds 50 kills: 16 of a clone, 13 of
//! a sync, 13 of a commit, 8 of a rebuild. A program that ends before its kill does not count; another is started.
#![cfg(not(target_arch = "wasm32"))]

use leaf_tests::leaf::{LeafServer, leaf_program};
use leaf_tests::oracle::{artifacts, assert_same_artifacts, assert_sound, derived_differences};
use leaf_tests::scene::{self, Checkout};
use leaf_tests::scratch::Scratch;
use leaf_tests::seed::Seed;
use leaf_tests::stock::StockServer;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The kills of one test.
struct Kills {
    seed: Seed,
    /// Still to come.
    due: u32,
    /// Programs that may be started for them.
    tries: u32,
}

impl Kills {
    fn begin(test: &str, due: u32) -> Self {
        let seed = Seed::from_environment(1);
        println!("{test}: LEAF_SEED={}, {due} kills", seed.value());
        Self {
            seed,
            due,
            tries: 6 * due,
        }
    }

    /// Whether more kills are to come.
    fn are_due(&self) -> bool {
        self.due > 0
    }

    /// Starts `leaf args` and kills it at some point within `whole`. `false` if it had ended by itself before that,
    /// which it must have done well.
    fn strike(&mut self, scratch: &Scratch, args: &[&str], whole: Duration) -> bool {
        self.tries = self
            .tries
            .checked_sub(1)
            .expect("one program in six lives until its kill");
        let delay = self
            .seed
            .below(u64::try_from(whole.as_micros()).unwrap_or(u64::MAX));
        let mut command = scratch.leaf_command();
        command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("leaf runs");
        sleep(Duration::from_micros(delay));
        child.kill().expect("our own child");
        let status = child.wait().expect("our own child");
        let is_killed = status.signal() == Some(9);
        assert!(is_killed || status.success(), "{args:?} ended with {status}");
        self.due -= u32::from(is_killed);
        is_killed
    }
}

/// How long `leaf args` takes when nobody kills it; it must end well.
fn took(scratch: &Scratch, args: &[&str]) -> Duration {
    // The first to ask for the program may have to wait until it is built.
    let _ = leaf_program();
    let begin = Instant::now();
    scratch.leaf(args);
    begin.elapsed()
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[test]
fn a_killed_clone_is_no_repository_and_goes_on_to_be_whole() {
    let mut kills = Kills::begin("clone", 16);
    let scratch = Scratch::new();
    let origin = leaf_tests::corpus::tiny(10_000);
    let server = StockServer::start(&scratch, &origin);
    let first = scratch.path("first.fossil");
    let whole = took(&scratch, &["clone", &server.url(), shown(&first)]);
    for number in 0.. {
        if !kills.are_due() {
            break;
        }
        let file = scratch.path(&format!("clone-{number}.fossil"));
        let args = ["clone", &server.url(), shown(&file)];
        for _ in 0..4 {
            if !kills.are_due() || !kills.strike(&scratch, &args, whole) {
                break;
            }
            // Cut off, it is no repository yet, or the kill came after the last transaction: then it is a whole one.
            if file.exists() && scratch.leaf_any(&["verify", shown(&file)]).code == Some(0) {
                assert_same_artifacts(&origin, &file);
                break;
            }
        }
        if scratch.leaf_any(&["verify", shown(&file)]).code != Some(0) {
            scratch.leaf(&args);
        }
        assert_same_artifacts(&origin, &file);
        assert_sound(&scratch, &file);
    }
}

#[test]
fn a_killed_sync_loses_nothing_and_the_next_one_converges() {
    let mut kills = Kills::begin("sync", 13);
    let scratch = Scratch::new();
    let origin = scene::small(&scratch, "origin.fossil");
    let server = LeafServer::start(&scratch, &origin);
    let clone = scratch.path("clone.fossil");
    let url = server.url_as("bob", "bob-pw");
    scratch.leaf(&["clone", &url, shown(&clone)]);
    let (here, there) = (
        Checkout::open(&scratch, &clone, "alice"),
        Checkout::open(&scratch, &origin, "alice"),
    );
    let args = ["sync", url.as_str(), "-R", shown(&clone)];
    let whole = took(&scratch, &args);
    for round in 0.. {
        if !kills.are_due() {
            break;
        }
        here.commit(
            "h.txt",
            &kills.seed.bytes(20_000),
            &format!("Here {round}"),
            &["--branch", &format!("h{round}")],
        );
        there.commit(
            "t.txt",
            &kills.seed.bytes(20_000),
            &format!("There {round}"),
            &["--branch", &format!("t{round}")],
        );
        let before = (artifacts(&origin), artifacts(&clone));
        kills.strike(&scratch, &args, whole * 3 / 2);
        assert!(
            artifacts(&origin).is_superset(&before.0) && artifacts(&clone).is_superset(&before.1),
            "lost"
        );
        assert_sound_for_leaf(&scratch, &clone);
    }
    scratch.leaf(&args);
    assert_same_artifacts(&origin, &clone);
    for file in [&origin, &clone] {
        assert_sound(&scratch, file);
        assert_eq!(derived_differences(&scratch, file), [""; 0]);
    }
}

fn assert_sound_for_leaf(scratch: &Scratch, file: &Path) {
    let said = scratch.leaf_any(&["verify", shown(file)]);
    assert_eq!(said.code, Some(0), "{}", said.text());
}

#[test]
fn a_killed_commit_is_there_in_full_or_not_at_all() {
    let mut kills = Kills::begin("commit", 13);
    let scratch = Scratch::new();
    let file = scene::small(&scratch, "repo.fossil");
    std::fs::write(scratch.path("input"), kills.seed.bytes(100_000)).expect("a file");
    let commit = |message: &str, name: &str| -> Vec<String> {
        let from = format!("{name}=input");
        [
            "commit",
            "-R",
            shown(&file),
            "--user",
            "alice",
            "-m",
            message,
            &from,
        ]
        .map(str::to_string)
        .into()
    };
    let words = |args: &[String]| args.to_vec();
    let first = words(&commit("Not killed", "first.bin"));
    let whole = took(&scratch, &first.iter().map(String::as_str).collect::<Vec<_>>());
    for round in 0.. {
        if !kills.are_due() {
            break;
        }
        std::fs::write(scratch.path("input"), kills.seed.bytes(100_000)).expect("a file");
        let message = format!("Killed {round}");
        let args = commit(&message, &format!("k{round}.bin"));
        let before = artifacts(&file);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let acknowledged = !kills.strike(&scratch, &args, whole);
        let count = leaf_tests::oracle::number(
            &file,
            &format!("SELECT count(*) FROM event WHERE comment='{message}'"),
        );
        let new = artifacts(&file).len() - before.len();
        assert!(artifacts(&file).is_superset(&before), "lost");
        assert!(
            (count, new) == (1, 2) || (count, new) == (0, 0),
            "half a check-in: {count} events, {new} artifacts"
        );
        assert!(count == 1 || !acknowledged, "an acknowledged check-in is gone");
    }
    assert_sound(&scratch, &file);
    assert_eq!(derived_differences(&scratch, &file), [""; 0]);
}

#[test]
fn a_killed_rebuild_leaves_the_tables_as_they_were_or_rebuilt() {
    let mut kills = Kills::begin("rebuild", 8);
    let scratch = Scratch::new();
    let file = scratch.path("corpus.fossil");
    std::fs::copy(leaf_tests::corpus::packages(), &file).expect("a copy of the corpus");
    let args = ["rebuild", shown(&file)];
    let whole = took(&scratch, &args);
    while kills.are_due() {
        kills.strike(&scratch, &args, whole);
        assert_sound_for_leaf(&scratch, &file);
    }
    assert_sound(&scratch, &file);
    assert_eq!(derived_differences(&scratch, &file), [""; 0]);
}
