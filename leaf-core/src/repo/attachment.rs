//! Attachments: files bound to wiki pages, tickets and technotes.
//!
//! Source: Fossil `src/attach.c` `attach_commit()`; table `attachment`.

use super::change::Author;
use super::{Repo, RepoError, RepoTx, column};
use crate::format::artifact::{Artifact, Attachment, Text};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;

/// An attachment that is there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AttachmentSummary {
    /// The artifact that says so.
    pub rid: Rid,
    /// What it is attached to: the title of a page, or an id.
    pub target: String,
    /// Its name.
    pub filename: String,
    /// The name of its content.
    pub source: String,
    /// Who attached it.
    pub user: String,
    /// When.
    pub time: Timestamp,
    /// What was said about it.
    pub comment: String,
}

/// An attachment to be made or taken away.
#[derive(Clone, Copy, Debug)]
pub struct NewAttachment<'a> {
    /// The title of a wiki page, or the id of a ticket or technote.
    pub target: &'a str,
    /// Its name; only what follows the last `/` counts.
    pub filename: &'a str,
    /// All of it; `None` takes away what has this name there.
    pub content: Option<&'a [u8]>,
    /// What is said about it.
    pub comment: &'a str,
}

impl Repo {
    /// The attachments of `target`, or all, in order of target and name.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn attachments(&self, target: Option<&str>) -> Result<Vec<AttachmentSummary>, RepoError> {
        let sql = "SELECT attachid, target, filename, src, user, mtime, comment FROM attachment
             WHERE isLatest AND length(src)>0 AND target=coalesce(?1, target) ORDER BY target, filename";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([target], |row| {
            Ok(AttachmentSummary {
                rid: row.get(0)?,
                target: column::text(row, 1)?,
                filename: column::text(row, 2)?,
                source: column::text(row, 3)?,
                user: column::text(row, 4)?,
                time: Timestamp::from_julian(row.get(5)?),
                comment: column::text(row, 6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl RepoTx<'_> {
    /// Attaches a file, or takes one away.
    ///
    /// # Errors
    ///
    /// [`BadChange::Structural`](super::change::BadChange::Structural) when the content reads as an artifact;
    /// [`BadChange::Malformed`](super::change::BadChange::Malformed) for a target or name that cannot be.
    pub fn attach(&self, new: &NewAttachment<'_>, author: &Author) -> Result<(Rid, ArtifactHash), RepoError> {
        let source = match new.content {
            Some(content) => Some(self.put_file(content, author, false)?.1),
            None => None,
        };
        let filename = new
            .filename
            .rsplit(['/', '\\'])
            .next()
            .filter(|name| !name.is_empty());
        let comment = new.comment.trim();
        let attachment = Attachment {
            filename: filename.unwrap_or("unknown").into(),
            target: new.target.into(),
            source,
            comment: (!comment.is_empty()).then(|| comment.into()),
            date: author.date,
            mimetype: None::<Text>,
            user: Some(author.user.as_str().into()),
        };
        self.put_artifact(&Artifact::Attachment(attachment), author, false)
    }
}
