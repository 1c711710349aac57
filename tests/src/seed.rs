//! Numbers that look random and are the same for the same seed.

/// `SplitMix64`. Prints nothing by itself: a test that draws from it names its seed in every message.
#[derive(Clone, Debug)]
pub struct Seed(u64);

impl Seed {
    /// Starts at `$LEAF_SEED`, or at `default` so that runs are alike unless asked to differ.
    pub fn from_environment(default: u64) -> Self {
        let given = std::env::var("LEAF_SEED").ok().and_then(|text| text.parse().ok());
        Self(given.unwrap_or(default))
    }

    /// Starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The state, to be printed and given as `$LEAF_SEED`.
    pub fn value(&self) -> u64 {
        self.0
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound.max(1)
    }

    /// `count` bytes that do not compress.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let words = std::iter::from_fn(|| Some(self.draw().to_le_bytes()));
        words.flatten().take(count).collect()
    }
}
