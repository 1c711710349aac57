//! How an invitation is proved, and what people compare.
//!
//! The secret of a ticket is the seed of a key pair. Whoever invites keeps the public half alone: a copy of its
//! repository, open invitations included, lets nobody in. Whoever joins signs both endpoint ids with the other half:
//! the signature is of no use to anybody else, nor at any other leaf, and the secret itself is never sent.
//!
//! Source: ours; Ed25519 is RFC 8032, SHA3-256 is FIPS 202.

use super::Key;
use crate::format::hash::{HashKind, name};

/// The seed of the key pair that the secret of a ticket stands for.
pub fn invite_seed(secret: &[u8; 16]) -> Key {
    digest(b"leaf invite 1\0", &[secret])
}

/// What whoever joins signs with the key of the invitation.
pub fn join_text(inviter: &Key, joiner: &Key) -> Vec<u8> {
    [b"leaf join 1\0".as_slice(), inviter, joiner].concat()
}

/// What both sides show, for people to compare: six digits that follow from who invited, who joined, and by which
/// invitation.
pub fn short_code(inviter: &Key, joiner: &Key, invite: &Key) -> String {
    let [a, b, c, d, ..] = digest(b"leaf code 1\0", &[inviter, joiner, invite]);
    let number = u32::from_be_bytes([a, b, c, d]) % 1_000_000;
    let (high, low) = (number / 1_000, number % 1_000);
    format!("{high:03} {low:03}")
}

/// Each part has one length, so that no two lists of parts read alike.
fn digest(label: &[u8], parts: &[&[u8]]) -> Key {
    let text = [label, &parts.concat()].concat();
    let mut digest = [0; 32];
    digest.copy_from_slice(name(HashKind::Sha3, &text).as_bytes());
    digest
}
