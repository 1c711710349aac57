//! Changes that were asked for under a name, so that one that is asked for twice is made once.
//!
//! Who loses the connection to the owner of a repository does not know whether its change was made before that. It
//! asks again under the same name, and the row here, written in the transaction of the change, tells.
//!
//! Source: Fossil `src/rebuild.c` `rebuild_db()`, which keeps tables called `fx_` and does not look at them.

use super::{Repo, RepoError, RepoTx};
use crate::id::ArtifactHash;
use crate::time::Timestamp;
use rusqlite::OptionalExtension;

/// How long a name is known. Longer than anybody asks again.
const KEPT_SECONDS: i64 = 7 * 86_400;

impl Repo {
    /// The artifact that the change asked for under `name` made; `None` when it was not made, or long ago.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn request(&self, name: &str) -> Result<Option<ArtifactHash>, RepoError> {
        if !self.db.table_exists(None, "fx_request")? {
            return Ok(None);
        }
        let mut statement = self
            .db
            .prepare_cached("SELECT uuid FROM fx_request WHERE name=?1")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }
}

impl RepoTx<'_> {
    /// Notes that the change asked for under `name` made the artifact `hash`.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails, or the name was used before.
    pub fn note_request(&self, name: &str, hash: &ArtifactHash, now: Timestamp) -> Result<(), RepoError> {
        self.db.execute_batch(
            "CREATE TABLE IF NOT EXISTS fx_request(name TEXT PRIMARY KEY, uuid TEXT NOT NULL, mtime INT NOT NULL)
             WITHOUT ROWID",
        )?;
        self.db
            .prepare_cached("DELETE FROM fx_request WHERE mtime<?1")?
            .execute([now.unix() - KEPT_SECONDS])?;
        self.db
            .prepare_cached("INSERT INTO fx_request(name, uuid, mtime) VALUES (?1, ?2, ?3)")?
            .execute((name, hash.hex().as_str(), now.unix()))?;
        Ok(())
    }
}
