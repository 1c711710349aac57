//! Branches: which there are, and opening and closing them.
//!
//! Source: Fossil `src/branch.c` `branch_new()`, `createBrlistQuery`, `branch_cmd_close()`.

use super::change::{Author, BadChange};
use super::checkin::{PRIVATE_BGCOLOR, branch_tags};
use super::tag::NewTag;
use super::{Repo, RepoError, RepoTx, column};
use crate::format::artifact::{Artifact, Tag, TagKind};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;
use rusqlite::OptionalExtension;

/// A branch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// Its newest check-in.
    pub tip: Rid,
    /// The name of that.
    pub hash: ArtifactHash,
    /// When that was made.
    pub time: Timestamp,
    /// Check-ins on the branch.
    pub checkins: u64,
    /// Closed against further check-ins.
    pub is_closed: bool,
    /// Kept out of sync.
    pub is_private: bool,
}

impl Repo {
    /// All branches in order of their names, closed ones too.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn branches(&self) -> Result<Vec<Branch>, RepoError> {
        // SQLite takes the other columns from the row that has the maximum.
        let sql = "SELECT x.value, x.rid, b.uuid, max(e.mtime), count(*),
                EXISTS(SELECT 1 FROM tagxref c WHERE c.rid=x.rid AND c.tagid=9 AND c.tagtype>0),
                EXISTS(SELECT 1 FROM private p WHERE p.rid=x.rid)
             FROM tagxref x JOIN event e ON e.objid=x.rid JOIN blob b ON b.rid=x.rid
             WHERE x.tagid=8 AND x.tagtype>0 GROUP BY x.value ORDER BY x.value";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Branch {
                name: column::text(row, 0)?,
                tip: row.get(1)?,
                hash: row.get(2)?,
                time: Timestamp::from_julian(row.get(3)?),
                checkins: row.get::<_, i64>(4)?.unsigned_abs(),
                is_closed: row.get(5)?,
                is_private: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The branch that a check-in is on: `trunk` where nothing says otherwise.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn branch_of(&self, checkin: Rid) -> Result<String, RepoError> {
        let sql = "SELECT value FROM tagxref WHERE rid=?1 AND tagid=8 AND tagtype>0";
        let mut statement = self.db.prepare_cached(sql)?;
        let branch = statement
            .query_row([checkin], |row| column::text(row, 0))
            .optional()?;
        Ok(branch.unwrap_or_else(|| "trunk".to_owned()))
    }
}

impl RepoTx<'_> {
    /// Opens a branch by a check-in that changes no file, as `fossil branch new` does.
    ///
    /// # Errors
    ///
    /// [`BadChange::BranchExists`]; [`BadChange::OtherKind`] when `basis` is no check-in.
    pub fn branch_new(&self, new: &NewBranch<'_>, author: &Author) -> Result<(Rid, ArtifactHash), RepoError> {
        self.may_open_branch(new.name)?;
        let Some(Artifact::Manifest(mut manifest)) = self.artifact(new.basis)? else {
            return Err(BadChange::OtherKind.into());
        };
        let private = new.private || self.is_private(new.basis)?;
        manifest.comment = Some(format!("Create new branch named \"{}\"", escape_html(new.name)).into());
        manifest.date = author.date;
        manifest.user = Some(author.user.as_str().into());
        manifest.mimetype = None;
        manifest.cherrypicks.clear();
        manifest.parents = vec![self.hash_of(new.basis)?];
        for file in &mut manifest.files {
            file.old_name = None;
        }
        manifest.tags = branch_tags(new.name, new.bgcolor.or(private.then_some(PRIVATE_BGCOLOR)));
        let own = format!("sym-{}", new.name);
        let others = self.tags_on(new.basis)?.into_iter().map(|tag| tag.name);
        let others = others.filter(|name| name.starts_with("sym-") && *name != own);
        manifest
            .tags
            .extend(others.map(|name| Tag::on_self(TagKind::Cancel, &name, None)));
        let (rid, hash) = self.put_artifact(&Artifact::Manifest(manifest), author, private)?;
        self.deltify(new.basis, rid)?;
        Ok((rid, hash))
    }

    /// Closes the branch `name` at its tip, or opens it again.
    ///
    /// # Errors
    ///
    /// [`BadChange::NoSuchName`] when there is no such branch; [`BadChange::NothingChanged`] when it is as
    /// asked already.
    pub fn branch_close(
        &self,
        name: &str,
        close: bool,
        author: &Author,
    ) -> Result<(Rid, ArtifactHash), RepoError> {
        let branch = self.branches()?.into_iter().find(|branch| branch.name == name);
        let branch = branch.ok_or(BadChange::NoSuchName)?;
        if branch.is_closed == close {
            return Err(BadChange::NothingChanged.into());
        }
        let kind = if close { TagKind::Add } else { TagKind::Cancel };
        self.tag(
            &NewTag {
                target: branch.tip,
                name: "closed",
                kind,
                value: None,
            },
            author,
        )
    }
}

/// A branch to be opened.
#[derive(Clone, Copy, Debug)]
pub struct NewBranch<'a> {
    /// Its name.
    pub name: &'a str,
    /// The check-in it grows from.
    pub basis: Rid,
    /// Background colour in timelines, as in CSS.
    pub bgcolor: Option<&'a str>,
    /// Keeps it out of sync. So is a branch from a private check-in.
    pub private: bool,
}

/// Fossil puts the name of the branch into its comment as HTML.
fn escape_html(text: &str) -> String {
    let escape = |mark: char| match mark {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        plain => plain.to_string(),
    };
    text.chars().map(escape).collect()
}
