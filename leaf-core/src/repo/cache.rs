//! Expanded content that was asked for lately, bounded by bytes.
//!
//! Neighbours in a delta chain are asked for one after the other; with their common source at hand each costs
//! one delta, not a chain. What was used longest ago goes first.
//!
//! Source: Fossil `src/content.c`, `content_cache_insert`, `content_cache_expire_oldest`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::id::Rid;

/// Bytes of content kept.
pub(super) const BYTES_MAX: usize = 8 << 20;

/// Expanded artifacts by row.
#[derive(Debug)]
pub(super) struct ContentCache {
    entries: HashMap<Rid, (u64, Arc<Vec<u8>>)>,
    bytes: usize,
    bytes_max: usize,
    clock: u64,
}

impl Default for ContentCache {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            bytes: 0,
            bytes_max: BYTES_MAX,
            clock: 0,
        }
    }
}

impl ContentCache {
    pub(super) fn find(&mut self, rid: Rid) -> Option<Arc<Vec<u8>>> {
        self.clock += 1;
        let (used, content) = self.entries.get_mut(&rid)?;
        *used = self.clock;
        Some(Arc::clone(content))
    }

    pub(super) fn keep(&mut self, rid: Rid, content: &Arc<Vec<u8>>) {
        if content.len() > self.bytes_max / 4 || self.entries.contains_key(&rid) {
            return;
        }
        self.clock += 1;
        self.bytes += content.len();
        self.entries.insert(rid, (self.clock, Arc::clone(content)));
        while self.bytes > self.bytes_max {
            // A scan, yet the cache holds few entries when they are large, and drops half of them at once.
            let mut ages: Vec<u64> = self.entries.values().map(|(used, _)| *used).collect();
            let middle = ages.len() / 2;
            let (_, &mut cut, _) = ages.select_nth_unstable(middle);
            let bytes = &mut self.bytes;
            self.entries.retain(|_, (used, content)| {
                let stays = *used > cut;
                if !stays {
                    *bytes -= content.len();
                }
                stays
            });
        }
    }

    pub(super) fn forget(&mut self, rid: Rid) {
        if let Some((_, content)) = self.entries.remove(&rid) {
            self.bytes -= content.len();
        }
    }

    /// Drops everything, and keeps no more than `bytes_max` from now on.
    pub(super) fn resize(&mut self, bytes_max: usize) {
        *self = Self {
            bytes_max,
            ..Self::default()
        };
    }

    pub(super) fn clear(&mut self) {
        self.resize(self.bytes_max);
    }
}
