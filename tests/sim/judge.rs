//! What must be true of a healed world.
//!
//! Every leaf holds every public artifact that was ever acknowledged anywhere, and the same set as every other;
//! so for unversioned files that are not deleted. Who is not trusted does not even know the name of a private artifact, who is has them
//! all. Every repository is sound, and its derived tables are those that a rebuild makes.

use crate::leaf::Leaf;
use crate::world::{World, chain};
use leaf_core::id::ArtifactHash;
use leaf_core::repo::RepoError;
use std::collections::BTreeSet;

/// Derived tables, with names in place of the ids that a rebuild gives anew.
///
/// Left out: the time of a cluster's tag, which is when it was crosslinked.
const DERIVED: [(&str, &str); 12] = [
    ("event", "SELECT type, round(mtime,8), objid, user, euser, comment, ecomment, bgcolor, brief, round(omtime,8) FROM event"),
    ("plink", "SELECT pid, cid, isprim, round(mtime,8), baseid FROM plink"),
    (
        "mlink",
        "SELECT mid, fid, pmid, pid, f.name, p.name, mperm, isaux FROM mlink JOIN filename f USING(fnid)
         LEFT JOIN filename p ON p.fnid=mlink.pfnid",
    ),
    ("leaf", "SELECT rid FROM leaf"),
    (
        "tagxref",
        "SELECT tagname, tagtype, srcid, origid, value, CASE tagname WHEN 'cluster' THEN 0 ELSE round(mtime,8) END, rid
         FROM tagxref JOIN tag USING(tagid)",
    ),
    (
        "backlink",
        "SELECT target, srctype, CASE srctype WHEN 2 THEN (SELECT tagname FROM tag WHERE tagid=srcid) ELSE srcid END,
         round(mtime,8) FROM backlink",
    ),
    ("attachment", "SELECT isLatest, round(mtime,8), src, target, filename, comment, user FROM attachment"),
    ("cherrypick", "SELECT parentid, childid, isExclude FROM cherrypick"),
    ("phantom", "SELECT rid FROM phantom"),
    ("orphan", "SELECT rid, baseline FROM orphan"),
    ("ticket", "SELECT tkt_uuid, round(tkt_mtime,8), round(tkt_ctime,8), status, title FROM ticket"),
    ("ticketchng", "SELECT t.tkt_uuid, tkt_rid, round(c.tkt_mtime,8) FROM ticketchng c JOIN ticket t USING(tkt_id)"),
];

/// Everything in the derived tables, a line a row.
fn derived(leaf: &Leaf) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for (table, sql) in DERIVED {
        let mut statement = leaf.disk.prepare(sql).expect("the tables are Fossil's");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let value = |at| format!("{:?}", row.get_ref(at).expect("a column"));
            let values: Vec<String> = (0..columns).map(value).collect();
            lines.insert(format!("{table}: {}", values.join(" ")));
        }
    }
    lines
}

/// Rows of `unclustered` and the like that one set has and the other has not, a few of them.
fn differences(ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> Option<String> {
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>, mark: &str| {
        these
            .difference(those)
            .take(4)
            .map(|line| format!("\n  {mark} {line}"))
            .collect::<String>()
    };
    (ours != theirs).then(|| only(ours, theirs, "-") + &only(theirs, ours, "+"))
}

/// Artifacts whose content is there, the private ones or the others.
fn available(leaf: &mut Leaf, is_private: bool) -> Result<BTreeSet<ArtifactHash>, RepoError> {
    let names = leaf.column("SELECT uuid FROM blob WHERE size>=0");
    let repo = leaf.repo();
    let mut wanted = BTreeSet::new();
    for hash in names
        .iter()
        .map(|name| name.parse::<ArtifactHash>().expect("a name"))
    {
        let rid = repo.rid_of(&hash)?.expect("the name of a row");
        if repo.is_available(rid)? && repo.is_private(rid)? == is_private {
            wanted.insert(hash);
        }
    }
    Ok(wanted)
}

impl World {
    pub(crate) fn judge(&mut self) -> Result<(), String> {
        let mut all_public = Vec::new();
        let mut all_uv = Vec::new();
        for at in 0..self.leaves.len() {
            let found = self
                .judge_leaf(at)
                .map_err(|failure| format!("leaf {at}: {failure}"))?;
            all_public.push(found);
            all_uv.push(self.leaf(at).unversioned());
        }
        for (at, (public, uv)) in all_public.iter().zip(&all_uv).enumerate() {
            let first = all_public.first().expect("two leaves at least");
            if let Some(hash) = public.symmetric_difference(first).next() {
                return Err(format!("leaf 0 and leaf {at} do not both hold {hash}"));
            }
            if Some(uv) != all_uv.first() {
                return Err(format!(
                    "unversioned files of leaf 0 and leaf {at} differ: {:?} {uv:?}",
                    all_uv.first()
                ));
            }
            let is_live = |name: &&String| uv.iter().any(|row| row.starts_with(&format!("{name} ")));
            let never_deleted = self.ledger.uv_put.difference(&self.ledger.uv_deleted);
            if let Some(name) = never_deleted.into_iter().find(|name| !is_live(name)) {
                return Err(format!(
                    "nobody deleted the unversioned file {name}, and leaf {at} has it not"
                ));
            }
        }
        Ok(())
    }

    fn judge_leaf(&mut self, at: usize) -> Result<BTreeSet<ArtifactHash>, String> {
        let has_evil = self.has_evil;
        let (must_public, must_private) = (self.ledger.public.clone(), self.ledger.private.clone());
        let leaf = self.leaf(at);
        let report = leaf
            .repo()
            .verify(&mut |_, _| ())
            .map_err(|error| chain(&error))?;
        if !report.is_sound() || (!has_evil && (report.phantoms > 0 || report.dangling > 0)) {
            return Err(format!("not sound: {report:?}"));
        }
        let public = available(leaf, false).map_err(|error| chain(&error))?;
        let private = available(leaf, true).map_err(|error| chain(&error))?;
        if let Some(lost) = must_public.difference(&public).next() {
            return Err(format!(
                "{lost} was acknowledged and is not here; {} phantoms",
                report.phantoms
            ));
        }
        if leaf.is_trusted {
            if let Some(lost) = must_private.difference(&private).next() {
                return Err(format!("private {lost} was acknowledged and is not here"));
            }
        } else if let Some(leak) = must_private.iter().find(|hash| leaf.knows(hash, !has_evil)) {
            return Err(format!("private {leak} is known here"));
        }
        let before = derived(leaf);
        leaf.rebuild()
            .map_err(|error| format!("rebuild: {}", chain(&error)))?;
        match differences(&before, &derived(leaf)) {
            None => Ok(public),
            Some(rows) => Err(format!("a rebuild changes what is derived:{rows}")),
        }
    }
}

impl Leaf {
    /// Whether an artifact is here, or if `or_its_name` only its name: a liar may have guessed that.
    fn knows(&self, hash: &ArtifactHash, or_its_name: bool) -> bool {
        let least = if or_its_name { -1 } else { 0 };
        self.number(&format!(
            "SELECT count(*) FROM blob WHERE uuid='{hash}' AND size>={least}"
        )) > 0
    }

    fn unversioned(&self) -> Vec<String> {
        // The table is made with the first file.
        match self.number("SELECT count(*) FROM sqlite_schema WHERE name='unversioned'") {
            0 => Vec::new(),
            _ => self.column(
                "SELECT name||' '||mtime||' '||hash FROM unversioned WHERE hash IS NOT NULL ORDER BY name",
            ),
        }
    }

    fn rebuild(&mut self) -> Result<(), RepoError> {
        let repo = self.repo();
        let parts = repo.check_plan(1)?;
        let checked = parts
            .iter()
            .map(|part| repo.check(part, &mut |_, _| ()))
            .collect::<Result<Vec<_>, _>>()?;
        repo.write(|tx| tx.rebuild(checked))
    }
}
