//! Which phantoms to ask a peer for.
//!
//! A peer can make any number of phantoms by announcing names that nobody can fill. Stock asks for the first
//! two hundred there are, so that such names keep all later ones from ever being asked for. Here what this very
//! peer announced goes first, and the others follow from a place that differs from request to request.
//!
//! Source: Fossil `src/xfer.c` `request_phantoms()`.

use super::{Repo, RepoError};
use crate::id::{ArtifactHash, Rid};
use std::collections::HashSet;

/// What to ask for in one message.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// Private ones, too.
    pub private: bool,
    /// So many at the most.
    pub max: usize,
    /// What the peer is known to hold.
    pub announced: &'a HashSet<Rid>,
    /// What the peer may hold as well.
    pub rest: bool,
    /// Any number, another one each time; says where among the rest to begin.
    pub turn: u64,
    /// Whether one is worth asking for.
    pub wanted: &'a dyn Fn(&ArtifactHash) -> bool,
}

impl Repo {
    /// Phantoms to ask a peer for, none of them shunned.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn phantoms_to_ask(&self, asking: &Asking<'_>) -> Result<Vec<ArtifactHash>, RepoError> {
        let mut announced: Vec<Rid> = asking.announced.iter().copied().collect();
        announced.sort_unstable();
        let begin = self.place(asking.turn)?;
        let rest = [("rid >= ?2", begin, true), ("rid < ?2", begin, true)];
        let places = announced.into_iter().map(|rid| ("rid = ?2", rid, false));
        let mut found = Vec::new();
        for (place, rid, is_rest) in places.chain(rest) {
            if found.len() >= asking.max || (is_rest && !asking.rest) {
                break;
            }
            let mut phantoms = self.db.prepare_cached(&format!(
                "SELECT rid, uuid FROM phantom CROSS JOIN blob USING (rid) WHERE {place}
                 AND NOT EXISTS (SELECT 1 FROM shun WHERE shun.uuid = blob.uuid)
                 AND (?1 OR NOT EXISTS (SELECT 1 FROM private WHERE private.rid = blob.rid)) ORDER BY rid"
            ))?;
            let mut rows = phantoms.query((asking.private, rid))?;
            while found.len() < asking.max {
                let Some(row) = rows.next()? else { break };
                let (rid, hash): (Rid, ArtifactHash) = (row.get(0)?, row.get(1)?);
                let is_second = is_rest && asking.announced.contains(&rid);
                if !is_second && (asking.wanted)(&hash) {
                    found.push(hash);
                }
            }
        }
        Ok(found)
    }

    /// A row somewhere among the phantoms.
    fn place(&self, turn: u64) -> Result<Rid, RepoError> {
        let last = "SELECT coalesce(max(rid), 0) FROM phantom";
        let last: i64 = self.db.prepare_cached(last)?.query_row((), |row| row.get(0))?;
        let place = turn % last.unsigned_abs().saturating_add(1);
        Ok(Rid(i64::try_from(place).unwrap_or(0)))
    }
}
