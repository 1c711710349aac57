//! Check-ins met lately, so that parent and child can be compared while both are expanded.
//!
//! A check-in and its parent are nearly always neighbours in one delta tree. What is not met together here is
//! compared by the rebuild, which then expands it once more.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::Links;
use crate::format::artifact::{FileLine, ManifestView};
use crate::id::ArtifactHash;
use crate::repo::crosslink::changes::{self, FileList, PackedChanges};

/// Bytes of check-ins that are kept.
const BYTES_MAX: usize = 3 << 20;
/// Children that may wait for a parent.
const WAITING_MAX: usize = 20_000;

#[derive(Default)]
pub(super) struct Recent {
    checkins: HashMap<ArtifactHash, Kept>,
    order: VecDeque<ArtifactHash>,
    bytes: usize,
    /// Children by the parent that was not there.
    waiting: HashMap<ArtifactHash, Vec<ArtifactHash>>,
}

/// A check-in that names all its files.
struct Kept {
    rid: i64,
    content: Arc<Vec<u8>>,
    /// Where each `F` line begins, its length, and that of its name.
    lines: Vec<(u32, u32, u32)>,
}

impl Kept {
    fn new(rid: i64, content: &Arc<Vec<u8>>, view: &ManifestView<'_>) -> Option<Self> {
        let start = content.as_ptr().addr();
        let place = |line: &FileLine<'_>| {
            let from = line.as_bytes().as_ptr().addr().checked_sub(start)?;
            Some((
                u32::try_from(from).ok()?,
                u32::try_from(line.as_bytes().len()).ok()?,
                u32::try_from(line.name_escaped().len()).ok()?,
            ))
        };
        Some(Self {
            rid,
            content: Arc::clone(content),
            lines: view.files.iter().map(place).collect::<Option<_>>()?,
        })
    }

    fn lines(&self) -> Option<Vec<FileLine<'_>>> {
        let line = |(from, length, name): &(u32, u32, u32)| {
            let (from, length) = (*from as usize, *length as usize);
            let line = self.content.get(from..from.checked_add(length)?)?;
            Some(FileLine::new(line, *name as usize))
        };
        self.lines.iter().map(line).collect()
    }

    fn bytes(&self) -> usize {
        self.content.len() + self.lines.len() * size_of::<(u32, u32, u32)>()
    }
}

impl Recent {
    /// Keeps a check-in, and compares it with those of its parents and children that are kept.
    pub(super) fn add(
        &mut self,
        rid: i64,
        hash: ArtifactHash,
        content: &Arc<Vec<u8>>,
        view: &ManifestView<'_>,
        links: &mut Links,
    ) {
        let Some(kept) = Kept::new(rid, content, view) else {
            return;
        };
        let picked = view.cherrypicks.iter().filter(|pick| !pick.backout);
        for parent in view.parents.iter().chain(picked.map(|pick| &pick.hash)) {
            match self.checkins.get(parent) {
                Some(above) => Self::compare(above, &kept, links),
                None if self.waiting.len() < WAITING_MAX => {
                    self.waiting.entry(*parent).or_default().push(hash);
                }
                None => {}
            }
        }
        for child in self.waiting.remove(&hash).unwrap_or_default() {
            if let Some(below) = self.checkins.get(&child) {
                Self::compare(&kept, below, links);
            }
        }
        self.bytes += kept.bytes();
        self.checkins.insert(hash, kept);
        self.order.push_back(hash);
        while self.bytes > BYTES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some(gone) = self.checkins.remove(&oldest) {
                self.bytes -= gone.bytes();
            }
        }
    }

    fn compare(parent: &Kept, child: &Kept, links: &mut Links) {
        if let (Some(above), Some(below)) = (parent.lines(), child.lines()) {
            let mut packed = PackedChanges::default();
            let (above, below) = (FileList::complete(&above), FileList::complete(&below));
            changes::compare(&above, &below, &mut |change| packed.push(&change));
            links.add((parent.rid, child.rid), &packed);
        }
    }
}
