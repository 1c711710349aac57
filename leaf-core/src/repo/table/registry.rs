//! Which tables there are, and what their rows come to.
//!
//! Source: libfossil `internal/repo/tablesync.go` `RegisterSyncedTable()`, `CatalogHash()`.

use super::definition::{BadTable, Conflict, Table, TableDef, read_columns, write_columns};
use crate::id::to_hex;
use crate::repo::column::text;
use crate::repo::{Repo, RepoError, RepoTx};
use crate::time::Timestamp;
use sha1::{Digest as _, Sha1};

/// What the rows of a table come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableHash {
    /// The reference's hash: keys and times of all rows but deleted ones. Shape: 40 hex digits.
    pub hash: String,
    /// The same with sums, of deleted rows, too.
    pub sum: String,
}

const REGISTRY: &str = "CREATE TABLE IF NOT EXISTS _sync_schema(
  name TEXT PRIMARY KEY,
  columns TEXT NOT NULL,
  conflict TEXT NOT NULL,
  mtime INTEGER NOT NULL,
  cat_hash TEXT,
  hash_time INTEGER
)";

impl Repo {
    fn has_tables(&self) -> Result<bool, RepoError> {
        Ok(self.db.table_exists(Some("main"), "_sync_schema")?)
    }

    /// The synced tables, by name. One that cannot be read is left out.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn tables(&self) -> Result<Vec<Table>, RepoError> {
        if !self.has_tables()? {
            return Ok(Vec::new());
        }
        let sql = "SELECT name, columns, conflict, mtime FROM _sync_schema ORDER BY name";
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut tables = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, columns, conflict) = (text(row, 0)?, text(row, 1)?, text(row, 2)?);
            let Some((columns, conflict)) = read_columns(&columns).ok().zip(Conflict::named(&conflict))
            else {
                continue;
            };
            let def = TableDef { columns, conflict };
            if def.check(&name, &self.limits).is_ok() {
                let mtime = row.get(3)?;
                tables.push(Table { name, def, mtime });
            }
        }
        Ok(tables)
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn table(&self, name: &str) -> Result<Option<Table>, RepoError> {
        Ok(self.tables()?.into_iter().find(|table| table.name == name))
    }

    /// What the rows of a table come to.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn table_hash(&self, table: &Table) -> Result<TableHash, RepoError> {
        if let Some(kept) = self.kept_hash(table)? {
            return Ok(kept);
        }
        let (mut hash, mut all) = (Sha1::new(), Sha1::new());
        for row in self.row_names(table)? {
            let line = format!("{} {}\n", row.key, row.mtime);
            if row.sum != 0 {
                hash.update(&line);
            }
            all.update(line);
            all.update(row.sum.to_be_bytes());
        }
        Ok(TableHash {
            hash: to_hex(&hash.finalize()),
            sum: to_hex(&all.finalize()),
        })
    }

    /// The hash that is kept, unless the table has changed since.
    fn kept_hash(&self, table: &Table) -> Result<Option<TableHash>, RepoError> {
        let sql = "SELECT coalesce(cat_hash, '') FROM _sync_schema WHERE name = ?1";
        let mut statement = self.db.prepare_cached(sql)?;
        let kept = statement.query_row([&table.name], |row| text(row, 0))?;
        let mut words = kept.splitn(3, ' ');
        let [Some(hash), Some(sum), Some(state)] = [words.next(), words.next(), words.next()] else {
            return Ok(None);
        };
        let hash = TableHash {
            hash: hash.to_owned(),
            sum: sum.to_owned(),
        };
        Ok((state == self.table_state(table)?).then_some(hash))
    }

    /// What hardly any change of a table leaves as it is.
    fn table_state(&self, table: &Table) -> Result<String, RepoError> {
        let name = &table.name;
        let sql = format!("SELECT count(*) || ' ' || CAST(total(mtime) AS INTEGER) FROM \"x_{name}\"");
        Ok(self.db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
    }

    /// Whether [`RepoTx::settle_tables`] has something to do.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn tables_due(&self) -> Result<bool, RepoError> {
        if self.db.is_readonly("main")? {
            return Ok(false);
        }
        for table in self.tables()? {
            if self.kept_hash(&table)?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl RepoTx<'_> {
    /// Makes a table, or adds the columns to it that it does not have yet.
    ///
    /// # Errors
    ///
    /// [`RepoError::Table`] when the definition is none, or is not that of the table which is there;
    /// [`RepoError::Limit`], [`RepoError::Sqlite`].
    pub fn define_table(&self, name: &str, def: &TableDef, now: Timestamp) -> Result<Table, RepoError> {
        self.table_defined(name, def, now.unix())
    }

    /// The same for a table of a peer, which says when it was defined.
    pub(crate) fn table_defined(&self, name: &str, def: &TableDef, mtime: i64) -> Result<Table, RepoError> {
        def.check(name, &self.limits)?;
        self.db.execute_batch(REGISTRY)?;
        let tables = self.tables()?;
        let Some(old) = tables.iter().find(|table| table.name == name) else {
            if tables.len() >= self.limits.tables_max {
                return Err(RepoError::Limit {
                    what: "synced tables",
                    value: tables.len() as u64 + 1,
                    max: self.limits.tables_max as u64,
                });
            }
            self.create_table(name, def)?;
            return self.register(name, def, mtime);
        };
        if def.added_by(&old.def).is_some() {
            return Ok(old.clone());
        }
        for column in old.def.added_by(def).ok_or(BadTable::Differs)? {
            self.db.execute_batch(&format!(
                "ALTER TABLE \"x_{name}\" ADD COLUMN \"{}\" {}",
                column.name,
                column.kind.name()
            ))?;
        }
        self.register(name, def, mtime.max(old.mtime))
    }

    fn register(&self, name: &str, def: &TableDef, mtime: i64) -> Result<Table, RepoError> {
        let sql = "REPLACE INTO _sync_schema(name, columns, conflict, mtime, cat_hash, hash_time)
                   VALUES (?1, ?2, ?3, ?4, NULL, 0)";
        let columns = write_columns(&def.columns);
        self.db
            .prepare_cached(sql)?
            .execute((name, columns, def.conflict.name(), mtime))?;
        Ok(Table {
            name: name.to_owned(),
            def: def.clone(),
            mtime,
        })
    }

    fn create_table(&self, name: &str, def: &TableDef) -> Result<(), RepoError> {
        let mut sql = format!("CREATE TABLE IF NOT EXISTS \"x_{name}\"(\n");
        let mut keys = Vec::new();
        for column in &def.columns {
            let quoted = format!("\"{}\"", column.name);
            let is_set = if column.key { " NOT NULL" } else { "" };
            sql.extend(["  ", &quoted, " ", column.kind.name(), is_set, ",\n"]);
            if column.key {
                keys.push(quoted);
            }
        }
        sql.push_str("  mtime INTEGER NOT NULL,\n");
        if def.is_owned() {
            sql.push_str("  _owner TEXT NOT NULL DEFAULT '',\n");
        }
        sql.extend(["  PRIMARY KEY(", &keys.join(", "), ")\n)"]);
        Ok(self.db.execute_batch(&sql)?)
    }

    /// Keeps the hash of every table that has changed, until it changes again.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn settle_tables(&self) -> Result<(), RepoError> {
        for table in self.tables()? {
            if self.kept_hash(&table)?.is_none() {
                let TableHash { hash, sum } = self.table_hash(&table)?;
                let state = self.table_state(&table)?;
                self.db
                    .prepare_cached("UPDATE _sync_schema SET cat_hash = ?2 WHERE name = ?1")?
                    .execute((&table.name, [hash, sum, state].join(" ")))?;
            }
        }
        Ok(())
    }

    /// The table has changed.
    pub(super) fn unsettle_table(&self, table: &Table) -> Result<(), RepoError> {
        let sql = "UPDATE _sync_schema SET cat_hash = NULL WHERE name = ?1 AND cat_hash IS NOT NULL";
        self.db.prepare_cached(sql)?.execute([&table.name])?;
        Ok(())
    }
}
