//! Deltas and compressed blobs: each side reads what the other wrote, and our deltas are no longer.

use std::path::Path;
use std::process::Command;

use leaf_core::format::delta::{apply, create};
use leaf_core::format::zblob::{compress, expand};

/// Runs `fossil COMMAND FILE..` in `folder`.
fn fossil(folder: &Path, arguments: &[&str]) {
    let output = Command::new("fossil")
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = output.expect("stock fossil is installed");
    assert!(
        output.status.success(),
        "fossil {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).expect("a temporary file");
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).expect("what fossil wrote")
}

/// A deterministic sequence (`SplitMix64`).
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bound = u64::try_from(bound).expect("64 bits");
        usize::try_from((z ^ (z >> 31)) % bound).expect("less than the bound")
    }
}

/// A later version of `content`: lines that changed, came, went and moved.
fn edited(content: &[u8], random: &mut Sequence) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = content
        .split_inclusive(|&byte| byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    for _ in 0..=random.below(12) {
        let at = random.below(lines.len());
        match random.below(4) {
            0 => lines[at]
                .splice(0..0, format!("edit {} ", random.below(1000)).into_bytes())
                .for_each(drop),
            1 => lines.insert(
                at,
                format!("a new line, number {}\n", random.below(100_000)).into_bytes(),
            ),
            2 => drop(lines.remove(at)),
            _ => {
                let moved: Vec<Vec<u8>> = lines.drain(at..(at + 20).min(lines.len())).collect();
                let to = random.below(lines.len() + 1);
                lines.splice(to..to, moved);
            }
        }
    }
    lines.concat()
}

/// What a linker might have written: a table of records that are much alike, then code. The same in every build,
/// as a program that differs from build to build would make the sizes below a matter of chance.
fn binary(random: &mut Sequence) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut place = 0x4000_u64;
    for _ in 0..4_000 {
        place += 8 * (1 + random.below(3) as u64);
        let target = 0x1_0000 + 16 * random.below(20_000) as u64;
        for word in [place, 8, target] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
    }
    while bytes.len() < 200_000 {
        let instruction = [0x48, 0x8b, 0x0f, 0xe8, 0xc3, 0x0a][random.below(6)];
        bytes.extend_from_slice(&[instruction, u8::try_from(random.below(64)).expect("small"), 0]);
    }
    bytes
}

/// Real text and binary content, and a later version of each.
fn versions() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut random = Sequence(1);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut contents = vec![binary(&mut random)];
    for name in [
        "LICENSE",
        "Cargo.lock",
        "leaf-core/src/id.rs",
        "leaf-core/src/time.rs",
    ] {
        contents.push(read(&root, name));
    }
    let mut versions = Vec::new();
    for content in contents {
        let mut last = content;
        for _ in 0..10 {
            let next = edited(&last, &mut random);
            versions.push((last, next.clone()));
            last = next;
        }
    }
    versions
}

#[test]
fn stock_applies_what_we_create_and_ours_is_no_longer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let (mut ours_bytes, mut stock_bytes) = (0, 0);
    for (source, target) in versions() {
        let ours = create(&source, &target);
        write(folder, "source", &source);
        write(folder, "target", &target);
        write(folder, "ours", &ours);
        fossil(folder, &["test-delta-apply", "source", "ours", "made"]);
        assert!(
            read(folder, "made") == target,
            "stock made something else of our delta"
        );
        fossil(folder, &["test-delta-create", "source", "target", "stock"]);
        let stock = read(folder, "stock");
        assert!(
            apply(&source, &stock, target.len()).as_ref() == Ok(&target),
            "stock's delta failed here"
        );
        ours_bytes += ours.len();
        stock_bytes += stock.len();
    }
    assert!(
        stock_bytes > 5_000,
        "the versions differ: {stock_bytes} bytes of deltas"
    );
    assert!(
        ours_bytes * 100 <= stock_bytes * 101,
        "ours {ours_bytes} bytes, stock's {stock_bytes}"
    );
}

#[test]
fn stock_expands_what_we_compress_and_the_other_way_round() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    for (content, _) in versions() {
        write(folder, "content", &content);
        write(folder, "ours", &compress(&content));
        fossil(folder, &["test-uncompress", "ours", "made"]);
        assert!(
            read(folder, "made") == content,
            "stock made something else of our blob"
        );
        fossil(folder, &["test-compress", "content", "stock"]);
        assert!(expand(&read(folder, "stock"), content.len()).as_ref() == Ok(&content));
    }
}
