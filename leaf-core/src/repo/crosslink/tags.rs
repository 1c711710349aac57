//! Tags: which one counts on each artifact, and what descendants inherit.
//!
//! An artifact's own tag (`srcid` not 0) counts over one it would inherit; of several of its own the newest
//! counts, of equally new ones the one met first. A propagating tag reaches every descendant along primary
//! parents, up to those with a tag of their own; any other kind stops it.
//!
//! Source: Fossil `src/tag.c`, `tag_insert`, `tag_propagate`.

use rusqlite::OptionalExtension;

use super::super::{RepoError, RepoTx};
use super::{Linker, SqlText, bytes, tagid};
use crate::format::artifact::{Tag, TagKind, TagTarget};
use crate::id::Rid;

/// A tag that some artifact puts on an artifact.
#[derive(Clone, Debug)]
pub(in crate::repo) struct ExplicitTag {
    /// The name.
    pub(in crate::repo) name: Box<[u8]>,
    /// As in `tagxref.tagtype`.
    pub(in crate::repo) kind: i64,
    /// The value, if it has one.
    pub(in crate::repo) value: Option<Box<[u8]>>,
    /// The artifact that says so.
    pub(in crate::repo) source: i64,
    /// When it says so.
    pub(in crate::repo) mtime: f64,
    /// The artifact tagged.
    pub(in crate::repo) rid: i64,
}

/// A row of `tagxref`.
struct TagRow {
    kind: i64,
    source: i64,
    origin: i64,
    value: Option<Vec<u8>>,
    mtime: f64,
}

impl Linker<'_> {
    /// Enters the `T` cards of an artifact.
    pub(in crate::repo) fn tags(&mut self, rid: Rid, tags: &[Tag], mtime: f64) -> Result<(), RepoError> {
        for tag in tags {
            let target = match &tag.target {
                TagTarget::SelfArtifact => Some(rid.0),
                TagTarget::Hash(hash) => self.row_of(hash)?,
            };
            let Some(target) = target else { continue };
            let kind = match tag.kind {
                TagKind::Cancel => 0,
                TagKind::Add => 1,
                TagKind::Propagate => 2,
            };
            self.tag(ExplicitTag {
                name: tag.name.as_bytes().into(),
                kind,
                value: tag.value.as_ref().map(|value| value.as_bytes().into()),
                source: rid.0,
                mtime,
                rid: target,
            })?;
        }
        Ok(())
    }

    /// Enters a tag that marks an artifact as what it is.
    pub(super) fn tag_itself(
        &mut self,
        rid: Rid,
        name: &[u8],
        value: Option<usize>,
        mtime: f64,
    ) -> Result<(), RepoError> {
        self.tag(ExplicitTag {
            name: name.into(),
            kind: 1,
            value: value.map(|value| value.to_string().into_bytes().into()),
            source: rid.0,
            mtime,
            rid: rid.0,
        })
    }

    fn tag(&mut self, tag: ExplicitTag) -> Result<(), RepoError> {
        match &mut self.collected {
            Some(collected) => {
                collected.push(tag);
                Ok(())
            }
            None => self.apply(&tag),
        }
    }

    /// The number of a tag name, given one if it is new.
    pub(in crate::repo) fn tagid(&self, name: &[u8]) -> Result<i64, RepoError> {
        if let Some(id) = self.tagids.borrow().get(name) {
            return Ok(*id);
        }
        let id = match self.known_tagid(name)? {
            Some(id) => id,
            None => {
                self.tx
                    .db
                    .prepare_cached("INSERT INTO tag(tagname) VALUES (?1)")?
                    .execute([SqlText(name)])?;
                self.tx.db.last_insert_rowid()
            }
        };
        self.tagids.borrow_mut().insert(name.to_vec(), id);
        Ok(id)
    }

    /// The number of a tag name, if it has one.
    pub(super) fn known_tagid(&self, name: &[u8]) -> Result<Option<i64>, RepoError> {
        let mut statement = self
            .tx
            .db
            .prepare_cached("SELECT tagid FROM tag WHERE tagname = ?1")?;
        Ok(statement
            .query_row([SqlText(name)], |row| row.get(0))
            .optional()?)
    }

    fn tag_row(&self, rid: i64, tag: i64) -> Result<Option<TagRow>, RepoError> {
        let mut statement = self.tx.db.prepare_cached(
            "SELECT tagtype, srcid, origid, value, mtime FROM tagxref WHERE rid = ?1 AND tagid = ?2",
        )?;
        let row = statement.query_row((rid, tag), |row| {
            Ok(TagRow {
                kind: row.get(0)?,
                source: row.get(1)?,
                origin: row.get(2)?,
                value: bytes(row, 3)?,
                mtime: row.get(4)?,
            })
        });
        Ok(row.optional()?)
    }

    /// Whether `tag` counts over one from `source` of the time `mtime`.
    fn counts_over(&self, tag: &ExplicitTag, source: i64, mtime: f64) -> Result<bool, RepoError> {
        if tag.mtime.total_cmp(&mtime).is_ne() {
            return Ok(tag.mtime > mtime);
        }
        self.order.is_after(self.tx, source, tag.source)
    }

    fn apply(&mut self, tag: &ExplicitTag) -> Result<(), RepoError> {
        let id = self.tagid(&tag.name)?;
        if let Some(row) = self.tag_row(tag.rid, id)?
            && row.source != 0
            && !self.counts_over(tag, row.source, row.mtime)?
        {
            return Ok(());
        }
        self.tx
            .db
            .prepare_cached(
                "REPLACE INTO tagxref(tagid, tagtype, srcid, origid, value, mtime, rid)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?4)",
            )?
            .execute((
                id,
                tag.kind,
                tag.source,
                tag.rid,
                tag.value.as_deref().map(SqlText),
                tag.mtime,
            ))?;
        self.tagged(tag.rid, id)?;
        if id == tagid::PRIVATE {
            self.tx
                .db
                .prepare_cached("INSERT OR IGNORE INTO private(rid) VALUES (?1)")?
                .execute([tag.rid])?;
        }
        if id == tagid::PARENT && tag.kind == 1 {
            self.reparent(tag.rid)?;
        }
        self.propagate(tag.rid, id)
    }

    /// Notes what else depends on a tag of `rid`.
    fn tagged(&mut self, rid: i64, tag: i64) -> Result<(), RepoError> {
        match tag {
            tagid::BGCOLOR | tagid::COMMENT | tagid::USER | tagid::DATE => {
                self.patched.insert(rid);
            }
            tagid::BRANCH => self.check_leaf(rid)?,
            _ => {}
        }
        Ok(())
    }

    /// Lets `rid` inherit what its new primary parent passes on.
    pub(super) fn inherit(&mut self, parent: i64, rid: i64) -> Result<(), RepoError> {
        if self.collected.is_some() {
            return Ok(());
        }
        let mut statement = self
            .tx
            .db
            .prepare_cached("SELECT tagid FROM tagxref WHERE rid = ?1 AND tagtype = 2")?;
        let tags = statement
            .query_map([parent], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        for tag in tags {
            let above = self.tag_row(parent, tag)?;
            if self.pass_on(above.as_ref(), rid, tag)? {
                self.propagate(rid, tag)?;
            }
        }
        Ok(())
    }

    /// Brings the descendants of `rid` up to date with its tag.
    fn propagate(&mut self, rid: i64, tag: i64) -> Result<(), RepoError> {
        let mut waiting = vec![rid];
        while let Some(at) = waiting.pop() {
            let above = self.tag_row(at, tag)?;
            for child in primary_children(self.tx, at)? {
                if self.pass_on(above.as_ref(), child, tag)? {
                    waiting.push(child);
                }
            }
        }
        Ok(())
    }

    /// Gives one child what it inherits. Says whether that changed anything.
    fn pass_on(&mut self, above: Option<&TagRow>, child: i64, tag: i64) -> Result<bool, RepoError> {
        let now = self.tag_row(child, tag)?;
        if now.as_ref().is_some_and(|now| now.source != 0) {
            return Ok(false);
        }
        match (above.filter(|above| above.kind == 2), now) {
            (None, None) => return Ok(false),
            (Some(above), Some(now))
                if above.origin == now.origin
                    && above.mtime.to_bits() == now.mtime.to_bits()
                    && above.value == now.value =>
            {
                return Ok(false);
            }
            (Some(above), _) => {
                self.tx
                    .db
                    .prepare_cached(
                        "REPLACE INTO tagxref(tagid, tagtype, srcid, origid, value, mtime, rid)
                         VALUES (?1, 2, 0, ?2, ?3, ?4, ?5)",
                    )?
                    .execute((
                        tag,
                        above.origin,
                        above.value.as_deref().map(SqlText),
                        above.mtime,
                        child,
                    ))?;
            }
            (None, Some(_)) => {
                self.tx
                    .db
                    .prepare_cached("DELETE FROM tagxref WHERE rid = ?1 AND tagid = ?2")?
                    .execute((child, tag))?;
            }
        }
        self.tagged(child, tag)?;
        Ok(true)
    }
}

fn primary_children(tx: &RepoTx<'_>, rid: i64) -> Result<Vec<i64>, RepoError> {
    let mut statement = tx
        .db
        .prepare_cached("SELECT cid FROM plink WHERE pid = ?1 AND isprim")?;
    let children = statement.query_map([rid], |row| row.get(0))?;
    Ok(children.collect::<Result<_, _>>()?)
}
