//! File changes of all check-ins.
//!
//! Most were compared while they were checked; the rest is expanded again.
//!
//! Source: Fossil `src/manifest.c`, `add_mlink`, `add_one_mlink`, `manifest_add_checkin_linkages`.

use std::collections::{HashMap, HashSet};

use super::super::RepoError;
use super::super::crosslink::changes::PackedChange;
use super::super::crosslink::{CheckinFacts, Side, SqlText};
use super::super::verify::{LinkIndex, Links};
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
                let changes = match side.rid {
                    0 => self.linker.all_added(facts.rid.0)?,
                    parent => self.linker.compare_rows(parent, facts.rid.0)?,
                };
                if let Some(changes) = changes {
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
            match links.get((side.rid, facts.rid.0)) {
                Some(changes) => {
                    for change in changes {
                        let row = self.file_row(side, &change, names)?;
                        if side.is_primary || primary.contains(&row.name) {
                            rows.push(row);
                        }
                    }
                }
                None if side.is_primary => break,
                None => {}
            }
        }
        let parents = self.parents(facts).len();
        if parents > 0 && facts.sides(parents) > 1 {
            mark_merged(&mut rows, facts.sides(parents));
        }
        Ok(rows)
    }

    fn file_row(
        &self,
        side: Side,
        change: &PackedChange<'_>,
        names: &mut FileNames<'_>,
    ) -> Result<FileRow, RepoError> {
        let row_of = |hash: Option<&_>| match hash {
            Some(hash) => Ok::<_, RepoError>(self.linker.row_of(hash)?.unwrap_or(0)),
            None => Ok(0),
        };
        Ok(FileRow {
            fid: row_of(change.new.as_ref())?,
            pmid: side.rid,
            pid: row_of(change.old.as_ref())?,
            name: names.number(change.name),
            prior: change.prior.map_or(0, |prior| names.number(prior)),
            perm: change.perm,
            is_aux: !side.is_primary,
        })
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
