//! Clusters: artifacts that name many others, so that announcing one announces all.
//!
//! Source: Fossil `src/xfer.c`, `create_cluster`; `www/sync.wiki` section 4.

use super::{Put, Repo, RepoError, RepoTx};
use crate::format::artifact::{Artifact, Cluster};
use crate::id::ArtifactHash;
use crate::time::Timestamp;

/// Artifacts outside of clusters from which on clusters are made.
const DUE: usize = 100;
/// Members of one cluster.
const MEMBERS_MAX: usize = 800;

impl Repo {
    /// Whether there are enough unclustered artifacts for [`RepoTx::make_clusters`].
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn clusters_due(&self) -> Result<bool, RepoError> {
        let mut statement = self
            .db
            .prepare_cached("SELECT count(*) FROM unclustered CROSS JOIN blob USING(rid) WHERE size >= 0")?;
        let count: i64 = statement.query_row([], |row| row.get(0))?;
        Ok(count.unsigned_abs() >= DUE as u64)
    }
}

impl RepoTx<'_> {
    /// Makes clusters of what is in none, if that is at least 100. Returns how many were made.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn make_clusters(&self, now: Timestamp) -> Result<usize, RepoError> {
        if !self.clusters_due()? {
            return Ok(0);
        }
        let mut statement = self.db.prepare_cached(
            "SELECT uuid FROM unclustered CROSS JOIN blob USING(rid)
              WHERE size >= 0
                AND NOT EXISTS (SELECT 1 FROM phantom WHERE phantom.rid = blob.rid)
                AND NOT EXISTS (SELECT 1 FROM shun WHERE shun.uuid = blob.uuid)
                AND NOT EXISTS (SELECT 1 FROM private WHERE private.rid = blob.rid)
              ORDER BY uuid",
        )?;
        let names = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<ArtifactHash>, _>>()?;
        self.origin.borrow_mut().time = now;
        let mut rest = names.as_slice();
        let mut made = Vec::new();
        while rest.len() >= DUE {
            // A remainder too small for a cluster of its own joins the last one.
            let cut = if rest.len() > MEMBERS_MAX + DUE {
                MEMBERS_MAX
            } else {
                rest.len()
            };
            let (members, later) = rest.split_at(cut);
            rest = later;
            let cluster = Artifact::Cluster(Cluster {
                members: members.to_vec(),
            });
            made.push(self.put(&cluster.write(), Put::default())?.0);
        }
        self.crosslink(&made)?;
        Ok(made.len())
    }
}
