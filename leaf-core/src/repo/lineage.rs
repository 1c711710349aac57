//! What a check-in has to do with others: parents, children, the files it changed, the history of one file.
//!
//! Source: Fossil `src/schema.c` tables `plink` and `mlink`; `src/finfo.c` `finfo_cmd()`; `src/info.c` `ci_page()`.

use super::{Repo, RepoError, column};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;

/// How a check-in changed one file against its first parent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChangedFile {
    /// Its path; the old one when it was removed.
    pub name: String,
    /// What it was called in the parent, when that is another name.
    pub old_name: Option<String>,
    /// Its content in the parent; `None` when it was added.
    pub before: Option<ArtifactHash>,
    /// Its content now; `None` when it was removed.
    pub after: Option<ArtifactHash>,
}

/// A version of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileVersion {
    /// The check-in that made it.
    pub checkin: ArtifactHash,
    /// Its content; `None` when the check-in removed it.
    pub content: Option<ArtifactHash>,
    /// When.
    pub time: Timestamp,
    /// Who, after any later correction.
    pub user: String,
    /// The comment of the check-in, after any later correction.
    pub comment: String,
}

impl Repo {
    /// The parents of a check-in, the one it continues first. Those whose content is missing are among them.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn parents(&self, checkin: Rid) -> Result<Vec<ArtifactHash>, RepoError> {
        self.hashes(
            "SELECT b.uuid FROM plink JOIN blob b ON b.rid=plink.pid WHERE cid=?1 ORDER BY isprim DESC, plink.rowid",
            checkin,
        )
    }

    /// The check-ins that continue or merge a check-in, oldest first.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn children(&self, checkin: Rid) -> Result<Vec<ArtifactHash>, RepoError> {
        self.hashes(
            "SELECT b.uuid FROM plink JOIN blob b ON b.rid=plink.cid WHERE pid=?1 ORDER BY plink.mtime, b.uuid",
            checkin,
        )
    }

    fn hashes(&self, sql: &str, of: Rid) -> Result<Vec<ArtifactHash>, RepoError> {
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([of], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a check-in changed against its first parent, in order of the names.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn changed_files(&self, checkin: Rid) -> Result<Vec<ChangedFile>, RepoError> {
        // Rows about the other parents of a merge are auxiliary; `pid` is 0 or -1 for a file that the parent has not.
        // A file that got another name has a row under either; the old one says that it was removed.
        let sql = "SELECT f.name, old.name, before.uuid, after.uuid
             FROM mlink m JOIN filename f ON f.fnid=m.fnid
             LEFT JOIN filename old ON old.fnid=m.pfnid AND m.pfnid>0
             LEFT JOIN blob before ON before.rid=m.pid AND m.pid>0
             LEFT JOIN blob after ON after.rid=m.fid AND m.fid>0
             WHERE m.mid=?1 AND NOT m.isaux AND (m.fid>0
                OR m.fnid NOT IN (SELECT pfnid FROM mlink WHERE mid=?1 AND NOT isaux AND pfnid>0))
             ORDER BY f.name";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([checkin], |row| {
            Ok(ChangedFile {
                name: column::text(row, 0)?,
                old_name: column::optional_text(row, 1)?,
                before: row.get(2)?,
                after: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The check-ins that changed the file `name` against their first parent, newest first.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn file_history(&self, name: &str, count_max: usize) -> Result<Vec<FileVersion>, RepoError> {
        let sql = "SELECT c.uuid, b.uuid, e.mtime, coalesce(e.euser, e.user, ''), coalesce(e.ecomment, e.comment, '')
             FROM mlink m JOIN event e ON e.objid=m.mid JOIN blob c ON c.rid=m.mid
             LEFT JOIN blob b ON b.rid=m.fid AND m.fid>0
             WHERE m.fnid=(SELECT fnid FROM filename WHERE name=?1) AND NOT m.isaux
             ORDER BY e.mtime DESC, e.objid DESC LIMIT ?2";
        let mut statement = self.db.prepare_cached(sql)?;
        let limit = i64::try_from(count_max).unwrap_or(i64::MAX);
        let rows = statement.query_map((name, limit), |row| {
            Ok(FileVersion {
                checkin: row.get(0)?,
                content: row.get(1)?,
                time: Timestamp::from_julian(row.get(2)?),
                user: column::text(row, 3)?,
                comment: column::text(row, 4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many check-ins the timeline has.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn checkin_count(&self) -> Result<u64, RepoError> {
        let sql = "SELECT count(*) FROM event WHERE type='ci'";
        let count: i64 = self.db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}
