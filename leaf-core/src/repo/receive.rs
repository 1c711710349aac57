//! How content comes in: made here, received from a peer, or staged by a clone.
//!
//! What is received is expanded and held against its name before it is stored. The one exception is a delta
//! whose source is not here yet: it is stored on a phantom, invisible, and checked in cascade when the source
//! arrives. What a clone stages is checked as a whole at its end (`finish_clone`).
//!
//! Source: Fossil `src/xfer.c`, `xfer_accept_file`, `xfer_accept_compressed_file`; `src/content.c`,
//! `content_put_ex`, `after_dephantomize`.

use super::{Repo, RepoError, RepoTx};
use crate::Blame;
use crate::format::hash::{self, HashKind, HashPolicy};
use crate::format::{delta, zblob};
use crate::id::{ArtifactHash, Rid};

/// An artifact as a peer sent it.
#[derive(Clone, Debug)]
pub struct Incoming<'a> {
    /// The name it is said to have.
    pub hash: ArtifactHash,
    /// What the body is a delta of; `None` when it is the full content.
    pub source: Option<ArtifactHash>,
    /// The bytes.
    pub body: Body<'a>,
    /// Whether the peer marked it private.
    pub private: bool,
}

/// The bytes of an [`Incoming`] artifact.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// Content or delta as it is (`file` card).
    Plain(&'a [u8]),
    /// Content or delta in stored form (`cfile` card), with the announced size of the expanded *artifact*.
    Stored {
        /// 4 bytes of size and a zlib stream.
        zblob: &'a [u8],
        /// Bytes of the artifact.
        size: u64,
    },
}

/// How a locally made artifact is to be treated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Put {
    /// Keep it from peers.
    pub private: bool,
    /// Send it outright at the next push.
    pub unsent: bool,
}

/// What became of an [`Incoming`] artifact.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// Its row; `None` when it is shunned and was dropped.
    pub rid: Option<Rid>,
    /// Whether its content was unknown before.
    pub new: bool,
    /// All artifacts whose content became available: this one and those whose deltas hung on it. To be given
    /// to `crosslink`.
    pub settled: Vec<Rid>,
}

/// A staged delta whose source had not come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hanging {
    rid: Rid,
    source: ArtifactHash,
}

impl Repo {
    /// Which algorithm names new artifacts here.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn hash_policy(&self) -> Result<HashPolicy, RepoError> {
        let value = self.config("hash-policy")?;
        let number = value.and_then(|text| text.trim().parse().ok());
        Ok(number
            .and_then(HashPolicy::from_config)
            .unwrap_or(HashPolicy::Auto))
    }
}

impl RepoTx<'_> {
    /// Stores content made here and returns its row and name. Content that is here already, under either
    /// algorithm, keeps its row.
    ///
    /// # Errors
    ///
    /// [`RepoError::Limit`] when it is too large; [`RepoError::Sqlite`].
    pub fn put(&self, content: &[u8], put: Put) -> Result<(Rid, ArtifactHash), RepoError> {
        self.check_size(content.len())?;
        let kind = self.hash_policy()?.kind_for_new();
        let name = hash::name(kind, content);
        let mut known = self.rid_of(&name)?;
        if let Some(rid) = known {
            self.doubt(rid)?;
        }
        if known.is_none_or(|rid| self.is_phantom(rid).unwrap_or(false)) {
            let other = match kind {
                HashKind::Sha1 => HashKind::Sha3,
                HashKind::Sha3 => HashKind::Sha1,
            };
            let other = hash::name(other, content);
            if let Some(rid) = self.rid_of(&other)?
                && !self.is_phantom(rid)?
            {
                return Ok((rid, other));
            }
        }
        if known.is_some_and(|rid| !self.is_phantom(rid).unwrap_or(true)) {
            return Ok((known.take().expect("just seen"), name));
        }
        let rid = self.store(
            &name,
            known,
            content.len() as u64,
            &zblob::compress(content),
            None,
        )?;
        if known.is_none() {
            self.list_as(rid, put.private)?;
        } else {
            self.fill_as(rid, put.private)?;
            let mut settled = vec![rid];
            self.settle_dependants(&mut settled)?;
            self.crosslink(settled.get(1..).unwrap_or_default())?;
        }
        if put.unsent && !put.private {
            self.db
                .prepare_cached("INSERT OR IGNORE INTO unsent VALUES (?1)")?
                .execute([rid])?;
        }
        Ok((rid, name))
    }

    /// Takes an artifact from a peer: verifies, then stores it.
    ///
    /// # Errors
    ///
    /// [`RepoError::WrongHash`] and its kin blame the peer; the caller is to abandon the transaction.
    pub fn receive(&self, incoming: &Incoming<'_>) -> Result<Received, RepoError> {
        let hash = &incoming.hash;
        if self.is_shunned(hash)? {
            return Ok(Received::default());
        }
        let known = self.rid_of(hash)?;
        if let Some(rid) = known
            && !self.doubt(rid)?
            && !self.is_phantom(rid)?
        {
            if !incoming.private && self.is_private(rid)? && self.proves(incoming)? {
                self.set_public(rid)?;
            }
            return Ok(Received {
                rid: Some(rid),
                new: false,
                settled: Vec::new(),
            });
        }
        let plain = self.plain_body(incoming)?;
        let (rid, settled) = match incoming.source {
            None => {
                if !hash::verify(hash, &plain) {
                    return Err(RepoError::WrongHash { hash: *hash });
                }
                Self::check_announced(incoming, plain.len())?;
                let stored = stored_form(incoming, &plain);
                (self.store(hash, known, plain.len() as u64, &stored, None)?, true)
            }
            Some(source) => self.receive_delta(incoming, &source, known, &plain)?,
        };
        match known {
            None => self.list_as(rid, incoming.private)?,
            Some(_) => self.fill_as(rid, incoming.private)?,
        }
        let mut settled = if settled { vec![rid] } else { Vec::new() };
        self.settle_dependants(&mut settled)?;
        Ok(Received {
            rid: Some(rid),
            new: true,
            settled,
        })
    }

    /// Takes an artifact of a clone as it comes, without looking into it.
    ///
    /// A delta that comes before its source is returned as one to [`hang`](Self::hang) on it later, before the
    /// transaction ends: most sources come in the same reply, and need not be phantoms first.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`], [`RepoError::WrongZblob`] when not even a size is there.
    pub fn stage(&self, incoming: &Incoming<'_>) -> Result<Option<Hanging>, RepoError> {
        if incoming.source == Some(incoming.hash) {
            return Err(RepoError::WrongHash { hash: incoming.hash });
        }
        let wrong = |source| RepoError::WrongZblob {
            hash: incoming.hash,
            source,
        };
        let (size, stored) = match incoming.body {
            Body::Stored { zblob, size } => {
                zblob::declared_size(zblob).map_err(wrong)?;
                (size, std::borrow::Cow::Borrowed(zblob))
            }
            Body::Plain(bytes) => {
                let size = match incoming.source {
                    None => bytes.len(),
                    Some(_) => delta::target_size(bytes).map_err(|source| RepoError::WrongDelta {
                        hash: incoming.hash,
                        source,
                    })?,
                };
                (size as u64, zblob::compress(bytes).into())
            }
        };
        let rid = match self.stage_new(&incoming.hash, size, &stored)? {
            Some(rid) => rid,
            None => match self.rid_of(&incoming.hash)? {
                Some(rid) if self.is_phantom(rid)? => {
                    self.store(&incoming.hash, Some(rid), size, &stored, None)?
                }
                Some(_) => return Ok(None),
                None => {
                    return Err(RepoError::Damaged {
                        what: "a row of blob is missing",
                    });
                }
            },
        };
        if incoming.private {
            self.list_as(rid, true)?;
        }
        let Some(source) = incoming.source else {
            return Ok(None);
        };
        match self.rid_of(&source)? {
            Some(source) => self.set_source(rid, source).map(|()| None),
            None => Ok(Some(Hanging { rid, source })),
        }
    }

    /// Hangs a staged delta on its source, which becomes a phantom if it has not come. One that is shunned never
    /// comes: verification will tell what hangs on nothing.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn hang(&self, delta: &Hanging) -> Result<(), RepoError> {
        match self.phantom(&delta.source, false)? {
            Some(source) => self.set_source(delta.rid, source),
            None => Ok(()),
        }
    }

    fn set_source(&self, rid: Rid, source: Rid) -> Result<(), RepoError> {
        self.db
            .prepare_cached("REPLACE INTO delta(rid, srcid) VALUES (?1, ?2)")?
            .execute((rid, source))?;
        Ok(())
    }

    /// Inserts a row in one descent of the index; `None` when the name has a row.
    fn stage_new(&self, hash: &ArtifactHash, size: u64, stored: &[u8]) -> Result<Option<Rid>, RepoError> {
        let rcvid = self.rcvid()?;
        let inserted = self
            .db
            .prepare_cached(
                "INSERT INTO blob(rcvid, size, uuid, content) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT(uuid) DO NOTHING",
            )?
            .execute((
                rcvid,
                i64::try_from(size).unwrap_or(i64::MAX),
                hash.hex().as_str(),
                stored,
            ))?;
        Ok((inserted > 0).then(|| Rid(self.db.last_insert_rowid())))
    }

    /// Whether a peer shows the content of an artifact, not only its name. A name alone makes nothing public.
    fn proves(&self, incoming: &Incoming<'_>) -> Result<bool, RepoError> {
        let plain = self.plain_body(incoming)?;
        let Some(source) = incoming.source else {
            return Ok(hash::verify(&incoming.hash, &plain));
        };
        let base = match self.rid_of(&source)? {
            Some(rid) => self.content(rid)?,
            None => None,
        };
        let shown = base.and_then(|base| delta::apply(&base, &plain, self.limits.artifact_bytes_max).ok());
        Ok(shown.is_some_and(|content| hash::verify(&incoming.hash, &content)))
    }

    /// Content or delta as plain bytes.
    fn plain_body<'a>(&self, incoming: &Incoming<'a>) -> Result<std::borrow::Cow<'a, [u8]>, RepoError> {
        let max = self.limits.artifact_bytes_max;
        match incoming.body {
            Body::Plain(bytes) => {
                self.check_size(bytes.len())?;
                Ok(bytes.into())
            }
            Body::Stored { zblob, .. } => {
                zblob::expand(zblob, max)
                    .map(Into::into)
                    .map_err(|source| RepoError::WrongZblob {
                        hash: incoming.hash,
                        source,
                    })
            }
        }
    }

    fn receive_delta(
        &self,
        incoming: &Incoming<'_>,
        source: &ArtifactHash,
        known: Option<Rid>,
        plain: &[u8],
    ) -> Result<(Rid, bool), RepoError> {
        let hash = incoming.hash;
        let wrong = |source| RepoError::WrongDelta { hash, source };
        if *source == hash {
            return Err(RepoError::WrongHash { hash });
        }
        let size = delta::target_size(plain).map_err(wrong)?;
        self.check_size(size)?;
        let source_rid = self.phantom(source, incoming.private)?;
        let base = match source_rid {
            Some(rid) => self.content(rid)?,
            None => None,
        };
        let Some(base) = base else {
            // A shunned source never comes; the artifact stays unknown and may be asked for in full.
            let Some(source_rid) = source_rid else {
                return Err(RepoError::NoSuchArtifact { hash: *source });
            };
            // Two deltas that wait for each other would wait forever.
            if known.is_some_and(|rid| self.hangs_on(source_rid, rid).unwrap_or(true)) {
                self.doubt(source_rid)?;
            }
            let stored = stored_form(incoming, plain);
            let rid = self.store(&hash, known, size as u64, &stored, Some(source_rid))?;
            return Ok((rid, false));
        };
        let content = delta::apply(&base, plain, self.limits.artifact_bytes_max).map_err(wrong)?;
        if !hash::verify(&hash, &content) {
            return Err(RepoError::WrongHash { hash });
        }
        Self::check_announced(incoming, content.len())?;
        let stored = stored_form(incoming, plain);
        let rid = self.store(&hash, known, content.len() as u64, &stored, source_rid)?;
        Ok((rid, true))
    }

    /// Checks the deltas that wait for what has just come, and theirs, and adds them to `settled`.
    ///
    /// One that does not fit becomes a phantom again. Refusing what came instead would let whoever sent the
    /// wrong delta keep the true artifacts out, too.
    fn settle_dependants(&self, settled: &mut Vec<Rid>) -> Result<(), RepoError> {
        let mut next = 0;
        while let Some(&source) = settled.get(next) {
            next += 1;
            let mut statement = self.db.prepare_cached("SELECT rid FROM delta WHERE srcid = ?1")?;
            let waiting = statement
                .query_map([source], |row| row.get(0))?
                .collect::<Result<Vec<Rid>, _>>()?;
            for rid in waiting {
                let hash = self.hash_of(rid)?;
                let content = match self.content(rid) {
                    Ok(content) => content,
                    Err(error) if error.blame() == Blame::Storage && !error.is_damage() => return Err(error),
                    Err(_) => None,
                };
                match content {
                    Some(content) if hash::verify(&hash, &content) => settled.push(rid),
                    _ => self.phantomize(rid)?,
                }
            }
        }
        Ok(())
    }

    /// Writes the row: fills the phantom `known`, or makes a new one.
    fn store(
        &self,
        hash: &ArtifactHash,
        known: Option<Rid>,
        size: u64,
        stored: &[u8],
        source: Option<Rid>,
    ) -> Result<Rid, RepoError> {
        let rcvid = self.rcvid()?;
        let size = i64::try_from(size).map_err(|_| RepoError::Limit {
            what: "artifact size",
            value: size,
            max: i64::MAX as u64,
        })?;
        let rid = match known {
            None => self.new_row(hash, rcvid, size, Some(stored))?,
            Some(rid) => {
                self.db
                    .prepare_cached("UPDATE blob SET rcvid = ?2, size = ?3, content = ?4 WHERE rid = ?1")?
                    .execute((rid, rcvid, size, stored))?;
                self.db
                    .prepare_cached("DELETE FROM phantom WHERE rid = ?1")?
                    .execute([rid])?;
                rid
            }
        };
        if let Some(source) = source {
            self.db
                .prepare_cached("REPLACE INTO delta(rid, srcid) VALUES (?1, ?2)")?
                .execute((rid, source))?;
        }
        Ok(rid)
    }

    pub(super) fn check_size(&self, bytes: usize) -> Result<(), RepoError> {
        let max = self.limits.artifact_bytes_max;
        match bytes > max {
            true => Err(RepoError::Limit {
                what: "artifact size",
                value: bytes as u64,
                max: max as u64,
            }),
            false => Ok(()),
        }
    }

    fn check_announced(incoming: &Incoming<'_>, actual: usize) -> Result<(), RepoError> {
        match incoming.body {
            Body::Stored { size, .. } if size != actual as u64 => Err(RepoError::WrongSize {
                hash: incoming.hash,
                declared: size,
                actual: actual as u64,
            }),
            _ => Ok(()),
        }
    }
}

/// The bytes to store: those that came compressed as they came.
fn stored_form<'a>(incoming: &Incoming<'a>, plain: &[u8]) -> std::borrow::Cow<'a, [u8]> {
    match incoming.body {
        Body::Stored { zblob, .. } => zblob.into(),
        Body::Plain(_) => zblob::compress(plain).into(),
    }
}
