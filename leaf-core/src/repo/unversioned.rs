//! Unversioned files: the latest of each name, without history.
//!
//! Source: Fossil `src/unversioned.c`; `src/xfer.c`, `xfer_accept_unversioned_file`; `www/unvers.wiki`.

use rusqlite::OptionalExtension;
use sha1::Digest as _;

use super::{Repo, RepoError, RepoTx};
use crate::format::hash;
use crate::format::zblob;
use crate::id::{ArtifactHash, to_hex};
use crate::time::Timestamp;

/// A line of the catalogue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UvFile {
    /// Its name: any text without white space.
    pub name: String,
    /// Seconds since 1970 of the last change.
    pub mtime: i64,
    /// The name of the content; `None` for a file that was deleted.
    pub hash: Option<ArtifactHash>,
    /// Bytes of content.
    pub size: u64,
}

/// A file as it is stored.
#[derive(Clone, Debug)]
pub struct UvStored {
    /// Its name.
    pub name: String,
    /// Seconds since 1970 of the last change.
    pub mtime: i64,
    /// The name of the content; `None` for a file that was deleted.
    pub hash: Option<ArtifactHash>,
    /// Bytes of content when expanded.
    pub size: u64,
    /// Whether `content` is 4 bytes of size and a zlib stream.
    pub compressed: bool,
    /// The bytes; `None` when only the fact of the file is known.
    pub content: Option<Vec<u8>>,
}

impl UvStored {
    /// The content itself; empty when there is none.
    ///
    /// # Errors
    ///
    /// [`RepoError::Damaged`] when the stored form is corrupt.
    pub fn expand(&self) -> Result<Vec<u8>, RepoError> {
        match (&self.content, self.compressed) {
            (None, _) => Ok(Vec::new()),
            (Some(content), false) => Ok(content.clone()),
            (Some(content), true) => {
                let max = usize::try_from(self.size).unwrap_or(usize::MAX);
                zblob::expand(content, max).map_err(|_| RepoError::Damaged {
                    what: "an unversioned file",
                })
            }
        }
    }
}

/// What a peer sends of a file.
#[derive(Clone, Copy, Debug)]
pub enum UvBody<'a> {
    /// The file was deleted.
    Deleted,
    /// Only the time changed, or the content is left out.
    Omitted,
    /// The content.
    Plain(&'a [u8]),
    /// The content as the peer stores it: 4 bytes of size and a zlib stream.
    Stored {
        /// The bytes.
        zblob: &'a [u8],
        /// Bytes of content when expanded.
        size: u64,
    },
}

/// How a peer's file compares with ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UvVerdict {
    /// We have no such name.
    Unknown,
    /// Theirs is later.
    Pull,
    /// Same content, theirs has the later time.
    PullTime,
    /// The same.
    Same,
    /// Same content, ours has the later time.
    PushTime,
    /// Ours is later.
    Push,
}

/// The table, which stock makes when it is first needed.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS unversioned(
  uvid INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  rcvid INTEGER,
  mtime DATETIME,
  hash TEXT,
  sz INTEGER,
  encoding INT,
  content BLOB
);";

impl Repo {
    fn has_uv_table(&self) -> Result<bool, RepoError> {
        Ok(self.db.table_exists(Some("main"), "unversioned")?)
    }

    /// The catalogue, deleted files included, by name.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn uv_list(&self) -> Result<Vec<UvFile>, RepoError> {
        if !self.has_uv_table()? {
            return Ok(Vec::new());
        }
        let mut statement = self
            .db
            .prepare_cached("SELECT name, mtime, hash, coalesce(sz, 0) FROM unversioned ORDER BY name")?;
        let rows = statement.query_map([], |row| {
            Ok(UvFile {
                name: row.get(0)?,
                mtime: row.get(1)?,
                hash: row.get(2)?,
                size: row.get::<_, i64>(3)?.unsigned_abs(),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One file as it is stored; `None` when the name is unknown.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn uv_stored(&self, name: &str) -> Result<Option<UvStored>, RepoError> {
        if !self.has_uv_table()? {
            return Ok(None);
        }
        let mut statement = self.db.prepare_cached(
            "SELECT name, mtime, hash, coalesce(sz, 0), coalesce(encoding, 0), content
               FROM unversioned WHERE name = ?1",
        )?;
        let file = statement.query_row([name], |row| {
            Ok(UvStored {
                name: row.get(0)?,
                mtime: row.get(1)?,
                hash: row.get(2)?,
                size: row.get::<_, i64>(3)?.unsigned_abs(),
                compressed: row.get::<_, i64>(4)? != 0,
                content: row.get(5)?,
            })
        });
        Ok(file.optional()?)
    }

    /// The hash of the whole catalogue: equal where all live files are equal.
    ///
    /// Shape: 40 hex digits.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn uv_hash(&self) -> Result<String, RepoError> {
        if let Some(cached) = self.config("uv-hash")?.filter(|hash| hash.len() == 40) {
            return Ok(cached);
        }
        let mut sum = sha1::Sha1::new();
        for file in self.uv_list()? {
            let Some(hash) = file.hash else { continue };
            let time = Timestamp::from_unix(file.mtime).iso().replace('T', " ");
            sum.update(format!("{} {time} {hash}\n", file.name));
        }
        Ok(to_hex(&sum.finalize()))
    }

    /// Whether [`uv_hash`](Self::uv_hash) has to read the whole catalogue, and can be kept.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn uv_hash_due(&self) -> Result<bool, RepoError> {
        Ok(!self.db.is_readonly("main")? && self.has_uv_table()? && self.config("uv-hash")?.is_none())
    }

    /// How the file that a peer announces compares with ours; deleted files have no hash.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn uv_status(
        &self,
        name: &str,
        mtime: i64,
        hash: Option<&ArtifactHash>,
    ) -> Result<UvVerdict, RepoError> {
        if !self.has_uv_table()? {
            return Ok(UvVerdict::Unknown);
        }
        let mut statement = self
            .db
            .prepare_cached("SELECT mtime, hash FROM unversioned WHERE name = ?1")?;
        let ours: Option<(i64, Option<ArtifactHash>)> = statement
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((our_mtime, our_hash)) = ours else {
            return Ok(UvVerdict::Unknown);
        };
        // At the same second the greater hash wins, and a deletion is below every hash.
        Ok(match (our_hash.as_ref().cmp(&hash), our_mtime.cmp(&mtime)) {
            (std::cmp::Ordering::Equal, order) => match order {
                std::cmp::Ordering::Less => UvVerdict::PullTime,
                std::cmp::Ordering::Equal => UvVerdict::Same,
                std::cmp::Ordering::Greater => UvVerdict::PushTime,
            },
            (by_hash, by_time) => match by_time.then(by_hash) {
                std::cmp::Ordering::Less => UvVerdict::Pull,
                _ => UvVerdict::Push,
            },
        })
    }
}

impl RepoTx<'_> {
    /// Keeps what [`Repo::uv_hash`] gives until a file changes: the next one to ask need not read the catalogue.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn keep_uv_hash(&self, now: Timestamp) -> Result<(), RepoError> {
        match self.uv_hash_due()? {
            true => self.set_config("uv-hash", &self.uv_hash()?, now),
            false => Ok(()),
        }
    }

    /// Writes a file made here.
    ///
    /// # Errors
    ///
    /// [`RepoError::BadUvName`], [`RepoError::Limit`], [`RepoError::Sqlite`].
    pub fn uv_put(&self, name: &str, content: &[u8], now: Timestamp) -> Result<(), RepoError> {
        self.check_uv_name(name)?;
        self.check_size(content.len())?;
        let kind = self.hash_policy()?.kind_for_new();
        let hash = hash::name(kind, content);
        let compressed = zblob::compress(content);
        let smaller = compressed.len() < content.len() / 5 * 4;
        let stored = if smaller { &compressed } else { content };
        self.uv_write(
            name,
            now.unix(),
            Some(&hash),
            content.len(),
            smaller,
            Some(stored),
        )
    }

    /// Deletes a file; its name and the time stay, so that peers delete theirs. `false` when there was none.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn uv_delete(&self, name: &str, now: Timestamp) -> Result<bool, RepoError> {
        let live = self.uv_stored(name)?.is_some_and(|file| file.hash.is_some());
        if live {
            self.uv_tombstone(name, now.unix())?;
        }
        Ok(live)
    }

    /// Takes a file from a peer if it is later than ours.
    ///
    /// A time further ahead than [`Limits::future_ms_max`](crate::limits::Limits) is cut to that.
    ///
    /// # Errors
    ///
    /// [`RepoError::WrongHash`] and its kin blame the peer; [`RepoError::Sqlite`].
    pub fn uv_receive(
        &self,
        name: &str,
        mtime: i64,
        hash: Option<&ArtifactHash>,
        body: UvBody<'_>,
        now: Timestamp,
    ) -> Result<(), RepoError> {
        self.check_uv_name(name)?;
        let mtime = mtime.min(now.plus_ms(self.limits.future_ms_max).unix());
        let verdict = self.uv_status(name, mtime, hash)?;
        match (verdict, hash, body) {
            (UvVerdict::PullTime, ..) => self.uv_touch(name, mtime),
            (UvVerdict::Pull | UvVerdict::Unknown, None, _) => self.uv_tombstone(name, mtime),
            (UvVerdict::Pull | UvVerdict::Unknown, Some(hash), UvBody::Plain(content)) => {
                self.check_size(content.len())?;
                if !hash::verify(hash, content) {
                    return Err(RepoError::WrongHash { hash: *hash });
                }
                let compressed = zblob::compress(content);
                let smaller = compressed.len() < content.len() / 5 * 4;
                let stored = if smaller { &compressed } else { content };
                self.uv_write(name, mtime, Some(hash), content.len(), smaller, Some(stored))
            }
            (UvVerdict::Pull | UvVerdict::Unknown, Some(hash), UvBody::Stored { zblob, size }) => {
                let content = zblob::expand(zblob, self.limits.artifact_bytes_max)
                    .map_err(|source| RepoError::WrongZblob { hash: *hash, source })?;
                let actual = content.len() as u64;
                if actual != size {
                    return Err(RepoError::WrongSize {
                        hash: *hash,
                        declared: size,
                        actual,
                    });
                }
                if !hash::verify(hash, &content) {
                    return Err(RepoError::WrongHash { hash: *hash });
                }
                self.uv_write(name, mtime, Some(hash), content.len(), true, Some(zblob))
            }
            // Ours is as late or later, or there is nothing to store.
            _ => Ok(()),
        }
    }

    /// Sets the time of a file.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn uv_touch(&self, name: &str, mtime: i64) -> Result<(), RepoError> {
        self.db
            .prepare_cached("UPDATE unversioned SET mtime = ?2 WHERE name = ?1")?
            .execute((name, mtime))?;
        self.unset_config("uv-hash")?;
        Ok(())
    }

    /// Keeps the fact that a file was deleted.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn uv_tombstone(&self, name: &str, mtime: i64) -> Result<(), RepoError> {
        self.check_uv_name(name)?;
        self.uv_write(name, mtime, None, 0, false, None)
    }

    /// Removes every trace of a file, as if its name had never been known.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn uv_forget(&self, name: &str) -> Result<(), RepoError> {
        if !self.has_uv_table()? {
            return Ok(());
        }
        self.db
            .prepare_cached("DELETE FROM unversioned WHERE name = ?1")?
            .execute([name])?;
        self.unset_config("uv-hash")?;
        Ok(())
    }

    fn uv_write(
        &self,
        name: &str,
        mtime: i64,
        hash: Option<&ArtifactHash>,
        size: usize,
        compressed: bool,
        content: Option<&[u8]>,
    ) -> Result<(), RepoError> {
        self.db.execute_batch(TABLE)?;
        let rcvid = self.rcvid()?;
        self.db
            .prepare_cached(
                "REPLACE INTO unversioned(name, rcvid, mtime, hash, sz, encoding, content)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                name,
                rcvid,
                mtime,
                hash.map(ToString::to_string),
                i64::try_from(size).unwrap_or(i64::MAX),
                compressed,
                content,
            ))?;
        self.unset_config("uv-hash")?;
        Ok(())
    }

    fn check_uv_name(&self, name: &str) -> Result<(), RepoError> {
        let max = self.limits.name_bytes_max;
        if name.len() > max {
            return Err(RepoError::Limit {
                what: "name of an unversioned file",
                value: name.len() as u64,
                max: max as u64,
            });
        }
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        match name.is_empty() || name.chars().any(bad) || !crate::format::path::is_simple(name.as_bytes()) {
            true => Err(RepoError::BadUvName),
            false => Ok(()),
        }
    }
}
