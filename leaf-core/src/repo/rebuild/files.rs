//! File changes of all check-ins.
//!
//! Most were compared while they were checked; the rest is expanded again.
//!
//! Source: Fossil `src/manifest.c`, `add_mlink`, `add_one_mlink`, `manifest_add_checkin_linkages`.

use std::collections::{HashMap, HashSet};

use super::super::RepoError;
use super::super::crosslink::changes::PackedChanges;
use super::super::crosslink::{CheckinFacts, Side, SqlText};
use super::super::verify::{LinkIndex, LinkedChange, Links};
use super::Bulk;
use crate::id::{ArtifactHash, Rid};

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

/// A row of `mlink` but for the contents.
struct FilePlace {
    pmid: i64,
    name: i64,
    prior: i64,
    perm: u8,
    is_aux: bool,
}

impl FilePlace {
    fn new(side: Side, name: &[u8], prior: Option<&[u8]>, perm: u8, names: &mut FileNames<'_>) -> Self {
        Self {
            pmid: side.rid,
            name: names.number(name),
            prior: prior.map_or(0, |prior| names.number(prior)),
            perm,
            is_aux: !side.is_primary,
        }
    }

    fn holding(self, old: i64, new: i64) -> FileRow {
        FileRow {
            fid: new,
            pmid: self.pmid,
            pid: old,
            name: self.name,
            prior: self.prior,
            perm: self.perm,
            is_aux: self.is_aux,
        }
    }
}

/// File names in order; the number of a name is one more than its place.
struct FileNames<'a> {
    sorted: Vec<&'a [u8]>,
    /// Where the last name was found: those of one check-in are asked for in order.
    last: usize,
}

impl<'a> FileNames<'a> {
    /// All names in `links`.
    fn of(links: &'a LinkIndex) -> Self {
        let names = links.all().flat_map(|change| [Some(change.name), change.prior]);
        let mut sorted: Vec<&[u8]> = Vec::new();
        // Most come many times: room is made by dropping those before more is taken.
        for name in names.flatten() {
            if sorted.len() == sorted.capacity() {
                sorted.sort_unstable();
                sorted.dedup();
                if sorted.len() > sorted.capacity() / 2 {
                    sorted.reserve(sorted.len());
                }
            }
            sorted.push(name);
        }
        sorted.sort_unstable();
        sorted.dedup();
        Self { sorted, last: 0 }
    }

    fn number(&mut self, name: &[u8]) -> i64 {
        let near = self.last..self.sorted.len().min(self.last + 4);
        let is_it = |at: &usize| self.sorted.get(*at).is_some_and(|other| *other == name);
        self.last = match near.clone().find(is_it) {
            Some(at) => at,
            None => self
                .sorted
                .binary_search(&name)
                .expect("all names were collected"),
        };
        i64::try_from(self.last).expect("as many as fit into memory") + 1
    }
}

impl Bulk<'_> {
    pub(super) fn enter_files(&mut self) -> Result<(), RepoError> {
        self.compare_the_rest()?;
        let links = std::mem::take(&mut self.links);
        let mut names = FileNames::of(&links);
        let mut insert = self
            .tx
            .db
            .prepare_cached("INSERT INTO filename(fnid, name) VALUES (?1, ?2)")?;
        for (number, name) in (1_i64..).zip(&names.sorted) {
            insert.execute((number, SqlText(name)))?;
        }
        let checkins = std::mem::take(&mut self.checkins);
        for facts in &checkins {
            let rows = self.file_rows(facts, &links, &mut names)?;
            self.enter_rows(facts.rid.0, &rows)?;
        }
        self.checkins = checkins;
        Ok(())
    }

    fn parents<'f>(&'f self, facts: &'f CheckinFacts) -> &'f [ArtifactHash] {
        let named = self.named.get(&facts.rid.0);
        named.map_or(&*facts.parents, Vec::as_slice)
    }

    /// What a check-in is compared with; of one without parents, nothing at all.
    fn sides(&self, facts: &CheckinFacts) -> Result<Vec<Side>, RepoError> {
        let parents = self.parents(facts);
        match parents.is_empty() {
            true => Ok(vec![Side::NONE]),
            false => self.linker.sides(facts, parents),
        }
    }

    /// Compares what was not met together.
    fn compare_the_rest(&mut self) -> Result<(), RepoError> {
        let mut compared = Links::default();
        for facts in &self.checkins {
            for side in self.sides(facts)? {
                let key = (side.rid, facts.rid.0);
                if self.links.contains(key) {
                    continue;
                }
                if let Some(changes) = self.compare_side(side, facts)? {
                    compared.add(key, &changes);
                }
            }
        }
        self.links.extend(compared);
        Ok(())
    }

    fn file_rows(
        &self,
        facts: &CheckinFacts,
        links: &LinkIndex,
        names: &mut FileNames<'_>,
    ) -> Result<Vec<FileRow>, RepoError> {
        let mut rows: Vec<FileRow> = Vec::new();
        let mut primary: HashSet<i64> = HashSet::new();
        for side in self.sides(facts)? {
            if !side.is_primary && primary.is_empty() {
                primary = rows.iter().map(|row| row.name).collect();
            }
            let rows_of_side = match links.get((side.rid, facts.rid.0)) {
                Some(changes) => self.side_rows(side, facts, changes, names)?,
                None if side.is_primary => break,
                None => continue,
            };
            let counts = |row: &FileRow| side.is_primary || primary.contains(&row.name);
            rows.extend(rows_of_side.into_iter().filter(counts));
        }
        let parents = self.parents(facts).len();
        if parents > 0 && facts.sides(parents) > 1 {
            mark_merged(&mut rows, facts.sides(parents));
        }
        Ok(rows)
    }

    /// The rows of what a check-in changes of one side.
    fn side_rows<'l>(
        &self,
        side: Side,
        facts: &CheckinFacts,
        changes: impl Iterator<Item = LinkedChange<'l>>,
        names: &mut FileNames<'_>,
    ) -> Result<Vec<FileRow>, RepoError> {
        let mut rows = Vec::new();
        for change in changes {
            let place = FilePlace::new(side, change.name, change.prior, change.perm, names);
            match (
                self.linker.row_of_key(change.old),
                self.linker.row_of_key(change.new),
            ) {
                (Some(old), Some(new)) => rows.push(place.holding(old, new)),
                // The content of some file is not here. To make it a phantom takes its whole name.
                _ => return self.side_rows_by_hash(side, facts, names),
            }
        }
        Ok(rows)
    }

    fn side_rows_by_hash(
        &self,
        side: Side,
        facts: &CheckinFacts,
        names: &mut FileNames<'_>,
    ) -> Result<Vec<FileRow>, RepoError> {
        let row_of = |hash: Option<&ArtifactHash>| match hash {
            Some(hash) => Ok::<_, RepoError>(self.linker.row_of(hash)?.unwrap_or(0)),
            None => Ok(0),
        };
        let mut rows = Vec::new();
        for change in self
            .compare_side(side, facts)?
            .iter()
            .flat_map(PackedChanges::iter)
        {
            let place = FilePlace::new(side, change.name, change.prior, change.perm, names);
            rows.push(place.holding(row_of(change.old.as_ref())?, row_of(change.new.as_ref())?));
        }
        Ok(rows)
    }

    /// What a check-in changes of one side; `None` when one of them cannot be read.
    fn compare_side(&self, side: Side, facts: &CheckinFacts) -> Result<Option<PackedChanges>, RepoError> {
        match side.rid {
            0 => self.linker.all_added(facts.rid.0),
            parent => self.linker.compare_rows(parent, facts.rid.0),
        }
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
