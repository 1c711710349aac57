//! What differs between two check-ins, by lines and within lines.

use super::checkin;
use super::read::change_kind;
use crate::failure::Failed;
use crate::protocol::{Diff, DiffLine, FileDiff, Hunk, LineKind, Span};
use leaf_core::id::ArtifactHash;
use leaf_core::repo::{ChangedFile, Repo, RepoError};
use similar::{ChangeTag, TextDiff};
use std::sync::Arc;

/// Unchanged lines around a change.
const CONTEXT: u32 = 5;
/// Bytes of a file that is compared by lines.
const BYTES_MAX: usize = 2 << 20;
/// Lines of both files together: the comparison takes time in proportion to their square at worst.
const LINES_MAX: usize = 40_000;
/// Files that are compared by lines in one diff; of the others it is said that they differ.
const FILES_MAX: usize = 300;

/// What differs.
pub(super) fn diff(repo: &Repo, args: &Diff) -> Result<Vec<FileDiff>, Failed> {
    let to = checkin(repo, Some(&args.to))?;
    let files = match &args.from {
        Some(from) => between(repo, from, &args.to)?,
        None => repo.changed_files(to)?,
    };
    let context = args.context.unwrap_or(CONTEXT).min(10_000) as usize;
    let wanted = |file: &ChangedFile| args.path.as_ref().is_none_or(|path| file.name == *path);
    let mut compared = 0;
    files
        .into_iter()
        .filter(wanted)
        .map(|file| {
            compared += 1;
            compare(repo, file, context, compared <= FILES_MAX)
        })
        .collect()
}

/// The files that differ between two check-ins, in order of their names.
fn between(repo: &Repo, from: &str, to: &str) -> Result<Vec<ChangedFile>, Failed> {
    let list = |name: &str| -> Result<Vec<(String, ArtifactHash)>, Failed> {
        let files = repo.files(checkin(repo, Some(name))?)?.into_iter();
        let mut list: Vec<_> = files.map(|file| (file.name.to_string(), file.hash)).collect();
        list.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(list)
    };
    let hash_in = |list: &[(String, ArtifactHash)], name: &str| {
        let at = list
            .binary_search_by(|(known, _)| known.as_str().cmp(name))
            .ok()?;
        list.get(at).map(|(_, hash)| *hash)
    };
    let (old, new) = (list(from)?, list(to)?);
    let file = |name: &str, before, after| ChangedFile {
        name: name.to_owned(),
        old_name: None,
        before,
        after,
    };
    let mut files = Vec::new();
    for (name, hash) in &new {
        let before = hash_in(&old, name);
        if before != Some(*hash) {
            files.push(file(name, before, Some(*hash)));
        }
    }
    let is_gone = |(name, _): &&(String, ArtifactHash)| hash_in(&new, name).is_none();
    let gone = old.iter().filter(is_gone);
    files.extend(gone.map(|(name, hash)| file(name, Some(*hash), None)));
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// The content on one side; a side that has no file is empty.
fn content(repo: &Repo, hash: Option<&ArtifactHash>) -> Result<Option<Arc<Vec<u8>>>, RepoError> {
    hash.map_or_else(|| Ok(Some(Arc::default())), |hash| repo.content_of(hash))
}

fn compare(repo: &Repo, file: ChangedFile, context: usize, by_lines: bool) -> Result<FileDiff, Failed> {
    let mut diff = FileDiff {
        change: change_kind(&file),
        path: file.name,
        old_path: file.old_name,
        is_binary: true,
        added: 0,
        removed: 0,
        hunks: Vec::new(),
    };
    if !by_lines {
        return Ok(diff);
    }
    let (Some(old), Some(new)) = (
        content(repo, file.before.as_ref())?,
        content(repo, file.after.as_ref())?,
    ) else {
        return Ok(diff);
    };
    if let (Some(old), Some(new)) = (text(&old), text(&new))
        && lines(old) + lines(new) <= LINES_MAX
    {
        diff.is_binary = false;
        fill(&mut diff, old, new, context);
    }
    Ok(diff)
}

/// The content as text, if it is some that people read by lines.
fn text(content: &[u8]) -> Option<&str> {
    let is_text = content.len() <= BYTES_MAX && !content.contains(&0);
    is_text.then(|| core::str::from_utf8(content).ok()).flatten()
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

fn fill(diff: &mut FileDiff, old: &str, new: &str, context: usize) {
    let text_diff = TextDiff::from_lines(old, new);
    let number = |index: Option<usize>| index.and_then(|index| u32::try_from(index + 1).ok());
    for group in text_diff.grouped_ops(context) {
        let mut lines = Vec::new();
        for change in group
            .iter()
            .flat_map(|operation| text_diff.iter_inline_changes(operation))
        {
            let kind = match change.tag() {
                ChangeTag::Equal => LineKind::Same,
                ChangeTag::Insert => LineKind::Added,
                ChangeTag::Delete => LineKind::Removed,
            };
            diff.added += u32::from(kind == LineKind::Added);
            diff.removed += u32::from(kind == LineKind::Removed);
            let spans = change.iter_strings_lossy().map(|(is_changed, text)| Span {
                text: text.trim_end_matches(['\n', '\r']).to_owned(),
                is_changed,
            });
            lines.push(DiffLine {
                kind,
                old: number(change.old_index()),
                new: number(change.new_index()),
                spans: spans.filter(|span| !span.text.is_empty()).collect(),
            });
        }
        diff.hunks.push(Hunk { lines });
    }
}
