//! Storing an older version as a delta of the newer one that replaced it, and taking that back.
//!
//! Source: Fossil `src/content.c` `content_deltify()`, `content_undelta()`.

use super::{RepoError, RepoTx};
use crate::format::{delta, zblob};
use crate::id::Rid;
use rusqlite::{OptionalExtension, params};

/// Contents shorter than this stay whole: a delta would win nothing.
const BYTES_MIN: usize = 50;

impl RepoTx<'_> {
    /// Stores `older` as a delta of `newer` where that saves a quarter of it or more; says whether it did.
    ///
    /// Nothing happens when `older` is a delta already, when `newer` hangs on it, when one of the contents is
    /// not here, or when a public artifact would come to hang on a private one.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn deltify(&self, older: Rid, newer: Rid) -> Result<bool, RepoError> {
        if self.delta_source(older)?.is_some() || self.hangs_on(newer, older)? {
            return Ok(false);
        }
        if self.is_private(newer)? && !self.is_private(older)? {
            return Ok(false);
        }
        let (Some(target), Some(source)) = (self.content(older)?, self.content(newer)?) else {
            return Ok(false);
        };
        if target.len() < BYTES_MIN || source.len() < BYTES_MIN {
            return Ok(false);
        }
        let delta = delta::create(&source, &target);
        if delta.len() > target.len() / 4 * 3 {
            return Ok(false);
        }
        let stored = zblob::compress(&delta);
        self.db
            .prepare_cached("UPDATE blob SET content=?2 WHERE rid=?1")?
            .execute(params![older, stored])?;
        self.db
            .prepare_cached("REPLACE INTO delta(rid, srcid) VALUES(?1, ?2)")?
            .execute(params![older, newer])?;
        Ok(true)
    }

    /// Stores the full content of `rid`. A phantom and an incomplete chain stay as they are.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn undelta(&self, rid: Rid) -> Result<(), RepoError> {
        if self.delta_source(rid)?.is_none() {
            return Ok(());
        }
        let Some(content) = self.content(rid)? else {
            return Ok(());
        };
        self.db
            .prepare_cached("UPDATE blob SET content=?2 WHERE rid=?1")?
            .execute(params![rid, zblob::compress(&content)])?;
        self.db
            .prepare_cached("DELETE FROM delta WHERE rid=?1")?
            .execute([rid])?;
        Ok(())
    }

    fn delta_source(&self, rid: Rid) -> Result<Option<Rid>, RepoError> {
        let mut statement = self.db.prepare_cached("SELECT srcid FROM delta WHERE rid=?1")?;
        Ok(statement.query_row([rid], |row| row.get(0)).optional()?)
    }

    /// Whether `rid` is `root`, or stored as a delta of it, directly or over others.
    pub(super) fn hangs_on(&self, rid: Rid, root: Rid) -> Result<bool, RepoError> {
        let mut next = Some(rid);
        for _ in 0..=self.limits().delta_depth_max {
            match next {
                None => return Ok(false),
                Some(rid) if rid == root => return Ok(true),
                Some(rid) => next = self.delta_source(rid)?,
            }
        }
        Err(RepoError::DeltaChain {
            rid,
            depth_max: self.limits().delta_depth_max,
        })
    }
}
