//! Puts the built page, the files of `web/dist`, into the program; none of it when it was not built.
//!
//! Writes `page.rs`, a slice of `Asset` for `serve::asset`. `FILE.br`, which the page's build puts beside `FILE`
//! where it pays, becomes its compressed form.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, error, fs, io};

fn main() -> Result<(), Box<dyn error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let dist = root.join("web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    // What is not there counts as changed each time. Then what is above it tells when it comes.
    let watched = [dist.clone(), root.join("web"), root.join("Makefile")];
    if let Some(watched) = watched.iter().find(|path| path.exists()) {
        println!("cargo:rerun-if-changed={}", watched.display());
    }
    let mut files = Vec::new();
    if dist.is_dir() {
        collect(&dist.canonicalize()?, "", &mut files)?;
    }
    files.sort();
    let mut table = "&[\n".to_owned();
    let find = |path: &str| files.iter().find(|(known, _)| known == path);
    for (path, file) in &files {
        if path.strip_suffix(".br").and_then(find).is_some() {
            continue;
        }
        let packed = find(&format!("{path}.br"));
        let packed = packed.map_or("None".to_owned(), |(_, file)| {
            format!("Some(include_bytes!({file:?}))")
        });
        let tag = fingerprint(&fs::read(file)?);
        writeln!(
            table,
            "Asset {{ path: {path:?}, plain: include_bytes!({file:?}), brotli: {packed}, tag: \"{tag:016x}\" }},"
        )?;
    }
    table.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("page.rs"), table)?;
    Ok(())
}

/// Every file below `folder`, by its path in a URL; hidden ones are nobody's business.
fn collect(folder: &Path, above: &str, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{above}{name}");
        if name.starts_with('.') {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => collect(&entry.path(), &format!("{path}/"), files)?,
            false => files.push((path, entry.path().display().to_string())),
        }
    }
    Ok(())
}

/// FNV-1a: tells one build of a file from the next, nothing more.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
