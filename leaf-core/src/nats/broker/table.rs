//! Things by number, the numbers of what is gone used again.

/// A list with holes.
#[derive(Debug)]
pub(super) struct Table<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Table<T> {
    pub(super) fn len(&self) -> usize {
        self.slots.len().saturating_sub(self.free.len())
    }

    pub(super) fn get(&self, at: u32) -> Option<&T> {
        self.slots.get(at as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        self.slots.get_mut(at as usize)?.as_mut()
    }

    /// Puts in what `make` gives for the number it is going to have.
    pub(super) fn insert(&mut self, make: impl FnOnce(u32) -> T) -> u32 {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len().saturating_sub(1)).unwrap_or(u32::MAX)
        });
        if let Some(slot) = self.slots.get_mut(at as usize) {
            *slot = Some(make(at));
        }
        at
    }

    pub(super) fn remove(&mut self, at: u32) -> Option<T> {
        let gone = self.slots.get_mut(at as usize)?.take()?;
        self.free.push(at);
        Some(gone)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0_u32..)
            .zip(&self.slots)
            .filter_map(|(at, slot)| Some((at, slot.as_ref()?)))
    }

    /// The numbers in use, to go through what changes on the way.
    pub(super) fn keys(&self) -> Vec<u32> {
        self.iter().map(|(at, _)| at).collect()
    }
}
