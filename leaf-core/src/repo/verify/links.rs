//! What check-ins change of their parents, of a whole history: a few long runs of bytes, not many short ones.
//!
//! ```text
//!   change  flags, length, name, [length, old name], [key of the old content], [key of the new one]
//! ```
//!
//! In place of hashes there are [`Key`]s, which [`Names`](super::Names) turns into rows.
//!
//! Source: what becomes of them is Fossil's table `mlink`, `src/manifest.c`, `add_mlink`.

use std::collections::HashMap;
use std::ops::Range;

use super::names::{Key, key};
use crate::repo::crosslink::changes::{PackedChange, PackedChanges};

/// Changes noted by one check.
#[derive(Debug, Default)]
pub(in crate::repo) struct Links {
    packed: Vec<u8>,
    pairs: Vec<(Pair, Range<usize>)>,
}

/// Parent and child; the parent is 0 for a check-in that has none.
pub(in crate::repo) type Pair = (i64, i64);

/// One file that differs between parent and child.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::repo) struct LinkedChange<'a> {
    /// Its name in the child.
    pub(in crate::repo) name: &'a [u8],
    /// Its name in the parent, if the child renamed it.
    pub(in crate::repo) prior: Option<&'a [u8]>,
    /// Its content in the parent; `None` when it was not there.
    pub(in crate::repo) old: Option<Key>,
    /// Its content in the child; `None` when it is gone.
    pub(in crate::repo) new: Option<Key>,
    /// As in `mlink.mperm`.
    pub(in crate::repo) perm: u8,
}

impl Links {
    /// Notes what a child changes of a parent.
    pub(in crate::repo) fn add(&mut self, pair: Pair, changes: &PackedChanges) {
        let from = self.packed.len();
        for change in changes.iter() {
            pack(&mut self.packed, &change);
        }
        self.pairs.push((pair, from..self.packed.len()));
    }

    /// Gives back what room is left.
    pub(super) fn shrink(&mut self) {
        self.packed.shrink_to_fit();
    }
}

/// Changes of all checks, to be looked up.
#[derive(Debug, Default)]
pub(in crate::repo) struct LinkIndex {
    runs: Vec<Vec<u8>>,
    places: HashMap<Pair, (usize, Range<usize>)>,
}

impl LinkIndex {
    /// Adds what one check noted.
    pub(in crate::repo) fn extend(&mut self, links: Links) {
        let run = self.runs.len();
        self.runs.push(links.packed);
        let places = links.pairs.into_iter();
        self.places
            .extend(places.map(|(pair, place)| (pair, (run, place))));
    }

    /// Whether the pair was compared.
    pub(in crate::repo) fn contains(&self, pair: Pair) -> bool {
        self.places.contains_key(&pair)
    }

    /// What the child changes of the parent; `None` when they were not compared.
    pub(in crate::repo) fn get(&self, pair: Pair) -> Option<impl Iterator<Item = LinkedChange<'_>>> {
        let (run, place) = self.places.get(&pair)?;
        let bytes = self.runs.get(*run)?.get(place.clone())?;
        Some(unpack_all(bytes))
    }

    /// All changes, in no order.
    pub(in crate::repo) fn all(&self) -> impl Iterator<Item = LinkedChange<'_>> {
        self.runs.iter().flat_map(|run| unpack_all(run))
    }
}

const PERM: u8 = 0b11;
const HAS_OLD: u8 = 1 << 2;
const HAS_NEW: u8 = 1 << 3;
const IS_RENAMED: u8 = 1 << 4;
/// In place of the length of a name that is at least as long; the length follows in four bytes.
const LONG: u8 = 255;
const PACKED: &str = "`pack` wrote it";

fn pack(packed: &mut Vec<u8>, change: &PackedChange<'_>) {
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    packed.push(
        change.perm & PERM
            | flag(change.old.is_some(), HAS_OLD)
            | flag(change.new.is_some(), HAS_NEW)
            | flag(change.prior.is_some(), IS_RENAMED),
    );
    for name in [Some(change.name), change.prior].into_iter().flatten() {
        match u8::try_from(name.len()) {
            Ok(length) if length < LONG => packed.push(length),
            _ => {
                let length = u32::try_from(name.len()).expect("names are bounded by `name_bytes_max`");
                packed.push(LONG);
                packed.extend_from_slice(&length.to_le_bytes());
            }
        }
        packed.extend_from_slice(name);
    }
    for hash in [&change.old, &change.new].into_iter().flatten() {
        packed.extend_from_slice(&key(hash));
    }
}

fn unpack_all(bytes: &[u8]) -> impl Iterator<Item = LinkedChange<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || (!rest.is_empty()).then(|| unpack(&mut rest)))
}

fn unpack<'a>(rest: &mut &'a [u8]) -> LinkedChange<'a> {
    let flags = *take(rest, 1).first().expect(PACKED);
    let name = |rest: &mut &'a [u8]| {
        let length = match *take(rest, 1).first().expect(PACKED) {
            LONG => u32::from_le_bytes(take(rest, 4).try_into().expect(PACKED)) as usize,
            length => usize::from(length),
        };
        take(rest, length)
    };
    let key = |rest: &mut &'a [u8]| Key::try_from(take(rest, size_of::<Key>())).expect(PACKED);
    LinkedChange {
        name: name(rest),
        prior: (flags & IS_RENAMED != 0).then(|| name(rest)),
        old: (flags & HAS_OLD != 0).then(|| key(rest)),
        new: (flags & HAS_NEW != 0).then(|| key(rest)),
        perm: flags & PERM,
    }
}

fn take<'a>(rest: &mut &'a [u8], bytes: usize) -> &'a [u8] {
    let (head, tail) = rest.split_at_checked(bytes).expect(PACKED);
    *rest = tail;
    head
}
