//! Leaves: check-ins without a child on their own branch.
//!
//! Upstream looks at a check-in when it or a child of it is given a branch. So what has none, nor a child that
//! has one, is no leaf whatever else it is.
//!
//! Source: Fossil `src/leaf.c`, `leaf_check`, `leaf_eventually_check`.

use super::super::RepoError;
use super::Linker;

impl Linker<'_> {
    /// Notes that the branch or the parents of `rid` may have changed, which concerns its parents too.
    pub(super) fn check_leaf(&mut self, rid: i64) -> Result<(), RepoError> {
        self.leaves.insert(rid);
        let mut statement = self
            .tx
            .db
            .prepare_cached("SELECT pid FROM plink WHERE cid = ?1 AND pid > 0")?;
        let parents = statement.query_map([rid], |row| row.get(0))?;
        for parent in parents {
            self.leaves.insert(parent?);
        }
        Ok(())
    }

    /// Notes the branches of many check-ins at once.
    pub(in crate::repo) fn branched(&mut self, rids: impl IntoIterator<Item = i64>) {
        self.leaves.extend(rids);
    }

    pub(super) fn finish_leaves(&mut self) -> Result<(), RepoError> {
        let mut branched = self.tx.db.prepare_cached(
            "SELECT 1 FROM tagxref WHERE tagid = 8 AND rid = ?1
              UNION ALL SELECT 1 FROM plink CROSS JOIN tagxref ON rid = cid AND tagid = 8 WHERE pid = ?1",
        )?;
        let mut followed = self.tx.db.prepare_cached(
            "SELECT 1 FROM plink WHERE pid = ?1
                AND coalesce((SELECT value FROM tagxref WHERE tagid = 8 AND rid = ?1), 'trunk')
                  = coalesce((SELECT value FROM tagxref WHERE tagid = 8 AND rid = plink.cid), 'trunk')",
        )?;
        for rid in std::mem::take(&mut self.leaves) {
            let is_leaf = branched.exists([rid])? && !followed.exists([rid])?;
            let sql = match is_leaf {
                true => "INSERT OR IGNORE INTO leaf VALUES (?1)",
                false => "DELETE FROM leaf WHERE rid = ?1",
            };
            self.tx.db.prepare_cached(sql)?.execute([rid])?;
        }
        Ok(())
    }
}
