//! Names of content and the other digests of the format.
//!
//! SHA1 of content runs with collision detection: content that was crafted to share its name with other
//! content has no valid name here. SHA1 of nonces and passwords needs none. MD5 serves the `R` and `Z` cards.
//!
//! Source: Fossil `src/hname.c`, `src/sha1.c` (hardened SHA1), `src/sha3.c`, `src/md5.c`.

use std::rc::Rc;
use std::sync::Arc;

use md5::Digest as _;

use crate::id::{ArtifactHash, to_hex};

/// The two algorithms that name artifacts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HashKind {
    /// SHA1, 40 hex digits.
    Sha1,
    /// SHA3-256, 64 hex digits.
    Sha3,
}

/// Which algorithm names new artifacts, and which names are taken from others.
///
/// Shape: config `hash-policy`, an integer.
/// Source: Fossil `src/hname.c`, `HPOLICY_*`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum HashPolicy {
    /// New artifacts are named by SHA1.
    Sha1 = 0,
    /// New artifacts are named by SHA1 until the first SHA3 name comes in; then the policy becomes `Sha3`.
    Auto = 1,
    /// New artifacts are named by SHA3-256.
    Sha3 = 2,
    /// As `Sha3`, and check-ins refer to no SHA1 name.
    Sha3Only = 3,
    /// As `Sha3`, and artifacts with SHA1 names are refused.
    ShunSha1 = 4,
}

impl HashPolicy {
    /// From config `hash-policy`; `None` for a number that Fossil does not know.
    pub fn from_config(value: i64) -> Option<Self> {
        Some(match value {
            0 => Self::Sha1,
            1 => Self::Auto,
            2 => Self::Sha3,
            3 => Self::Sha3Only,
            4 => Self::ShunSha1,
            _ => return None,
        })
    }

    /// The algorithm that names a new artifact.
    pub fn kind_for_new(self) -> HashKind {
        match self {
            Self::Sha1 | Self::Auto => HashKind::Sha1,
            Self::Sha3 | Self::Sha3Only | Self::ShunSha1 => HashKind::Sha3,
        }
    }
}

/// The name of `content`.
pub fn name(kind: HashKind, content: &[u8]) -> ArtifactHash {
    match kind {
        HashKind::Sha1 => ArtifactHash::Sha1(sha1::Sha1::digest(content).into()),
        HashKind::Sha3 => ArtifactHash::Sha3(leaf_lanes::sha3_256(content)),
    }
}

/// Whether `hash` is the name of `content`. `false` too when `content` was crafted to collide under SHA1.
pub fn verify(hash: &ArtifactHash, content: &[u8]) -> bool {
    match hash {
        ArtifactHash::Sha1(bytes) => {
            let result = sha1_checked::Sha1::try_digest(content);
            !result.has_collision() && result.hash().as_slice() == bytes
        }
        ArtifactHash::Sha3(bytes) => leaf_lanes::sha3_256(content) == *bytes,
    }
}

/// SHA1 in hex, for nonces, signatures and shared secrets.
pub fn sha1_hex(bytes: &[u8]) -> String {
    to_hex(&sha1::Sha1::digest(bytes))
}

/// MD5 in hex, for `Z` and `R` cards.
pub fn md5_hex(bytes: &[u8]) -> String {
    to_hex(&md5::Md5::digest(bytes))
}

/// MD5 of many contents at once, several times as fast as one by one; in their order.
pub fn md5_many(contents: &[&[u8]]) -> Vec<[u8; 16]> {
    leaf_lanes::md5_many(contents)
}

/// MD5 piece by piece, for `R` cards.
#[derive(Clone, Default)]
pub struct Md5(md5::Md5);

impl Md5 {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest in hex.
    pub fn hex(self) -> String {
        to_hex(&self.0.finalize())
    }
}

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

/// Collects contents and hashes several per SIMD pass.
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

impl<T, C: Content> BatchVerifier<T, C> {
    /// A verifier that holds `bytes_max` bytes of content and, on top, the one that exceeds it.
    ///
    /// A few hundred contents fill the lanes well; a few do not.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            waiting: Vec::new(),
        }
    }

    /// Takes `content`. When enough are waiting, `done` hears of each its tag and whether the hash is right,
    /// and gets the content back.
    pub fn push(&mut self, tag: T, hash: ArtifactHash, content: C, done: &mut dyn FnMut(T, bool, C)) {
        let bytes = content.bytes().len() + size_of::<Waiting<T, C>>();
        self.bytes = self.bytes.saturating_add(bytes);
        self.waiting.push(Waiting { tag, hash, content });
        if self.bytes >= self.bytes_max {
            self.flush(done);
        }
    }

    /// Hashes what is waiting. To be called after the last [`push`](Self::push).
    pub fn flush(&mut self, done: &mut dyn FnMut(T, bool, C)) {
        let is_sha3 = |waiting: &&Waiting<T, C>| matches!(waiting.hash, ArtifactHash::Sha3(_));
        let sha3: Vec<&[u8]> = self
            .waiting
            .iter()
            .filter(is_sha3)
            .map(|one| one.content.bytes())
            .collect();
        let mut digests = leaf_lanes::sha3_256_many(&sha3).into_iter();
        self.bytes = 0;
        for Waiting { tag, hash, content } in self.waiting.drain(..) {
            let good = match hash {
                ArtifactHash::Sha1(_) => verify(&hash, content.bytes()),
                ArtifactHash::Sha3(named) => digests.next() == Some(named),
            };
            done(tag, good, content);
        }
    }
}
