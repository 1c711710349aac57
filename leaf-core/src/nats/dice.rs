//! A die that the shell has seeded: spreads attempts in time, and names what must not be guessed by counting.
//!
//! Source: the linear congruential generator of D. Knuth, MMIX, of which only the high bits are used.

use crate::time::Timestamp;

/// The die.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        self.0
    }

    /// Between a half and the whole of `wait_ms` from `now`, so that not all who wait come at the same moment.
    pub(crate) fn later(&mut self, now: Timestamp, wait_ms: i64) -> Timestamp {
        let share = i64::try_from(self.draw() >> 54).unwrap_or_default();
        let wait = wait_ms.saturating_add(wait_ms.saturating_mul(share) / 1024) / 2;
        Timestamp(now.0.saturating_add(wait))
    }
}
