//! Rows by name, in memory: a rebuild looks up two names for each change of a file.
//!
//! Kept is the first half of a SHA3 name, and of a SHA1 name nearly all. Nobody can make two names that agree
//! in that much.

use crate::id::ArtifactHash;

/// Names and rows. Complete for the artifacts it was told of; others are not in it.
#[derive(Debug, Default)]
pub(in crate::repo) struct Names {
    rows: Vec<(Key, u32)>,
}

/// As much of a name as is kept.
pub(in crate::repo) type Key = [u8; 16];

impl Names {
    /// Notes a name. A row number too large to be kept is left out.
    pub(super) fn add(&mut self, hash: &ArtifactHash, rid: i64) {
        if let Ok(rid) = u32::try_from(rid) {
            self.rows.push((key(hash), rid));
        }
    }

    /// One collection of several, to be searched.
    pub(in crate::repo) fn merge(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut rows: Vec<(Key, u32)> = Vec::new();
        for part in parts {
            if rows.is_empty() {
                rows = part.rows;
            } else {
                rows.extend(part.rows);
            }
        }
        rows.sort_unstable();
        Self { rows }
    }

    /// The row of a name. Only after [`merge`](Self::merge).
    pub(in crate::repo) fn find(&self, hash: &ArtifactHash) -> Option<i64> {
        self.find_key(&key(hash))
    }

    /// The row of the name that `key` is of. Only after [`merge`](Self::merge).
    pub(in crate::repo) fn find_key(&self, key: &Key) -> Option<i64> {
        // Hashes are spread evenly: the place of one is known nearly, and the search is short.
        let count = self.rows.len();
        let share = u128::from(u64::from_be_bytes(*key.first_chunk()?));
        let guess = usize::try_from((share * count as u128) >> 64).ok()?;
        let (mut reach, mut from, mut to) = (8, guess, guess);
        while from > 0 && self.rows.get(from).is_none_or(|row| row.0 > *key) {
            from = from.saturating_sub(reach);
            reach *= 2;
        }
        while to < count && self.rows.get(to).is_some_and(|row| row.0 <= *key) {
            to = to.saturating_add(reach).min(count);
            reach *= 2;
        }
        let rows = self.rows.get(from..to)?;
        let at = rows.binary_search_by(|row| row.0.cmp(key)).ok()?;
        rows.get(at).map(|row| i64::from(row.1))
    }
}

/// The key of a name.
pub(super) fn key(hash: &ArtifactHash) -> Key {
    *hash
        .as_bytes()
        .first_chunk()
        .expect("names have twenty bytes or more")
}
