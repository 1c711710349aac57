//! Which message is in which lane.
//!
//! Knows no hash and no CPU: how a block is absorbed and what the last ones look like, [`Hash`] says.

pub(crate) mod md5;
pub(crate) mod sha3;

/// A hash of several messages at once, on some CPU.
pub(crate) trait Hash<const LANES: usize, const BLOCK: usize> {
    /// Where all lanes stand.
    type States;
    /// What a message comes to.
    type Digest: Copy + Default;

    /// Every lane before its first block.
    fn start(&self) -> Self::States;

    /// One lane before its first block.
    fn restart(&self, states: &mut Self::States, lane: usize);

    /// Absorbs `blocks[l]`, one after the other, into lane `l`. All lanes have the same number of blocks.
    fn absorb(&self, states: &mut Self::States, blocks: [&[[u8; BLOCK]]; LANES]);

    /// The last blocks of a message of `bytes` bytes that ends with `rest`, less than a block: one or two.
    fn tail(&self, rest: &[u8], bytes: usize) -> Tail<BLOCK>;

    /// The digest of the message that a lane has absorbed, tail and all.
    fn digest(&self, states: &Self::States, lane: usize) -> Self::Digest;
}

/// The last blocks of a message, padded.
pub(crate) struct Tail<const BLOCK: usize> {
    pub(crate) blocks: [[u8; BLOCK]; 2],
    /// How many of them are used, the last one or both.
    pub(crate) used: usize,
}

/// A message in a lane.
struct Job<'a, const BLOCK: usize> {
    /// Which message it is.
    index: usize,
    message: &'a [u8],
    /// Its full blocks that are still to be absorbed; after them the tail.
    body: &'a [[u8; BLOCK]],
    tail: Tail<BLOCK>,
}

impl<const BLOCK: usize> Job<'_, BLOCK> {
    /// Blocks that lie side by side and come next; none when the message is done.
    fn ahead(&self) -> &[[u8; BLOCK]] {
        match self.body {
            [] => &self.tail.blocks[2 - self.tail.used..],
            body => body,
        }
    }

    fn advance(&mut self, count: usize) {
        match self.body {
            [] => self.tail.used -= count,
            body => self.body = &body[count..],
        }
    }
}

/// A message that was not hashed to its end, because too few were left to share a pass.
pub(crate) struct Leftover<'a> {
    /// The lane that it is in.
    pub(crate) lane: usize,
    /// Which message it is.
    pub(crate) index: usize,
    /// What its lane has not absorbed.
    pub(crate) left: &'a [u8],
}

/// What came of all messages.
pub(crate) struct Outcome<'a, States, Digest> {
    /// In the order of the messages; the default where a message is left over.
    pub(crate) digests: Vec<Digest>,
    /// Fewer than were worth a pass.
    pub(crate) leftovers: Vec<Leftover<'a>>,
    pub(crate) states: States,
}

/// Hashes `messages` as long as `worth` of them or more share a pass.
pub(crate) fn digest_all<'a, H, const LANES: usize, const BLOCK: usize>(
    hash: &H,
    messages: &[&'a [u8]],
    worth: usize,
) -> Outcome<'a, H::States, H::Digest>
where
    H: Hash<LANES, BLOCK>,
{
    let mut digests = vec![H::Digest::default(); messages.len()];
    let mut order: Vec<usize> = (0..messages.len()).collect();
    // The next one is taken from the end: the longest come first, so that the lanes end about together.
    order.sort_unstable_by_key(|&index| messages[index].len() / BLOCK);
    let mut next = || {
        let index = order.pop()?;
        let message = messages[index];
        let (body, rest) = message.as_chunks();
        Some(Job {
            index,
            message,
            body,
            tail: hash.tail(rest, message.len()),
        })
    };
    let mut states = hash.start();
    let mut lanes: [Option<Job<'a, BLOCK>>; LANES] = std::array::from_fn(|_| next());
    while lanes.iter().flatten().count() >= worth {
        pass(hash, &mut states, &mut lanes);
        for (lane, slot) in lanes.iter_mut().enumerate() {
            if let Some(job) = slot.take_if(|job| job.ahead().is_empty()) {
                digests[job.index] = hash.digest(&states, lane);
                *slot = next();
                hash.restart(&mut states, lane);
            }
        }
    }
    let leftover = |(lane, slot): (usize, Option<Job<'a, BLOCK>>)| {
        let Job {
            index, message, body, ..
        } = slot?;
        let left = body.len() * BLOCK + message.len() % BLOCK;
        Some(Leftover {
            lane,
            index,
            left: &message[message.len() - left..],
        })
    };
    let leftovers = lanes.into_iter().enumerate().filter_map(leftover).collect();
    Outcome {
        digests,
        leftovers,
        states,
    }
}

/// Absorbs as many blocks as every lane has ahead.
fn pass<H, const LANES: usize, const BLOCK: usize>(
    hash: &H,
    states: &mut H::States,
    lanes: &mut [Option<Job<'_, BLOCK>>; LANES],
) where
    H: Hash<LANES, BLOCK>,
{
    let shortest = lanes
        .iter()
        .flatten()
        .map(Job::ahead)
        .min_by_key(|blocks| blocks.len());
    let shortest = shortest.expect("a pass has at least one message");
    let count = shortest.len();
    // An empty lane goes through the motions with somebody's blocks; nobody reads what it makes.
    let blocks = lanes
        .each_ref()
        .map(|slot| slot.as_ref().map_or(shortest, |job| &job.ahead()[..count]));
    hash.absorb(states, blocks);
    for job in lanes.iter_mut().flatten() {
        job.advance(count);
    }
}
