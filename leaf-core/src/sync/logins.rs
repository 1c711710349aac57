//! Logins of the last minutes, so that none is accepted twice.
//!
//! A login card signs one message, but not the time or the server: whoever overhears a request could send it
//! again. What it stored would be stored again to no effect, what it read would be read by somebody else.
//!
//! Source: threat 10; Fossil column `rcvfrom.nonce`, which is unique for the same reason.

use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How long a login is remembered. Units: milliseconds.
const REMEMBERED_MS: i64 = 600_000;
/// How many logins are remembered at most; the oldest go first.
const REMEMBERED_MAX: usize = 100_000;

/// Logins of the last ten minutes: one of them seen again is a replay.
///
/// The shell keeps one per repository and hands it to every [`serve`](super::serve).
#[derive(Clone, Debug, Default)]
pub struct SeenLogins {
    by_time: BTreeSet<(Timestamp, [u8; 20])>,
    by_nonce: BTreeMap<[u8; 20], Timestamp>,
}

impl SeenLogins {
    /// Remembers a login that was found good; `false` when it was seen before.
    pub(super) fn remember(&mut self, nonce: [u8; 20], now: Timestamp) -> bool {
        while let Some(oldest) = self.by_time.first().copied() {
            if self.by_time.len() < REMEMBERED_MAX && oldest.0.plus_ms(REMEMBERED_MS) >= now {
                break;
            }
            self.by_time.remove(&oldest);
            self.by_nonce.remove(&oldest.1);
        }
        if self.by_nonce.contains_key(&nonce) {
            return false;
        }
        self.by_nonce.insert(nonce, now);
        self.by_time.insert((now, nonce));
        true
    }
}
