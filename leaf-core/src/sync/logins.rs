//! Logins of the last minutes, so that none is accepted twice.
//!
//! A login card signs one message, but not the time or the server: whoever overhears a request could send it
//! again. What it stored would be stored again to no effect, what it read would be read by somebody else.
//!
//! Source: threat 10; Fossil column `rcvfrom.nonce`, which is unique for the same reason.

use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// How long a login is remembered. Units: milliseconds.
const REMEMBERED_MS: i64 = 600_000;
/// How many logins are remembered at most; the oldest go first.
const REMEMBERED_MAX: usize = 100_000;

/// Logins of the last ten minutes: one of them seen again is a replay.
///
/// The shell keeps one per repository and hands it to every [`serve`](super::serve). Clones share what they know,
/// so that a shell may answer on several threads.
#[derive(Clone, Debug, Default)]
pub struct SeenLogins(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    by_time: BTreeSet<(Timestamp, [u8; 20])>,
    by_nonce: BTreeMap<[u8; 20], Timestamp>,
}

impl SeenLogins {
    /// Remembers a login that was found good; `false` when it was seen before.
    pub(super) fn remember(&mut self, nonce: [u8; 20], now: Timestamp) -> bool {
        // Every change below is whole or not begun, so a panic elsewhere leaves nothing half done.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(oldest) = seen.by_time.first().copied() {
            if seen.by_time.len() < REMEMBERED_MAX && oldest.0.plus_ms(REMEMBERED_MS) >= now {
                break;
            }
            seen.by_time.remove(&oldest);
            seen.by_nonce.remove(&oldest.1);
        }
        if seen.by_nonce.contains_key(&nonce) {
            return false;
        }
        seen.by_nonce.insert(nonce, now);
        seen.by_time.insert((now, nonce));
        true
    }
}
