//! Content of artifacts: from name to row, from row to bytes, through chains of deltas.
//!
//! Source: Fossil `src/content.c`, `content_get`, `content_is_available`.

use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::OptionalExtension;

use super::{Repo, RepoError};
use crate::format::{delta, zblob};
use crate::id::{ArtifactHash, Rid};

/// An artifact as the `blob` table holds it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its name.
    pub hash: ArtifactHash,
    /// Bytes of the expanded artifact, even where a delta is stored.
    pub size: u64,
    /// What a delta applies to; `None` when the full content is stored.
    pub source: Option<(Rid, ArtifactHash)>,
    /// The compressed content or delta.
    pub zblob: Vec<u8>,
}

impl Repo {
    /// The row of an artifact or phantom.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn rid_of(&self, hash: &ArtifactHash) -> Result<Option<Rid>, RepoError> {
        let mut statement = self.db.prepare_cached("SELECT rid FROM blob WHERE uuid = ?1")?;
        Ok(statement
            .query_row([hash.hex().as_str()], |row| row.get(0))
            .optional()?)
    }

    /// The name in a row.
    ///
    /// # Errors
    ///
    /// [`RepoError::Damaged`] when there is no such row or it holds no name.
    pub fn hash_of(&self, rid: Rid) -> Result<ArtifactHash, RepoError> {
        let mut statement = self.db.prepare_cached("SELECT uuid FROM blob WHERE rid = ?1")?;
        statement
            .query_row([rid], |row| row.get(0))
            .optional()?
            .ok_or(RepoError::Damaged {
                what: "a row of blob is missing",
            })
    }

    /// Number of artifacts whose content is here.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn artifact_count(&self) -> Result<u64, RepoError> {
        let count: i64 = self
            .db
            .query_row("SELECT count(*) FROM blob WHERE size >= 0", [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// The expanded content. `None` for a phantom, and for a delta whose chain ends in one.
    ///
    /// # Errors
    ///
    /// [`RepoError::DamagedZblob`], [`RepoError::DamagedDelta`], [`RepoError::DeltaChain`].
    pub fn content(&self, rid: Rid) -> Result<Option<Arc<Vec<u8>>>, RepoError> {
        let mut chain: Vec<(Rid, Vec<u8>)> = Vec::new();
        let mut seen = HashSet::new();
        let mut at = rid;
        let mut content = loop {
            if let Some(content) = self.cache.borrow_mut().find(at) {
                break content;
            }
            let Some((stored, source)) = self.row(at)? else {
                return Ok(None);
            };
            let max = self.limits.artifact_bytes_max;
            let bytes =
                zblob::expand(&stored, max).map_err(|source| RepoError::DamagedZblob { rid: at, source })?;
            let Some(source) = source else {
                break Arc::new(bytes);
            };
            chain.push((at, bytes));
            if chain.len() > self.limits.delta_depth_max || !seen.insert(at) {
                return Err(RepoError::DeltaChain {
                    rid,
                    depth_max: self.limits.delta_depth_max,
                });
            }
            at = source;
        };
        self.cache.borrow_mut().keep(at, &content);
        // Of a long chain only the near end is worth keeping.
        while let Some((at, bytes)) = chain.pop() {
            let max = self.limits.artifact_bytes_max;
            let next = delta::apply(&content, &bytes, max)
                .map_err(|source| RepoError::DamagedDelta { rid: at, source })?;
            content = Arc::new(next);
            if chain.len() < 2 {
                self.cache.borrow_mut().keep(at, &content);
            }
        }
        Ok(Some(content))
    }

    /// The same by name; `None` also where the name is unknown.
    ///
    /// # Errors
    ///
    /// Those of [`content`](Self::content).
    pub fn content_of(&self, hash: &ArtifactHash) -> Result<Option<Arc<Vec<u8>>>, RepoError> {
        self.rid_of(hash)?.map_or(Ok(None), |rid| self.content(rid))
    }

    /// Whether [`content`](Self::content) would give bytes, without expanding them.
    ///
    /// # Errors
    ///
    /// [`RepoError::DeltaChain`], [`RepoError::Sqlite`].
    pub fn is_available(&self, rid: Rid) -> Result<bool, RepoError> {
        let mut statement = self.db.prepare_cached(
            "SELECT size >= 0, (SELECT srcid FROM delta WHERE delta.rid = blob.rid) FROM blob WHERE rid = ?1",
        )?;
        let mut at = rid;
        for _ in 0..=self.limits.delta_depth_max {
            let row: Option<(bool, Option<Rid>)> = statement
                .query_row([at], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            match row {
                None | Some((false, _)) => return Ok(false),
                Some((true, None)) => return Ok(true),
                Some((true, Some(source))) => at = source,
            }
        }
        Err(RepoError::DeltaChain {
            rid,
            depth_max: self.limits.delta_depth_max,
        })
    }

    /// The artifact as it is stored. `None` for a phantom.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn stored(&self, rid: Rid) -> Result<Option<Stored>, RepoError> {
        let mut statement = self.db.prepare_cached(
            "SELECT uuid, size, content, srcid, (SELECT uuid FROM blob AS s WHERE s.rid = srcid)
               FROM blob LEFT JOIN delta USING(rid) WHERE rid = ?1 AND size >= 0",
        )?;
        let stored = statement.query_row([rid], |row| {
            let source: Option<Rid> = row.get(3)?;
            Ok(Stored {
                hash: row.get(0)?,
                size: row.get::<_, i64>(1)?.unsigned_abs(),
                zblob: row.get(2)?,
                source: source
                    .map(|source| Ok::<_, rusqlite::Error>((source, row.get(4)?)))
                    .transpose()?,
            })
        });
        Ok(stored.optional()?)
    }

    /// Stored bytes and delta source of one row; `None` for a phantom.
    fn row(&self, rid: Rid) -> Result<Option<(Vec<u8>, Option<Rid>)>, RepoError> {
        let mut statement = self.db.prepare_cached(
            "SELECT content, (SELECT srcid FROM delta WHERE delta.rid = blob.rid)
               FROM blob WHERE rid = ?1 AND size >= 0",
        )?;
        Ok(statement
            .query_row([rid], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }
}
