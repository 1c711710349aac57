//! Sending artifacts: what both sides do alike.
//!
//! An artifact goes out as the delta that is stored when the peer holds its source, else as a delta against
//! the same file or check-in one step back, which the peer most likely holds, else whole.
//!
//! Source: Fossil `src/xfer.c` `send_file()`, `send_delta_parent()`, `send_delta_native()`.

use crate::format::{delta, zblob};
use crate::id::{ArtifactHash, Rid};
use crate::repo::{Repo, RepoError};
use crate::xfer::{Card, MessageWriter, Version};
use std::collections::HashSet;
use std::sync::Arc;

/// Artifacts up to this size are never sent as deltas. Units: bytes.
const DELTA_FROM_BYTES: usize = 100;
/// What a delta must save to be worth it. Units: bytes.
const DELTA_SAVES_BYTES: usize = 50;

/// What one side knows of the other while it composes a message.
#[derive(Debug)]
pub(super) struct Sender {
    /// Artifacts that the peer holds, or gets with this message.
    pub(super) on_remote: HashSet<Rid>,
    /// Private artifacts may go out.
    pub(super) private: bool,
    /// Which Fossil the peer is.
    pub(super) peer: Version,
    /// Deltas as they are stored, for a peer that is getting everything.
    pub(super) native: bool,
    /// Size that no artifact exceeds.
    pub(super) artifact_bytes_max: usize,
    /// Artifacts sent, deltas among them.
    pub(super) sent: u64,
    /// Deltas among them.
    pub(super) deltas: u64,
}

/// What a `file` card brings, and what that is a delta against.
type Payload = (Option<ArtifactHash>, Arc<Vec<u8>>);

/// What became of an artifact that was to be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sent {
    /// It is in the message.
    Artifact,
    /// It is announced only: the message is full, or it is private.
    Announced,
    /// It cannot or need not be sent.
    Nothing,
    /// Its name is SHA3, which the peer is too old for.
    TooNew,
}

impl Sender {
    pub(super) fn new(private: bool, artifact_bytes_max: usize) -> Self {
        Self {
            on_remote: HashSet::new(),
            private,
            peer: Version::default(),
            native: false,
            artifact_bytes_max,
            sent: 0,
            deltas: 0,
        }
    }

    /// Puts one artifact into the message, as far as rights and budget allow.
    pub(super) fn send(
        &mut self,
        repo: &Repo,
        out: &mut MessageWriter,
        rid: Rid,
        hash: &ArtifactHash,
    ) -> Result<Sent, RepoError> {
        let private = repo.is_private(rid)?;
        if private && !self.private {
            if !self.peer.hears_private_igots() {
                return Ok(Sent::Nothing);
            }
            out.push(&Card::Igot {
                hash: *hash,
                private: true,
            });
            return Ok(Sent::Announced);
        }
        if self.on_remote.contains(&rid) || repo.is_shunned(hash)? {
            return Ok(Sent::Nothing);
        }
        if matches!(hash, ArtifactHash::Sha3(_)) && !self.peer.reads_sha3() {
            return Ok(Sent::TooNew);
        }
        if out.is_full() {
            out.push(&Card::Igot { hash: *hash, private });
            return Ok(Sent::Announced);
        }
        let Some((source, content)) = self.body(repo, rid)? else {
            return Ok(Sent::Nothing);
        };
        if private {
            out.push(&Card::Private);
        }
        out.push(&Card::File {
            hash: *hash,
            source,
            content: &content,
        });
        self.sent += 1;
        self.deltas += u64::from(source.is_some());
        self.on_remote.insert(rid);
        Ok(Sent::Artifact)
    }

    /// The payload, and what it is a delta against. `None` when the content is not here.
    fn body(&self, repo: &Repo, rid: Rid) -> Result<Option<Payload>, RepoError> {
        let stored = repo.stored(rid)?;
        if let Some((source, name)) = stored.as_ref().and_then(|stored| stored.source)
            && (self.native || self.on_remote.contains(&source))
            && self.may_see(repo, source, &name)?
            && repo.is_available(source)?
            && let Some(stored) = &stored
            && let Ok(delta) = zblob::expand(&stored.zblob, self.artifact_bytes_max)
        {
            return Ok(Some((Some(name), delta.into())));
        }
        drop(stored);
        let Some(content) = repo.content(rid)? else {
            return Ok(None);
        };
        if !self.native
            && content.len() > DELTA_FROM_BYTES
            && let Some((name, delta)) = self.parent_delta(repo, rid, &content)?
        {
            return Ok(Some((Some(name), delta.into())));
        }
        Ok(Some((None, content)))
    }

    fn parent_delta(
        &self,
        repo: &Repo,
        rid: Rid,
        content: &[u8],
    ) -> Result<Option<(ArtifactHash, Vec<u8>)>, RepoError> {
        let Some(source) = repo.predecessor(rid)? else {
            return Ok(None);
        };
        let name = repo.hash_of(source)?;
        if !self.may_see(repo, source, &name)? {
            return Ok(None);
        }
        let Some(old) = repo.content(source)? else {
            return Ok(None);
        };
        let delta = delta::create(&old, content);
        let worth_it = delta.len().saturating_add(DELTA_SAVES_BYTES) <= content.len();
        Ok(worth_it.then_some((name, delta)))
    }

    /// A delta may name neither a private artifact nor a shunned one.
    fn may_see(&self, repo: &Repo, rid: Rid, hash: &ArtifactHash) -> Result<bool, RepoError> {
        Ok((self.private || !repo.is_private(rid)?) && !repo.is_shunned(hash)?)
    }
}
