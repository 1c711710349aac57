//! Synced tables, as the client talks of them.
//!
//! ```text
//!   1  pragma leaf-tables, xtable-hash of each   ─▶
//!                  ◀─  of what differs: schema, xigot of every row;  xtable-hash NAME - of what is unknown there
//!   2  xgimme of what is later there; schema, xrow, xdelete of what is later here   ─▶
//!                                                                                 ◀─  xrow, xdelete
//! ```
//!
//! Pragmas mean nothing to stock; a card that it would take ill is sent only after the server has sent one, or the
//! pragma. Each row goes at most once a session in each direction, so that no disagreement keeps a session going.
//! What is wrong with a table ends the talk of that table, not the session: artifacts matter more.
//!
//! Source: libfossil `internal/sync/client_tablesync.go`.

use super::SyncError;
use super::client::{Flight, SyncEvent, SyncSession};
use super::tables::{HeldTables, send_row, send_schema};
use crate::Blame;
use crate::id::ArtifactHash;
use crate::repo::{ArrivingRow, Repo, RepoError, RepoTx, RowWriter, TableDef, Taken};
use crate::time::Timestamp;
use crate::xfer::{Card, MessageWriter, Pragma};
use std::collections::{BTreeMap, BTreeSet};

/// A row of some table.
type Place = (String, ArtifactHash);

/// What a session knows of the server's tables.
#[derive(Clone, Debug, Default)]
pub(super) struct TableTalk {
    /// The server has been told of ours.
    said: bool,
    /// Definitions that it lacks, and those that it was sent.
    schemas: BTreeSet<String>,
    defined: BTreeSet<String>,
    /// Rows that it lacks, and those that it was sent.
    to_send: BTreeSet<Place>,
    sent: BTreeSet<Place>,
    /// Rows that are later there, and those that it sent or does not give.
    wanted: BTreeSet<Place>,
    settled: BTreeSet<Place>,
    /// Tables that are not talked of any more.
    skipped: BTreeSet<String>,
}

impl TableTalk {
    fn want(&mut self, place: Place) {
        if !self.settled.contains(&place) {
            self.wanted.insert(place);
        }
    }

    fn define(&mut self, table: &str) {
        if !self.defined.contains(table) {
            self.schemas.insert(table.to_owned());
        }
    }

    fn offer(&mut self, place: Place) {
        if !self.sent.contains(&place) {
            self.to_send.insert(place);
        }
    }
}

/// What a request says of tables.
#[derive(Clone, Debug, Default)]
pub(super) struct TableFlight {
    hashes: bool,
    schemas: Vec<String>,
    rows: Vec<Place>,
    asks: bool,
}

/// What a reply says of tables.
#[derive(Debug, Default)]
pub(super) struct HeardTables {
    held: HeldTables,
    /// The rows that the server names, table by table.
    listed: BTreeMap<String, Vec<(ArtifactHash, i64, Option<u64>)>>,
    pub(super) received: u64,
    came: bool,
}

impl SyncSession {
    fn talks_of_tables(&self) -> bool {
        self.options.tables && (self.talk.pull || self.talk.push)
    }

    /// What we have, until the server has answered that; then what it lacks.
    pub(super) fn say_tables(
        &self,
        repo: &Repo,
        out: &mut MessageWriter,
        flight: &mut Flight,
    ) -> Result<(), RepoError> {
        if !self.talks_of_tables() {
            return Ok(());
        }
        let (talk, flight) = (&self.talk.tables, &mut flight.tables);
        if !talk.said {
            out.push(&Card::Pragma(Pragma::LeafTables));
            for table in repo.tables()? {
                let hash = repo.table_hash(&table)?;
                out.push(&Card::Pragma(Pragma::XtableHash {
                    table: &table.name,
                    hash: hash.hash.as_bytes(),
                    sum: hash.sum.as_bytes(),
                }));
            }
            flight.hashes = true;
        }
        if self.talk.pull {
            for (table, key) in &talk.wanted {
                out.push(&Card::Xgimme { table, key: *key });
            }
            flight.asks = !talk.wanted.is_empty();
        }
        if !self.talk.push {
            return Ok(());
        }
        let mut held = HeldTables::default();
        for name in &talk.schemas {
            if let Some(table) = repo.table(name)? {
                send_schema(out, &table);
            }
            flight.schemas.push(name.clone());
        }
        for place in &talk.to_send {
            // One always goes, so that a session comes to its end.
            if out.is_full() && !flight.rows.is_empty() {
                break;
            }
            if let Some(held) = held.get(repo, &place.0)? {
                send_row(repo, out, held, &place.1)?;
            }
            flight.rows.push(place.clone());
        }
        Ok(())
    }

    /// The server speaks of a table. Heeded only if we talk of tables.
    pub(super) fn hear_table(
        &mut self,
        tx: &RepoTx<'_>,
        card: &Card<'_>,
        now: Timestamp,
        heard: &mut HeardTables,
    ) -> Result<bool, SyncError> {
        if !self.talks_of_tables() {
            return Ok(false);
        }
        match *card {
            Card::Schema { table, mtime, json } => self.hear_schema(tx, table, mtime, json, heard)?,
            Card::Xigot {
                table,
                key,
                mtime,
                sum,
            } => {
                let list = heard.listed.entry(table.to_owned()).or_default();
                list.push((key, mtime, sum));
            }
            Card::Xgimme { table, key } => self.talk.tables.offer((table.to_owned(), key)),
            Card::Xrow {
                table,
                key,
                mtime,
                json,
            } => {
                let row = ArrivingRow {
                    key,
                    mtime,
                    json,
                    deleted: false,
                };
                self.hear_row(tx, table, &row, now, heard)?;
            }
            Card::Xdelete {
                table,
                key,
                mtime,
                json,
            } => {
                let row = ArrivingRow {
                    key,
                    mtime,
                    json,
                    deleted: true,
                };
                self.hear_row(tx, table, &row, now, heard)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The server has no such table, and knows what one is.
    pub(super) fn hear_no_table(&mut self, table: &str, heard: &mut HeardTables) {
        if self.talks_of_tables() {
            self.talk.tables.define(table);
            heard.listed.entry(table.to_owned()).or_default();
        }
    }

    fn hear_schema(
        &mut self,
        tx: &RepoTx<'_>,
        table: &str,
        mtime: i64,
        json: &[u8],
        heard: &mut HeardTables,
    ) -> Result<(), RepoError> {
        heard.listed.entry(table.to_owned()).or_default();
        let theirs = match TableDef::read(json) {
            Ok(theirs) => theirs,
            Err(bad) => return self.skip(table, bad.into()),
        };
        if !self.talk.pull && tx.table(table)?.is_none() {
            return Ok(());
        }
        match tx.table_defined(table, &theirs, mtime) {
            Ok(ours) if ours.def != theirs => {
                self.talk.tables.define(table);
            }
            Ok(_) => heard.held.forget(table),
            Err(error) => return self.skip(table, error),
        }
        Ok(())
    }

    fn hear_row(
        &mut self,
        tx: &RepoTx<'_>,
        table: &str,
        row: &ArrivingRow<'_>,
        now: Timestamp,
        heard: &mut HeardTables,
    ) -> Result<(), RepoError> {
        let place = (table.to_owned(), row.key);
        self.talk.tables.wanted.remove(&place);
        self.talk.tables.settled.insert(place);
        heard.came = true;
        if !self.talk.pull || self.talk.tables.skipped.contains(table) {
            return Ok(());
        }
        let Some(held) = heard.held.get(tx, table)? else {
            return Ok(());
        };
        match tx.receive_row(held, row, RowWriter::Server, now) {
            Ok(Taken::Stored) => heard.received += 1,
            Ok(_) => {}
            Err(error) => return self.skip(table, error),
        }
        Ok(())
    }

    /// Talks of a table no more, unless it is the repository that fails.
    fn skip(&mut self, table: &str, error: RepoError) -> Result<(), RepoError> {
        if error.blame() == Blame::Storage {
            return Err(error);
        }
        let talk = &mut self.talk.tables;
        if talk.skipped.insert(table.to_owned()) {
            let reason = error.to_string();
            let table = table.to_owned();
            self.events.push_back(SyncEvent::TableSkipped { table, reason });
        }
        Ok(())
    }

    /// After a reply: what to ask for and what to send next.
    pub(super) fn conclude_tables(
        &mut self,
        tx: &RepoTx<'_>,
        flight: &TableFlight,
        heard: &mut HeardTables,
    ) -> Result<(), RepoError> {
        if !self.talks_of_tables() {
            return Ok(());
        }
        let talk = &mut self.talk.tables;
        talk.said |= flight.hashes;
        for name in &flight.schemas {
            talk.schemas.remove(name);
            talk.defined.insert(name.clone());
        }
        for place in &flight.rows {
            talk.to_send.remove(place);
            talk.sent.insert(place.clone());
        }
        // The server has none of them.
        if flight.asks && !heard.came {
            talk.settled.append(&mut talk.wanted);
        }
        for (name, listed) in core::mem::take(&mut heard.listed) {
            let Some(held) = heard
                .held
                .get(tx, &name)?
                .filter(|_| !talk.skipped.contains(&name))
            else {
                continue;
            };
            let mut unlisted: BTreeSet<ArtifactHash> = held.rows.keys().copied().collect();
            for (key, mtime, sum) in listed {
                unlisted.remove(&key);
                let ours = held.rows.get(&key);
                let order = ours.map(|row| {
                    let by_sum = sum.map_or(core::cmp::Ordering::Equal, |sum| row.sum.cmp(&sum));
                    row.mtime.cmp(&mtime).then(by_sum)
                });
                match order {
                    None | Some(core::cmp::Ordering::Less) => talk.want((name.clone(), key)),
                    Some(core::cmp::Ordering::Equal) => {}
                    Some(core::cmp::Ordering::Greater) => talk.offer((name.clone(), key)),
                }
            }
            for key in unlisted {
                talk.offer((name.clone(), key));
            }
        }
        let skipped = &talk.skipped;
        talk.wanted.retain(|(name, _)| !skipped.contains(name));
        talk.to_send.retain(|(name, _)| !skipped.contains(name));
        talk.schemas.retain(|name| !skipped.contains(name));
        tx.settle_tables()
    }

    /// Whether there is more to say of tables.
    pub(super) fn tables_go_on(&self) -> bool {
        let talk = &self.talk.tables;
        let to_send = !talk.to_send.is_empty() || !talk.schemas.is_empty();
        (self.talk.pull && !talk.wanted.is_empty()) || (self.talk.push && to_send)
    }

    pub(super) fn note_tables(&mut self, flight: &TableFlight, heard: &HeardTables) {
        self.stats.rows_received += heard.received;
        self.stats.rows_sent += flight.rows.len() as u64;
    }
}
