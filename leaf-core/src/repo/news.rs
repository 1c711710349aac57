//! What has arrived, or was made, since somebody last looked.
//!
//! Each artifact keeps in which delivery (`rcvid`) it came, and deliveries are numbered. Its row number would not do:
//! one that was known by name first keeps the row that it had then.
//!
//! Source: Fossil `src/content.c` `content_rcvid_init()`, table `rcvfrom`.

use super::{Repo, RepoError};
use crate::id::{ArtifactHash, Rid};

/// The newest of what came after a certain delivery.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct News {
    /// The last delivery.
    pub delivery: i64,
    /// The newest check-ins, or the newest artifact where no check-in came; newest first.
    pub artifacts: Vec<(Rid, ArtifactHash)>,
}

impl Repo {
    /// The newest public artifacts that came after `delivery`, `max` at most. Clusters are no news: they name what
    /// is known.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn news_since(&self, delivery: i64, max: u32) -> Result<News, RepoError> {
        let last: i64 = self
            .db
            .prepare_cached("SELECT coalesce(max(rcvid), 0) FROM rcvfrom")?
            .query_row([], |row| row.get(0))?;
        if last <= delivery {
            return Ok(News {
                delivery: last,
                artifacts: Vec::new(),
            });
        }
        let rows = |condition: &str, max: u32| -> Result<Vec<(Rid, ArtifactHash)>, RepoError> {
            let sql = format!(
                "SELECT rid, uuid FROM blob
                  WHERE rcvid > ?1 AND size >= 0 AND {condition}
                    AND NOT EXISTS (SELECT 1 FROM private WHERE private.rid = blob.rid)
                  ORDER BY rid DESC LIMIT ?2"
            );
            let mut statement = self.db.prepare_cached(&sql)?;
            let rows = statement.query_map((delivery, max), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        let checkins = rows(
            "EXISTS (SELECT 1 FROM event WHERE objid = blob.rid AND type = 'ci')",
            max,
        )?;
        let artifacts = match checkins.is_empty() {
            false => checkins,
            true => rows(
                "NOT EXISTS (SELECT 1 FROM tagxref WHERE tagid = 7 AND tagxref.rid = blob.rid)",
                max.min(1),
            )?,
        };
        Ok(News {
            delivery: last,
            artifacts,
        })
    }

    /// Whether the content of an artifact is here.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn has(&self, hash: &ArtifactHash) -> Result<bool, RepoError> {
        match self.rid_of(hash)? {
            Some(rid) => self.is_available(rid),
            None => Ok(false),
        }
    }
}
