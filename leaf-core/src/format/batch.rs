//! Verifying many contents at once: their names, and the checksums of those that are artifacts.
//!
//! Why in batches: several messages share each instruction of a hash, so that ten contents together take the
//! time of two or three. Why both hashes here: a manifest is hashed twice, by SHA3 for its name and by MD5 for
//! its `Z` card, and each would be a large part of a clone's work.

use std::rc::Rc;
use std::sync::Arc;

use super::artifact::ZCard;
use super::hash;
use crate::id::ArtifactHash;

/// Content that a [`BatchVerifier`] can hold: owned, or shared with whoever applies deltas to it.
pub trait Content {
    /// The bytes.
    fn bytes(&self) -> &[u8];
}

macro_rules! content {
    ($($holder:ty),*) => {$(
        impl Content for $holder {
            fn bytes(&self) -> &[u8] {
                self
            }
        }
    )*};
}
content!(Vec<u8>, Rc<Vec<u8>>, Arc<Vec<u8>>, Rc<[u8]>, Arc<[u8]>);

/// What was found of one content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// Whether the hash is its name. `false` too when it was crafted to collide under SHA1.
    pub named_right: bool,
    /// Whether its `Z` card is right; `None` when it has none. For
    /// [`ArtifactView::parse_checked`](super::artifact::ArtifactView::parse_checked).
    pub z_right: Option<bool>,
}

/// Collects contents and hashes several per pass.
///
/// Contents are handed back with the verdict, in the order of [`push`](Self::push). Contents that are shared
/// (`Rc`, `Arc`) can serve as sources of deltas while they wait: whoever builds a delta tree need not wait
/// for a verdict before it goes on, only before it stores.
pub struct BatchVerifier<T, C = Vec<u8>> {
    bytes_max: usize,
    bytes: usize,
    waiting: Vec<Waiting<T, C>>,
}

struct Waiting<T, C> {
    tag: T,
    hash: ArtifactHash,
    content: C,
}

/// So many bytes are worth a pass, if they are of [`CONTENTS_WORTH`] contents: they are still in the cache.
const BYTES_WORTH: usize = 2 << 20;
/// So many contents fill the lanes.
const CONTENTS_WORTH: usize = 16;

impl<T, C: Content> BatchVerifier<T, C> {
    /// A verifier that holds at most `bytes_max` bytes of content and, on top, the one that exceeds it.
    ///
    /// It holds less when contents are small; the room is there to bring several large ones together.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            waiting: Vec::new(),
        }
    }

    /// Takes `content`. When enough are waiting, `done` hears of each its tag and the verdict, and gets the
    /// content back.
    pub fn push(&mut self, tag: T, hash: ArtifactHash, content: C, done: &mut dyn FnMut(T, Verdict, C)) {
        let bytes = content.bytes().len() + size_of::<Waiting<T, C>>();
        self.bytes = self.bytes.saturating_add(bytes);
        self.waiting.push(Waiting { tag, hash, content });
        let worth = self.bytes >= BYTES_WORTH && self.waiting.len() >= CONTENTS_WORTH;
        if worth || self.bytes >= self.bytes_max {
            self.flush(done);
        }
    }

    /// Hashes what is waiting. To be called after the last [`push`](Self::push).
    pub fn flush(&mut self, done: &mut dyn FnMut(T, Verdict, C)) {
        let named = names_are_right(self.waiting.iter().map(|one| (&one.hash, one.content.bytes())));
        let z_cards = z_cards_are_right(self.waiting.iter().map(|one| one.content.bytes()));
        self.bytes = 0;
        for (Waiting { tag, content, .. }, (named_right, z_right)) in
            self.waiting.drain(..).zip(named.into_iter().zip(z_cards))
        {
            done(tag, Verdict { named_right, z_right }, content);
        }
    }
}

/// [`hash::verify`] for each, SHA3 in lanes.
fn names_are_right<'a>(claims: impl Iterator<Item = (&'a ArtifactHash, &'a [u8])> + Clone) -> Vec<bool> {
    let is_sha3 = |hash: &ArtifactHash| matches!(hash, ArtifactHash::Sha3(_));
    let sha3 = claims
        .clone()
        .filter(|(hash, _)| is_sha3(hash))
        .map(|(_, content)| content);
    let mut digests = leaf_lanes::sha3_256_many(&sha3.collect::<Vec<_>>()).into_iter();
    let is_right = |(hash, content): (&ArtifactHash, &[u8])| match hash {
        ArtifactHash::Sha1(_) => hash::verify(hash, content),
        ArtifactHash::Sha3(named) => digests.next() == Some(*named),
    };
    claims.map(is_right).collect()
}

/// Whether the `Z` card of each is right, MD5 in lanes; `None` for what has none.
fn z_cards_are_right<'a>(contents: impl Iterator<Item = &'a [u8]>) -> Vec<Option<bool>> {
    let cards: Vec<Option<ZCard<'_>>> = contents.map(|content| ZCard::find(content).ok()).collect();
    let bodies: Vec<&[u8]> = cards.iter().flatten().map(ZCard::covers).collect();
    let mut digests = hash::md5_many(&bodies).into_iter();
    let mut is_right = |card: ZCard<'_>| digests.next().is_some_and(|digest| card.says(digest));
    cards.into_iter().map(|card| card.map(&mut is_right)).collect()
}
