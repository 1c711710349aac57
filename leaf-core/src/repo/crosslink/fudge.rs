//! Times of check-ins that are too close to their children, moved apart for the timeline.
//!
//! A check-in whose child is younger by less than two seconds, or older, is shown 25 ms before it, and its own
//! parents before it in turn, up to thirty steps. Of several children so close the one that stock compares
//! last counts.
//!
//! Source: Fossil `src/manifest.c`, `add_mlink` (`time_fudge`), `manifest_crosslink_end`.

use std::collections::{BTreeMap, BTreeSet};

use super::super::RepoError;
use super::Linker;
use super::order::Place;

/// Days in two seconds.
const WINDOW: f64 = 2.0 / 86_400.0;
/// Days in 25 milliseconds.
const STEP: f64 = 25.0 / 86_400_000.0;
/// How far a change of time reaches.
const STEPS: usize = 30;

/// A check-in, the child that is too close, and both their times as they stand.
#[derive(Clone, Copy)]
struct Close {
    child: i64,
    own: f64,
    of_child: Option<f64>,
}

impl Linker<'_> {
    /// Notes a pair whose times, Julian days, are too close.
    pub(in crate::repo) fn close_times(&mut self, parent: i64, child: i64, before: f64, after: f64) {
        if after < before + WINDOW {
            self.close.extend([parent, child]);
        }
    }

    pub(super) fn finish_close_times(&mut self) -> Result<(), RepoError> {
        let changed = std::mem::take(&mut self.close);
        if changed.is_empty() {
            return Ok(());
        }
        let rows = self.close_rows(&changed)?;
        for (rid, own) in settle(rows) {
            self.tx
                .db
                .prepare_cached(
                    "UPDATE event SET mtime = ?2
                      WHERE objid = ?1 AND type = 'ci' AND (mtime = omtime OR omtime IS NULL OR ?3)",
                )?
                .execute((rid, own, self.may_move(rid)?))?;
        }
        Ok(())
    }

    /// Whether no tag says when `rid` was.
    fn may_move(&self, rid: i64) -> Result<bool, RepoError> {
        let mut statement = self
            .tx
            .db
            .prepare_cached("SELECT 1 FROM tagxref WHERE rid = ?1 AND tagid = 4 AND srcid != 0")?;
        Ok(!statement.exists([rid])?)
    }

    /// The close pairs that decide the times of `changed` and of what is near to them.
    fn close_rows(&self, changed: &BTreeSet<i64>) -> Result<BTreeMap<i64, Close>, RepoError> {
        let mut wanted: BTreeSet<i64> = changed.clone();
        let mut edge: Vec<i64> = changed.iter().copied().collect();
        for _ in 0..=STEPS {
            let mut above = Vec::new();
            for rid in edge {
                for parent in self.close_parents(rid)? {
                    if wanted.insert(parent) {
                        above.push(parent);
                    }
                }
            }
            edge = above;
        }
        let mut rows = BTreeMap::new();
        let mut waiting: Vec<(i64, usize)> = wanted.iter().map(|rid| (*rid, STEPS)).collect();
        while let Some((rid, steps)) = waiting.pop() {
            if rows.contains_key(&rid) || steps == 0 && !wanted.contains(&rid) {
                continue;
            }
            if let Some(close) = self.close_child(rid)? {
                rows.insert(rid, close);
                waiting.push((close.child, steps.saturating_sub(1)));
            }
        }
        Ok(rows)
    }

    /// Parents of `rid`, of whatever kind, that are not two seconds older.
    fn close_parents(&self, rid: i64) -> Result<Vec<i64>, RepoError> {
        let mut statement = self.tx.db.prepare_cached(
            "SELECT p.objid FROM event AS c CROSS JOIN
                 (SELECT pid FROM plink WHERE cid = ?1
                   UNION SELECT parentid FROM cherrypick WHERE childid = ?1 AND NOT isExclude) AS l
                 CROSS JOIN event AS p ON p.objid = l.pid
              WHERE c.objid = ?1 AND c.type = 'ci' AND p.type = 'ci' AND c.omtime < p.omtime + ?2",
        )?;
        let parents = statement.query_map((rid, WINDOW), |row| row.get(0))?;
        Ok(parents.collect::<Result<_, _>>()?)
    }

    /// The child of `rid` that is too close, if there is one.
    fn close_child(&self, rid: i64) -> Result<Option<Close>, RepoError> {
        let mut statement = self.tx.db.prepare_cached(
            "SELECT c.objid, p.omtime, c.omtime,
                    (SELECT isprim FROM plink WHERE pid = ?1 AND cid = c.objid)
               FROM event AS p CROSS JOIN
                 (SELECT cid FROM plink WHERE pid = ?1
                   UNION SELECT childid FROM cherrypick WHERE parentid = ?1 AND NOT isExclude) AS l
                 CROSS JOIN event AS c ON c.objid = l.cid
              WHERE p.objid = ?1 AND p.type = 'ci' AND c.type = 'ci' AND c.omtime < p.omtime + ?2
              ORDER BY c.objid",
        )?;
        let rows = statement
            .query_map((rid, WINDOW), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?
            .collect::<Result<Vec<(i64, f64, f64, Option<bool>)>, _>>()?;
        let only = rows.len() == 1;
        let mut last: Option<(Place, i64, Close)> = None;
        for (child, own, of_child, link) in rows {
            let close = Close {
                child,
                own,
                of_child: Some(of_child),
            };
            if only {
                return Ok(Some(close));
            }
            let place = self.compared_at(rid, child, link)?;
            if last
                .as_ref()
                .is_none_or(|(best, of, _)| (&place, child) > (best, *of))
            {
                last = Some((place, child, close));
            }
        }
        Ok(last.map(|(.., close)| close))
    }

    /// When stock compares `child` with its parent `rid` for the last time: on meeting the child; if nothing
    /// differs, again on meeting the parent.
    fn compared_at(&self, rid: i64, child: i64, link: Option<bool>) -> Result<Place, RepoError> {
        let at_child = self.order.place(self.tx, child)?;
        let differs = self
            .tx
            .db
            .prepare_cached("SELECT 1 FROM mlink WHERE mid = ?1 AND pmid = ?2")?
            .exists((child, rid))?;
        if differs || link.is_none() {
            return Ok(at_child);
        }
        let at_parent = self.order.place(self.tx, rid)?;
        Ok(at_child.max(at_parent))
    }
}

/// Moves times apart, all rows at once, as often as upstream does.
fn settle(mut rows: BTreeMap<i64, Close>) -> Vec<(i64, f64)> {
    for _ in 0..STEPS {
        let mut moved = false;
        for row in rows.values_mut() {
            if let Some(of_child) = row.of_child
                && row.own >= of_child
                && row.own < of_child + WINDOW
            {
                row.own = of_child - STEP;
                moved = true;
            }
        }
        if !moved {
            break;
        }
        let times: Vec<(i64, f64)> = rows.iter().map(|(rid, row)| (*rid, row.own)).collect();
        for row in rows.values_mut() {
            let at = times.binary_search_by_key(&row.child, |(rid, _)| *rid).ok();
            row.of_child = at.and_then(|at| times.get(at)).map(|(_, own)| *own);
        }
    }
    rows.into_iter().map(|(rid, row)| (rid, row.own)).collect()
}
