//! What the fuzz targets share: how much memory a piece of work held, and how one input becomes two.
//!
//! Each target asserts properties of one module of `leaf-core`; `tests/fuzz.sh` runs them all.

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// What an inflater keeps for itself, whatever it expands: a window of 32 KiB, tables, and slack.
pub const ZLIB_STATE_BYTES: usize = 64 << 10;

/// Does `work` and panics when it held more than `bytes_max` bytes of the heap at any time.
///
/// A vector that grows holds its old and its new place while it moves, so whoever may make a result of `n` bytes
/// may hold twice as many for a moment.
pub fn within<T>(bytes_max: usize, work: impl FnOnce() -> T) -> T {
    HEAP.reset_peak_usage();
    let before = HEAP.current_usage();
    let result = work();
    let held = HEAP.peak_usage().saturating_sub(before);
    assert!(
        held <= bytes_max,
        "held {held} bytes where {bytes_max} are allowed"
    );
    result
}

/// The two parts of an input: its first two bytes say how long the first part is, little-endian.
pub fn two_parts(input: &[u8]) -> (&[u8], &[u8]) {
    match input {
        [low, high, rest @ ..] => {
            let length = usize::from(u16::from_le_bytes([*low, *high]));
            rest.split_at(length.min(rest.len()))
        }
        short => (short, &[]),
    }
}
