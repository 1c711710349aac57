//! What a repository has to tell and to give: the lists and rows that sync reads.
//!
//! In a round that moves nothing no query here looks at more rows than there are artifacts outside of clusters,
//! phantoms, and private artifacts if they are asked for; `each_*` and `next_artifact` are for clones.
//!
//! Source: Fossil `src/xfer.c` `send_unclustered()`, `send_private()`,
//! `send_compressed_file()`, `send_delta_parent()`.

use super::{Repo, RepoError};
use crate::id::{ArtifactHash, Rid};
use core::ops::ControlFlow;
use rusqlite::OptionalExtension;

/// One artifact as stored, lent for the time of a call.
#[derive(Clone, Copy, Debug)]
pub struct StoredRow<'a> {
    /// Its row.
    pub rid: Rid,
    /// Its name.
    pub hash: ArtifactHash,
    /// Its expanded size.
    pub size: u64,
    /// What `zblob` is a delta against.
    pub source: Option<ArtifactHash>,
    /// 4-byte size and zlib stream.
    pub zblob: &'a [u8],
    /// It is private.
    pub private: bool,
}

/// Not shunned, not private, content here: may be told to anybody who may read.
pub(super) const PUBLIC: &str = "size >= 0
    AND NOT EXISTS (SELECT 1 FROM shun WHERE shun.uuid = blob.uuid)
    AND NOT EXISTS (SELECT 1 FROM private WHERE private.rid = blob.rid)";

impl Repo {
    /// What is announced in a sync: the public artifacts in no cluster, in order of rows.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn announced(&self) -> Result<Vec<(Rid, ArtifactHash)>, RepoError> {
        // CROSS JOIN keeps the small table outside.
        self.names(&format!(
            "SELECT rid, uuid FROM unclustered CROSS JOIN blob USING (rid) WHERE {PUBLIC} ORDER BY rid"
        ))
    }

    /// The private artifacts that are here, in order of rows.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn private_artifacts(&self) -> Result<Vec<(Rid, ArtifactHash)>, RepoError> {
        self.names(
            "SELECT rid, uuid FROM private CROSS JOIN blob USING (rid) WHERE size >= 0
             AND NOT EXISTS (SELECT 1 FROM shun WHERE shun.uuid = blob.uuid) ORDER BY rid",
        )
    }

    /// The public clusters that are in a cluster themselves, in order of rows.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn clusters(&self) -> Result<Vec<(Rid, ArtifactHash)>, RepoError> {
        self.names(&format!(
            "SELECT blob.rid, uuid FROM tagxref CROSS JOIN blob ON blob.rid = tagxref.rid
             WHERE tagid = 7 AND {PUBLIC} AND NOT EXISTS (SELECT 1 FROM unclustered WHERE rid = blob.rid)
             ORDER BY blob.rid"
        ))
    }

    /// What was made here and never sent, in order of rows.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn unsent_artifacts(&self) -> Result<Vec<(Rid, ArtifactHash)>, RepoError> {
        self.names(&format!(
            "SELECT rid, uuid FROM unsent CROSS JOIN blob USING (rid) WHERE {PUBLIC} ORDER BY rid"
        ))
    }

    /// How many were made here and never sent.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn unsent_count(&self) -> Result<u64, RepoError> {
        let count = format!("SELECT count(*) FROM unsent CROSS JOIN blob USING (rid) WHERE {PUBLIC}");
        let count: i64 = self.db.prepare_cached(&count)?.query_row((), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    fn names(&self, sql: &str) -> Result<Vec<(Rid, ArtifactHash)>, RepoError> {
        let mut names = self.db.prepare_cached(sql)?;
        let mut rows = names.query(())?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((row.get(0)?, row.get(1)?));
        }
        Ok(found)
    }

    /// Calls `visit` for every public artifact, the latest row first.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn each_available(&self, visit: &mut dyn FnMut(Rid, &ArtifactHash)) -> Result<(), RepoError> {
        let mut all = self.db.prepare_cached(&format!(
            "SELECT rid, uuid FROM blob WHERE {PUBLIC} ORDER BY rid DESC"
        ))?;
        let mut rows = all.query(())?;
        while let Some(row) = rows.next()? {
            visit(row.get(0)?, &row.get(1)?);
        }
        Ok(())
    }

    /// The first artifact at or after `from` whose content is here.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn next_artifact(&self, from: Rid) -> Result<Option<(Rid, ArtifactHash)>, RepoError> {
        let next = "SELECT rid, uuid FROM blob WHERE rid >= ?1 AND size >= 0 ORDER BY rid LIMIT 1";
        let mut next = self.db.prepare_cached(next)?;
        let mut rows = next.query([from])?;
        Ok(match rows.next()? {
            Some(row) => Some((row.get(0)?, row.get(1)?)),
            None => None,
        })
    }

    /// Lends every artifact from row `from` on, as stored, in order of rows.
    ///
    /// A delta of something that is shunned, private (if the artifact is not) or not here is expanded first,
    /// as whoever gets it could not; what cannot be expanded is left out.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read, or whatever `visit` says.
    pub fn each_stored(
        &self,
        from: Rid,
        private: bool,
        visit: &mut dyn FnMut(StoredRow<'_>) -> Result<ControlFlow<()>, RepoError>,
    ) -> Result<(), RepoError> {
        let stored = "SELECT blob.rid, blob.uuid, blob.size, blob.content, source.uuid,
                 blob.rid IN (SELECT rid FROM private),
                 delta.srcid IS NOT NULL AND (source.uuid IN (SELECT uuid FROM shun) OR source.size < 0
                     OR (delta.srcid IN (SELECT rid FROM private)
                         AND blob.rid NOT IN (SELECT rid FROM private)))
             FROM blob LEFT JOIN delta ON delta.rid = blob.rid LEFT JOIN blob AS source ON source.rid = delta.srcid
             WHERE blob.rid >= ?1 AND blob.size >= 0
             AND NOT EXISTS (SELECT 1 FROM shun WHERE shun.uuid = blob.uuid)
             AND (?2 OR NOT EXISTS (SELECT 1 FROM private WHERE private.rid = blob.rid))
             ORDER BY blob.rid";
        let mut stored = self.db.prepare_cached(stored)?;
        let mut rows = stored.query(rusqlite::params![from, private])?;
        let dangling = self.has_dangling()?;
        while let Some(row) = rows.next()? {
            let rid: Rid = row.get(0)?;
            let size = u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default();
            let hidden: bool = row.get(5)?;
            let source: Option<ArtifactHash> = row.get(4)?;
            let alone: bool = row.get(6)?;
            let whole = match source {
                Some(_) if alone || (dangling && !self.is_available(rid)?) => match self.content(rid)? {
                    Some(content) => Some(crate::format::zblob::compress_fast(&content)),
                    None => continue,
                },
                _ => None,
            };
            let content = row
                .get_ref(3)?
                .as_bytes_or_null()
                .map_err(|_| RepoError::Damaged { what: "blob.content" })?;
            let lent = StoredRow {
                rid,
                hash: row.get(1)?,
                size,
                source: if whole.is_some() { None } else { source },
                zblob: whole.as_deref().or(content).unwrap_or_default(),
                private: hidden,
            };
            if visit(lent)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// About how many artifacts [`each_stored`](Self::each_stored) lends: shunned ones that are still here count.
    ///
    /// Counted in indices: where contents are is not looked at.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn cloned_count(&self, private: bool) -> Result<u64, RepoError> {
        let count = "SELECT (SELECT count(*) FROM blob) - (SELECT count(*) FROM phantom)
             - iif(?1, 0, (SELECT count(*) FROM private CROSS JOIN blob USING (rid)
                           WHERE rid NOT IN (SELECT rid FROM phantom)))";
        let count: i64 = self
            .db
            .prepare_cached(count)?
            .query_row([private], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// The artifact that `rid` most likely is a later version of: the parent check-in, or the file before.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn predecessor(&self, rid: Rid) -> Result<Option<Rid>, RepoError> {
        let of_checkin = "SELECT pid FROM plink JOIN blob ON blob.rid = pid WHERE cid = ?1 AND size >= 0
             ORDER BY isprim DESC LIMIT 1";
        let of_file =
            "SELECT pid FROM mlink JOIN event ON mlink.mid = event.objid JOIN blob ON blob.rid = pid
             WHERE fid = ?1 AND pid > 0 AND size >= 0 ORDER BY event.mtime LIMIT 1";
        for sql in [of_checkin, of_file] {
            let found = self
                .db
                .prepare_cached(sql)?
                .query_row([rid], |row| row.get(0))
                .optional()?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Whether a login with this nonce has stored something before.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn nonce_is_known(&self, nonce: &str) -> Result<bool, RepoError> {
        let known = "SELECT EXISTS (SELECT 1 FROM rcvfrom WHERE nonce = ?1)";
        Ok(self
            .db
            .prepare_cached(known)?
            .query_row([nonce], |row| row.get(0))?)
    }

    /// Whether any artifact is known by name only.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn has_phantoms(&self) -> Result<bool, RepoError> {
        let any = "SELECT EXISTS (SELECT 1 FROM phantom)";
        Ok(self.db.prepare_cached(any)?.query_row((), |row| row.get(0))?)
    }

    /// Whether any delta hangs on an artifact that is not here.
    fn has_dangling(&self) -> Result<bool, RepoError> {
        let any = "SELECT EXISTS (SELECT 1 FROM phantom CROSS JOIN delta ON delta.srcid = phantom.rid)";
        Ok(self.db.prepare_cached(any)?.query_row((), |row| row.get(0))?)
    }

    /// How many artifacts are known by name only.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn phantom_count(&self) -> Result<u64, RepoError> {
        let count: i64 = self
            .db
            .prepare_cached("SELECT count(*) FROM phantom")?
            .query_row((), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}
