//! Forum posts: starting threads, answering and editing.
//!
//! Source: Fossil `src/forum.c` `forum_post()`; table `forumpost`.

use super::change::{Author, BadChange};
use super::{Repo, RepoError, RepoTx, column};
use crate::format::artifact::{Artifact, ForumPost, Text};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;

/// A thread in the list of all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForumThread {
    /// Its first post.
    pub root: Rid,
    /// Its title, as the timeline has it.
    pub title: String,
    /// Posts in it, versions counted once each.
    pub posts: u64,
    /// When the last of them was written.
    pub time: Timestamp,
}

/// What a new post is.
#[derive(Clone, Copy, Debug)]
pub enum ForumPlace<'a> {
    /// The first of a thread with this title.
    Thread(&'a str),
    /// An answer to this post.
    Reply(Rid),
    /// A new version of this post; with a title if that is the first of its thread.
    Edit(Rid, Option<&'a str>),
}

/// A forum post to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewForumPost<'a> {
    /// Where it belongs.
    pub place: ForumPlace<'a>,
    /// The whole text.
    pub text: &'a [u8],
    /// `text/x-markdown`, `text/plain`; `None` is Fossil's own markup.
    pub mimetype: Option<&'a str>,
}

impl Repo {
    /// All threads, the one written to last first.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn forum_threads(&self) -> Result<Vec<ForumThread>, RepoError> {
        if !self.has_forum()? {
            return Ok(Vec::new());
        }
        let sql = "SELECT froot, coalesce(ecomment, comment), count(*), max(fmtime)
             FROM forumpost LEFT JOIN event ON objid=froot WHERE fprev IS NULL
             GROUP BY froot ORDER BY 4 DESC";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(ForumThread {
                root: row.get(0)?,
                title: column::text(row, 1)?,
                posts: u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default(),
                time: Timestamp::from_julian(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The table is made when the first post comes.
    fn has_forum(&self) -> Result<bool, RepoError> {
        let sql = "SELECT EXISTS(SELECT 1 FROM sqlite_schema WHERE type='table' AND name='forumpost')";
        Ok(self.db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    fn forum_artifact(&self, rid: Rid) -> Result<(ArtifactHash, ForumPost), RepoError> {
        match self.artifact(rid)? {
            Some(Artifact::Forum(post)) => Ok((self.hash_of(rid)?, post)),
            _ => Err(BadChange::OtherKind.into()),
        }
    }
}

impl RepoTx<'_> {
    /// Writes a forum post.
    ///
    /// # Errors
    ///
    /// [`BadChange::OtherKind`] when what is answered or edited is no forum post; [`BadChange::NothingChanged`]
    /// when a new post has no text.
    pub fn forum_put(
        &self,
        new: &NewForumPost<'_>,
        author: &Author,
    ) -> Result<(Rid, ArtifactHash), RepoError> {
        let is_edit = matches!(new.place, ForumPlace::Edit(..));
        if !is_edit && new.text.iter().all(u8::is_ascii_whitespace) {
            return Err(BadChange::NothingChanged.into());
        }
        let mimetype = new
            .mimetype
            .filter(|mimetype| !matches!(*mimetype, "" | "text/x-fossil-wiki"));
        let mut post = ForumPost {
            date: author.date,
            thread_root: None,
            title: None,
            in_reply_to: None,
            mimetype: mimetype.map(Text::from),
            parent: None,
            user: author.user.as_str().into(),
            text: Text::from(new.text),
        };
        let mut older = None;
        match new.place {
            ForumPlace::Thread(title) => post.title = Some(title.into()),
            ForumPlace::Reply(answered) => {
                let (hash, answered) = self.forum_artifact(answered)?;
                post.thread_root = answered.thread_root.or(Some(hash));
                post.in_reply_to = Some(hash);
            }
            ForumPlace::Edit(edited, title) => {
                older = Some(edited);
                let (hash, edited) = self.forum_artifact(edited)?;
                post.date = post.date.max(edited.date.plus_ms(1));
                post.thread_root = edited.thread_root.or(Some(hash));
                post.in_reply_to = edited.in_reply_to;
                let title = title.map(Text::from).or(edited.title);
                post.title = title.filter(|_| post.in_reply_to.is_none());
                post.parent = Some(hash);
            }
        }
        let (rid, hash) = self.put_artifact(&Artifact::Forum(post), author, false)?;
        if let Some(older) = older {
            self.deltify(older, rid)?;
        }
        Ok((rid, hash))
    }
}
