//! The repositories with real and generated history, made once by the scripts in `tests/corpus` and kept in `.cache`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The published history of three npm packages with all that Fossil can hold around it. Read it, copy it, leave it.
pub fn packages() -> PathBuf {
    made("corpus.fossil", "make.sh", &[])
}

/// About `artifacts` small artifacts.
pub fn tiny(artifacts: u32) -> PathBuf {
    made(
        &format!("tiny-{artifacts}.fossil"),
        "generate.sh",
        &["tiny", &artifacts.to_string()],
    )
}

/// One file in `length` versions, every one but the last a delta of the next.
pub fn chain(length: u32) -> PathBuf {
    made(
        &format!("chain-{length}.fossil"),
        "generate.sh",
        &["chain", &length.to_string()],
    )
}

/// The file `name` in the cache; `script` with `args` makes it if it is not there yet.
///
/// The name of the file carries the checksum of the script, so that a changed script makes a new one. Test binaries
/// that want the same file at the same time wait for each other on a lock.
fn made(name: &str, script: &str, args: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let script = folder.join(script);
    let cache = cache();
    std::fs::create_dir_all(&cache).expect("the cache folder");
    let lock = File::create(cache.join(format!("{name}.lock"))).expect("a lock file");
    lock.lock().expect("a lock");
    let file = cache.join(format!("{:08x}-{name}", checksum(&script)));
    if !file.exists() {
        let status = Command::new(&script)
            .args(args)
            .arg(&file)
            .status()
            .expect("the script runs");
        assert!(status.success(), "{} did not make {name}", script.display());
    }
    file
}

/// `$LEAF_CACHE`, or `.cache` at the root of the tree.
pub fn cache() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is in the workspace");
    std::env::var_os("LEAF_CACHE").map_or_else(|| root.join(".cache"), PathBuf::from)
}

/// FNV-1a: enough to tell one version of a script from another.
fn checksum(script: &Path) -> u32 {
    let text = std::fs::read(script).expect("the script");
    text.iter().fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
