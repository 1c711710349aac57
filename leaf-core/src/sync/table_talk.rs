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
//! pragma. A table is compared once a session, so that no disagreement keeps a session going. What is wrong with a
//! table ends the talk of that table, not the session: artifacts matter more.
//!
//! Source: libfossil `internal/sync/client_tablesync.go`.

use super::SyncError;
use super::client::{Flight, SyncEvent, SyncSession};
use super::tables::{HeldTables, find, send_row, send_schema};
use crate::Blame;
use crate::id::ArtifactHash;
use crate::repo::{Repo, RepoError, RepoTx, RowWriter, TableDef, Taken, TravelRow};
use crate::time::Timestamp;
use crate::xfer::{Card, MessageWriter, Pragma};

/// What a session knows of the server's tables.
#[derive(Clone, Debug, Default)]
pub(super) struct TableTalk {
    /// The server has been told of ours.
    said: bool,
    tables: Vec<Talked>,
}

/// One table.
#[derive(Clone, Debug, Default)]
struct Talked {
    name: String,
    stage: Stage,
    /// The rows that the server names: key, time, sum.
    listed: Vec<(ArtifactHash, i64, Option<u64>)>,
    /// The server lacks the definition; it is sent once.
    lacks: bool,
    /// Rows that are later there, and whether they came just now.
    wanted: Vec<(ArtifactHash, bool)>,
    /// Rows that are later here, and how many of them were sent.
    to_send: Vec<i64>,
    sent: usize,
}

#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Stage {
    /// The server has not spoken of it.
    #[default]
    Quiet,
    /// It does, in this reply.
    Listed,
    /// It has.
    Compared,
    /// It is not talked of any more.
    Skipped,
}

impl TableTalk {
    /// `None` beyond so many tables as there can be.
    fn get(&mut self, name: &str, max: usize) -> Option<&mut Talked> {
        let at = match self.tables.iter().position(|talked| talked.name == name) {
            Some(at) => at,
            None if self.tables.len() < max => {
                self.tables.push(Talked {
                    name: name.to_owned(),
                    ..Talked::default()
                });
                self.tables.len() - 1
            }
            None => return None,
        };
        self.tables.get_mut(at)
    }
}

/// What a request says of tables.
#[derive(Clone, Debug, Default)]
pub(super) struct TableFlight {
    hashes: bool,
    asks: bool,
    /// How many rows of each table, in the order of the talk; `None` for one that it does not speak of.
    rows: Vec<Option<usize>>,
}

impl TableFlight {
    fn rows(&self) -> usize {
        self.rows.iter().flatten().sum()
    }
}

/// What a reply says of tables.
#[derive(Debug, Default)]
pub(super) struct HeardTables {
    held: HeldTables,
    pub(super) received: u64,
    came: bool,
}

impl SyncSession {
    fn talks_of_tables(&self) -> bool {
        self.options.tables && (self.talk.pull || self.talk.push)
    }

    fn talked(&mut self, table: &str) -> Option<&mut Talked> {
        self.talk.tables.get(table, self.options.limits.tables_max)
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
        for talked in &talk.tables {
            if self.talk.pull {
                for (key, _) in &talked.wanted {
                    let (table, key) = (talked.name.as_str(), *key);
                    out.push(&Card::Xgimme { table, key });
                    flight.asks = true;
                }
            }
            let rows = talked.to_send.get(talked.sent..).unwrap_or_default();
            let mut count = None;
            if self.talk.push
                && (talked.lacks || !rows.is_empty())
                && let Some(table) = repo.table(&talked.name)?
            {
                if talked.lacks {
                    send_schema(out, &table);
                }
                // One always goes, so that a session comes to its end.
                let mut sent = 0;
                for rowid in rows {
                    if out.is_full() && sent + flight.rows() > 0 {
                        break;
                    }
                    send_row(repo, out, &table, *rowid)?;
                    sent += 1;
                }
                count = Some(sent);
            }
            flight.rows.push(count);
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
                if let Some(talked) = self.talked(table).filter(|talked| talked.stage <= Stage::Listed) {
                    talked.stage = Stage::Listed;
                    talked.listed.push((key, mtime, sum));
                }
            }
            // Whatever the server lacks it is sent without asking.
            Card::Xgimme { .. } => {}
            Card::Row {
                table,
                key,
                mtime,
                json,
                deleted,
            } => {
                let row = TravelRow {
                    key,
                    mtime,
                    json,
                    deleted,
                };
                self.hear_row(tx, table, &row, now, heard)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The server has no such table, and knows what one is.
    pub(super) fn hear_no_table(&mut self, table: &str) {
        if self.talks_of_tables()
            && let Some(talked) = self.talked(table).filter(|talked| talked.stage == Stage::Quiet)
        {
            talked.stage = Stage::Listed;
            talked.lacks = true;
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
        let pull = self.talk.pull;
        let Some(talked) = self.talked(table).filter(|talked| talked.stage == Stage::Quiet) else {
            return Ok(());
        };
        talked.stage = Stage::Listed;
        let theirs = match TableDef::read(json) {
            Ok(theirs) => theirs,
            Err(bad) => return self.skip(table, bad.into()),
        };
        if !pull && tx.table(table)?.is_none() {
            return Ok(());
        }
        match tx.table_defined(table, &theirs, mtime) {
            Ok(ours) => talked.lacks = ours.def != theirs,
            Err(error) => return self.skip(table, error),
        }
        heard.held.forget();
        Ok(())
    }

    fn hear_row(
        &mut self,
        tx: &RepoTx<'_>,
        table: &str,
        row: &TravelRow<'_>,
        now: Timestamp,
        heard: &mut HeardTables,
    ) -> Result<(), RepoError> {
        heard.came = true;
        let pull = self.talk.pull;
        let Some(talked) = self
            .talked(table)
            .filter(|talked| pull && talked.stage != Stage::Skipped)
        else {
            return Ok(());
        };
        let at = talked.wanted.partition_point(|(key, _)| *key < row.key);
        if let Some((_, came)) = talked.wanted.get_mut(at).filter(|(key, _)| *key == row.key) {
            *came = true;
        }
        let Some(held) = heard.held.get(tx, table)? else {
            return Ok(());
        };
        match tx.receive_row(&mut held.open, row, RowWriter::Server, now) {
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
        if let Some(talked) = self.talked(table).filter(|talked| talked.stage != Stage::Skipped) {
            *talked = Talked {
                name: table.to_owned(),
                stage: Stage::Skipped,
                ..Talked::default()
            };
            self.events.push_back(SyncEvent::TableSkipped {
                table: table.to_owned(),
                reason: error.to_string(),
            });
        }
        Ok(())
    }

    /// After a reply: what to ask for and what to send next.
    pub(super) fn conclude_tables(
        &mut self,
        tx: &RepoTx<'_>,
        flight: &TableFlight,
        heard: &HeardTables,
    ) -> Result<(), RepoError> {
        if !self.talks_of_tables() {
            return Ok(());
        }
        let talk = &mut self.talk.tables;
        talk.said |= flight.hashes;
        for (talked, rows) in talk.tables.iter_mut().zip(&flight.rows) {
            if let Some(rows) = rows {
                talked.sent += rows;
                talked.lacks = false;
            }
        }
        for talked in &mut talk.tables {
            // The server has none of them.
            let is_vain = flight.asks && !heard.came;
            talked.wanted.retain(|(_, came)| !came && !is_vain);
            if talked.stage == Stage::Listed {
                talked.stage = Stage::Compared;
                match tx.table(&talked.name)? {
                    Some(table) => talked.compare(tx, &table)?,
                    // Named by the server alone.
                    None => talked.lacks = false,
                }
            }
        }
        tx.settle_tables()
    }

    /// Whether there is more to say of tables.
    pub(super) fn tables_go_on(&self) -> bool {
        let (pull, push) = (self.talk.pull, self.talk.push);
        self.talk.tables.tables.iter().any(|talked| {
            let to_send = talked.lacks || talked.sent < talked.to_send.len();
            (pull && !talked.wanted.is_empty()) || (push && to_send)
        })
    }

    pub(super) fn note_tables(&mut self, flight: &TableFlight, heard: &HeardTables) {
        self.stats.rows_received += heard.received;
        self.stats.rows_sent += flight.rows() as u64;
    }
}

impl Talked {
    /// Finds out which rows are later on which side; what the server does not name it lacks.
    fn compare(&mut self, repo: &Repo, table: &crate::repo::Table) -> Result<(), RepoError> {
        let ours = repo.row_names(table)?;
        let mut named = vec![false; ours.len()];
        for (key, mtime, sum) in core::mem::take(&mut self.listed) {
            let Some((at, row)) = find(&ours, &key).and_then(|at| Some((at, ours.get(at)?))) else {
                self.wanted.push((key, false));
                continue;
            };
            let theirs = (mtime, sum.unwrap_or(row.sum));
            // A row that is as late on both sides, or later there, need not be sent.
            if let Some(named) = named.get_mut(at).filter(|_| (row.mtime, row.sum) <= theirs) {
                *named = true;
            }
            if (row.mtime, row.sum) < theirs {
                self.wanted.push((key, false));
            }
        }
        self.wanted.sort_unstable();
        self.wanted.dedup();
        let unnamed = ours.iter().zip(named).filter(|(_, named)| !named);
        self.to_send = unnamed.map(|(row, _)| row.rowid).collect();
        Ok(())
    }
}
