//! Tags: which there are, and putting them on and taking them off by control artifacts.
//!
//! Source: Fossil `src/tag.c` `tag_cmd()`, `tag_add_artifact()`.

use super::change::Author;
use super::{Repo, RepoError, RepoTx, column};
use crate::format::artifact::{Artifact, ControlArtifact, Tag, TagKind, TagTarget, Text};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;

/// A tag in force somewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TagSummary {
    /// As it is stored: symbolic tags with their `sym-`.
    pub name: String,
    /// How many artifacts have it.
    pub count: u64,
}

/// A tag in force on one artifact.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TagOn {
    /// As it is stored: symbolic tags with their `sym-`.
    pub name: String,
    /// The value of a property.
    pub value: Option<String>,
    /// Descendants have it too.
    pub propagates: bool,
    /// It came from an ancestor.
    pub inherited: bool,
    /// Since when.
    pub time: Timestamp,
}

/// A tag to be put on an artifact or taken off.
#[derive(Clone, Debug)]
pub struct NewTag<'a> {
    /// Which artifact.
    pub target: Rid,
    /// As it is stored: symbolic tags with their `sym-`.
    pub name: &'a str,
    /// Put on, put on with descendants, or take off.
    pub kind: TagKind,
    /// The value of a property. Ignored when the tag is taken off.
    pub value: Option<&'a str>,
}

impl Repo {
    /// Every tag in force somewhere, in order of the names.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn tags(&self) -> Result<Vec<TagSummary>, RepoError> {
        let sql = "SELECT tagname, count(*) FROM tagxref JOIN tag USING(tagid)
             WHERE tagtype>0 GROUP BY tagname ORDER BY tagname";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let count = u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default();
            Ok(TagSummary {
                name: column::text(row, 0)?,
                count,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The tags in force on one artifact, in order of the names.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn tags_on(&self, rid: Rid) -> Result<Vec<TagOn>, RepoError> {
        let sql = "SELECT tagname, value, tagtype=2, srcid=0, mtime FROM tagxref CROSS JOIN tag USING(tagid)
             WHERE rid=?1 AND tagtype>0 ORDER BY tagname";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([rid], |row| {
            let value = row.get_ref(1)?.as_bytes_or_null()?;
            Ok(TagOn {
                name: column::text(row, 0)?,
                value: value.map(|value| String::from_utf8_lossy(value).into_owned()),
                propagates: row.get(2)?,
                inherited: row.get(3)?,
                time: Timestamp::from_julian(row.get(4)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The artifacts that have the tag `name` (symbolic tags with their `sym-`), newest first.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn tagged(&self, name: &str) -> Result<Vec<Rid>, RepoError> {
        let sql = "SELECT event.objid FROM tag, tagxref, event
             WHERE tag.tagname=?1 AND tagxref.tagid=tag.tagid AND tagxref.tagtype>0
               AND event.objid=tagxref.rid ORDER BY event.mtime DESC, event.objid DESC";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([name], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl RepoTx<'_> {
    /// Puts a tag on an artifact or takes it off, by a control artifact of its own.
    ///
    /// # Errors
    ///
    /// [`BadChange::Malformed`](super::change::BadChange::Malformed) for a name that no tag may have.
    pub fn tag(&self, new: &NewTag<'_>, author: &Author) -> Result<(Rid, ArtifactHash), RepoError> {
        let value = new
            .value
            .filter(|value| new.kind != TagKind::Cancel && !value.is_empty());
        let tag = Tag {
            kind: new.kind,
            name: new.name.into(),
            target: TagTarget::Hash(self.hash_of(new.target)?),
            value: value.map(Text::from),
        };
        let control = ControlArtifact {
            date: author.date,
            tags: vec![tag],
            user: Some(author.user.as_str().into()),
        };
        // What is said about a private artifact is as private as it is.
        self.put_artifact(&Artifact::Control(control), author, self.is_private(new.target)?)
    }
}
