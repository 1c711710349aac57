//! Synced tables, as the server answers for them.
//!
//! Whoever says `pragma leaf-tables` or `pragma xtable-hash`, or sends a `schema`, knows the cards of tables, and only
//! to such a client is one sent: stock takes them for an error. It is told of each table that it lacks or holds in
//! another state: the definition, and the name of every row. Of a table that is as it should be, nothing is said.
//!
//! A libfossil client names all its rows in every request, and relies on being sent what is older there.
//!
//! Source: libfossil `internal/sync/handler_tablesync.go`.

use super::serving::{Refusal, Serving, Stop, refuse};
use crate::Blame;
use crate::format::fossilize;
use crate::id::ArtifactHash;
use crate::repo::{
    BadTable, Cap, OpenTable, Repo, RepoError, RowName, RowWriter, Table, TableDef, TableHash, Taken,
    TravelRow,
};
use crate::xfer::{Card, MessageWriter, Pragma};

/// What the client says of tables.
#[derive(Debug, Default)]
pub(super) struct ServedTables {
    /// It is a leaf and wants to hear of all.
    all: bool,
    /// It knows the cards.
    knows: bool,
    /// It has changed one.
    changed: bool,
    /// Those it has.
    told: Vec<Told>,
    held: HeldTables,
}

/// A table of the client's.
#[derive(Debug)]
struct Told {
    name: String,
    hash: Vec<u8>,
    sum: Vec<u8>,
}

/// The tables that are here, read once for a message.
#[derive(Debug, Default)]
pub(super) struct HeldTables {
    tables: Option<Vec<HeldTable>>,
    /// Those that are not the peer's, but for their names.
    shut: Vec<String>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct HeldTable {
    pub(super) open: OpenTable,
    /// As they were when the message first spoke of them.
    names: Option<Vec<RowName>>,
}

impl HeldTables {
    /// `None` for what is no table here, or another.
    pub(super) fn get(&mut self, repo: &Repo, name: &str) -> Result<Option<&mut HeldTable>, RepoError> {
        if self.tables.is_none() {
            let held = repo.tables()?.into_iter().map(|table| HeldTable {
                open: table.into(),
                names: None,
            });
            self.tables = Some(held.collect());
        }
        if self.shut.iter().any(|shut| shut == name) {
            return Ok(None);
        }
        let mut tables = self.tables.iter_mut().flatten();
        Ok(tables.find(|held| held.open.table.name == name))
    }

    /// A table changed, or was made.
    pub(super) fn forget(&mut self) {
        self.tables = None;
    }

    /// The table is not that of the peer.
    fn shut(&mut self, name: &str) {
        if !self.shut.iter().any(|shut| shut == name) {
            self.shut.push(name.to_owned());
        }
    }
}

impl HeldTable {
    fn find(&mut self, repo: &Repo, key: &ArtifactHash) -> Result<Option<RowName>, RepoError> {
        if self.names.is_none() {
            self.names = Some(repo.row_names(&self.open.table)?);
        }
        let names = self.names.as_deref().unwrap_or_default();
        Ok(find(names, key).and_then(|at| names.get(at)).copied())
    }
}

/// Where a row is among names in their order.
pub(super) fn find(names: &[RowName], key: &ArtifactHash) -> Option<usize> {
    let at = names.partition_point(|name| name.key < *key);
    names.get(at).is_some_and(|name| name.key == *key).then_some(at)
}

/// Puts the definition of a table into a message.
pub(super) fn send_schema(out: &mut MessageWriter, table: &Table) {
    out.push(&Card::Schema {
        table: &table.name,
        mtime: table.mtime,
        json: &table.def.json(),
    });
}

/// Puts a row into a message; whether there is one.
pub(super) fn send_row(
    repo: &Repo,
    out: &mut MessageWriter,
    table: &Table,
    rowid: i64,
) -> Result<bool, RepoError> {
    repo.row_to_send(table, rowid, &mut |row| {
        out.push(&Card::Row {
            table: &table.name,
            key: row.key,
            mtime: row.mtime,
            json: row.json,
            deleted: row.deleted,
        });
    })
}

/// The client is told which table it is about.
fn blame(table: &str, error: RepoError) -> Stop {
    if error.blame() == Blame::Storage {
        return Stop::Failed(error);
    }
    Stop::Refused(Refusal::new(format!("table {table}: {error}")))
}

impl Serving<'_> {
    /// The client is a leaf.
    pub(super) fn hear_of_tables(&mut self) {
        self.tables.all = true;
        self.tables.knows = true;
    }

    pub(super) fn note_table(&mut self, table: &str, hash: &[u8], sum: &[u8]) {
        self.tables.knows = true;
        let told = &self.tables.told;
        let is_new = told.iter().all(|told| told.name != table);
        if is_new && told.len() < self.context.limits.tables_max {
            self.tables.told.push(Told {
                name: table.to_owned(),
                hash: hash.to_vec(),
                sum: sum.to_vec(),
            });
        }
    }

    /// Makes a table of the client's, or sees that ours is the same.
    pub(super) fn define_table(&mut self, table: &str, mtime: i64, json: &[u8]) -> Result<(), Stop> {
        self.tables.knows = true;
        if !self.pushing {
            return Ok(());
        }
        let limits = &self.context.limits;
        let mtime = mtime.min(self.context.now.plus_ms(limits.future_ms_max).unix());
        let def = TableDef::read(json).map_err(|bad| blame(table, bad.into()))?;
        match self.writer().table_defined(table, &def, mtime) {
            Ok(_) => {
                self.tables.changed = true;
                self.tables.held.forget();
            }
            // No reason to refuse the artifacts that came along.
            Err(RepoError::Table(bad @ BadTable::Differs)) => {
                self.tables.held.shut(table);
                let message = format!("table {table}: {bad}");
                self.out
                    .push(&Card::Message(&fossilize::encode(message.as_bytes())));
            }
            Err(error) => return Err(blame(table, error)),
        }
        Ok(())
    }

    /// The client holds a row: it gets ours if that is later, and is asked for it if there is none here.
    pub(super) fn note_row(&mut self, table: &str, key: &ArtifactHash, mtime: i64) -> Result<(), Stop> {
        let Some(held) = self.tables.held.get(self.repo, table)? else {
            return Ok(());
        };
        match held.find(self.repo, key)? {
            None if self.pushing => self.out.push(&Card::Xgimme { table, key: *key }),
            Some(row) if row.mtime > mtime => return self.give_row_at(table, row.rowid),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn give_row(&mut self, table: &str, key: &ArtifactHash) -> Result<(), Stop> {
        if self.pulling
            && let Some(held) = self.tables.held.get(self.repo, table)?
            && let Some(row) = held.find(self.repo, key)?
        {
            self.give_row_at(table, row.rowid)?;
        }
        Ok(())
    }

    /// Beyond the budget nothing is said: the client asks again.
    fn give_row_at(&mut self, table: &str, rowid: i64) -> Result<(), Stop> {
        if !self.pulling || self.out.is_full() {
            return Ok(());
        }
        if let Some(held) = self.tables.held.get(self.repo, table)?
            && send_row(self.repo, &mut self.out, &held.open.table, rowid)?
        {
            self.served.rows_sent += 1;
        }
        Ok(())
    }

    pub(super) fn store_row(&mut self, table: &str, arriving: &TravelRow<'_>) -> Result<(), Stop> {
        match (self.pushing, self.pulling) {
            (true, _) => {}
            // The client was told to pull only, but its request had left by then.
            (false, true) if !self.caps.has(Cap::Write) => return Ok(()),
            (false, _) => return refuse("not authorized to write"),
        }
        let tx = self.writer();
        let Some(held) = self.tables.held.get(self.repo, table)? else {
            return Ok(());
        };
        let writer = RowWriter::User(self.served.user.as_deref().unwrap_or("nobody"));
        let taken = tx
            .receive_row(&mut held.open, arriving, writer, self.context.now)
            .map_err(|error| blame(table, error))?;
        match taken {
            Taken::Older => {}
            // The client had better know whose it is.
            Taken::Refused { rowid } => self.give_row_at(table, rowid)?,
            Taken::Stored => {
                self.tables.changed = true;
                self.served.rows_received += 1;
            }
        }
        Ok(())
    }

    /// What the client lacks, as far as it may be known from hashes.
    pub(super) fn answer_tables(&mut self) -> Result<(), RepoError> {
        let is_asked = self.tables.knows && (self.pulling || self.pushing);
        if let Some(tx) = self.tx.filter(|_| self.tables.changed || is_asked) {
            tx.settle_tables()?;
        }
        if !is_asked {
            return Ok(());
        }
        let mut told = core::mem::take(&mut self.tables.told);
        for table in self.repo.tables()? {
            match told.iter().position(|told| told.name == table.name) {
                Some(at) => {
                    let Told { hash, sum, .. } = told.swap_remove(at);
                    let ours: TableHash = self.repo.table_hash(&table)?;
                    let (theirs, ours) = match sum.is_empty() {
                        true => (hash, ours.hash),
                        false => (sum, ours.sum),
                    };
                    if theirs == ours.as_bytes() {
                        continue;
                    }
                }
                None if self.pulling => {}
                None => continue,
            }
            send_schema(&mut self.out, &table);
            for row in self.repo.row_names(&table)? {
                self.out.push(&Card::Xigot {
                    table: &table.name,
                    key: row.key,
                    mtime: row.mtime,
                    sum: self.tables.all.then_some(row.sum),
                });
            }
        }
        if self.tables.all && self.pushing {
            for told in &told {
                self.out.push(&Card::Pragma(Pragma::XtableHash {
                    table: &told.name,
                    hash: b"-",
                    sum: &[],
                }));
            }
        }
        Ok(())
    }
}
