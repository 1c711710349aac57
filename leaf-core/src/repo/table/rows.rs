//! What people do with a table: put, delete, list.
//!
//! Source: libfossil `internal/repo/tablesync.go` `UpsertXRow()`, `ListXRows()`, `DeleteXRowByPKHash()`.

use super::definition::{BadTable, Conflict, Table};
use super::row::TableRow;
use super::value::TableValue;
use crate::repo::column::text;
use crate::repo::{Repo, RepoError, RepoTx};
use crate::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params_from_iter};

/// A row where it is stored.
pub(super) struct Stored {
    pub(super) rowid: i64,
    pub(super) row: TableRow,
}

impl Table {
    /// The columns in quotes, each behind `before`.
    fn columns(&self, keys_only: bool, before: &str, behind: &str, between: &str) -> String {
        let quoted = |name: &str| [before, "\"", name, "\"", behind].concat();
        let names = self.def.columns.iter().filter(|column| column.key || !keys_only);
        names
            .map(|column| quoted(&column.name))
            .collect::<Vec<_>>()
            .join(between)
    }

    fn select(&self, condition: &str) -> String {
        let owner = if self.def.is_owned() { "_owner" } else { "''" };
        let columns = self.columns(false, ", ", "", "");
        let name = &self.name;
        format!("SELECT rowid, mtime, {owner}{columns} FROM \"x_{name}\" {condition}")
    }

    fn stored(&self, row: &Row<'_>) -> rusqlite::Result<Stored> {
        let values = (0..self.def.columns.len()).map(|at| Ok(TableValue::from(row.get_ref(at + 3)?)));
        Ok(Stored {
            rowid: row.get(0)?,
            row: TableRow {
                values: values.collect::<rusqlite::Result<_>>()?,
                mtime: row.get(1)?,
                owner: text(row, 2)?,
            },
        })
    }

    /// The key columns among `values`.
    fn keys<'v>(&self, values: &'v [TableValue]) -> Vec<&'v TableValue> {
        let both = self.def.columns.iter().zip(values);
        both.filter(|(column, _)| column.key)
            .map(|(_, value)| value)
            .collect()
    }

    /// Whether `user` may change a row of `owner`.
    pub(super) fn may_write(&self, owner: &str, user: &str) -> bool {
        match self.def.conflict {
            Conflict::MtimeWins => true,
            Conflict::OwnerWrite => owner == user,
            Conflict::SelfWrite => owner.is_empty() || owner == user,
        }
    }
}

impl Repo {
    /// The rows of a table, without the deleted ones, in no order.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn table_rows(&self, table: &Table) -> Result<Vec<TableRow>, RepoError> {
        let mut rows = Vec::new();
        self.each_row(table, &mut |stored| {
            if !table.def.is_deleted(&stored.row.values) {
                rows.push(stored.row);
            }
        })?;
        Ok(rows)
    }

    /// Every row, deleted ones among them.
    pub(super) fn each_row(&self, table: &Table, each: &mut dyn FnMut(Stored)) -> Result<(), RepoError> {
        let mut statement = self.db.prepare_cached(&table.select(""))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(table.stored(row)?);
        }
        Ok(())
    }

    /// The row at a place.
    pub(super) fn row_at(&self, table: &Table, rowid: i64) -> Result<Option<TableRow>, RepoError> {
        let mut statement = self.db.prepare_cached(&table.select("WHERE rowid = ?1"))?;
        let found = statement.query_row([rowid], |row| table.stored(row)).optional()?;
        Ok(found.map(|stored| stored.row))
    }

    /// How many rows there are, deleted ones among them.
    pub(super) fn row_count(&self, table: &Table) -> Result<usize, RepoError> {
        let sql = format!("SELECT count(*) FROM \"x_{}\"", table.name);
        let count: i64 = self.db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// The row that has the same key.
    pub(super) fn row_like(&self, table: &Table, values: &[TableValue]) -> Result<Option<Stored>, RepoError> {
        let condition = ["WHERE ", &table.columns(true, "", " = ?", " AND ")].concat();
        let mut statement = self.db.prepare_cached(&table.select(&condition))?;
        let keys = params_from_iter(table.keys(values));
        Ok(statement.query_row(keys, |row| table.stored(row)).optional()?)
    }
}

impl RepoTx<'_> {
    /// Writes a row made here by `user`, later than the one that it takes the place of.
    ///
    /// # Errors
    ///
    /// [`RepoError::Table`] when it is no row of the table, or somebody else's; [`RepoError::Limit`],
    /// [`RepoError::Sqlite`].
    pub fn put_row(
        &self,
        table: &Table,
        values: &[TableValue],
        user: &str,
        now: Timestamp,
    ) -> Result<(), RepoError> {
        table.def.check_row(values)?;
        // What holds nothing but its key is a deleted row.
        if table.def.is_deleted(values) {
            return Err(BadTable::Row.into());
        }
        let size = table.def.row_json(values, false, Some(user)).len();
        if size > self.limits.row_bytes_max {
            return Err(RepoError::Limit {
                what: "bytes of a row",
                value: size as u64,
                max: self.limits.row_bytes_max as u64,
            });
        }
        let old = self.row_like(table, values)?;
        self.overwrite(table, values, old, user, now)
    }

    /// Deletes the row that has the key columns of `values`; a trace stays, so that peers delete theirs. `false` when
    /// there was none.
    ///
    /// # Errors
    ///
    /// [`RepoError::Table`] when it is somebody else's, or cannot be deleted; [`RepoError::Sqlite`].
    pub fn delete_row(
        &self,
        table: &Table,
        values: &[TableValue],
        user: &str,
        now: Timestamp,
    ) -> Result<bool, RepoError> {
        table.def.check_row(values)?;
        if table.def.is_keys_only() {
            return Err(BadTable::KeysOnly.into());
        }
        let old = self
            .row_like(table, values)?
            .filter(|old| !table.def.is_deleted(&old.row.values));
        let Some(old) = old else {
            return Ok(false);
        };
        self.overwrite(table, &table.def.deleted(values), Some(old), user, now)?;
        Ok(true)
    }

    fn overwrite(
        &self,
        table: &Table,
        values: &[TableValue],
        old: Option<Stored>,
        user: &str,
        now: Timestamp,
    ) -> Result<(), RepoError> {
        let (mut mtime, mut rowid) = (now.unix(), None);
        if let Some(old) = old {
            if !table.may_write(&old.row.owner, user) {
                return Err(BadTable::NotYours.into());
            }
            mtime = mtime.max(old.row.mtime.saturating_add(1));
            rowid = Some(old.rowid);
        } else {
            self.check_rows(self.row_count(table)?)?;
        }
        self.write_row(table, rowid, values, mtime, user)?;
        Ok(())
    }

    /// Whether one more row has room beside `count` others.
    pub(super) fn check_rows(&self, count: usize) -> Result<(), RepoError> {
        let max = self.limits.table_rows_max;
        if count < max {
            return Ok(());
        }
        Err(RepoError::Limit {
            what: "rows of a table",
            value: count as u64 + 1,
            max: max as u64,
        })
    }

    /// Stores a row, at its place if it has one; gives the place.
    pub(super) fn write_row(
        &self,
        table: &Table,
        rowid: Option<i64>,
        values: &[TableValue],
        mtime: i64,
        owner: &str,
    ) -> Result<i64, RepoError> {
        let name = &table.name;
        let mut all: Vec<TableValue> = values.to_vec();
        all.push(mtime.into());
        let mut columns = table.columns(false, "", "", ", ");
        columns.push_str(", mtime");
        if table.def.is_owned() {
            all.push(owner.into());
            columns.push_str(", _owner");
        }
        let holes = vec!["?"; all.len()].join(", ");
        let sql = match rowid {
            Some(rowid) => {
                all.push(rowid.into());
                format!("UPDATE \"x_{name}\" SET ({columns}) = ({holes}) WHERE rowid = ?")
            }
            None => format!("INSERT INTO \"x_{name}\"({columns}) VALUES ({holes})"),
        };
        self.db.prepare_cached(&sql)?.execute(params_from_iter(all))?;
        let rowid = rowid.unwrap_or_else(|| self.db.last_insert_rowid());
        self.unsettle_table(table)?;
        Ok(rowid)
    }
}
