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
    /// One bit for each possible [`Slot`]: whether any window has it. Small, so that the many places of the
    /// target that match nothing are passed over without a look at `heads`.
    present: Vec<u64>,
    /// By slot: the last window that has it.
    heads: Vec<u32>,
    /// By window: the one before that has the same slot.
    before: Vec<u32>,
    shift: u32,
}

/// Bits of a [`Slot`] beyond those that choose a head.
const FINE_BITS: u32 = 4;

/// Where a window belongs, by its hash.
struct Slot(usize);

impl Slot {
    fn head(&self) -> usize {
        self.0 >> FINE_BITS
    }

    fn bit(&self) -> (usize, u64) {
        (self.0 / 64, 1 << (self.0 % 64))
    }
}

impl<'a> Landmarks<'a> {
    /// Of `source`, which the format lets be 4 GiB.
    pub(super) fn new(source: &'a [u8]) -> Self {
        let (windows, _) = source.as_chunks::<WINDOW>();
        let bits = windows.len().next_power_of_two().trailing_zeros().max(2);
        let mut landmarks = Self {
            source,
            windows,
            present: vec![0; (1 << (bits + FINE_BITS)) / 64],
            heads: vec![NONE; 1 << bits],
            before: vec![NONE; windows.len()],
            shift: 64 - bits - FINE_BITS,
        };
        let mut last = None;
        for (index, window) in (0_u32..).zip(windows) {
            if last.replace(window) != Some(window) {
                landmarks.insert(index, window);
            }
        }
        landmarks
    }

    fn insert(&mut self, index: u32, window: &Window) {
        let slot = self.slot(window);
        let (word, bit) = slot.bit();
        self.present[word] |= bit;
        self.before[index as usize] = std::mem::replace(&mut self.heads[slot.head()], index);
    }

    fn slot(&self, window: &Window) -> Slot {
        let half = |at: usize| {
            let bytes = window[at..at + 8].try_into().expect("half a window is 8 bytes");
            u64::from_le_bytes(bytes)
        };
        let mixed = half(0).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ half(8).rotate_left(29);
        let hash = mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        Slot(usize::try_from(hash >> self.shift).expect("as many bits as the tables have"))
    }

    /// The first place of `target` at `at` or later that the source has too; reaching back to `floor` at most,
    /// and of all that are there the longest.
    pub(super) fn find(&self, target: &[u8], at: usize, floor: usize) -> Option<Match> {
        for (ahead, window) in target[at..].windows(WINDOW).enumerate() {
            let window = window.try_into().expect("a window");
            let slot = self.slot(window);
            let (word, bit) = slot.bit();
            if self.present[word] & bit != 0
                && let Some(found) = self.longest(self.heads[slot.head()], target, at + ahead, floor)
            {
                return Some(found);
            }
        }
        None
    }

    /// The longest match of the windows in the chain from `index` with the one of `target` at `at`.
    fn longest(&self, mut index: u32, target: &[u8], at: usize, floor: usize) -> Option<Match> {
        let (window, after) = target[at..].split_first_chunk::<WINDOW>()?;
        let mut best: Option<Match> = None;
        for _ in 0..PROBES_MAX {
            let Some(landmark) = self.windows.get(index as usize) else {
                break;
            };
            if landmark == window {
                let from = index as usize * WINDOW;
                let back = common_suffix(&self.source[..from], &target[floor..at]);
                let len = back + WINDOW + common_prefix(&self.source[from + WINDOW..], after);
                if best.is_none_or(|best| len > best.len) {
                    best = Some(Match {
                        from: from - back,
                        at: at - back,
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
