//! The order in which a stock rebuild would meet all artifacts, found in one walk over the delta trees.
//!
//! See [`Order`].
//!
//! Source: Fossil `src/rebuild.c`, `rebuild_db`, `rebuild_step`; `src/bag.c`.

use std::collections::{BTreeSet, HashMap};

use super::super::crosslink::{Order, bag_order};
use super::super::{RepoError, RepoTx};
use super::pairs;

/// Numbers what hangs together by deltas; everything else comes by row.
pub(super) fn stock_order(tx: &RepoTx<'_>) -> Result<Order, RepoError> {
    let edges = pairs(tx, "SELECT srcid, rid FROM delta ORDER BY srcid, rid")?;
    let deltas: BTreeSet<i64> = edges.iter().map(|(_, rid)| *rid).collect();
    let sources: BTreeSet<i64> = edges.iter().map(|(source, _)| *source).collect();
    let mut places = HashMap::new();
    for root in sources.difference(&deltas) {
        let mut waiting = vec![*root];
        let mut number = 0_u32;
        while let Some(rid) = waiting.pop() {
            places.insert(rid, (root.unsigned_abs(), number));
            number += 1;
            let from = edges.partition_point(|edge| edge.0 < rid);
            let below = edges.iter().skip(from).take_while(|edge| edge.0 == rid);
            let below: Vec<i64> = below.map(|edge| edge.1).collect();
            waiting.extend(bag_order(&below).into_iter().rev());
        }
    }
    Ok(Order::Known(places))
}
