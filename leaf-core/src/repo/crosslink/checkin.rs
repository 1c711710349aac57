//! Check-ins: their links to parents, and which files they change.
//!
//! File changes are those against the primary parent; against the others only for files that differ from the
//! primary one too. They need the file lists of both sides, so a check-in is gone over again when a parent
//! comes later than it.
//!
//! Source: Fossil `src/manifest.c`, `manifest_add_checkin_linkages`, `add_mlink`, `add_one_mlink`.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::OptionalExtension;

use super::super::RepoError;
use super::changes::{self, FileList, PackedChange, PackedChanges};
use super::{Linker, SqlText, tagid};
use crate::format::artifact::{ArtifactView, Cherrypick, ManifestView, Tag};
use crate::id::{ArtifactHash, Rid};

/// What a check-in says apart from its files.
#[derive(Clone, Debug)]
pub(in crate::repo) struct CheckinFacts {
    pub(in crate::repo) rid: Rid,
    /// Julian day.
    pub(in crate::repo) date: f64,
    pub(in crate::repo) comment: Option<Box<[u8]>>,
    pub(in crate::repo) user: Option<Box<[u8]>>,
    pub(in crate::repo) baseline: Option<ArtifactHash>,
    pub(in crate::repo) parents: Box<[ArtifactHash]>,
    pub(in crate::repo) cherrypicks: Box<[Cherrypick]>,
    pub(in crate::repo) tags: Box<[Tag]>,
}

impl CheckinFacts {
    /// Of a check-in.
    pub(in crate::repo) fn new(rid: Rid, view: &ManifestView<'_>) -> Self {
        Self {
            rid,
            date: view.date.julian(),
            comment: view.comment.as_deref().map(Into::into),
            user: view.user.as_deref().map(Into::into),
            baseline: view.baseline,
            parents: view.parents.as_slice().into(),
            cherrypicks: view.cherrypicks.as_slice().into(),
            tags: view.tags.as_slice().into(),
        }
    }

    /// What is merged in by name beside the parents.
    fn picked(&self) -> impl Iterator<Item = &ArtifactHash> {
        let picked = self.cherrypicks.iter().filter(|pick| !pick.backout);
        picked.map(|pick| &pick.hash)
    }

    /// Parents and what counts like one: as many as a file must differ from not to be added by a merge.
    pub(in crate::repo) fn sides(&self, parents: usize) -> usize {
        parents + self.picked().count()
    }
}

/// Content of a check-in and of its baseline.
struct FilesText {
    own: Arc<Vec<u8>>,
    baseline: Option<Arc<Vec<u8>>>,
}

impl Linker<'_> {
    /// Enters a check-in. `false` when it is a delta manifest without its baseline: it then is an orphan.
    pub(super) fn checkin(&mut self, rid: Rid, view: &ManifestView<'_>) -> Result<bool, RepoError> {
        let facts = CheckinFacts::new(rid, view);
        if !self.has_baseline(&facts)? {
            return Ok(false);
        }
        self.cherrypicks(&facts)?;
        let named = self.reparented(rid.0)?;
        self.check_leaf(rid.0)?;
        self.link_parents(&facts, named.as_deref().unwrap_or(&facts.parents))?;
        self.check_leaf(rid.0)?;
        self.link_files(&facts, named.as_deref())?;
        self.relink_children(rid)?;
        self.enter_checkin_event(&facts)?;
        self.tags(rid, &facts.tags, facts.date)?;
        if named.is_none()
            && let Some(primary) = self.primary_parent(rid.0)?
        {
            self.inherit(primary, rid.0)?;
        }
        self.close.insert(rid.0);
        Ok(true)
    }

    /// Orphans whose baseline `rid` is, which are orphans no more.
    pub(super) fn adopted(&self, rid: Rid) -> Result<Vec<Rid>, RepoError> {
        let mut statement = self
            .tx
            .db
            .prepare_cached("DELETE FROM orphan WHERE baseline = ?1 RETURNING rid")?;
        let orphans = statement.query_map([rid], |row| row.get(0))?;
        Ok(orphans.collect::<Result<_, _>>()?)
    }

    /// Looks for the baseline of a delta manifest. Notes an orphan.
    pub(in crate::repo) fn has_baseline(&self, facts: &CheckinFacts) -> Result<bool, RepoError> {
        let Some(baseline) = &facts.baseline else {
            return Ok(true);
        };
        let baseline = self.row_of(baseline)?;
        if let Some(baseline) = baseline
            && let Some(content) = self.tx.content(Rid(baseline))?
            && matches!(ArtifactView::parse_within(&content, self.tx.limits()), Ok(ArtifactView::Manifest(view)) if view.baseline.is_none())
        {
            return Ok(true);
        }
        self.tx
            .db
            .prepare_cached("INSERT OR IGNORE INTO orphan(rid, baseline) VALUES (?1, ?2)")?
            .execute((facts.rid, baseline.unwrap_or(0)))?;
        Ok(false)
    }

    /// Enters what a check-in took over from others, as far as those are known.
    pub(in crate::repo) fn cherrypicks(&self, facts: &CheckinFacts) -> Result<(), RepoError> {
        for pick in &facts.cherrypicks {
            match self.known_row(&pick.hash)? {
                Some(parent) => {
                    self.tx
                        .db
                        .prepare_cached(
                            "REPLACE INTO cherrypick(parentid, childid, isExclude) VALUES (?1, ?2, ?3)",
                        )?
                        .execute((parent, facts.rid, pick.backout))?;
                }
                None => {
                    self.tx.db.execute_batch(
                        "CREATE TABLE IF NOT EXISTS fx_cherrypick(uuid TEXT, childid INTEGER, isExclude INTEGER)",
                    )?;
                    self.tx
                        .db
                        .prepare_cached("INSERT INTO fx_cherrypick VALUES (?1, ?2, ?3)")?
                        .execute((pick.hash.hex().as_str(), facts.rid, pick.backout))?;
                }
            }
        }
        Ok(())
    }

    /// Enters what named an artifact that has become known since.
    pub(super) fn finish_cherrypicks(&mut self) -> Result<(), RepoError> {
        if !self.tx.db.table_exists(None, "fx_cherrypick")? {
            return Ok(());
        }
        let known = "SELECT f.rowid FROM fx_cherrypick AS f CROSS JOIN blob USING(uuid)";
        let mut statement = self.tx.db.prepare(
            "SELECT blob.rid, f.childid, f.isExclude FROM fx_cherrypick AS f CROSS JOIN blob USING(uuid)",
        )?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<Vec<(i64, i64, bool)>, _>>()?;
        for row in &rows {
            self.tx
                .db
                .prepare_cached("REPLACE INTO cherrypick(parentid, childid, isExclude) VALUES (?1, ?2, ?3)")?
                .execute(*row)?;
        }
        if !rows.is_empty() {
            self.tx
                .db
                .execute_batch(&format!("DELETE FROM fx_cherrypick WHERE rowid IN ({known})"))?;
        }
        Ok(())
    }

    /// The parents that a tag gives `rid` in place of those it names itself.
    pub(in crate::repo) fn reparented(&self, rid: i64) -> Result<Option<Vec<ArtifactHash>>, RepoError> {
        let mut statement = self.tx.db.prepare_cached(
            "SELECT CAST(value AS BLOB) FROM tagxref WHERE tagid = ?1 AND rid = ?2 AND tagtype = 1",
        )?;
        let value: Option<Option<Vec<u8>>> = statement
            .query_row((tagid::PARENT, rid), |row| row.get(0))
            .optional()?;
        Ok(value.flatten().and_then(|value| parse_parents(&value)))
    }

    /// Enters the links to `parents` in place of any others.
    pub(in crate::repo) fn link_parents(
        &self,
        facts: &CheckinFacts,
        parents: &[ArtifactHash],
    ) -> Result<(), RepoError> {
        let baseline = match &facts.baseline {
            Some(baseline) => self.row_of(baseline)?,
            None => None,
        };
        self.tx
            .db
            .prepare_cached("DELETE FROM plink WHERE cid = ?1")?
            .execute([facts.rid])?;
        for (index, parent) in parents.iter().enumerate() {
            let parent = self.row_of(parent)?.unwrap_or(0);
            self.tx
                .db
                .prepare_cached(
                    "INSERT OR IGNORE INTO plink(pid, cid, isprim, mtime, baseid) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((parent, facts.rid, index == 0, facts.date, baseline))?;
        }
        Ok(())
    }

    fn primary_parent(&self, rid: i64) -> Result<Option<i64>, RepoError> {
        let mut statement = self
            .tx
            .db
            .prepare_cached("SELECT pid FROM plink WHERE cid = ?1 AND isprim")?;
        Ok(statement.query_row([rid], |row| row.get(0)).optional()?)
    }

    /// Makes the file changes of children of `rid` anew, now that it is here to compare with.
    pub(super) fn relink_children(&mut self, rid: Rid) -> Result<(), RepoError> {
        let mut statement = self.tx.db.prepare_cached(
            "SELECT cid FROM plink WHERE pid = ?1
              UNION SELECT childid FROM cherrypick WHERE parentid = ?1 AND NOT isExclude",
        )?;
        let children = statement
            .query_map([rid], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        for child in children {
            self.relink(child, false)?;
        }
        Ok(())
    }

    /// Gives `rid` the parents of its `parent` tag.
    pub(super) fn reparent(&mut self, rid: i64) -> Result<(), RepoError> {
        self.relink(rid, true)
    }

    /// Makes the file changes of a check-in anew, and its links too if `with_parents`.
    fn relink(&mut self, rid: i64, with_parents: bool) -> Result<(), RepoError> {
        let Some(content) = self.tx.content(Rid(rid))? else {
            return Ok(());
        };
        let Ok(ArtifactView::Manifest(view)) = ArtifactView::parse_within(&content, self.tx.limits()) else {
            return Ok(());
        };
        let facts = CheckinFacts::new(Rid(rid), &view);
        if !self.has_baseline(&facts)? {
            return Ok(());
        }
        let named = self.reparented(rid)?;
        if with_parents {
            self.check_leaf(rid)?;
            self.link_parents(&facts, named.as_deref().unwrap_or(&facts.parents))?;
            self.check_leaf(rid)?;
        }
        self.close.insert(rid);
        self.link_files(&facts, named.as_deref())
    }

    /// Enters the file changes of a check-in in place of any others.
    fn link_files(&mut self, facts: &CheckinFacts, named: Option<&[ArtifactHash]>) -> Result<(), RepoError> {
        self.tx
            .db
            .prepare_cached("DELETE FROM mlink WHERE mid = ?1")?
            .execute([facts.rid])?;
        let parents = named.unwrap_or(&facts.parents);
        let is_public = !self.tx.is_private(facts.rid)?;
        let mut rows = FileRows::new(facts.rid.0, is_public);
        for (side, changes) in self.sides_changed(facts, parents)? {
            for change in changes.iter() {
                rows.enter(self, side, &change)?;
            }
        }
        self.mark_merged(facts.rid.0, facts.sides(parents.len()))?;
        if parents.is_empty()
            && let Some(all) = self.all_added(facts.rid.0)?
        {
            for change in all.iter() {
                rows.enter(self, Side::NONE, &change)?;
            }
        }
        Ok(())
    }

    /// What a check-in without parents adds.
    pub(in crate::repo) fn all_added(&self, rid: i64) -> Result<Option<PackedChanges>, RepoError> {
        let Some(content) = self.tx.content(Rid(rid))? else {
            return Ok(None);
        };
        let Ok(ArtifactView::Manifest(view)) = ArtifactView::parse_within(&content, self.tx.limits()) else {
            return Ok(None);
        };
        let mut all = PackedChanges::default();
        changes::added(&view.files, &mut |change| all.push(&change));
        Ok(Some(all))
    }

    /// What a check-in changes of its parents and of what it took over, primary parent first.
    fn sides_changed(
        &self,
        facts: &CheckinFacts,
        parents: &[ArtifactHash],
    ) -> Result<Vec<(Side, PackedChanges)>, RepoError> {
        let mut sides = Vec::new();
        for side in self.sides(facts, parents)? {
            match self.compare_rows(side.rid, facts.rid.0)? {
                Some(changes) => sides.push((side, changes)),
                None if side.is_primary => break,
                None => {}
            }
        }
        Ok(sides)
    }

    /// Rows that a check-in is compared with, primary parent first, none of them twice.
    pub(in crate::repo) fn sides(
        &self,
        facts: &CheckinFacts,
        parents: &[ArtifactHash],
    ) -> Result<Vec<Side>, RepoError> {
        let mut sides: Vec<Side> = Vec::new();
        if parents.is_empty() {
            return Ok(sides);
        }
        // A tag that names other parents does not change what counts as merged in.
        let merged = facts.parents.iter().skip(1).chain(facts.picked());
        for (index, hash) in parents.iter().take(1).chain(merged).enumerate() {
            let Some(rid) = self.known_row(hash)? else {
                if index == 0 {
                    break;
                }
                continue;
            };
            if sides.iter().all(|side| side.rid != rid) {
                sides.push(Side {
                    rid,
                    is_primary: index == 0,
                });
            }
        }
        Ok(sides)
    }

    /// What check-in `child` changes of `parent`; `None` when one of them cannot be read.
    pub(in crate::repo) fn compare_rows(
        &self,
        parent: i64,
        child: i64,
    ) -> Result<Option<PackedChanges>, RepoError> {
        let (Some(parent), Some(child)) = (self.files_text(parent)?, self.files_text(child)?) else {
            return Ok(None);
        };
        let limits = self.tx.limits();
        let (Some(parent), Some(child)) = (file_list(&parent, limits), file_list(&child, limits)) else {
            return Ok(None);
        };
        let mut packed = PackedChanges::default();
        changes::compare(&parent, &child, &mut |change| packed.push(&change));
        Ok(Some(packed))
    }

    fn files_text(&self, rid: i64) -> Result<Option<FilesText>, RepoError> {
        let Some(own) = self.tx.content(Rid(rid))? else {
            return Ok(None);
        };
        let baseline = match ArtifactView::parse_within(&own, self.tx.limits()) {
            Ok(ArtifactView::Manifest(view)) => view.baseline,
            Ok(ArtifactView::Other(_)) => None,
            Err(_) => return Ok(None),
        };
        let baseline = match baseline {
            None => None,
            Some(hash) => {
                let Some(rid) = self.tx.rid_of(&hash)? else {
                    return Ok(None);
                };
                let Some(content) = self.tx.content(rid)? else {
                    return Ok(None);
                };
                Some(content)
            }
        };
        Ok(Some(FilesText { own, baseline }))
    }

    /// Files that no side but the primary parent lacks were added by the merge, not by the check-in.
    pub(in crate::repo) fn mark_merged(&self, rid: i64, sides: usize) -> Result<(), RepoError> {
        if sides > 1 {
            self.tx
                .db
                .prepare_cached(
                    "UPDATE mlink SET pid = -1 WHERE mid = ?1 AND pid = 0 AND fnid IN
                       (SELECT fnid FROM mlink WHERE mid = ?1 GROUP BY fnid HAVING count(*) < ?2)",
                )?
                .execute((rid, i64::try_from(sides).unwrap_or(i64::MAX)))?;
        }
        Ok(())
    }

    /// The number of a file name, given one if it is new.
    fn fnid(&self, name: &[u8]) -> Result<i64, RepoError> {
        let mut statement = self
            .tx
            .db
            .prepare_cached("SELECT fnid FROM filename WHERE name = ?1")?;
        if let Some(id) = statement
            .query_row([SqlText(name)], |row| row.get(0))
            .optional()?
        {
            return Ok(id);
        }
        self.tx
            .db
            .prepare_cached("INSERT INTO filename(name) VALUES (?1)")?
            .execute([SqlText(name)])?;
        Ok(self.tx.db.last_insert_rowid())
    }
}

/// Files of a check-in; none where it is another artifact, as upstream has it.
fn file_list<'a>(text: &'a FilesText, limits: &crate::limits::Limits) -> Option<FileList<'a>> {
    let own = match ArtifactView::parse_within(&text.own, limits).ok()? {
        ArtifactView::Manifest(view) => view.files,
        ArtifactView::Other(_) => Vec::new(),
    };
    let Some(baseline) = &text.baseline else {
        return Some(FileList::new(own, None));
    };
    match ArtifactView::parse_within(baseline, limits).ok()? {
        ArtifactView::Manifest(view) => Some(FileList::new(own, Some(&view.files))),
        ArtifactView::Other(_) => None,
    }
}

/// Hashes divided by single spaces.
pub(in crate::repo) fn parse_parents(value: &[u8]) -> Option<Vec<ArtifactHash>> {
    let parents = value.split(|byte| *byte <= b' ').map(ArtifactHash::parse);
    parents.collect::<Result<_, _>>().ok()
}

/// A check-in that another is compared with.
#[derive(Clone, Copy, Debug)]
pub(in crate::repo) struct Side {
    /// Its row; 0 for none at all.
    pub(in crate::repo) rid: i64,
    /// Whether it is the primary parent.
    pub(in crate::repo) is_primary: bool,
}

impl Side {
    /// Of a check-in without parents.
    pub(in crate::repo) const NONE: Self = Self {
        rid: 0,
        is_primary: true,
    };
}

/// The rows of `mlink` of one check-in, as they are entered.
struct FileRows {
    rid: i64,
    is_public: bool,
    primary: BTreeSet<i64>,
}

impl FileRows {
    fn new(rid: i64, is_public: bool) -> Self {
        Self {
            rid,
            is_public,
            primary: BTreeSet::new(),
        }
    }

    fn enter(&mut self, linker: &Linker<'_>, side: Side, change: &PackedChange<'_>) -> Result<(), RepoError> {
        let name = linker.fnid(change.name)?;
        let prior = match &change.prior {
            Some(prior) => linker.fnid(prior)?,
            None => 0,
        };
        let old = match &change.old {
            Some(old) => linker.row_of(old)?.unwrap_or(0),
            None => 0,
        };
        let new = match &change.new {
            Some(new) => linker.row_of(new)?.unwrap_or(0),
            None => 0,
        };
        if new != 0 && self.is_public {
            linker.tx.set_public(Rid(new))?;
        }
        if side.is_primary {
            self.primary.insert(name);
        } else if !self.primary.contains(&name) {
            return Ok(());
        }
        linker
            .tx
            .db
            .prepare_cached(
                "INSERT INTO mlink(mid, fid, pmid, pid, fnid, pfnid, mperm, isaux)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                self.rid,
                new,
                side.rid,
                old,
                name,
                prior,
                change.perm,
                !side.is_primary,
            ))?;
        Ok(())
    }
}
