//! What differs between two check-ins, by lines and within lines.

use super::checkin;
use crate::failure::Failed;
use crate::protocol::{ChangeKind, Diff, DiffLine, FileDiff, Hunk, LineKind, Span};
use leaf_core::id::ArtifactHash;
use leaf_core::repo::{NameScope, Repo};
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Unchanged lines around a change.
const CONTEXT: u32 = 5;
/// Bytes of a file that is compared by lines.
const BYTES_MAX: usize = 2 << 20;
/// Lines of both files together: the comparison takes time in proportion to their square at worst.
const LINES_MAX: usize = 40_000;
/// Files that are compared by lines in one diff; of the others it is said that they differ.
const FILES_MAX: usize = 300;

/// One file on both sides.
struct Pair {
    path: String,
    old_path: Option<String>,
    before: Option<ArtifactHash>,
    after: Option<ArtifactHash>,
}

/// What differs.
pub(super) fn diff(repo: &Repo, args: &Diff) -> Result<Vec<FileDiff>, Failed> {
    let to = checkin(repo, Some(&args.to))?;
    let pairs = match &args.from {
        Some(from) => between(repo, from, &args.to)?,
        None => repo
            .changed_files(to)?
            .into_iter()
            .map(|file| Pair {
                path: file.name,
                old_path: file.old_name,
                before: file.before,
                after: file.after,
            })
            .collect(),
    };
    let context = args.context.unwrap_or(CONTEXT).min(10_000) as usize;
    let wanted = |pair: &Pair| args.path.as_ref().is_none_or(|path| pair.path == *path);
    let mut compared = 0;
    pairs
        .into_iter()
        .filter(wanted)
        .map(|pair| {
            compared += 1;
            compare(repo, pair, context, compared <= FILES_MAX)
        })
        .collect()
}

/// The files that differ between two check-ins, in order of their names.
fn between(repo: &Repo, from: &str, to: &str) -> Result<Vec<Pair>, Failed> {
    let list = |name: &str| -> Result<BTreeMap<String, ArtifactHash>, Failed> {
        let files = repo.files(checkin(repo, Some(name))?)?;
        Ok(files
            .into_iter()
            .map(|file| (file.name.to_string(), file.hash))
            .collect())
    };
    let (mut old, new) = (list(from)?, list(to)?);
    let mut pairs = Vec::new();
    for (path, hash) in new {
        let before = old.remove(&path);
        if before.as_ref() != Some(&hash) {
            pairs.push(Pair {
                path,
                old_path: None,
                before,
                after: Some(hash),
            });
        }
    }
    pairs.extend(old.into_iter().map(|(path, hash)| Pair {
        path,
        old_path: None,
        before: Some(hash),
        after: None,
    }));
    pairs.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(pairs)
}

fn content(repo: &Repo, hash: Option<&ArtifactHash>) -> Result<Option<Arc<Vec<u8>>>, Failed> {
    let Some(hash) = hash else {
        return Ok(Some(Arc::default()));
    };
    let rid = repo.resolve(&hash.to_string(), NameScope::Any)?;
    Ok(rid.map(|rid| repo.content(rid)).transpose()?.flatten())
}

fn compare(repo: &Repo, pair: Pair, context: usize, by_lines: bool) -> Result<FileDiff, Failed> {
    let change = match (&pair.before, &pair.after, &pair.old_path) {
        (_, None, _) => ChangeKind::Removed,
        (None, _, _) => ChangeKind::Added,
        (_, _, Some(_)) => ChangeKind::Renamed,
        _ => ChangeKind::Changed,
    };
    let mut diff = FileDiff {
        path: pair.path,
        old_path: pair.old_path,
        change,
        is_binary: true,
        added: 0,
        removed: 0,
        hunks: Vec::new(),
    };
    if !by_lines {
        return Ok(diff);
    }
    let (Some(old), Some(new)) = (
        content(repo, pair.before.as_ref())?,
        content(repo, pair.after.as_ref())?,
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
