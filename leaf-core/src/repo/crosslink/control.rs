//! Control artifacts: their tags, and the line of the timeline that tells of them.
//!
//! Source: Fossil `src/manifest.c`, `manifest_crosslink` for `CFTYPE_CONTROL`.

use super::super::RepoError;
use super::phrase::{HashDigits, html};
use super::{Linker, SqlText};
use crate::format::artifact::Text;
use crate::format::artifact::{ControlArtifact, Tag, TagKind, TagTarget};
use crate::id::{ArtifactHash, Rid};

impl Linker<'_> {
    pub(super) fn control(&mut self, rid: Rid, control: &ControlArtifact) -> Result<(), RepoError> {
        let date = control.date.julian();
        self.tags(rid, &control.tags, date)?;
        let comment = describe(&control.tags, HashDigits::of(self.tx)?);
        self.tx
            .db
            .prepare_cached(
                "REPLACE INTO event(type, mtime, objid, user, comment) VALUES ('g', ?1, ?2, ?3, ?4)",
            )?
            .execute((
                date,
                rid,
                control.user.as_ref().map(|user| SqlText(user.as_bytes())),
                SqlText(&comment),
            ))?;
        self.patched.insert(rid.0);
        Ok(())
    }
}

/// Tags as upstream sorts them here: by target, then by kind and name.
fn by_target(tags: &[Tag]) -> Vec<(ArtifactHash, &Tag)> {
    let mut sorted: Vec<(ArtifactHash, &Tag)> = tags
        .iter()
        .filter_map(|tag| match tag.target {
            TagTarget::Hash(hash) => Some((hash, tag)),
            TagTarget::SelfArtifact => None,
        })
        .collect();
    sorted.sort_by(|(a, one), (b, other)| {
        let marked = |tag: &Tag| (mark(tag.kind), tag.name.as_bytes().to_vec());
        a.cmp(b).then_with(|| marked(one).cmp(&marked(other)))
    });
    sorted
}

fn mark(kind: TagKind) -> u8 {
    match kind {
        TagKind::Propagate => b'*',
        TagKind::Add => b'+',
        TagKind::Cancel => b'-',
    }
}

fn describe(tags: &[Tag], digits: HashDigits) -> Vec<u8> {
    let mut out = Vec::new();
    let mut last = None;
    let mut moved = false;
    for (target, tag) in by_target(tags) {
        let hex = target.hex();
        if last != Some(target) {
            let link = digits.link(hex.as_bytes());
            out.extend_from_slice(&[b" Edit [".as_slice(), &link, b"]:"].concat());
            last = Some(target);
            moved = false;
        }
        moved |= tag.kind == TagKind::Propagate && tag.name.as_bytes() == b"branch";
        out.extend_from_slice(&describe_one(tag, digits.linked(hex.as_bytes()), moved));
    }
    match out.split_first() {
        Some((_, rest)) => rest.to_vec(),
        None => out,
    }
}

/// The sentence about one tag.
fn describe_one(tag: &Tag, linked: &[u8], moved: bool) -> Vec<u8> {
    let name = tag.name.as_bytes();
    let given = tag.value.as_ref().map(Text::as_bytes);
    let value = html(given.unwrap_or_default());
    let sym = name.strip_prefix(b"sym-");
    let (said, note): (Vec<u8>, &[u8]) = match (tag.kind, name, sym) {
        (TagKind::Propagate, b"branch", _) => {
            return [
                b" Move to branch [/timeline?r=".as_slice(),
                &value,
                b"&nd&dp=",
                linked,
                b"&unhide | ",
                &value,
                b"].",
            ]
            .concat();
        }
        (TagKind::Propagate, b"bgcolor", _) => {
            return [
                b" Change branch background color to \"".as_slice(),
                &value,
                b"\".",
            ]
            .concat();
        }
        (TagKind::Add, b"bgcolor", _) => {
            return [b" Change background color to \"".as_slice(), &value, b"\"."].concat();
        }
        (TagKind::Add, b"comment", _) => return b" Edit check-in comment.".to_vec(),
        (TagKind::Add, b"user", _) => return [b" Change user to \"".as_slice(), &value, b"\"."].concat(),
        (TagKind::Add, b"date", _) => return [b" Timestamp ".as_slice(), &value, b"."].concat(),
        (TagKind::Cancel | TagKind::Propagate, _, Some(_)) if moved => return Vec::new(),
        (TagKind::Cancel, b"bgcolor", _) => (b" Cancel background color".to_vec(), b" with note \""),
        (TagKind::Cancel, _, Some(sym)) => (quoted(b" Cancel tag ", sym), b" with note \""),
        (TagKind::Propagate, _, Some(sym)) => (quoted(b" Add propagating tag ", sym), b" with note \""),
        (TagKind::Add, _, Some(sym)) => (quoted(b" Add tag ", sym), b" with note \""),
        (TagKind::Add, b"closed", _) => (b" Mark \"Closed\"".to_vec(), b" with note \""),
        (TagKind::Cancel, b"closed", _) => (b" Remove the \"Closed\" mark".to_vec(), b" with note \""),
        (TagKind::Cancel, ..) => (quoted(b" Cancel ", name), b" with value \""),
        (TagKind::Add, ..) => (quoted(b" Add ", name), b" with value \""),
        (TagKind::Propagate, ..) => (quoted(b" Add propagating ", name), b" with value \""),
    };
    match value.is_empty() {
        true => [said.as_slice(), b"."].concat(),
        false => [said.as_slice(), note, &value, b"\"."].concat(),
    }
}

fn quoted(said: &[u8], name: &[u8]) -> Vec<u8> {
    [said, b"\"", &html(name), b"\""].concat()
}
