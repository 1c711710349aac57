//! Names of content and the other digests of the format.
//!
//! SHA1 of content runs with collision detection: content that was crafted to share its name with other
//! content has no valid name here. SHA1 of nonces and passwords needs none. MD5 serves the `R` and `Z` cards.
//!
//! Source: Fossil `src/hname.c`, `src/sha1.c` (hardened SHA1), `src/sha3.c`, `src/md5.c`.

use md5::Digest as _;
use sha1::Digest as _;

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

/// MD5, for `Z` and `R` cards.
pub fn md5(bytes: &[u8]) -> [u8; 16] {
    md5::Md5::digest(bytes).into()
}

/// The same in hex.
pub fn md5_hex(bytes: &[u8]) -> String {
    to_hex(&md5(bytes))
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
