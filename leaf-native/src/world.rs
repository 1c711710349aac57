//! The clock and the dice, which the core has not, and what the system lets this process have.

use leaf_core::time::Timestamp;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time of this machine.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How long to sleep until `due`, a minute at most: clocks are set, and machines sleep.
pub fn nap(due: Option<Timestamp>) -> Duration {
    const NAP_MAX: Duration = Duration::from_mins(1);
    due.map_or(NAP_MAX, |due| {
        let left = u64::try_from(due.0 - now().0).unwrap_or_default();
        Duration::from_millis(left + 1).min(NAP_MAX)
    })
}

/// Lets this process have as many files open as it may at most: each connection is one, and what a shell gives to
/// the programs that it starts is 1024 on many systems.
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
    if let Err(error) = raised {
        tracing::warn!(%error, ?current, "cannot have more files open");
    }
}

/// Twenty random bytes: a project code, or what makes one message unlike any other.
pub fn entropy() -> [u8; 20] {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A random number.
pub fn seed() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    u64::from_le_bytes(bytes)
}

/// What a NATS server calls itself: `N` and 55 random letters and digits, as clients expect it.
pub fn server_id() -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0; 55];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    let letters = bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    std::iter::once('N').chain(letters).collect()
}

/// What an nkey has to sign: 11 random bytes in base64, as NATS servers send it.
pub fn nonce() -> String {
    use base64::Engine;
    let mut bytes = [0; 11];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
