//! What peers do with a table, and the rule by which a row is taken.
//!
//! A server knows who sends (the login); a client takes the server's word for who wrote a row. Where both hold a row
//! of different owners, who wrote to the server first is right.
//!
//! Lists here are sorted, not trees: a browser's module has no room for those.
//!
//! Source: libfossil `internal/sync/handler_tablesync.go` `resolveXRowConflict()`, `internal/sync/xdelete.go`.

use super::definition::{BadTable, Table};
use crate::id::ArtifactHash;
use crate::repo::{Repo, RepoError, RepoTx};
use crate::time::Timestamp;

/// A row, by what an announcement says of it.
#[derive(Clone, Copy, Debug)]
pub struct RowName {
    /// The hash of its key columns.
    pub key: ArtifactHash,
    /// When it was written. Units: seconds since 1970.
    pub mtime: i64,
    /// What it holds, in short; 0 when it is deleted.
    pub sum: u64,
    /// Where it is.
    pub rowid: i64,
}

/// A row as it travels.
#[derive(Clone, Copy, Debug)]
pub struct TravelRow<'a> {
    /// The hash of its key columns.
    pub key: ArtifactHash,
    /// When it was written. Units: seconds since 1970.
    pub mtime: i64,
    /// What it holds, or its key columns when it is deleted.
    pub json: &'a [u8],
    /// Whether it is.
    pub deleted: bool,
}

/// A table that takes rows from a peer.
#[derive(Clone, Debug)]
pub struct OpenTable {
    /// The table.
    pub table: Table,
    /// Its rows, counted when the first new one came.
    count: Option<usize>,
}

impl From<Table> for OpenTable {
    fn from(table: Table) -> Self {
        Self { table, count: None }
    }
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
    /// It is somebody else's; ours is there.
    Refused {
        /// Where ours is.
        rowid: i64,
    },
    /// It is stored.
    Stored,
}

impl Repo {
    /// The names of all rows of a table, deleted ones among them, by key; found in one pass.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn row_names(&self, table: &Table) -> Result<Vec<RowName>, RepoError> {
        let mut names = Vec::new();
        self.each_row(table, &mut |stored| {
            names.push(RowName {
                key: table.def.key_of(&stored.row.values),
                mtime: stored.row.mtime,
                sum: table.def.sum_of(&stored.row.values),
                rowid: stored.rowid,
            });
        })?;
        names.sort_unstable_by_key(|name| name.key);
        Ok(names)
    }

    /// Hands over the row at a place as it travels; whether there is one.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn row_to_send(
        &self,
        table: &Table,
        rowid: i64,
        send: &mut dyn FnMut(&TravelRow<'_>),
    ) -> Result<bool, RepoError> {
        let Some(row) = self.row_at(table, rowid)? else {
            return Ok(false);
        };
        let def = &table.def;
        let deleted = def.is_deleted(&row.values);
        let owner = def.is_owned().then_some(row.owner.as_str());
        send(&TravelRow {
            key: def.key_of(&row.values),
            mtime: row.mtime,
            json: &def.row_json(&row.values, deleted, owner),
            deleted,
        });
        Ok(true)
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
        open: &mut OpenTable,
        arriving: &TravelRow<'_>,
        writer: Writer<'_>,
        now: Timestamp,
    ) -> Result<Taken, RepoError> {
        let table = &open.table;
        let def = &table.def;
        let (mut values, said) = def.read_row(arriving.json)?;
        if def.key_of(&values) != arriving.key {
            return Err(BadTable::Key.into());
        }
        if arriving.deleted {
            values = def.deleted(&values);
        }
        let mtime = arriving.mtime.min(now.plus_ms(self.limits.future_ms_max).unix());
        let Some(old) = self.row_like(table, &values)? else {
            let count = match open.count {
                Some(count) => count,
                None => self.row_count(table)?,
            };
            self.check_rows(count)?;
            let owner = match writer {
                Writer::Server => said.as_deref().unwrap_or_default(),
                Writer::User(user) => user,
            };
            self.write_row(table, None, &values, mtime, owner)?;
            open.count = Some(count + 1);
            return Ok(Taken::Stored);
        };
        let ours = old.row.owner.as_str();
        let (owner, is_right) = match writer {
            Writer::User(user) if !table.may_write(ours, user) => {
                return Ok(Taken::Refused { rowid: old.rowid });
            }
            Writer::User(user) => (user, false),
            Writer::Server => {
                let owner = said.as_deref().unwrap_or(ours);
                (owner, def.is_owned() && owner != ours)
            }
        };
        let is_later = (mtime, def.sum_of(&values)) > (old.row.mtime, def.sum_of(&old.row.values));
        if !is_later && !is_right {
            return Ok(Taken::Older);
        }
        self.write_row(table, Some(old.rowid), &values, mtime, owner)?;
        Ok(Taken::Stored)
    }
}
