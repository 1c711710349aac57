//! All derived tables at once, from what [`Repo::check`] noted.
//!
//! Check-ins, which are nearly all there is, are entered table by table from facts in memory: links, file
//! changes and tags over the whole history in one go, indices afterwards. The other artifacts take the way of
//! those that arrive one by one, see [`crosslink`](super::crosslink), which also finishes both.
//!
//! Source: Fossil `src/rebuild.c`, `rebuild_db`.

mod files;
mod order;
mod schema;
mod tags;

use std::collections::{BTreeSet, HashMap, HashSet};

use super::crosslink::{CheckinFacts, Linker, SqlText};
use super::verify::{Checked, Fault, LinkIndex, Names};
use super::{Repo, RepoError, RepoTx, cache};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;

impl RepoTx<'_> {
    /// Makes all derived tables anew.
    ///
    /// # Errors
    ///
    /// [`RepoError::WrongContent`] when `checked` holds artifacts that are not what their rows say. The caller
    /// is to abandon the transaction.
    pub fn rebuild(&self, checked: Vec<Checked>) -> Result<(), RepoError> {
        refuse_bad(&checked)?;
        for (rid, size) in checked.iter().flat_map(|part| &part.sizes) {
            self.db
                .prepare_cached("UPDATE blob SET size = ?2 WHERE rid = ?1")?
                .execute((rid, size))?;
        }
        self.drop_derived()?;
        self.create_derived()?;
        // The facts of a long history are in memory meanwhile.
        self.cache.borrow_mut().resize(cache::BYTES_MAX / 4);
        let done = Bulk::new(self, checked)?.run();
        self.cache.borrow_mut().resize(cache::BYTES_MAX);
        done
    }
}

impl Repo {
    /// Makes a received clone a repository: all derived tables, and the mark that it is whole.
    ///
    /// # Errors
    ///
    /// As [`RepoTx::rebuild`]; the file stays unfinished.
    pub fn finish_clone(&mut self, checked: Vec<Checked>, now: Timestamp) -> Result<(), RepoError> {
        self.write(|tx| {
            tx.rebuild(checked)?;
            tx.drop_clone_cursor()?;
            tx.mark_finished(now)
        })
    }
}

fn refuse_bad(checked: &[Checked]) -> Result<(), RepoError> {
    let bad = checked.iter().flat_map(|part| &part.bad);
    let hashes: Vec<_> = bad
        .filter(|row| row.why != Fault::Size)
        .map(|row| row.hash)
        .collect();
    match hashes.is_empty() {
        true => Ok(()),
        false => Err(RepoError::WrongContent { hashes }),
    }
}

/// A rebuild under way.
struct Bulk<'t> {
    tx: &'t RepoTx<'t>,
    linker: Linker<'t>,
    /// By row.
    checkins: Vec<CheckinFacts>,
    others: Vec<Rid>,
    links: LinkIndex,
    private: HashSet<i64>,
    /// Parents that tags give to check-ins in place of their own.
    named: HashMap<i64, Vec<ArtifactHash>>,
    /// Primary parent and child, of check-ins and of versions of other artifacts.
    tree: Vec<(i64, i64)>,
}

impl<'t> Bulk<'t> {
    fn new(tx: &'t RepoTx<'t>, mut checked: Vec<Checked>) -> Result<Self, RepoError> {
        let names = Names::merge(checked.iter_mut().map(|part| std::mem::take(&mut part.names)));
        let mut bulk = Self {
            tx,
            linker: Linker::for_rebuild(tx, order::stock_order(tx)?, names),
            checkins: Vec::new(),
            others: Vec::new(),
            links: LinkIndex::default(),
            private: column(tx, "SELECT rid FROM private")?.into_iter().collect(),
            named: HashMap::new(),
            tree: Vec::new(),
        };
        for part in checked {
            bulk.checkins.extend(part.checkins);
            bulk.others.extend(part.others);
            bulk.links.extend(part.links);
        }
        let shunned = column(tx, "SELECT rid FROM shun CROSS JOIN blob USING(uuid)")?;
        let shunned: HashSet<i64> = shunned.into_iter().collect();
        bulk.checkins.retain(|facts| !shunned.contains(&facts.rid.0));
        bulk.others.retain(|rid| !shunned.contains(&rid.0));
        bulk.checkins.sort_unstable_by_key(|facts| facts.rid);
        bulk.others.sort_unstable();
        Ok(bulk)
    }

    fn run(mut self) -> Result<(), RepoError> {
        self.refuse_orphans()?;
        for facts in &self.checkins {
            self.linker.cherrypicks(facts)?;
            self.linker.tags(facts.rid, &facts.tags, facts.date)?;
        }
        for rid in std::mem::take(&mut self.others) {
            if let Some(artifact) = self.tx.artifact(rid)? {
                self.linker.other(rid, &artifact)?;
            }
        }
        self.tree = pairs(self.tx, "SELECT pid, cid FROM plink WHERE isprim")?;
        let clustered = self.linker.take_clustered();
        let own = self.own_tags()?;
        self.enter_links()?;
        self.enter_files()?;
        let patched = self.enter_tags(own)?;
        self.tx.enter_unclustered(clustered)?;
        self.tx.create_indices()?;
        self.enter_events(&patched)?;
        self.linker.finish()
    }

    /// Leaves out delta manifests without their baseline.
    fn refuse_orphans(&mut self) -> Result<(), RepoError> {
        let mut kept = Vec::with_capacity(self.checkins.len());
        for facts in std::mem::take(&mut self.checkins) {
            if self.linker.has_baseline(&facts)? {
                kept.push(facts);
            }
        }
        self.checkins = kept;
        Ok(())
    }

    /// Enters the links of check-ins to their parents.
    fn enter_links(&mut self) -> Result<(), RepoError> {
        let mut rows = Vec::with_capacity(self.checkins.len());
        for facts in &self.checkins {
            let baseline = match &facts.baseline {
                Some(baseline) => self.linker.row_of(baseline)?,
                None => None,
            };
            if let Some(first) = facts.parents.first()
                && let Some(first) = self.linker.row_of(first)?
            {
                self.tree.push((first, facts.rid.0));
            }
            let named = self.named.get(&facts.rid.0);
            let parents = named.map_or(&*facts.parents, Vec::as_slice);
            for (index, parent) in parents.iter().enumerate() {
                let parent = self.linker.row_of(parent)?.unwrap_or(0);
                rows.push((parent, facts.rid.0, index == 0, facts.date, baseline));
            }
        }
        rows.sort_by_key(|row| (row.0, row.1, !row.2));
        for row in rows {
            self.tx
                .db
                .prepare_cached(
                    "INSERT OR IGNORE INTO plink(pid, cid, isprim, mtime, baseid) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(row)?;
        }
        Ok(())
    }

    /// Enters the lines of the timeline about check-ins. Those in `patched` have tags that change them.
    fn enter_events(&mut self, patched: &BTreeSet<i64>) -> Result<(), RepoError> {
        for facts in &self.checkins {
            self.tx
                .db
                .prepare_cached(
                    "INSERT INTO event(type, mtime, objid, user, comment, omtime)
                     VALUES ('ci', ?1, ?2, ?3, ?4, ?1)",
                )?
                .execute((
                    facts.date,
                    facts.rid,
                    facts.user.as_deref().map(SqlText),
                    facts.comment.as_deref().map(SqlText),
                ))?;
            if !patched.contains(&facts.rid.0) {
                let comment = facts.comment.as_deref().unwrap_or_default();
                self.linker.link_comment(facts.rid.0, comment, facts.date)?;
            }
        }
        for rid in patched {
            self.linker.patch_later(*rid);
        }
        self.note_close_times()
    }

    /// Notes the check-ins whose children may be too close to them.
    fn note_close_times(&mut self) -> Result<(), RepoError> {
        let dates: HashMap<i64, f64> = self
            .checkins
            .iter()
            .map(|facts| (facts.rid.0, facts.date))
            .collect();
        let mut related = pairs(self.tx, "SELECT pid, cid FROM plink")?;
        related.extend(pairs(
            self.tx,
            "SELECT parentid, childid FROM cherrypick WHERE NOT isExclude",
        )?);
        for (parent, child) in related {
            if let (Some(before), Some(after)) = (dates.get(&parent), dates.get(&child)) {
                self.linker.close_times(parent, child, *before, *after);
            }
        }
        Ok(())
    }
}

fn column(tx: &RepoTx<'_>, sql: &str) -> Result<Vec<i64>, RepoError> {
    let mut statement = tx.db.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn pairs(tx: &RepoTx<'_>, sql: &str) -> Result<Vec<(i64, i64)>, RepoError> {
    let mut statement = tx.db.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
