//! The grammar of artifacts: stock and this project give the same verdict on every mutation of real ones.
//!
//! Mutations are made card by card and argument by argument, with a right `Z` card put under the result: a
//! flipped byte alone would be caught by the checksum and show nothing.

use leaf_core::format::artifact::Artifact;
use leaf_core::format::hash::md5_hex;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Mutations of each fixture. Each costs one run of `fossil`, about two milliseconds.
const MUTATIONS: u64 = 60;

/// Arguments that one grammar rule or another turns on.
const PIECES: [&str; 40] = [
    "",
    "*",
    "+",
    "-",
    "+x",
    "*x",
    "-x",
    "+abc",
    "+gone",
    "x",
    "l",
    "w",
    "xl",
    "a",
    "zz",
    "a/b",
    "a//b",
    "/a",
    "a/",
    ".",
    "..",
    "a/../b",
    "./a",
    "_FOSSIL_",
    "a/.fslckout-wal",
    "\\s",
    "two\\s\\swords",
    "end\\s",
    "cut\\0off",
    "back\\",
    "0",
    "3",
    "12x",
    "999999",
    "2026-11-21",
    "2026-11-21T25:00:00",
    "12:30",
    "d41d8cd98f00b204e9800998ecf8427e",
    "57d253ccc53a9ae1a5470180471dbdbf0cb56f79",
    "3761dad138a7cf20b1e29044662bfe1ed814c7e0a77ce808b6ceec454753c773",
];

/// Whole cards, one of each letter and some of none.
const CARDS: [&str; 24] = [
    "A f.txt Page",
    "B 3761dad138a7cf20b1e29044662bfe1ed814c7e0a77ce808b6ceec454753c773",
    "C comment",
    "D 2026-01-01T00:00:00",
    "E 2026-01-01T00:00:00 57d253ccc53a9ae1a5470180471dbdbf0cb56f79",
    "F zzz 57d253ccc53a9ae1a5470180471dbdbf0cb56f79",
    "F zzzz",
    "G 57d253ccc53a9ae1a5470180471dbdbf0cb56f79",
    "H title",
    "I 57d253ccc53a9ae1a5470180471dbdbf0cb56f79",
    "J field",
    "K 57d253ccc53a9ae1a5470180471dbdbf0cb56f79",
    "L Page",
    "M 57d253ccc53a9ae1a5470180471dbdbf0cb56f79",
    "N text/plain",
    "P",
    "P 57d253ccc53a9ae1a5470180471dbdbf0cb56f79",
    "Q +57d253ccc53a9ae1a5470180471dbdbf0cb56f79",
    "R d41d8cd98f00b204e9800998ecf8427e",
    "T +zz *",
    "U",
    "W 0\n",
    "X unknown",
    "z lower",
];

/// A stream of numbers that a seed repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (bound.max(1) as u64)).expect("below a usize")
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/artifact");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("fixtures")
        .map(|f| f.expect("entry").path())
        .collect();
    files.sort();
    files
}

/// `content` with its `Z` card replaced by a right one.
fn signed(mut body: Vec<u8>) -> Vec<u8> {
    let checksum = md5_hex(&body);
    body.extend_from_slice(format!("Z {checksum}\n").as_bytes());
    body
}

fn mutate(content: &[u8], dice: &mut Dice) -> Vec<u8> {
    let body = &content[..content.len() - 35];
    let mut lines: Vec<Vec<u8>> = body
        .strip_suffix(b"\n")
        .unwrap_or(body)
        .split(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    for _ in 0..=dice.below(2) {
        let at = dice.below(lines.len());
        match dice.below(8) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let other = dice.below(lines.len());
                lines.swap(at, other);
            }
            3 => {
                let card = dice.pick(&CARDS).as_bytes().to_vec();
                let place = lines.partition_point(|line| line.first() <= card.first());
                lines.insert(place, card);
            }
            4 => {
                let byte = dice.pick(b" \\\0\tA*+-/.\xff0a");
                let place = dice.below(lines[at].len() + 1);
                lines[at].insert(place, byte);
            }
            kind => mutate_argument(&mut lines[at], kind, dice),
        }
        if lines.is_empty() {
            break;
        }
    }
    let mut body = lines.join(&b'\n');
    body.push(b'\n');
    signed(body)
}

fn mutate_argument(line: &mut Vec<u8>, kind: usize, dice: &mut Dice) {
    let mut arguments: Vec<Vec<u8>> = line.split(|byte| *byte == b' ').map(<[u8]>::to_vec).collect();
    let at = dice.below(arguments.len());
    let piece = dice.pick(&PIECES).as_bytes().to_vec();
    match kind {
        5 if arguments.len() > 1 => drop(arguments.remove(at)),
        6 => arguments.insert(at.max(1), piece),
        _ => arguments[at] = piece,
    }
    *line = arguments.join(&b' ');
}

fn stock_accepts(file: &Path) -> bool {
    let folder = file.parent().expect("a file in a folder");
    let mut command = Command::new("fossil");
    command
        .arg("test-parse-manifest")
        .arg(file)
        .env("HOME", folder)
        .current_dir(folder);
    let output = command.output().expect("fossil runs");
    String::from_utf8_lossy(&output.stdout).contains("manifest_parse() worked")
}

#[test]
fn stock_and_we_agree_on_every_mutation() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("artifact");
    let mut accepted = 0;
    let mut disagreements = Vec::new();
    for (index, fixture) in fixtures().iter().enumerate() {
        let content = std::fs::read(fixture).expect("fixture");
        if content.starts_with(b"-") {
            continue;
        }
        for seed in 1..=MUTATIONS {
            let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index as u64 + 1));
            let mutated = mutate(&content, &mut dice);
            std::fs::write(&file, &mutated).expect("written");
            let (stock, ours) = (stock_accepts(&file), Artifact::parse(&mutated));
            accepted += u64::from(stock);
            if stock != ours.is_ok() {
                let text = String::from_utf8_lossy(&mutated).into_owned();
                disagreements.push(format!(
                    "{} seed {seed}: stock {stock}, ours {ours:?}\n{text}",
                    fixture.display()
                ));
            }
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
    assert!(
        accepted > 100,
        "only {accepted} mutations were accepted: the test shows little"
    );
}

#[test]
fn stock_accepts_every_fixture() {
    let folder = tempfile::tempdir().expect("folder");
    for fixture in fixtures() {
        let file = folder.path().join("artifact");
        std::fs::copy(&fixture, &file).expect("copied");
        assert!(stock_accepts(&file), "{}", fixture.display());
    }
}
