//! Unversioned files. To write one twice changes nothing, so these need no names of requests.

use super::read::{bytes, ms};
use crate::engine::Leaf;
use crate::failure::Failed;
use crate::host::now;
use crate::protocol::{FileContent, Nothing, UvFile, UvName, UvWrite};
use leaf_core::repo::Repo;
use leaf_core::time::Timestamp;

/// All files but deleted ones.
pub(super) fn list(repo: &Repo) -> Result<Vec<UvFile>, Failed> {
    let files = repo.uv_list()?.into_iter().filter_map(|file| {
        let hash = file.hash?;
        Some(UvFile {
            name: file.name,
            hash: hash.to_string(),
            time: ms(Timestamp::from_unix(file.mtime)),
            size: file.size,
        })
    });
    Ok(files.collect())
}

fn find(repo: &Repo, name: &str) -> Result<UvFile, Failed> {
    let file = list(repo)?.into_iter().find(|file| file.name == name);
    file.ok_or_else(|| Failed::not_found("unversioned file", name))
}

/// One file.
pub(super) fn read(repo: &Repo, args: &UvName) -> Result<FileContent, Failed> {
    let file = find(repo, &args.name)?;
    let stored = repo
        .uv_stored(&args.name)?
        .ok_or_else(|| Failed::not_found("unversioned file", &args.name))?;
    Ok(FileContent {
        path: file.name,
        hash: file.hash,
        time: file.time,
        bytes: bytes(&stored.expand()?),
    })
}

/// Writes a file.
pub(super) fn write(leaf: &Leaf, args: &UvWrite) -> Result<UvFile, Failed> {
    leaf.with(|repo| Ok(repo.write(|tx| tx.uv_put(&args.name, &args.bytes.0, now()))?))?;
    leaf.read(|repo| find(repo, &args.name))
}

/// Deletes a file.
pub(super) fn remove(leaf: &Leaf, args: &UvName) -> Result<Nothing, Failed> {
    leaf.with(|repo| Ok(repo.write(|tx| tx.uv_delete(&args.name, now()))?))?;
    Ok(Nothing {})
}
