//! File changes of all check-ins.
//!
//! Most were compared while they were checked; the rest is expanded again.

use std::collections::{HashMap, HashSet};

use super::super::RepoError;
use super::super::crosslink::changes::{Change, PackedChanges};
use super::super::crosslink::{CheckinFacts, Side, SqlText};
use super::Bulk;
use crate::id::Rid;

/// A row of `mlink` without its check-in.
struct FileRow {
    fid: i64,
    pmid: i64,
    pid: i64,
    name: i64,
    prior: i64,
    perm: u8,
    is_aux: bool,
}

/// Numbers of file names given so far.
#[derive(Default)]
struct Names(HashMap<Box<[u8]>, i64>);

impl Bulk<'_> {
    pub(super) fn enter_files(&mut self) -> Result<(), RepoError> {
        let mut names = Names::default();
        let checkins = std::mem::take(&mut self.checkins);
        for facts in &checkins {
            self.enter_files_of(facts, &mut names)?;
        }
        self.checkins = checkins;
        self.links = HashMap::new();
        Ok(())
    }

    fn enter_files_of(&mut self, facts: &CheckinFacts, names: &mut Names) -> Result<(), RepoError> {
        let rid = facts.rid.0;
        let named = self.named.get(&rid).map(Vec::as_slice);
        let parents = named.unwrap_or(&facts.parents);
        let mut rows: Vec<FileRow> = Vec::new();
        if parents.is_empty() {
            if let Some(changes) = self.changes(0, rid)? {
                self.file_rows(Side::NONE, &changes, &mut rows, names)?;
            }
            return self.enter_rows(rid, &rows);
        }
        let merged = facts.sides(parents.len());
        for side in self.linker.sides(facts, parents)? {
            match self.changes(side.rid, rid)? {
                Some(changes) => self.file_rows(side, &changes, &mut rows, names)?,
                None if side.is_primary => break,
                None => {}
            }
        }
        if merged > 1 {
            mark_merged(&mut rows, merged);
        }
        self.enter_rows(rid, &rows)
    }

    /// What `child` changes of `parent`, as noted or by comparing them now.
    fn changes(&mut self, parent: i64, child: i64) -> Result<Option<PackedChanges>, RepoError> {
        match self.links.remove(&(parent, child)) {
            Some(link) => Ok(Some(link.changes)),
            None if parent == 0 => self.linker.all_added(child),
            None => self.linker.compare_rows(parent, child),
        }
    }

    fn file_rows(
        &self,
        side: Side,
        changes: &PackedChanges,
        rows: &mut Vec<FileRow>,
        names: &mut Names,
    ) -> Result<(), RepoError> {
        let of_primary = |rows: &[FileRow]| {
            rows.iter()
                .filter(|row| !row.is_aux)
                .map(|row| row.name)
                .collect()
        };
        let primary: HashSet<i64> = match side.is_primary {
            true => HashSet::new(),
            false => of_primary(rows),
        };
        for change in changes.iter() {
            let row = self.file_row(side, &change, names)?;
            if side.is_primary || primary.contains(&row.name) {
                rows.push(row);
            }
        }
        Ok(())
    }

    fn file_row(&self, side: Side, change: &Change<'_>, names: &mut Names) -> Result<FileRow, RepoError> {
        let prior = match &change.prior {
            Some(prior) => self.name(prior, names)?,
            None => 0,
        };
        let row_of = |hash: Option<&_>| match hash {
            Some(hash) => Ok::<_, RepoError>(self.linker.row_of(hash)?.unwrap_or(0)),
            None => Ok(0),
        };
        Ok(FileRow {
            fid: row_of(change.new.as_ref())?,
            pmid: side.rid,
            pid: row_of(change.old.as_ref())?,
            name: self.name(&change.name, names)?,
            prior,
            perm: change.perm,
            is_aux: !side.is_primary,
        })
    }

    fn name(&self, name: &[u8], names: &mut Names) -> Result<i64, RepoError> {
        if let Some(id) = names.0.get(name) {
            return Ok(*id);
        }
        let id = names.0.len() as i64 + 1;
        self.tx
            .db
            .prepare_cached("INSERT INTO filename(fnid, name) VALUES (?1, ?2)")?
            .execute((id, SqlText(name)))?;
        names.0.insert(name.into(), id);
        Ok(id)
    }

    fn enter_rows(&mut self, rid: i64, rows: &[FileRow]) -> Result<(), RepoError> {
        let is_public = !self.private.contains(&rid);
        let mut insert = self.tx.db.prepare_cached(
            "INSERT INTO mlink(mid, fid, pmid, pid, fnid, pfnid, mperm, isaux)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        for row in rows {
            if is_public && self.private.remove(&row.fid) {
                self.tx.set_public(Rid(row.fid))?;
            }
            insert.execute((
                rid, row.fid, row.pmid, row.pid, row.name, row.prior, row.perm, row.is_aux,
            ))?;
        }
        Ok(())
    }
}

/// Files that no side but the primary parent lacks were added by the merge.
fn mark_merged(rows: &mut [FileRow], sides: usize) {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    for row in rows.iter() {
        *counts.entry(row.name).or_insert(0) += 1;
    }
    for row in rows {
        if row.pid == 0 && counts.get(&row.name).is_some_and(|count| *count < sides) {
            row.pid = -1;
        }
    }
}
