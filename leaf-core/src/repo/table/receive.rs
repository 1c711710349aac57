//! What peers do with a table, and the rule by which a row is taken.
//!
//! A server knows who sends (the login); a client takes the server's word for who wrote a row. Where both hold a row
//! of different owners, who wrote to the server first is right.
//!
//! Source: libfossil `internal/sync/handler_tablesync.go` `resolveXRowConflict()`, `internal/sync/xdelete.go`.

use super::definition::{BadTable, Table};
use crate::id::ArtifactHash;
use crate::repo::{Repo, RepoError, RepoTx};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// A table with the names of its rows, for one message.
#[derive(Clone, Debug)]
pub struct HeldTable {
    /// The table.
    pub table: Table,
    /// Its rows by their keys, deleted ones among them.
    pub rows: BTreeMap<ArtifactHash, HeldRow>,
}

/// What is known of a row without reading it again.
#[derive(Clone, Debug)]
pub struct HeldRow {
    rowid: i64,
    /// When it was written. Units: seconds since 1970.
    pub mtime: i64,
    /// What it holds, in short; 0 when it is deleted.
    pub sum: u64,
    owner: String,
}

/// A row as a peer sends it.
#[derive(Clone, Copy, Debug)]
pub struct ArrivingRow<'a> {
    /// The hash of its key that the peer states.
    pub key: ArtifactHash,
    /// When it was written. Units: seconds since 1970.
    pub mtime: i64,
    /// What it holds, or its key columns when it is deleted.
    pub json: &'a [u8],
    /// Whether it is.
    pub deleted: bool,
}

/// Who sends a row.
#[derive(Clone, Copy, Debug)]
pub enum Writer<'a> {
    /// The server, on behalf of whoever wrote it.
    Server,
    /// A client, logged in as this user.
    User(&'a str),
}

/// What became of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Taken {
    /// Ours is as late or later.
    Older,
    /// It is somebody else's.
    Refused,
    /// It is stored.
    Stored,
}

impl Repo {
    /// The names of all rows of a table, found in one pass.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn held_table(&self, table: Table) -> Result<HeldTable, RepoError> {
        let mut rows = BTreeMap::new();
        self.each_row(&table, &mut |stored| {
            let row = HeldRow {
                rowid: stored.rowid,
                mtime: stored.row.mtime,
                sum: table.def.sum_of(&stored.row.values),
                owner: stored.row.owner,
            };
            rows.insert(table.def.key_of(&stored.row.values), row);
        })?;
        Ok(HeldTable { table, rows })
    }

    /// A row as it travels: its time, its JSON, and whether it is deleted. `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn row_to_send(
        &self,
        held: &HeldTable,
        key: &ArtifactHash,
    ) -> Result<Option<(i64, Vec<u8>, bool)>, RepoError> {
        let Some(place) = held.rows.get(key) else {
            return Ok(None);
        };
        let def = &held.table.def;
        let Some(row) = self.row_at(&held.table, place.rowid)? else {
            return Ok(None);
        };
        let deleted = def.is_deleted(&row.values);
        let owner = def.is_owned().then_some(row.owner.as_str());
        Ok(Some((
            row.mtime,
            def.row_json(&row.values, deleted, owner),
            deleted,
        )))
    }
}

impl RepoTx<'_> {
    /// Takes a row from a peer if it is later than ours and the rule of the table allows it.
    ///
    /// A time further ahead than [`Limits::future_ms_max`](crate::limits::Limits) is cut to that.
    ///
    /// # Errors
    ///
    /// [`RepoError::Table`] and [`RepoError::Limit`] blame the peer; [`RepoError::Sqlite`].
    pub fn receive_row(
        &self,
        held: &mut HeldTable,
        arriving: &ArrivingRow<'_>,
        writer: Writer<'_>,
        now: Timestamp,
    ) -> Result<Taken, RepoError> {
        let def = &held.table.def;
        let (mut values, said) = def.read_row(arriving.json)?;
        if def.key_of(&values) != arriving.key {
            return Err(BadTable::Key.into());
        }
        if arriving.deleted {
            for (column, value) in def.columns.iter().zip(&mut values) {
                if !column.key {
                    *value = super::TableValue::Null;
                }
            }
        }
        let mtime = arriving.mtime.min(now.plus_ms(self.limits.future_ms_max).unix());
        let sum = def.sum_of(&values);
        let old = held.rows.get(&arriving.key);
        if old.is_none() {
            self.check_rows(held.rows.len())?;
        }
        let is_later = old.is_none_or(|old| (mtime, sum) > (old.mtime, old.sum));
        let (is_taken, owner) = match (writer, old) {
            (Writer::User(user), None) => (true, user.to_owned()),
            (Writer::User(user), Some(old)) if !held.table.may_write(&old.owner, user) => {
                return Ok(Taken::Refused);
            }
            (Writer::User(user), Some(_)) => (is_later, user.to_owned()),
            (Writer::Server, old) => {
                let ours = old.map(|old| old.owner.as_str()).unwrap_or_default();
                let owner = said.as_deref().unwrap_or(ours);
                let is_right = def.is_owned() && owner != ours;
                (is_later || is_right, owner.to_owned())
            }
        };
        if !is_taken {
            return Ok(Taken::Older);
        }
        let rowid = self.write_row(&held.table, old.map(|old| old.rowid), &values, mtime, &owner)?;
        let row = HeldRow {
            rowid,
            mtime,
            sum,
            owner,
        };
        held.rows.insert(arriving.key, row);
        Ok(Taken::Stored)
    }
}
