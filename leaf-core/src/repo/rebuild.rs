//! All derived tables at once, from what [`Repo::check`] noted.
//!
//! Source: Fossil `src/rebuild.c`, `rebuild_db`.

use super::verify::{Checked, Fault};
use super::{Repo, RepoError, RepoTx};
use crate::time::Timestamp;

/// Where the derived tables begin in the schema.
const FIRST_DERIVED: &str = "CREATE TABLE filename(";
/// The derived tables, and those that stock makes when it needs them.
const DERIVED: [&str; 19] = [
    "filename",
    "mlink",
    "plink",
    "leaf",
    "event",
    "phantom",
    "orphan",
    "unclustered",
    "unsent",
    "tag",
    "tagxref",
    "backlink",
    "attachment",
    "ticket",
    "ticketchng",
    "cherrypick",
    "forumpost",
    "fx_cherrypick",
    "forumthread",
];

/// Tags with numbers of their own.
const TAGS: &str = "INSERT INTO tag VALUES(1,'bgcolor'),(2,'comment'),(3,'user'),(4,'date'),(5,'hidden'),
  (6,'private'),(7,'cluster'),(8,'branch'),(9,'closed'),(10,'parent'),(11,'note')";

impl RepoTx<'_> {
    /// Makes all derived tables anew.
    ///
    /// # Errors
    ///
    /// [`RepoError::WrongContent`] when `checked` holds artifacts that are not what their rows say.
    pub fn rebuild(&self, checked: Vec<Checked>) -> Result<(), RepoError> {
        refuse_bad(&checked)?;
        self.fix_sizes(&checked)?;
        self.drop_derived()?;
        self.create_derived()?;
        let mut statement = self
            .db
            .prepare("SELECT rid FROM blob WHERE size >= 0 ORDER BY rid")?;
        let rids = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<_>, _>>()?;
        self.crosslink(&rids)?;
        Ok(())
    }

    /// Corrects `blob.size` where it is another number than the artifact has bytes.
    fn fix_sizes(&self, checked: &[Checked]) -> Result<(), RepoError> {
        for (rid, size) in checked.iter().flat_map(|part| &part.sizes) {
            self.db
                .prepare_cached("UPDATE blob SET size = ?2 WHERE rid = ?1")?
                .execute((rid, size))?;
        }
        Ok(())
    }

    fn drop_derived(&self) -> Result<(), RepoError> {
        for table in DERIVED {
            self.db.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
        }
        Ok(())
    }

    /// Makes the derived tables, with nothing in them but what follows from `blob` alone.
    fn create_derived(&self) -> Result<(), RepoError> {
        let schema = include_str!("schema.sql");
        let derived = schema.find(FIRST_DERIVED).expect("the schema has derived tables");
        self.db.execute_batch(schema.split_at(derived).1)?;
        self.db.execute_batch(TAGS)?;
        if let Some(tables) = self.config("ticket-table")? {
            self.db
                .execute_batch("DROP TABLE IF EXISTS ticket; DROP TABLE IF EXISTS ticketchng;")?;
            self.db.execute_batch(&tables)?;
        }
        self.db.execute_batch(
            "INSERT INTO phantom SELECT rid FROM blob
               WHERE size < 0 AND NOT EXISTS (SELECT 1 FROM shun WHERE shun.uuid = blob.uuid);
             INSERT INTO unclustered SELECT rid FROM blob
               WHERE NOT EXISTS (SELECT 1 FROM private WHERE private.rid = blob.rid)
                 AND NOT EXISTS (SELECT 1 FROM shun WHERE shun.uuid = blob.uuid);",
        )?;
        Ok(())
    }
}

fn refuse_bad(checked: &[Checked]) -> Result<(), RepoError> {
    let bad = checked.iter().flat_map(|part| &part.bad);
    let hashes: Vec<_> = bad
        .filter(|row| row.why != Fault::Size)
        .map(|row| row.hash)
        .collect();
    match hashes.is_empty() {
        true => Ok(()),
        false => Err(RepoError::WrongContent { hashes }),
    }
}

impl Repo {
    /// Makes a received clone a repository: all derived tables, and the mark that it is whole.
    ///
    /// # Errors
    ///
    /// As [`RepoTx::rebuild`]; the file stays unfinished.
    pub fn finish_clone(&mut self, checked: Vec<Checked>, now: Timestamp) -> Result<(), RepoError> {
        self.write(|tx| {
            tx.rebuild(checked)?;
            tx.mark_finished(now)
        })
    }
}
