//! What check-ins change of their parents, of a whole history: a few long runs of bytes, not many short ones.
//!
//! Source: what becomes of them is Fossil's table `mlink`, `src/manifest.c`, `add_mlink`.

use std::collections::HashMap;
use std::ops::Range;

use crate::repo::crosslink::changes::{PackedChange, PackedChanges, unpack_all};

/// Changes noted by one check.
#[derive(Debug, Default)]
pub(in crate::repo) struct Links {
    packed: Vec<u8>,
    pairs: Vec<(Pair, Range<usize>)>,
}

/// Parent and child; the parent is 0 for a check-in that has none.
pub(in crate::repo) type Pair = (i64, i64);

impl Links {
    /// Notes what a child changes of a parent.
    pub(in crate::repo) fn add(&mut self, pair: Pair, changes: &PackedChanges) {
        let from = self.packed.len();
        self.packed.extend_from_slice(changes.as_bytes());
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
    pub(in crate::repo) fn get(&self, pair: Pair) -> Option<impl Iterator<Item = PackedChange<'_>>> {
        let (run, place) = self.places.get(&pair)?;
        let bytes = self.runs.get(*run)?.get(place.clone())?;
        Some(unpack_all(bytes))
    }

    /// All changes, in no order.
    pub(in crate::repo) fn all(&self) -> impl Iterator<Item = PackedChange<'_>> {
        self.runs.iter().flat_map(|run| unpack_all(run))
    }
}
