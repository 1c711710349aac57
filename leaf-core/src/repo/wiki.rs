//! Wiki pages: which there are, what they say, and writing them.
//!
//! Source: Fossil `src/wiki.c` `wiki_cmd_commit()`, `wiki_put()`; tags `wiki-TITLE`.

use super::change::Author;
use super::{Repo, RepoError, RepoTx, column};
use crate::format::artifact::{Artifact, Text, WikiPage};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;
use rusqlite::OptionalExtension;

/// A wiki page in the list of all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WikiSummary {
    /// Its title.
    pub title: String,
    /// Its newest version.
    pub rid: Rid,
    /// When that was written.
    pub time: Timestamp,
    /// The newest version has no text: the page was deleted.
    pub is_deleted: bool,
}

/// A version of a wiki page to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewWikiPage<'a> {
    /// Its title.
    pub title: &'a str,
    /// The whole text; empty deletes the page.
    pub text: &'a [u8],
    /// `text/x-markdown`, `text/plain`; `None` is Fossil's own markup.
    pub mimetype: Option<&'a str>,
}

impl Repo {
    /// All wiki pages in order of their titles, deleted ones too.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn wiki_pages(&self) -> Result<Vec<WikiSummary>, RepoError> {
        // SQLite takes the other columns from the row that has the maximum.
        let sql = "SELECT substr(tagname, 6), rid, max(mtime), CAST(value AS INTEGER)
             FROM tag JOIN tagxref USING(tagid) WHERE tagname GLOB 'wiki-*' AND tagtype>0
             GROUP BY tagname ORDER BY tagname";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(WikiSummary {
                title: column::text(row, 0)?,
                rid: row.get(1)?,
                time: Timestamp::from_julian(row.get(2)?),
                is_deleted: row.get::<_, Option<i64>>(3)?.unwrap_or_default() == 0,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest version of a wiki page.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn wiki_page(&self, title: &str) -> Result<Option<(Rid, WikiPage)>, RepoError> {
        let sql = "SELECT rid FROM tag CROSS JOIN tagxref USING(tagid)
             WHERE tagname='wiki-'||?1 ORDER BY mtime DESC, rid DESC LIMIT 1";
        let mut statement = self.db.prepare_cached(sql)?;
        let rid = statement.query_row([title], |row| row.get(0)).optional()?;
        let Some(rid) = rid else { return Ok(None) };
        Ok(match self.artifact(rid)? {
            Some(Artifact::Wiki(page)) => Some((rid, page)),
            _ => None,
        })
    }
}

impl RepoTx<'_> {
    /// Writes a version of a wiki page, after the newest that is here.
    ///
    /// # Errors
    ///
    /// [`BadChange::Malformed`](super::change::BadChange::Malformed) for a title that no page may have.
    pub fn wiki_put(&self, new: &NewWikiPage<'_>, author: &Author) -> Result<(Rid, ArtifactHash), RepoError> {
        let before = self.wiki_page(new.title)?;
        let parents = before
            .iter()
            .map(|(rid, _)| self.hash_of(*rid))
            .collect::<Result<_, _>>()?;
        let earliest = before
            .as_ref()
            .map_or(author.date, |(_, page)| page.date.plus_ms(1));
        let mimetype = new
            .mimetype
            .filter(|mimetype| !matches!(*mimetype, "" | "text/x-fossil-wiki"));
        let page = WikiPage {
            comment: None,
            // A version is never dated before the one it replaces, or that one would be shown.
            date: author.date.max(earliest),
            title: new.title.into(),
            mimetype: mimetype.map(Text::from),
            parents,
            user: author.user.as_str().into(),
            text: Text::from(new.text),
        };
        let (rid, hash) = self.put_artifact(&Artifact::Wiki(page), author, false)?;
        if let Some((older, _)) = before {
            self.deltify(older, rid)?;
        }
        Ok((rid, hash))
    }
}
