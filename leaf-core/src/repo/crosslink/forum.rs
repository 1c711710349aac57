//! Forum posts: threads, and their title in every line of the timeline.
//!
//! Source: Fossil `src/manifest.c`, `manifest_crosslink` for `CFTYPE_FORUM`; `src/schema.c` `zForumSchema`.

use super::super::RepoError;
use super::backlink::{Markup, Source};
use super::{Linker, SqlText};
use crate::format::artifact::{Artifact, ForumPost};
use crate::id::Rid;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS forumpost(
  fpid INTEGER PRIMARY KEY,
  froot INT,
  fprev INT,
  firt INT,
  fmtime REAL
);
CREATE INDEX IF NOT EXISTS forumthread ON forumpost(froot,fmtime);";

impl Linker<'_> {
    pub(super) fn forum_post(&mut self, rid: Rid, post: &ForumPost) -> Result<(), RepoError> {
        let date = post.date.julian();
        self.link_version(rid, post.parent.as_slice(), date)?;
        if self.forum.is_empty() {
            self.tx.db.execute_batch(SCHEMA)?;
        }
        let root = match &post.thread_root {
            Some(root) => self.row_of(root)?.unwrap_or(0),
            None => rid.0,
        };
        let row_of = |hash: Option<&_>| match hash {
            Some(hash) => self.row_of(hash),
            None => Ok(None),
        };
        let prior = row_of(post.parent.as_ref())?;
        let answered = row_of(post.in_reply_to.as_ref())?;
        self.tx
            .db
            .prepare_cached(
                "REPLACE INTO forumpost(fpid, froot, fprev, firt, fmtime) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((rid, root, prior, answered, date))?;
        self.forum.insert(root);
        let text = post.text.as_bytes();
        if text.first().is_some_and(|byte| *byte != 0) {
            let source = Source::Forum(rid.0);
            self.clear_backlinks(source)?;
            self.backlinks(source, text, Markup::of(post.mimetype.as_ref()), date)?;
        }
        Ok(())
    }

    pub(super) fn finish_forum(&mut self) -> Result<(), RepoError> {
        for root in std::mem::take(&mut self.forum) {
            self.finish_thread(root)?;
        }
        Ok(())
    }

    /// The title of a thread is that of the version of its first post that stock meets last.
    fn finish_thread(&mut self, root: i64) -> Result<(), RepoError> {
        let mut statement = self.tx.db.prepare_cached(
            "SELECT fpid, fprev IS NOT NULL, firt IS NOT NULL FROM forumpost WHERE froot = ?1 ORDER BY fpid",
        )?;
        let rows = statement
            .query_map([root], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<Vec<(i64, bool, bool)>, _>>()?;
        let mut posts = Vec::new();
        for (rid, edited, reply) in rows {
            if let Some(Artifact::Forum(post)) = self.tx.artifact(Rid(rid))? {
                posts.push((self.order.place(self.tx, rid)?, rid, edited, reply, post));
            }
        }
        posts.sort_by(|a, b| a.0.cmp(&b.0));
        let named = posts.iter().rev().find(|post| !post.3);
        let title = match named {
            Some((.., post)) => match &post.title {
                Some(title) if !title.is_empty() => title.as_bytes().to_vec(),
                _ => b"(Deleted)".to_vec(),
            },
            None => b"<i>Unknown</i>".to_vec(),
        };
        for (_, rid, edited, reply, post) in &posts {
            let what: &[u8] = match (reply, edited) {
                (false, false) => b"Post",
                (false, true) => b"Edit",
                (true, _) if post.text.is_empty() => b"Delete reply",
                (true, true) => b"Edit reply",
                (true, false) => b"Reply",
            };
            self.tx
                .db
                .prepare_cached(
                    "REPLACE INTO event(type, mtime, objid, user, comment) VALUES ('f', ?1, ?2, ?3, ?4)",
                )?
                .execute((
                    post.date.julian(),
                    rid,
                    SqlText(post.user.as_bytes()),
                    SqlText(&[what, b": ", &title].concat()),
                ))?;
            self.patched.insert(*rid);
        }
        Ok(())
    }
}
