//! Which message is in which lane.
//!
//! Knows nothing of any CPU: whoever can absorb one block into each of four states does it ([`Absorb`]).

use crate::{Block, RATE, keccak, padded};

/// Messages that share a permutation.
pub(crate) const LANES: usize = 4;

/// Four states, word by word: word `i` of lane `l` is `self.0[i][l]`.
#[repr(C, align(32))]
pub(crate) struct States(pub(crate) [[u64; LANES]; 25]);

impl States {
    fn reset(&mut self, lane: usize) {
        for word in &mut self.0 {
            word[lane] = 0;
        }
    }

    fn of(&self, lane: usize) -> keccak::State {
        self.0.map(|word| word[lane])
    }

    fn digest(&self, lane: usize) -> [u8; 32] {
        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut::<8>().0.iter_mut().zip(&self.0) {
            *bytes = word[lane].to_le_bytes();
        }
        digest
    }
}

/// Absorbs blocks into four states at once.
pub(crate) trait Absorb {
    /// Absorbs `blocks[l]`, one after the other, into lane `l`. All four have the same number of blocks.
    fn absorb(&self, states: &mut States, blocks: [&[Block]; LANES]);
}

/// A message in a lane.
#[derive(Clone, Copy)]
struct Job<'a> {
    /// What is still to be absorbed; `None` when the padding was, too.
    left: Option<&'a [u8]>,
    /// Whose digest it will be.
    index: usize,
}

impl<'a> Job<'a> {
    /// The next `count` blocks of the message.
    fn blocks(&self, count: usize) -> &'a [Block] {
        let (blocks, _) = self.left.unwrap_or_default().as_chunks();
        &blocks[..count]
    }

    fn full_blocks(&self) -> usize {
        self.left.map_or(0, |left| left.len() / RATE)
    }
}

/// With fewer messages left than this, one after the other is faster than a pass with empty lanes.
const LANES_WORTH_A_PASS: usize = 2;

/// The digests of `messages`, in their order.
pub(crate) fn digest_all(messages: &[&[u8]], absorb: &impl Absorb) -> Vec<[u8; 32]> {
    let mut digests = vec![[0; 32]; messages.len()];
    let mut order: Vec<usize> = (0..messages.len()).collect();
    // The next one is taken from the end: the longest come first.
    order.sort_unstable_by_key(|&index| messages[index].len() / RATE);
    let mut next = || {
        order.pop().map(|index| Job {
            left: Some(messages[index]),
            index,
        })
    };
    let mut states = States([[0; LANES]; 25]);
    let mut lanes: [Option<Job<'_>>; LANES] = [(); LANES].map(|()| next());
    while lanes.iter().flatten().count() >= LANES_WORTH_A_PASS {
        advance(&mut states, &mut lanes, absorb);
        for (lane, slot) in lanes.iter_mut().enumerate() {
            if let Some(job) = slot.take_if(|job| job.left.is_none()) {
                digests[job.index] = states.digest(lane);
                *slot = next();
                states.reset(lane);
            }
        }
    }
    for (lane, slot) in lanes.iter().enumerate() {
        if let Some(Job {
            left: Some(left),
            index,
        }) = slot
        {
            digests[*index] = crate::finish(states.of(lane), left);
        }
    }
    digests
}

/// Absorbs as many blocks as every lane has; or one, when a lane has come to its last.
fn advance(states: &mut States, lanes: &mut [Option<Job<'_>>; LANES], absorb: &impl Absorb) {
    let count = lanes.iter().flatten().map(Job::full_blocks).min().unwrap_or(0);
    if count > 0 {
        // An empty lane goes through the motions with somebody's blocks; nobody reads what it makes.
        let some = lanes
            .iter()
            .flatten()
            .next()
            .map_or(&[][..], |job| job.blocks(count));
        let blocks = lanes
            .each_ref()
            .map(|slot| slot.as_ref().map_or(some, |job| job.blocks(count)));
        absorb.absorb(states, blocks);
        for job in lanes.iter_mut().flatten() {
            job.left = job.left.map(|left| &left[count * RATE..]);
        }
        return;
    }
    let mut last = [[0; RATE]; LANES];
    for (block, slot) in last.iter_mut().zip(lanes.iter_mut()) {
        let Some(job) = slot else { continue };
        let left = job.left.unwrap_or_default();
        if let Some((full, after)) = left.split_first_chunk() {
            (*block, job.left) = (*full, Some(after));
        } else {
            (*block, job.left) = (padded(left), None);
        }
    }
    absorb.absorb(states, last.each_ref().map(core::slice::from_ref));
}
