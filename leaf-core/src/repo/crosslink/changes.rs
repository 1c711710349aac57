//! What one check-in changes of another, file by file.
//!
//! Two file lists are compared line by line; a line is looked into only where it differs from its counterpart
//! or tells of a rename. The rules for delta manifests are upstream's to the letter, rows that come twice
//! included, because derived tables are compared row for row.
//!
//! Source: Fossil `src/manifest.c`, `add_mlink`.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::format::artifact::{FileLine, FilePerm, find_file, merge_baseline};
use crate::id::ArtifactHash;

/// The files of a check-in.
pub(in crate::repo) struct FileList<'a> {
    /// The cards of the manifest itself.
    own: Cow<'a, [FileLine<'a>]>,
    /// With those of the baseline, when it is a delta manifest.
    merged: Option<Vec<FileLine<'a>>>,
}

impl<'a> FileList<'a> {
    /// Of a manifest that names all its files.
    pub(in crate::repo) fn complete(files: &'a [FileLine<'a>]) -> Self {
        Self {
            own: files.into(),
            merged: None,
        }
    }

    /// Of a manifest with these cards on top of `baseline`, if it has one.
    pub(in crate::repo) fn new(own: Vec<FileLine<'a>>, baseline: Option<&[FileLine<'a>]>) -> Self {
        let merged = baseline.map(|baseline| merge_baseline(baseline, &own));
        Self {
            own: own.into(),
            merged,
        }
    }

    fn all(&self) -> &[FileLine<'a>] {
        self.merged.as_deref().unwrap_or(&self.own)
    }

    fn is_delta(&self) -> bool {
        self.merged.is_some()
    }
}

/// One file that differs between a check-in and a parent of it.
pub(in crate::repo) struct Change<'a> {
    /// Its name in the check-in.
    pub(in crate::repo) name: Cow<'a, [u8]>,
    /// Its name in the parent, if the check-in renamed it.
    pub(in crate::repo) prior: Option<Cow<'a, [u8]>>,
    /// Its content in the parent; `None` when it was not there.
    pub(in crate::repo) old: Option<ArtifactHash>,
    /// Its content in the check-in; `None` when it is gone.
    pub(in crate::repo) new: Option<ArtifactHash>,
    /// As in `mlink.mperm`: 1 executable, 2 symbolic link.
    pub(in crate::repo) perm: u8,
}

/// Tells `heard` what `child` changes of `parent`.
pub(in crate::repo) fn compare<'a>(
    parent: &FileList<'a>,
    child: &FileList<'a>,
    heard: &mut dyn FnMut(Change<'a>),
) {
    compare_own(parent.all(), &child.own, heard);
    if child.is_delta() {
        if parent.is_delta() {
            compare_reverted(parent, child, heard);
        }
    } else {
        compare_removed(parent.all(), &child.own, heard);
    }
}

/// What a check-in without parents adds: everything.
pub(in crate::repo) fn added<'a>(own: &[FileLine<'a>], heard: &mut dyn FnMut(Change<'a>)) {
    for line in own {
        heard(change(*line, None, line.hash()));
    }
}

fn compare_own<'a>(parent: &[FileLine<'a>], own: &[FileLine<'a>], heard: &mut dyn FnMut(Change<'a>)) {
    let mut rest = parent;
    for line in own {
        let same = loop {
            match rest.split_first() {
                None => break None,
                Some((other, after)) if other == line => {
                    rest = after;
                    break Some(*other);
                }
                Some((other, after)) => match other.cmp_name(*line) {
                    Ordering::Less => rest = after,
                    Ordering::Equal => {
                        rest = after;
                        break Some(*other);
                    }
                    Ordering::Greater => break None,
                },
            }
        };
        if !may_have_old_name(*line) {
            match same {
                Some(same) if same == *line => {}
                Some(same) => heard_if_changed(*line, same, heard),
                None if line.hash_hex().is_some() => heard(change(*line, None, line.hash())),
                None => {}
            }
            continue;
        }
        match (line.old_name(), same) {
            (Some(prior), _) => {
                let old = find_file(parent, &prior);
                let prior = old.is_some().then_some(prior);
                let found = Change {
                    prior,
                    ..change(*line, old.and_then(FileLine::hash), line.hash())
                };
                heard(found);
            }
            (None, Some(same)) => heard_if_changed(*line, same, heard),
            (None, None) if line.hash_hex().is_some() => heard(change(*line, None, line.hash())),
            (None, None) => {}
        }
    }
}

fn heard_if_changed<'a>(line: FileLine<'a>, old: FileLine<'a>, heard: &mut dyn FnMut(Change<'a>)) {
    if line.hash_hex() != old.hash_hex() || perm(line) != perm(old) {
        heard(change(line, old.hash(), line.hash()));
    }
}

/// Both are delta manifests: files that the parent changed or took away and that are the baseline's again.
fn compare_reverted<'a>(parent: &FileList<'a>, child: &FileList<'a>, heard: &mut dyn FnMut(Change<'a>)) {
    for line in parent.own.iter() {
        let own = find_file(&child.own, &line.name());
        let effective = find_file(child.all(), &line.name());
        match (line.hash(), effective) {
            (Some(old), Some(now)) if own.is_none() => heard(change(now, Some(old), now.hash())),
            (None, Some(now)) => heard(change(now, None, now.hash())),
            _ => {}
        }
    }
}

fn compare_removed<'a>(parent: &[FileLine<'a>], own: &[FileLine<'a>], heard: &mut dyn FnMut(Change<'a>)) {
    let mut rest = own;
    for line in parent {
        let kept = loop {
            match rest.split_first() {
                None => break false,
                Some((other, after)) if other == line => {
                    rest = after;
                    break true;
                }
                Some((other, after)) => match other.cmp_name(*line) {
                    Ordering::Less => rest = after,
                    Ordering::Equal => {
                        rest = after;
                        break true;
                    }
                    Ordering::Greater => break false,
                },
            }
        };
        if !kept && line.hash_hex().is_some() {
            let gone = change(*line, line.hash(), None);
            heard(Change { perm: 0, ..gone });
        }
    }
}

fn change(line: FileLine<'_>, old: Option<ArtifactHash>, new: Option<ArtifactHash>) -> Change<'_> {
    Change {
        name: line.name(),
        prior: None,
        old,
        new,
        perm: perm(line),
    }
}

fn perm(line: FileLine<'_>) -> u8 {
    match line.perm() {
        FilePerm::Executable => 1,
        FilePerm::Symlink => 2,
        FilePerm::Regular | FilePerm::Placeholder => 0,
    }
}

/// Whether a line is too long to be `name hash perm`, told without a scan of it.
fn may_have_old_name(line: FileLine<'_>) -> bool {
    let rest = line
        .as_bytes()
        .get(line.name_escaped().len() + 1..)
        .unwrap_or_default();
    match rest.len() {
        0..=42 => false,
        64 | 66 => rest.get(40) == Some(&b' '),
        _ => true,
    }
}

/// A [`Change`] as it is read from [`PackedChanges`].
pub(in crate::repo) struct PackedChange<'a> {
    pub(in crate::repo) name: &'a [u8],
    pub(in crate::repo) prior: Option<&'a [u8]>,
    pub(in crate::repo) old: Option<ArtifactHash>,
    pub(in crate::repo) new: Option<ArtifactHash>,
    pub(in crate::repo) perm: u8,
}

/// Changes in as few bytes as they need, independent of the texts they were found in.
#[derive(Clone, Debug, Default)]
pub(in crate::repo) struct PackedChanges(Vec<u8>);

impl PackedChanges {
    /// Adds one.
    pub(in crate::repo) fn push(&mut self, change: &Change<'_>) {
        let kind = |hash: &Option<ArtifactHash>| match hash {
            None => 0,
            Some(ArtifactHash::Sha1(_)) => 1,
            Some(ArtifactHash::Sha3(_)) => 2,
        };
        let prior = u8::from(change.prior.is_some());
        self.0
            .push(change.perm | kind(&change.old) << 2 | kind(&change.new) << 4 | prior << 6);
        self.push_name(&change.name);
        if let Some(prior) = &change.prior {
            self.push_name(prior);
        }
        for hash in [&change.old, &change.new].into_iter().flatten() {
            self.0.extend_from_slice(hash.as_bytes());
        }
    }

    fn push_name(&mut self, name: &[u8]) {
        let length = u32::try_from(name.len()).expect("names are bounded by `name_bytes_max`");
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(name);
    }

    /// All of them, in the order they were added.
    pub(in crate::repo) fn iter(&self) -> impl Iterator<Item = PackedChange<'_>> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || (!rest.is_empty()).then(|| unpack(&mut rest)))
    }
}

const PACKED: &str = "`push` wrote it";

fn take<'a>(rest: &mut &'a [u8], bytes: usize) -> &'a [u8] {
    let (head, tail) = rest.split_at_checked(bytes).expect(PACKED);
    *rest = tail;
    head
}

fn unpack<'a>(rest: &mut &'a [u8]) -> PackedChange<'a> {
    let flags = *take(rest, 1).first().expect(PACKED);
    let name = |rest: &mut &'a [u8]| {
        let length = u32::from_le_bytes(take(rest, 4).try_into().expect(PACKED));
        take(rest, length as usize)
    };
    let hash = |rest: &mut &'a [u8], kind: u8| match kind & 3 {
        0 => None,
        1 => Some(ArtifactHash::Sha1(take(rest, 20).try_into().expect(PACKED))),
        _ => Some(ArtifactHash::Sha3(take(rest, 32).try_into().expect(PACKED))),
    };
    PackedChange {
        name: name(rest),
        prior: (flags & 1 << 6 != 0).then(|| name(rest)),
        old: hash(rest, flags >> 2),
        new: hash(rest, flags >> 4),
        perm: flags & 3,
    }
}
