//! Dropping the derived tables and making them anew.
//!
//! Source: Fossil `src/rebuild.c`, `rebuild_db`; `src/tkt.c`, `ticket_create_table`.

use super::super::{RepoError, RepoTx};
use super::column;

/// Where the derived tables begin in the schema.
const FIRST_DERIVED: &str = "CREATE TABLE filename(";
/// The derived tables, and those that are made when they are needed.
const DERIVED: [&str; 18] = [
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
];
/// Indices of the tables that fill up in a rebuild: made at its end, in one pass each.
const LATE: [&str; 4] = ["mlink_i", "plink_i", "tagxref_i", "event_i"];

impl RepoTx<'_> {
    pub(super) fn drop_derived(&self) -> Result<(), RepoError> {
        for table in DERIVED {
            self.db.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
        }
        Ok(())
    }

    /// Makes the derived tables, with nothing in them but what follows from `blob` alone, and without the
    /// indices of [`create_indices`](Self::create_indices).
    pub(super) fn create_derived(&self) -> Result<(), RepoError> {
        for statement in statements().filter(|statement| !is_late(statement)) {
            self.db.execute_batch(statement)?;
        }
        if let Some(tables) = self.config("ticket-table")? {
            self.db
                .execute_batch("DROP TABLE IF EXISTS ticket; DROP TABLE IF EXISTS ticketchng;")?;
            self.db.execute_batch(&tables)?;
        }
        self.db.execute_batch(
            "INSERT INTO phantom SELECT rid FROM blob
               WHERE size < 0 AND NOT EXISTS (SELECT 1 FROM shun WHERE shun.uuid = blob.uuid);",
        )?;
        Ok(())
    }

    /// Lists what is in none of the clusters whose members `clustered` are.
    pub(super) fn enter_unclustered(&self, mut clustered: Vec<i64>) -> Result<(), RepoError> {
        clustered.sort_unstable();
        let candidates = column(
            self,
            "SELECT rid FROM blob
              WHERE NOT EXISTS (SELECT 1 FROM private WHERE private.rid = blob.rid)
                AND NOT EXISTS (SELECT 1 FROM shun WHERE shun.uuid = blob.uuid)
              ORDER BY rid",
        )?;
        let mut insert = self
            .db
            .prepare_cached("INSERT OR IGNORE INTO unclustered VALUES (?1)")?;
        for rid in candidates {
            if clustered.binary_search(&rid).is_err() {
                insert.execute([rid])?;
            }
        }
        Ok(())
    }

    /// Makes the indices that [`create_derived`](Self::create_derived) left out.
    pub(super) fn create_indices(&self) -> Result<(), RepoError> {
        for statement in statements().filter(|statement| is_late(statement)) {
            self.db.execute_batch(statement)?;
        }
        Ok(())
    }
}

/// The statements of the schema that make derived tables.
fn statements() -> impl Iterator<Item = &'static str> {
    let schema = include_str!("../schema.sql");
    let derived = schema.find(FIRST_DERIVED).expect("the schema has derived tables");
    let statements = schema.split_at(derived).1.split(';');
    statements.filter(|statement| !statement.trim().is_empty())
}

fn is_late(statement: &str) -> bool {
    let name = statement.trim_start().strip_prefix("CREATE INDEX ");
    name.is_some_and(|name| LATE.iter().any(|late| name.starts_with(late)))
}
