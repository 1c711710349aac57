//! What tags change in a line of the timeline: its colour, user, comment and date.
//!
//! A check-in takes up its tags whenever they come. The other kinds take up only what stock meets after them,
//! because stock writes their line without a look at tags. The links of a check-in's comment bear the date of
//! whichever of comment and edit stock meets last.
//!
//! Source: Fossil `src/tag.c`, `tag_insert`; `src/manifest.c`, `manifest_crosslink`.

use rusqlite::OptionalExtension;

use super::super::RepoError;
use super::backlink::{Markup, Source};
use super::checkin::CheckinFacts;
use super::{Linker, SqlText, bytes, tagid};

/// A tag that patches: its own row of `tagxref`.
pub(in crate::repo) struct Patch {
    pub(in crate::repo) kind: i64,
    pub(in crate::repo) source: i64,
    pub(in crate::repo) value: Option<Vec<u8>>,
    pub(in crate::repo) mtime: f64,
    /// Whether it comes after the artifact it is on.
    pub(in crate::repo) is_late: bool,
}

impl Patch {
    /// The value, unless the tag cancels.
    fn active(&self) -> Option<&[u8]> {
        self.value.as_deref().filter(|_| self.kind > 0)
    }
}

impl Linker<'_> {
    /// Writes the line of a check-in as it is without tags.
    pub(super) fn enter_checkin_event(&mut self, facts: &CheckinFacts) -> Result<(), RepoError> {
        self.tx
            .db
            .prepare_cached(
                "REPLACE INTO event(type, mtime, objid, user, comment, omtime)
                 VALUES ('ci', ?1, ?2, ?3, ?4, ?1)",
            )?
            .execute((
                facts.date,
                facts.rid,
                facts.user.as_deref().map(SqlText),
                facts.comment.as_deref().map(SqlText),
            ))?;
        self.patched.insert(facts.rid.0);
        Ok(())
    }

    /// Notes that tags may change the line of `rid`.
    pub(in crate::repo) fn patch_later(&mut self, rid: i64) {
        self.patched.insert(rid);
    }

    /// Enters the links of a comment that no tag changes, of a check-in without any so far.
    pub(in crate::repo) fn link_comment(&self, rid: i64, comment: &[u8], date: f64) -> Result<(), RepoError> {
        self.backlinks(Source::Comment(rid), comment, Markup::Wiki, date)
    }

    pub(super) fn finish_patches(&mut self) -> Result<(), RepoError> {
        for rid in std::mem::take(&mut self.patched) {
            let mut statement = self.tx.db.prepare_cached(
                "SELECT type, comment, coalesce(omtime, mtime) FROM event WHERE objid = ?1",
            )?;
            let event = statement
                .query_row([rid], |row| {
                    Ok((
                        row.get::<_, String>(0)?,
                        bytes(row, 1)?,
                        row.get::<_, Option<f64>>(2)?,
                    ))
                })
                .optional()?;
            match event {
                Some((kind, comment, Some(date))) if kind == "ci" => {
                    self.patch_checkin(rid, comment.as_deref().unwrap_or_default(), date)?;
                }
                Some((kind, ..)) => self.patch_other(rid, &kind)?,
                None => self.patch_comment_links(rid, None)?,
            }
        }
        Ok(())
    }

    /// The tag of `rid` itself.
    fn patch(&self, rid: i64, tag: i64) -> Result<Option<Patch>, RepoError> {
        let mut statement = self.tx.db.prepare_cached(
            "SELECT tagtype, srcid, value, mtime FROM tagxref WHERE rid = ?1 AND tagid = ?2 AND srcid != 0",
        )?;
        let patch = statement
            .query_row((rid, tag), |row| {
                Ok(Patch {
                    kind: row.get(0)?,
                    source: row.get(1)?,
                    value: bytes(row, 2)?,
                    mtime: row.get(3)?,
                    is_late: false,
                })
            })
            .optional()?;
        match patch {
            None => Ok(None),
            Some(patch) => Ok(Some(Patch {
                is_late: patch.source == rid || self.order.is_after(self.tx, patch.source, rid)?,
                ..patch
            })),
        }
    }

    /// The colour of `rid`, its own or inherited.
    fn colour(&self, rid: i64) -> Result<Option<(Vec<u8>, i64)>, RepoError> {
        let mut statement = self.tx.db.prepare_cached(
            "SELECT value, origid FROM tagxref WHERE rid = ?1 AND tagid = ?2 AND tagtype > 0 AND value IS NOT NULL",
        )?;
        Ok(statement
            .query_row((rid, tagid::BGCOLOR), |row| {
                Ok((bytes(row, 0)?.unwrap_or_default(), row.get(1)?))
            })
            .optional()?)
    }

    fn patch_checkin(&mut self, rid: i64, comment: &[u8], date: f64) -> Result<(), RepoError> {
        let colour = self.colour(rid)?;
        let user = self.patch(rid, tagid::USER)?;
        let edit = self.patch(rid, tagid::COMMENT)?;
        let moved = self.patch(rid, tagid::DATE)?;
        self.tx
            .db
            .prepare_cached(
                "UPDATE event SET bgcolor = ?2, euser = ?3, ecomment = ?4,
                        mtime = CASE ?6 WHEN 0 THEN omtime
                                WHEN 1 THEN coalesce(julianday(?5), omtime)
                                ELSE julianday(?5) END
                  WHERE objid = ?1",
            )?
            .execute((
                rid,
                colour.as_ref().map(|(value, _)| SqlText(value)),
                user.as_ref().and_then(Patch::active).map(SqlText),
                edit.as_ref().and_then(Patch::active).map(SqlText),
                moved.as_ref().and_then(Patch::active).map(SqlText),
                moved
                    .as_ref()
                    .map_or(0, |moved| if moved.is_late { 2 } else { 1 }),
            ))?;
        self.close.insert(rid);
        let source = Source::Comment(rid);
        match edit {
            None => {
                self.clear_backlinks(source)?;
                self.backlinks(source, comment, Markup::Wiki, date)
            }
            Some(edit) => self.patch_comment_links(rid, Some((comment, date, edit))),
        }
    }

    /// The links of an edited comment. Without a check-in the edit is all there is.
    fn patch_comment_links(
        &mut self,
        rid: i64,
        edited: Option<(&[u8], f64, Patch)>,
    ) -> Result<(), RepoError> {
        let source = Source::Comment(rid);
        let (text, mtime) = match edited {
            Some((comment, date, edit)) if !edit.is_late => (edit.active().unwrap_or(comment).to_vec(), date),
            Some((_, _, edit)) => (edit.active().unwrap_or_default().to_vec(), edit.mtime),
            None => match self.patch(rid, tagid::COMMENT)? {
                None => return Ok(()),
                Some(edit) => (edit.active().unwrap_or_default().to_vec(), edit.mtime),
            },
        };
        self.clear_backlinks(source)?;
        self.backlinks(source, &text, Markup::Wiki, mtime)
    }

    fn patch_other(&mut self, rid: i64, kind: &str) -> Result<(), RepoError> {
        self.patch_comment_links(rid, None)?;
        if kind == "t" {
            return Ok(());
        }
        let colour = match self.colour(rid)? {
            Some((value, origin)) if kind == "e" || self.is_late_colour(rid, origin)? => Some(value),
            _ => None,
        };
        let late = |patch: Option<Patch>| patch.filter(|patch| patch.is_late);
        let user = late(self.patch(rid, tagid::USER)?);
        let edit = late(self.patch(rid, tagid::COMMENT)?);
        let moved = late(self.patch(rid, tagid::DATE)?);
        self.tx
            .db
            .prepare_cached("UPDATE event SET bgcolor = ?2, euser = ?3, ecomment = ?4 WHERE objid = ?1")?
            .execute((
                rid,
                colour.as_deref().map(SqlText),
                user.as_ref().and_then(Patch::active).map(SqlText),
                edit.as_ref().and_then(Patch::active).map(SqlText),
            ))?;
        if let Some(moved) = moved {
            self.tx
                .db
                .prepare_cached(
                    "UPDATE event SET omtime = coalesce(omtime, mtime), mtime = julianday(?2) WHERE objid = ?1",
                )?
                .execute((rid, moved.active().map(SqlText)))?;
        }
        Ok(())
    }

    /// Whether stock meets the artifact that set the colour at `origin` after `rid`.
    fn is_late_colour(&self, rid: i64, origin: i64) -> Result<bool, RepoError> {
        match self.patch(origin, tagid::BGCOLOR)? {
            Some(patch) => self.order.is_after(self.tx, patch.source, rid),
            None => Ok(false),
        }
    }
}
