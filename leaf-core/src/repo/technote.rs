//! Technical notes: which there are, and writing them.
//!
//! Source: Fossil `src/event.c` `event_commit_common()`; tags `event-ID`.

use super::change::{Author, BadChange};
use super::{Repo, RepoError, RepoTx, column};
use crate::format::artifact::{Artifact, Tag, TagKind, TechNote, Text};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;
use rusqlite::OptionalExtension;

/// A technote in the list of all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TechNoteSummary {
    /// Which: the name its versions share.
    pub id: String,
    /// Its newest version.
    pub rid: Rid,
    /// Where it stands in the timeline.
    pub time: Timestamp,
    /// Its line in the timeline.
    pub comment: String,
}

/// A version of a technote to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewTechNote<'a> {
    /// Which; a new one has 20 random bytes.
    pub id: ArtifactHash,
    /// Where it stands in the timeline.
    pub event_date: Timestamp,
    /// Its line in the timeline.
    pub comment: &'a str,
    /// The whole text.
    pub text: &'a [u8],
    /// `text/x-markdown`, `text/plain`; `None` is Fossil's own markup.
    pub mimetype: Option<&'a str>,
    /// Symbolic tags.
    pub tags: &'a [String],
    /// Background colour in timelines, as in CSS.
    pub bgcolor: Option<&'a str>,
}

impl Repo {
    /// All technotes, newest first.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn technotes(&self) -> Result<Vec<TechNoteSummary>, RepoError> {
        let sql = "SELECT substr(tagname, 7), objid, event.mtime, coalesce(ecomment, comment)
             FROM event JOIN tag USING(tagid) WHERE type='e' ORDER BY event.mtime DESC, objid DESC";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(TechNoteSummary {
                id: column::text(row, 0)?,
                rid: row.get(1)?,
                time: Timestamp::from_julian(row.get(2)?),
                comment: column::text(row, 3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest version of a technote.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn technote(&self, id: &ArtifactHash) -> Result<Option<(Rid, TechNote)>, RepoError> {
        let sql = "SELECT rid FROM tag CROSS JOIN tagxref USING(tagid)
             WHERE tagname='event-'||?1 ORDER BY mtime DESC, rid DESC LIMIT 1";
        let mut statement = self.db.prepare_cached(sql)?;
        let rid = statement
            .query_row([id.hex().as_str()], |row| row.get(0))
            .optional()?;
        let Some(rid) = rid else { return Ok(None) };
        Ok(match self.artifact(rid)? {
            Some(Artifact::TechNote(note)) => Some((rid, note)),
            _ => None,
        })
    }

    /// Resolves the id of a technote from its beginning.
    ///
    /// # Errors
    ///
    /// [`BadChange::NoSuchName`], [`BadChange::AmbiguousName`].
    pub fn technote_id(&self, prefix: &str) -> Result<ArtifactHash, RepoError> {
        let notes = self.technotes()?;
        let mut matches = notes.iter().filter(|note| note.id.starts_with(prefix));
        let first = matches.next().ok_or(BadChange::NoSuchName)?;
        let others = matches.count();
        if others > 0 {
            return Err(BadChange::AmbiguousName { matches: others + 1 }.into());
        }
        Ok(ArtifactHash::parse(first.id.as_bytes()).map_err(|_| BadChange::NoSuchName)?)
    }
}

impl RepoTx<'_> {
    /// Writes a version of a technote, after the newest that is here.
    ///
    /// # Errors
    ///
    /// [`BadChange::Malformed`] for a tag that no artifact may have.
    pub fn technote_put(
        &self,
        new: &NewTechNote<'_>,
        author: &Author,
    ) -> Result<(Rid, ArtifactHash), RepoError> {
        let before = self.technote(&new.id)?;
        let parents = before
            .iter()
            .map(|(rid, _)| self.hash_of(*rid))
            .collect::<Result<_, _>>()?;
        let earliest = before
            .as_ref()
            .map_or(author.date, |(_, note)| note.date.plus_ms(1));
        let comment = new.comment.trim();
        let mut tags: Vec<Tag> = new
            .tags
            .iter()
            .map(|name| Tag::on_self(TagKind::Add, &format!("sym-{name}"), None))
            .collect();
        tags.extend(
            new.bgcolor
                .map(|color| Tag::on_self(TagKind::Add, "bgcolor", Some(color))),
        );
        tags.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        tags.dedup_by(|a, b| a.sort_key() == b.sort_key());
        let note = TechNote {
            comment: (!comment.is_empty()).then(|| comment.into()),
            date: author.date.max(earliest),
            event_date: new.event_date,
            id: new.id,
            mimetype: new
                .mimetype
                .filter(|mimetype| !mimetype.is_empty())
                .map(Text::from),
            parents,
            tags,
            user: Some(author.user.as_str().into()),
            text: Text::from(new.text),
        };
        let (rid, hash) = self.put_artifact(&Artifact::TechNote(note), author, false)?;
        if let Some((older, _)) = before {
            self.deltify(older, rid)?;
        }
        Ok((rid, hash))
    }
}
