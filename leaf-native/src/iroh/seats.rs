//! How many each has of what is there for all.
//!
//! Source: threat list 3 to 8.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts for each `K`, none beyond a bound.
#[derive(Debug)]
pub(super) struct Seats<K> {
    of_one_max: usize,
    taken: Mutex<BTreeMap<K, usize>>,
}

impl<K: Ord + Copy> Seats<K> {
    pub(super) fn new(of_one_max: usize) -> Self {
        Self {
            of_one_max,
            taken: Mutex::default(),
        }
    }

    /// Counts one more; whether there may be one more.
    pub(super) fn take(&self, who: K) -> bool {
        let mut taken = self.taken();
        let count = taken.entry(who).or_default();
        let is_free = *count < self.of_one_max;
        *count += usize::from(is_free);
        is_free
    }

    /// Counts one less.
    pub(super) fn leave(&self, who: K) {
        let mut taken = self.taken();
        if let Some(count) = taken.get_mut(&who) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&who);
            }
        }
    }

    /// Who has any.
    pub(super) fn who(&self) -> Vec<K> {
        self.taken().keys().copied().collect()
    }

    /// One more, until it is dropped; `None` when there may be no more.
    pub(super) fn seat(self: &Arc<Self>, who: K) -> Option<Seat<K>> {
        self.take(who).then(|| Seat(Arc::clone(self), who))
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<K, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of those that somebody has.
pub(super) struct Seat<K: Ord + Copy>(Arc<Seats<K>>, K);

impl<K: Ord + Copy> Drop for Seat<K> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}
