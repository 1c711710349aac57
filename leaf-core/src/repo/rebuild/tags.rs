//! Tags of the whole history in one pass from the first check-ins down.
//!
//! The same rules as for tags that come one by one, see `crosslink::tags`. Check-ins that inherit the same
//! tags share one list of them.
//!
//! Source: Fossil `src/tag.c`, `tag_insert`, `tag_propagate_all`.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::super::RepoError;
use super::super::crosslink::{SqlText, parse_parents, tagid};
use super::{Bulk, pairs};

/// A tag of an artifact itself.
pub(super) struct OwnTag {
    rid: i64,
    tag: i64,
    kind: i64,
    source: i64,
    mtime: f64,
    value: Option<Rc<[u8]>>,
}

/// A tag on its way to descendants.
#[derive(Clone)]
struct Inherited {
    tag: i64,
    origin: i64,
    mtime: f64,
    value: Option<Rc<[u8]>>,
}

impl Bulk<'_> {
    /// Of all tags said of each artifact those that count, by artifact and tag. Notes check-ins that are
    /// given other parents.
    pub(super) fn own_tags(&mut self) -> Result<Vec<OwnTag>, RepoError> {
        let said = self.linker.take_tags();
        let mut sorted = Vec::with_capacity(said.len());
        for (number, tag) in said.into_iter().enumerate() {
            let place = self.linker.place(tag.source)?;
            sorted.push((place, number, tag));
        }
        // Names get their numbers in the order in which stock would meet them.
        sorted.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let mut own = Vec::with_capacity(sorted.len());
        for (place, number, tag) in sorted {
            let id = self.linker.tagid(&tag.name)?;
            if id == tagid::PRIVATE {
                self.tx
                    .db
                    .prepare_cached("INSERT OR IGNORE INTO private(rid) VALUES (?1)")?
                    .execute([tag.rid])?;
            }
            let row = OwnTag {
                rid: tag.rid,
                tag: id,
                kind: tag.kind,
                source: tag.source,
                mtime: tag.mtime,
                value: tag.value.map(Into::into),
            };
            own.push((row, place, number));
        }
        own.sort_by(|(a, a_place, a_number), (b, b_place, b_number)| {
            let by_tag = (a.rid, a.tag).cmp(&(b.rid, b.tag));
            let newest = b.mtime.total_cmp(&a.mtime);
            let first = (a_place, a_number).cmp(&(b_place, b_number));
            by_tag.then(newest).then(first)
        });
        own.dedup_by(|next, kept| (next.0.rid, next.0.tag) == (kept.0.rid, kept.0.tag));
        let own: Vec<OwnTag> = own.into_iter().map(|(tag, ..)| tag).collect();
        for tag in own.iter().filter(|tag| tag.tag == tagid::PARENT && tag.kind == 1) {
            if let Some(parents) = tag.value.as_deref().and_then(parse_parents) {
                self.named.insert(tag.rid, parents);
            }
        }
        Ok(own)
    }

    /// Enters the tags of all artifacts. Returns those whose line in the timeline they change.
    pub(super) fn enter_tags(&mut self, own: Vec<OwnTag>) -> Result<BTreeSet<i64>, RepoError> {
        let inherited = self.inherited(&own);
        let mut patched = BTreeSet::new();
        let mut branched = Vec::new();
        let mut own = own.into_iter().peekable();
        let mut inherited = inherited.into_iter().peekable();
        loop {
            let next = (
                own.peek().map(|tag| tag.rid),
                inherited.peek().map(|entry| entry.0),
            );
            let Some(rid) = [next.0, next.1].into_iter().flatten().min() else {
                break;
            };
            let mut of_rid = Vec::new();
            while let Some(tag) = own.next_if(|tag| tag.rid == rid) {
                of_rid.push(tag);
            }
            let from_above = inherited.next_if(|entry| entry.0 == rid);
            let from_above = from_above.as_ref().map_or(&[][..], |entry| entry.1.as_slice());
            self.enter_tags_of(rid, &of_rid, from_above)?;
            let ids = || {
                of_rid
                    .iter()
                    .map(|tag| tag.tag)
                    .chain(from_above.iter().map(|tag| tag.tag))
            };
            if ids().any(|id| (tagid::BGCOLOR..=tagid::DATE).contains(&id)) {
                patched.insert(rid);
            }
            if ids().any(|id| id == tagid::BRANCH) {
                branched.push(rid);
            }
        }
        let branches: HashSet<i64> = branched.iter().copied().collect();
        let related = pairs(self.tx, "SELECT cid, pid FROM plink WHERE pid > 0")?;
        let parents = related.into_iter().filter(|(child, _)| branches.contains(child));
        branched.extend(parents.map(|(_, parent)| parent));
        self.linker.branched(branched);
        Ok(patched)
    }

    /// Enters the tags of one artifact: its own, and those from above of which it has none itself.
    fn enter_tags_of(&self, rid: i64, own: &[OwnTag], from_above: &[Inherited]) -> Result<(), RepoError> {
        let mut insert = self.tx.db.prepare_cached(
            "INSERT INTO tagxref(tagid, tagtype, srcid, origid, value, mtime, rid)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for tag in own {
            let value = tag.value.as_deref().map(SqlText);
            insert.execute((tag.tag, tag.kind, tag.source, rid, value, tag.mtime, rid))?;
        }
        for tag in from_above {
            if own.iter().all(|own| own.tag != tag.tag) {
                let value = tag.value.as_deref().map(SqlText);
                insert.execute((tag.tag, 2, 0, tag.origin, value, tag.mtime, rid))?;
            }
        }
        Ok(())
    }

    /// What each artifact inherits, by row; its own tags may stand over some of it.
    fn inherited(&mut self, own: &[OwnTag]) -> Vec<(i64, Rc<Vec<Inherited>>)> {
        let mut first: HashMap<i64, usize> = HashMap::new();
        for (index, tag) in own.iter().enumerate() {
            first.entry(tag.rid).or_insert(index);
        }
        let mut tree = std::mem::take(&mut self.tree);
        tree.sort_unstable();
        let children: HashSet<i64> = tree.iter().map(|(_, child)| *child).collect();
        let mut roots: Vec<i64> = tree.iter().map(|(parent, _)| *parent).collect();
        roots.dedup();
        roots.retain(|rid| !children.contains(rid));
        let nothing = Rc::new(Vec::new());
        let mut found = Vec::new();
        let mut waiting: Vec<(i64, Rc<Vec<Inherited>>)> =
            roots.into_iter().map(|rid| (rid, Rc::clone(&nothing))).collect();
        while let Some((rid, from_above)) = waiting.pop() {
            let own = first
                .get(&rid)
                .and_then(|index| own.get(*index..))
                .unwrap_or_default();
            let count = own.iter().take_while(|tag| tag.rid == rid).count();
            let passed = pass_on(own.get(..count).unwrap_or_default(), &from_above);
            let from = tree.partition_point(|edge| edge.0 < rid);
            let below = tree.get(from..).unwrap_or_default();
            for (_, child) in below.iter().take_while(|edge| edge.0 == rid) {
                waiting.push((*child, Rc::clone(&passed)));
            }
            if !from_above.is_empty() {
                found.push((rid, from_above));
            }
        }
        found.sort_unstable_by_key(|entry| entry.0);
        found
    }
}

/// What an artifact with these tags passes on of what it inherits itself.
fn pass_on(own: &[OwnTag], from_above: &Rc<Vec<Inherited>>) -> Rc<Vec<Inherited>> {
    let stops = |above: &Inherited| own.iter().any(|own| own.tag == above.tag);
    if own.iter().all(|tag| tag.kind != 2) && !from_above.iter().any(stops) {
        return Rc::clone(from_above);
    }
    let mut passed: Vec<Inherited> = from_above.iter().filter(|above| !stops(above)).cloned().collect();
    passed.extend(own.iter().filter(|tag| tag.kind == 2).map(|tag| Inherited {
        tag: tag.tag,
        origin: tag.rid,
        mtime: tag.mtime,
        value: tag.value.clone(),
    }));
    Rc::new(passed)
}
