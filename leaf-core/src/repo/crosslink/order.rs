//! The order in which a stock rebuild meets artifacts.
//!
//! Stock goes through the artifacts stored in full, by row, and from each down to what is stored as a delta of
//! it. A few rows remember that order: which of two tags of one millisecond counts, whether a timeline entry
//! took up an edit. The order of siblings is that of upstream's hash table of integers.
//!
//! Source: Fossil `src/rebuild.c`, `rebuild_step`; `src/bag.c`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::OptionalExtension;

use super::super::{Repo, RepoError};
use crate::id::Rid;

/// A place in the order: compared number by number.
pub(in crate::repo) type Place = Rc<[u64]>;

/// Tells places.
pub(in crate::repo) enum Order {
    /// Found by following delta chains when somebody asks.
    Chains(RefCell<HashMap<i64, Place>>),
    /// Known beforehand: the root, and the number below it, of each row that hangs together with others by
    /// deltas.
    Known(HashMap<i64, (u64, u32)>),
}

impl Order {
    /// For a run over few artifacts.
    pub(in crate::repo) fn of_chains() -> Self {
        Self::Chains(RefCell::default())
    }

    /// Where `rid` comes.
    pub(in crate::repo) fn place(&self, repo: &Repo, rid: i64) -> Result<Place, RepoError> {
        let known = match self {
            Self::Known(places) => {
                let alone = (rid.unsigned_abs(), 0);
                let (root, number) = places.get(&rid).copied().unwrap_or(alone);
                return Ok([root, u64::from(number)].into());
            }
            Self::Chains(known) => known,
        };
        if let Some(place) = known.borrow().get(&rid) {
            return Ok(Rc::clone(place));
        }
        let place: Place = chain_place(repo, rid)?.into();
        known.borrow_mut().insert(rid, Rc::clone(&place));
        Ok(place)
    }

    /// Whether `rid` comes after `other`.
    pub(in crate::repo) fn is_after(&self, repo: &Repo, rid: i64, other: i64) -> Result<bool, RepoError> {
        Ok(rid != other && self.place(repo, rid)? > self.place(repo, other)?)
    }
}

fn delta_source(repo: &Repo, rid: i64) -> Result<Option<i64>, RepoError> {
    let mut statement = repo.db.prepare_cached("SELECT srcid FROM delta WHERE rid = ?1")?;
    Ok(statement.query_row([rid], |row| row.get(0)).optional()?)
}

fn chain_place(repo: &Repo, rid: i64) -> Result<Vec<u64>, RepoError> {
    let mut place = Vec::new();
    let mut at = rid;
    while let Some(source) = delta_source(repo, at)? {
        let mut statement = repo
            .db
            .prepare_cached("SELECT rid FROM delta WHERE srcid = ?1 ORDER BY rid")?;
        let siblings = statement
            .query_map([source], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        let slot = bag_order(&siblings).iter().position(|sibling| *sibling == at);
        place.push(slot.unwrap_or(0) as u64);
        at = source;
        if place.len() > repo.limits().delta_depth_max {
            return Err(RepoError::DeltaChain {
                rid: Rid(rid),
                depth_max: repo.limits().delta_depth_max,
            });
        }
    }
    place.push(at.unsigned_abs());
    place.reverse();
    Ok(place)
}

/// The order in which upstream's bag gives back numbers that were put in one after the other.
pub(in crate::repo) fn bag_order(numbers: &[i64]) -> Vec<i64> {
    if numbers.len() < 2 {
        return numbers.to_vec();
    }
    let mut slots: Vec<i64> = Vec::new();
    for (used, number) in numbers.iter().enumerate() {
        if used + 1 >= slots.len() / 2 {
            let old = std::mem::take(&mut slots);
            slots = vec![0; old.len() * 2 + 20];
            for number in old.into_iter().filter(|number| *number > 0) {
                bag_insert(&mut slots, number);
            }
        }
        bag_insert(&mut slots, *number);
    }
    slots.retain(|number| *number > 0);
    slots
}

fn bag_insert(slots: &mut [i64], number: i64) {
    // Upstream multiplies in 32 bits.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the hash of upstream wraps"
    )]
    let hash = (number as u32).wrapping_mul(101) as usize;
    let start = hash % slots.len();
    let (tail, head) = (start..slots.len(), 0..start);
    let free = tail.chain(head).find(|slot| slots.get(*slot) == Some(&0));
    if let Some(slot) = free.and_then(|free| slots.get_mut(free)) {
        *slot = number;
    }
}
