//! Splitting the artifacts of a repository into parts of about equal work.
//!
//! What hangs together by deltas stays together. Artifacts that hang on nothing and that nothing hangs on go
//! where there is room, in runs of neighbouring rows.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::super::{Repo, RepoError};

/// What an artifact costs beside its bytes, in bytes.
const OVERHEAD: u64 = 2_000;

/// Delta trees and single artifacts that one [`Repo::check`] goes through.
#[derive(Clone, Debug, Default)]
pub struct CheckPart {
    /// Rows from which delta trees hang.
    pub(super) roots: Vec<i64>,
    /// Rows on their own.
    pub(super) singles: Vec<i64>,
    /// Rows whose deltas go round in a circle.
    pub(super) circles: Vec<i64>,
    /// All trees.
    pub(super) forest: Arc<Forest>,
}

impl CheckPart {
    /// How many trees and single artifacts there are.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty() && self.singles.is_empty() && self.circles.is_empty()
    }
}

/// Which rows are deltas of which.
#[derive(Clone, Debug, Default)]
pub(super) struct Forest {
    /// Source, number of rows below and with the delta, delta. Sorted.
    edges: Vec<(i64, u32, i64)>,
}

impl Forest {
    /// Deltas of `rid`, those with the fewest rows below first.
    pub(super) fn deltas_of(&self, rid: i64) -> impl Iterator<Item = i64> {
        let from = self.edges.partition_point(|edge| edge.0 < rid);
        let edges = self.edges.get(from..).unwrap_or_default();
        edges
            .iter()
            .take_while(move |edge| edge.0 == rid)
            .map(|edge| edge.2)
    }

    /// Everything below `rid`.
    pub(super) fn below(&self, rid: i64) -> Vec<i64> {
        let mut found: Vec<i64> = self.deltas_of(rid).collect();
        let mut next = 0;
        while let Some(at) = found.get(next).copied() {
            found.extend(self.deltas_of(at));
            next += 1;
        }
        found
    }
}

impl Repo {
    /// Splits the artifacts into parts of about equal work, at most `parts` of them.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn check_plan(&self, parts: usize) -> Result<Vec<CheckPart>, RepoError> {
        let mut statement = self
            .db
            .prepare("SELECT srcid, rid FROM delta ORDER BY srcid, rid")?;
        let pairs = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<(i64, i64)>, _>>()?;
        let deltas: BTreeSet<i64> = pairs.iter().map(|(_, rid)| *rid).collect();
        let sources: BTreeSet<i64> = pairs.iter().map(|(source, _)| *source).collect();
        let forest = Forest {
            edges: pairs.iter().map(|(source, rid)| (*source, 1, *rid)).collect(),
        };
        let mut in_trees: HashMap<i64, u64> = HashMap::new();
        let mut singles: Vec<(i64, u64)> = Vec::new();
        let mut statement = self.db.prepare("SELECT rid, size FROM blob ORDER BY rid")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (rid, size): (i64, i64) = (row.get(0)?, row.get(1)?);
            let cost = size.unsigned_abs().saturating_add(OVERHEAD);
            if deltas.contains(&rid) || sources.contains(&rid) {
                in_trees.insert(rid, if size < 0 { u64::MAX } else { cost });
            } else if size >= 0 {
                singles.push((rid, cost));
            }
        }
        let (trees, counts) = weigh(&forest, &in_trees, sources.difference(&deltas));
        let mut edges: Vec<(i64, u32, i64)> = pairs
            .iter()
            .map(|(source, rid)| (*source, counts.get(rid).copied().unwrap_or(0), *rid))
            .collect();
        edges.sort_unstable();
        let circles = deltas
            .iter()
            .filter(|rid| !counts.contains_key(rid) && in_trees.contains_key(rid))
            .copied()
            .collect();
        Ok(share(
            parts.max(1),
            &Arc::new(Forest { edges }),
            trees,
            &singles,
            circles,
        ))
    }
}

/// The cost of each tree that has content at its root, and for each row how many rows there are from it down.
fn weigh<'a>(
    forest: &Forest,
    costs: &HashMap<i64, u64>,
    roots: impl Iterator<Item = &'a i64>,
) -> (Vec<(u64, i64)>, HashMap<i64, u32>) {
    let mut trees = Vec::new();
    let mut counts: HashMap<i64, u32> = HashMap::new();
    let mut order: Vec<(i64, i64)> = Vec::new();
    for root in roots {
        order.clear();
        order.push((0, *root));
        let mut next = 0;
        while let Some((_, at)) = order.get(next).copied() {
            order.extend(forest.deltas_of(at).map(|delta| (at, delta)));
            next += 1;
        }
        let mut total = 0_u64;
        for (above, rid) in order.iter().rev() {
            let count = counts.entry(*rid).or_insert(0);
            *count = count.saturating_add(1);
            let count = *count;
            if *above != 0 {
                let of_above = counts.entry(*above).or_insert(0);
                *of_above = of_above.saturating_add(count);
            }
            total = total.saturating_add(costs.get(rid).copied().unwrap_or(0));
        }
        // A phantom at the root: what hangs on it waits.
        if costs.get(root).is_some_and(|cost| *cost != u64::MAX) {
            trees.push((total, *root));
        }
    }
    trees.sort_unstable_by(|a, b| b.cmp(a));
    (trees, counts)
}

/// Trees to the part with the least work, the largest first; then singles up to an equal share each.
fn share(
    parts: usize,
    forest: &Arc<Forest>,
    trees: Vec<(u64, i64)>,
    singles: &[(i64, u64)],
    circles: Vec<i64>,
) -> Vec<CheckPart> {
    let mut shares: Vec<(u64, CheckPart)> = (0..parts)
        .map(|_| {
            let part = CheckPart {
                forest: Arc::clone(forest),
                ..CheckPart::default()
            };
            (0, part)
        })
        .collect();
    for (cost, root) in trees {
        if let Some((work, part)) = shares.iter_mut().min_by_key(|(work, _)| *work) {
            *work = work.saturating_add(cost);
            part.roots.push(root);
        }
    }
    let add = |sum: u64, cost: u64| sum.saturating_add(cost);
    let all = shares.iter().map(|(work, _)| *work).fold(0, add);
    let all = singles.iter().map(|(_, cost)| *cost).fold(all, add);
    let each = all / parts as u64 + 1;
    let mut at = 0;
    for (rid, cost) in singles {
        while at + 1 < shares.len() && shares.get(at).is_some_and(|(work, _)| *work >= each) {
            at += 1;
        }
        if let Some((work, part)) = shares.get_mut(at) {
            *work = work.saturating_add(*cost);
            part.singles.push(*rid);
        }
    }
    if let Some((_, part)) = shares.first_mut() {
        part.circles = circles;
    }
    let parts = shares.into_iter().map(|(_, part)| part);
    parts.filter(|part| !part.is_empty()).collect()
}
