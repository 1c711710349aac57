//! Artifacts known by name only, and the work lists of sync: unclustered, unsent, private.
//!
//! Source: Fossil `src/content.c`, `content_new`; `www/sync.wiki` section 4.

use rusqlite::OptionalExtension;

use super::{Repo, RepoError, RepoTx};
use crate::id::{ArtifactHash, Rid};

impl Repo {
    /// Up to `count_max` phantoms, in the order they became known.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn phantoms(&self, count_max: usize) -> Result<Vec<(Rid, ArtifactHash)>, RepoError> {
        let mut statement = self.db.prepare_cached(
            "SELECT rid, uuid FROM phantom CROSS JOIN blob USING(rid)
              WHERE NOT EXISTS (SELECT 1 FROM shun WHERE shun.uuid = blob.uuid)
              ORDER BY rid LIMIT ?1",
        )?;
        let rows = statement.query_map([i64::try_from(count_max).unwrap_or(i64::MAX)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether an artifact is kept from peers without the right to private ones.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn is_private(&self, rid: Rid) -> Result<bool, RepoError> {
        let mut statement = self.db.prepare_cached("SELECT 1 FROM private WHERE rid = ?1")?;
        Ok(statement.exists([rid])?)
    }

    /// Whether an artifact is banned from this repository.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn is_shunned(&self, hash: &ArtifactHash) -> Result<bool, RepoError> {
        let mut statement = self.db.prepare_cached("SELECT 1 FROM shun WHERE uuid = ?1")?;
        Ok(statement.exists([hash.hex().as_str()])?)
    }
}

impl RepoTx<'_> {
    /// The row of `hash`, made as a phantom when the name is new. `None` when the artifact is shunned.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn phantom(&self, hash: &ArtifactHash, private: bool) -> Result<Option<Rid>, RepoError> {
        if let Some(rid) = self.rid_of(hash)? {
            return Ok(Some(rid));
        }
        if self.is_shunned(hash)? {
            return Ok(None);
        }
        let rid = self.new_row(hash, 0, -1, None)?;
        self.db
            .prepare_cached("INSERT OR IGNORE INTO phantom VALUES (?1)")?
            .execute([rid])?;
        self.list_as(rid, private)?;
        Ok(Some(rid))
    }

    /// Makes an artifact whose delta waits for its source a phantom again, so that it is asked for. Whether it was
    /// such a one.
    ///
    /// Nobody has checked such a delta, and whoever made it up may have chosen a source that never comes: wherever
    /// the artifact itself is on offer, what we have of it is worth nothing.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn doubt(&self, rid: Rid) -> Result<bool, RepoError> {
        if self.is_phantom(rid)? || self.is_available(rid)? {
            return Ok(false);
        }
        self.phantomize(rid)?;
        Ok(true)
    }

    /// Makes every artifact that waits for the source of its delta a phantom again; how many there were.
    ///
    /// For when a peer was asked for the sources and did not bring them: it may hold the artifacts themselves.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn doubt_waiting(&self) -> Result<usize, RepoError> {
        let mut count = 0;
        loop {
            let mut statement = self.db.prepare_cached(
                "SELECT delta.rid FROM phantom CROSS JOIN delta ON delta.srcid = phantom.rid",
            )?;
            let waiting = statement
                .query_map((), |row| row.get(0))?
                .collect::<Result<Vec<Rid>, _>>()?;
            if waiting.is_empty() {
                return Ok(count);
            }
            count += waiting.len();
            for rid in waiting {
                self.phantomize(rid)?;
            }
        }
    }

    /// Drops the content of an artifact and keeps its name.
    pub(super) fn phantomize(&self, rid: Rid) -> Result<(), RepoError> {
        for sql in [
            "UPDATE blob SET size = -1, content = NULL, rcvid = 0 WHERE rid = ?1",
            "DELETE FROM delta WHERE rid = ?1",
            "DELETE FROM unsent WHERE rid = ?1",
            "INSERT OR IGNORE INTO phantom VALUES (?1)",
        ] {
            self.db.prepare_cached(sql)?.execute([rid])?;
        }
        self.cache.borrow_mut().clear();
        Ok(())
    }

    /// Puts a new row on the list that its visibility calls for.
    pub(super) fn list_as(&self, rid: Rid, private: bool) -> Result<(), RepoError> {
        let sql = match private {
            true => "INSERT OR IGNORE INTO private VALUES (?1)",
            false => "INSERT OR IGNORE INTO unclustered VALUES (?1)",
        };
        self.db.prepare_cached(sql)?.execute([rid])?;
        Ok(())
    }

    /// Whether some phantom is private, as far as is known.
    pub(super) fn has_private_phantoms(&self) -> Result<bool, RepoError> {
        let hidden = "SELECT 1 FROM phantom CROSS JOIN private USING (rid)";
        Ok(self.db.prepare_cached(hidden)?.exists(())?)
    }

    /// Phantoms that a public artifact names may be asked for of anybody: a peer that called them private
    /// would else keep them from those who hold them.
    pub(super) fn name_in<'h>(
        &self,
        artifact: Rid,
        named: impl Iterator<Item = &'h ArtifactHash>,
    ) -> Result<(), RepoError> {
        if self.is_private(artifact)? {
            return Ok(());
        }
        for hash in named {
            if let Some(rid) = self.rid_of(hash)?
                && self.is_phantom(rid)?
            {
                self.set_public(rid)?;
            }
        }
        Ok(())
    }

    /// Settles the visibility of a phantom whose content has come: whoever has said its name before may have
    /// lied about it, only a public check-in that holds it counts for more.
    pub(super) fn fill_as(&self, rid: Rid, private: bool) -> Result<(), RepoError> {
        let in_public = "SELECT 1 FROM mlink WHERE fid = ?1
             AND NOT EXISTS (SELECT 1 FROM private WHERE private.rid = mid)";
        if private && !self.db.prepare_cached(in_public)?.exists([rid])? {
            self.set_private(rid)
        } else {
            self.set_public(rid)
        }
    }

    /// Makes an artifact public: it is announced from now on.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn set_public(&self, rid: Rid) -> Result<(), RepoError> {
        if self
            .db
            .prepare_cached("DELETE FROM private WHERE rid = ?1")?
            .execute([rid])?
            > 0
        {
            self.list_as(rid, false)?;
        }
        Ok(())
    }

    /// Makes an artifact private: it leaves the lists of what is announced.
    fn set_private(&self, rid: Rid) -> Result<(), RepoError> {
        self.list_as(rid, true)?;
        self.db
            .prepare_cached("DELETE FROM unclustered WHERE rid = ?1")?
            .execute([rid])?;
        self.db
            .prepare_cached("DELETE FROM unsent WHERE rid = ?1")?
            .execute([rid])?;
        Ok(())
    }

    /// Notes that a peer got an artifact: it need not be sent outright again.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn mark_sent(&self, rid: Rid) -> Result<(), RepoError> {
        self.db
            .prepare_cached("DELETE FROM unsent WHERE rid = ?1")?
            .execute([rid])?;
        Ok(())
    }

    /// Whether the row is a phantom.
    pub(super) fn is_phantom(&self, rid: Rid) -> Result<bool, RepoError> {
        let mut statement = self
            .db
            .prepare_cached("SELECT size < 0 FROM blob WHERE rid = ?1")?;
        Ok(statement
            .query_row([rid], |row| row.get(0))
            .optional()?
            .unwrap_or(false))
    }

    /// Inserts a row into `blob`.
    pub(super) fn new_row(
        &self,
        hash: &ArtifactHash,
        rcvid: i64,
        size: i64,
        zblob: Option<&[u8]>,
    ) -> Result<Rid, RepoError> {
        self.db
            .prepare_cached("INSERT INTO blob(rcvid, size, uuid, content) VALUES (?1, ?2, ?3, ?4)")?
            .execute((rcvid, size, hash.hex().as_str(), zblob))?;
        Ok(Rid(self.db.last_insert_rowid()))
    }
}
