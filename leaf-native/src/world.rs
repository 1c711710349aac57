//! The clock and the dice, which the core has not.

use leaf_core::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time of this machine.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Twenty random bytes: a project code, or what makes one message unlike any other.
pub fn entropy() -> [u8; 20] {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
