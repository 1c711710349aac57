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
    ArrivingRow, BadTable, Cap, HeldTable, Repo, RepoError, RowWriter, Table, TableDef, TableHash, Taken,
};
use crate::xfer::{Card, MessageWriter, Pragma};
use std::collections::BTreeMap;

/// What the client says of tables.
#[derive(Debug, Default)]
pub(super) struct ServedTables {
    /// It is a leaf and wants to hear of all.
    all: bool,
    /// It knows the cards.
    knows: bool,
    /// It has changed one.
    changed: bool,
    /// The hash and the sum of those it has.
    told: BTreeMap<String, (Vec<u8>, Vec<u8>)>,
    held: HeldTables,
}

/// Tables that one message speaks of, read once; `None` for what is no table here, or another.
#[derive(Debug, Default)]
pub(super) struct HeldTables(BTreeMap<String, Option<HeldTable>>);

impl HeldTables {
    pub(super) fn get(&mut self, repo: &Repo, name: &str) -> Result<Option<&mut HeldTable>, RepoError> {
        if !self.0.contains_key(name) {
            let held = repo
                .table(name)?
                .map(|table| repo.held_table(table))
                .transpose()?;
            self.0.insert(name.to_owned(), held);
        }
        Ok(self.0.get_mut(name).and_then(Option::as_mut))
    }

    /// The table changed, or was made.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The table is not that of the peer.
    pub(super) fn shut(&mut self, name: &str) {
        self.0.insert(name.to_owned(), None);
    }
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
    held: &HeldTable,
    key: &ArtifactHash,
) -> Result<bool, RepoError> {
    let Some((mtime, json, deleted)) = repo.row_to_send(held, key)? else {
        return Ok(false);
    };
    let (table, key, json) = (held.table.name.as_str(), *key, json.as_slice());
    out.push(&match deleted {
        true => Card::Xdelete {
            table,
            key,
            mtime,
            json,
        },
        false => Card::Xrow {
            table,
            key,
            mtime,
            json,
        },
    });
    Ok(true)
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
        if self.tables.told.len() < self.context.limits.tables_max {
            let said = (hash.to_vec(), sum.to_vec());
            self.tables.told.insert(table.to_owned(), said);
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
                self.tables.held.forget(table);
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
        match held.rows.get(key) {
            None if self.pushing => self.out.push(&Card::Xgimme { table, key: *key }),
            Some(row) if row.mtime > mtime => return self.give_row(table, key),
            _ => {}
        }
        Ok(())
    }

    /// Beyond the budget nothing is said: the client asks again.
    pub(super) fn give_row(&mut self, table: &str, key: &ArtifactHash) -> Result<(), Stop> {
        if !self.pulling || self.out.is_full() {
            return Ok(());
        }
        if let Some(held) = self.tables.held.get(self.repo, table)?
            && send_row(self.repo, &mut self.out, held, key)?
        {
            self.served.rows_sent += 1;
        }
        Ok(())
    }

    pub(super) fn store_row(&mut self, table: &str, arriving: &ArrivingRow<'_>) -> Result<(), Stop> {
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
            .receive_row(held, arriving, writer, self.context.now)
            .map_err(|error| blame(table, error))?;
        match taken {
            Taken::Older => {}
            // The client had better know whose it is.
            Taken::Refused => self.give_row(table, &arriving.key)?,
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
            match told.remove(&table.name) {
                Some((hash, sum)) => {
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
            let Some(held) = self.tables.held.get(self.repo, &table.name)? else {
                continue;
            };
            for (key, row) in &held.rows {
                self.out.push(&Card::Xigot {
                    table: &table.name,
                    key: *key,
                    mtime: row.mtime,
                    sum: self.tables.all.then_some(row.sum),
                });
            }
        }
        for table in told.keys().filter(|_| self.tables.all && self.pushing) {
            self.out.push(&Card::Pragma(Pragma::XtableHash {
                table,
                hash: b"-",
                sum: &[],
            }));
        }
        Ok(())
    }
}
