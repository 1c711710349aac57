//! Where in a source a piece of the target can be found.
//!
//! Why bounds everywhere: source and target come from peers. A window of the source that repeats (zeros, a
//! table) is kept once per run; a probe looks at no more than [`PROBES_MAX`] windows, and what a match compares
//! the caller then skips. So the work is linear in source plus target, whatever they hold.
//!
//! Source: Fossil `www/delta_encoder_algorithm.wiki` for the idea of landmarks; the hash is our own.

/// Bytes of a landmark, and from one to the next.
pub(super) const WINDOW: usize = 16;
/// Landmarks of equal hash that one probe looks at.
const PROBES_MAX: usize = 48;
/// A match this long is taken without looking for a longer one.
const LONG_ENOUGH: usize = 2048;
/// Ends a chain of landmarks.
const NONE: u32 = u32::MAX;

type Window = [u8; WINDOW];

/// A piece that source and target share.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Match {
    /// Where it begins in the source.
    pub(super) from: usize,
    /// Where it begins in the target.
    pub(super) at: usize,
    /// How long it is.
    pub(super) len: usize,
}

/// The landmarks of a source: one window in each [`WINDOW`] bytes, found by hash.
pub(super) struct Landmarks<'a> {
    source: &'a [u8],
    windows: &'a [Window],
    /// By hash: the last window that has it.
    heads: Vec<u32>,
    /// By window: the one before that has the same hash.
    before: Vec<u32>,
    shift: u32,
}

impl<'a> Landmarks<'a> {
    /// Of the first 4 GiB of `source`.
    pub(super) fn new(source: &'a [u8]) -> Self {
        let (windows, _) = source.as_chunks::<WINDOW>();
        let windows = &windows[..windows.len().min(u32::MAX as usize / WINDOW)];
        let bits = windows.len().next_power_of_two().trailing_zeros().max(1) + 1;
        let mut heads = vec![NONE; 1 << bits];
        let mut before = vec![NONE; windows.len()];
        let shift = 64 - bits;
        let mut last = None;
        for (index, (window, before)) in (0_u32..).zip(windows.iter().zip(&mut before)) {
            if last.replace(window) == Some(window) {
                continue;
            }
            let head = &mut heads[slot(window, shift)];
            *before = std::mem::replace(head, index);
        }
        Self {
            source,
            windows,
            heads,
            before,
            shift,
        }
    }

    /// The longest match about the window of `target` at `at`, reaching back to `floor` at most.
    pub(super) fn find(&self, target: &[u8], at: usize, floor: usize) -> Option<Match> {
        let ahead = &target[at..];
        let window = ahead.first_chunk::<WINDOW>()?;
        let mut index = self.heads[slot(window, self.shift)];
        let mut best: Option<Match> = None;
        for _ in 0..PROBES_MAX {
            let Some(landmark) = self.windows.get(index as usize) else {
                break;
            };
            if landmark == window {
                let from = index as usize * WINDOW;
                let after = common_prefix(&self.source[from + WINDOW..], &ahead[WINDOW..]);
                let ahead_of = common_suffix(&self.source[..from], &target[floor..at]);
                let len = ahead_of + WINDOW + after;
                if best.is_none_or(|best| len > best.len) {
                    best = Some(Match {
                        from: from - ahead_of,
                        at: at - ahead_of,
                        len,
                    });
                }
                if len >= LONG_ENOUGH {
                    break;
                }
            }
            index = self.before[index as usize];
        }
        best
    }
}

fn slot(window: &Window, shift: u32) -> usize {
    let half = |at: usize| {
        let bytes = window[at..at + 8].try_into().expect("half a window is 8 bytes");
        u64::from_le_bytes(bytes)
    };
    let mixed = half(0).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ half(8).rotate_left(29);
    let hash = mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93);
    usize::try_from(hash >> shift).expect("as many bits as the table has")
}

/// How many bytes `a` and `b` have in common from the front.
pub(super) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let (words_a, words_b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    let equal = words_a.iter().zip(words_b).take_while(|(a, b)| a == b).count() * 8;
    equal
        + a[equal..]
            .iter()
            .zip(&b[equal..])
            .take_while(|(a, b)| a == b)
            .count()
}

/// How many bytes `a` and `b` have in common from the back.
pub(super) fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let (words_a, words_b) = (a.as_rchunks::<8>().1, b.as_rchunks::<8>().1);
    let equal = words_a
        .iter()
        .rev()
        .zip(words_b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count()
        * 8;
    let (rest_a, rest_b) = (&a[..a.len() - equal], &b[..b.len() - equal]);
    equal
        + rest_a
            .iter()
            .rev()
            .zip(rest_b.iter().rev())
            .take_while(|(a, b)| a == b)
            .count()
}
