//! Tickets: the sum of their changes, in the columns that the project has given them.
//!
//! A ticket is made anew from all its changes whenever one comes.
//!
//! Source: Fossil `src/tkt.c`, `ticket_rebuild_entry`, `ticket_insert`; `src/manifest.c`,
//! `manifest_ticket_event`.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, ToSql};

use super::super::RepoError;
use super::backlink::{Markup, Source};
use super::phrase::{HashDigits, html};
use super::{Linker, SqlText, bytes};
use crate::format::artifact::{Artifact, TicketChange, TicketField};
use crate::id::Rid;

/// What columns the ticket tables have.
struct Columns {
    ticket: BTreeSet<String>,
    change: BTreeSet<String>,
    /// Type by name, of all columns of `ticket`.
    types: BTreeMap<String, String>,
    has_ticket: bool,
    has_change_rid: bool,
    has_change_user: bool,
    title: String,
    status: String,
}

impl Columns {
    fn has_own(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }
}

/// The latest text of a ticket column, for its links.
struct Latest {
    value: Vec<u8>,
    markup: Markup,
    rid: i64,
    mtime: f64,
}

impl Linker<'_> {
    pub(super) fn ticket_change(&mut self, rid: Rid, change: &TicketChange) -> Result<(), RepoError> {
        let id = change.ticket.as_bytes();
        self.tag_itself_plain(rid, &[b"tkt-", id].concat(), change.date.julian())?;
        self.tickets.insert(id.to_vec());
        self.attachments.insert(id.to_vec());
        Ok(())
    }

    fn tag_itself_plain(&mut self, rid: Rid, name: &[u8], mtime: f64) -> Result<(), RepoError> {
        self.tag_itself(rid, name, None, mtime)
    }

    pub(super) fn finish_tickets(&mut self) -> Result<(), RepoError> {
        let tickets = std::mem::take(&mut self.tickets);
        if tickets.is_empty() {
            return Ok(());
        }
        let columns = self.columns()?;
        if columns.has_ticket {
            for id in tickets {
                self.make_ticket(&id, &columns)?;
            }
        }
        Ok(())
    }

    fn columns(&self) -> Result<Columns, RepoError> {
        let info = |table: &str| -> Result<BTreeMap<String, String>, RepoError> {
            let mut statement = self
                .tx
                .db
                .prepare("SELECT name, type FROM pragma_table_info(?1)")?;
            let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        let (types, change) = (info("ticket")?, info("ticketchng")?);
        let plain = |names: &BTreeMap<String, String>| -> BTreeSet<String> {
            let own = |name: &&String| !name.starts_with("tkt_") && !name.contains(' ');
            names.keys().filter(own).cloned().collect()
        };
        let config = |name: &str, default: &str| -> Result<String, RepoError> {
            Ok(self.tx.config(name)?.unwrap_or_else(|| default.to_owned()))
        };
        Ok(Columns {
            ticket: plain(&types),
            has_ticket: !types.is_empty(),
            has_change_rid: change.contains_key("tkt_rid"),
            has_change_user: change.contains_key("tkt_user"),
            change: plain(&change),
            types,
            title: config("ticket-title-expr", "title")?,
            status: config("ticket-status-column", "status")?,
        })
    }

    fn make_ticket(&mut self, id: &[u8], columns: &Columns) -> Result<(), RepoError> {
        let tag = self.tagid(&[b"tkt-", id].concat())?;
        let old: Option<i64> = self
            .tx
            .db
            .prepare_cached("DELETE FROM ticket WHERE tkt_uuid = ?1 RETURNING tkt_id")?
            .query_row([SqlText(id)], |row| row.get(0))
            .optional()?;
        if let Some(old) = old
            && !columns.change.is_empty()
        {
            self.tx
                .db
                .prepare_cached("DELETE FROM ticketchng WHERE tkt_id = ?1")?
                .execute([old])?;
        }
        let mut statement = self
            .tx
            .db
            .prepare_cached("SELECT rid FROM tagxref WHERE tagid = ?1 ORDER BY mtime, rid")?;
        let changes = statement
            .query_map([tag], |row| row.get(0))?
            .collect::<Result<Vec<Rid>, _>>()?;
        let mut row = None;
        let mut latest: BTreeMap<String, Vec<Latest>> = BTreeMap::new();
        for (index, rid) in changes.into_iter().enumerate() {
            self.clear_backlinks(Source::Ticket(rid.0))?;
            let Some(Artifact::Ticket(change)) = self.tx.artifact(rid)? else {
                continue;
            };
            let ticket = match row {
                Some(ticket) => ticket,
                None => self.new_ticket(id)?,
            };
            row = Some(ticket);
            self.apply_change(ticket, rid, &change, columns, &mut latest)?;
            self.enter_ticket_event(rid, &change, index == 0, tag, ticket, columns)?;
        }
        for text in latest.into_values().flatten() {
            self.backlinks(Source::Ticket(text.rid), &text.value, text.markup, text.mtime)?;
        }
        Ok(())
    }

    fn new_ticket(&self, id: &[u8]) -> Result<i64, RepoError> {
        self.tx
            .db
            .prepare_cached("INSERT INTO ticket(tkt_uuid, tkt_mtime) VALUES (?1, 0)")?
            .execute([SqlText(id)])?;
        Ok(self.tx.db.last_insert_rowid())
    }

    fn apply_change(
        &self,
        ticket: i64,
        rid: Rid,
        change: &TicketChange,
        columns: &Columns,
        latest: &mut BTreeMap<String, Vec<Latest>>,
    ) -> Result<(), RepoError> {
        let mtime = change.date.julian();
        let known: Vec<(&TicketField, String)> = change
            .fields
            .iter()
            .map(|field| (field, field.name.as_str_lossy().into_owned()))
            .filter(|(_, name)| columns.ticket.contains(name) || columns.change.contains(name))
            .collect();
        self.update_ticket(ticket, rid, mtime, &known, columns)?;
        self.insert_change(ticket, rid, change, &known, columns)?;
        let markup = known
            .iter()
            .find(|(_, name)| name == "mimetype")
            .map_or(Markup::Wiki, |(field, _)| Markup::named(field.value.as_bytes()));
        for (field, name) in known {
            let value = field.value.as_bytes();
            if columns.change.contains(&name) {
                self.backlinks(Source::Ticket(rid.0), value, markup, mtime)?;
                continue;
            }
            let texts = latest.entry(name).or_default();
            if !field.append {
                texts.clear();
            }
            texts.push(Latest {
                value: value.to_vec(),
                markup,
                rid: rid.0,
                mtime,
            });
        }
        Ok(())
    }

    fn update_ticket(
        &self,
        ticket: i64,
        rid: Rid,
        mtime: f64,
        known: &[(&TicketField, String)],
        columns: &Columns,
    ) -> Result<(), RepoError> {
        let mut sql = "UPDATE OR REPLACE ticket SET tkt_mtime = ?2".to_owned();
        if columns.has_own("tkt_ctime") {
            sql.push_str(", tkt_ctime = coalesce(tkt_ctime, ?2)");
        }
        let values: Vec<SqlText<'_>> = known
            .iter()
            .map(|(field, _)| SqlText(field.value.as_bytes()))
            .collect();
        let mut bound: Vec<&dyn ToSql> = vec![&ticket, &mtime, &rid];
        for ((field, name), value) in known.iter().zip(&values) {
            if !columns.ticket.contains(name) {
                continue;
            }
            bound.push(value);
            let (column, place) = (quote(name), bound.len());
            if field.append {
                sql.push_str(&format!(", {column} = coalesce({column}, '') || ?{place}"));
                continue;
            }
            sql.push_str(&format!(", {column} = ?{place}"));
            let baseline = format!("baseline for {name}");
            if columns.types.get(&baseline).is_some_and(|kind| kind == "INTEGER") {
                sql.push_str(&format!(", {} = ?3", quote(&baseline)));
            }
        }
        sql.push_str(" WHERE tkt_id = ?1 AND ?3 = ?3");
        self.tx.db.prepare_cached(&sql)?.execute(bound.as_slice())?;
        Ok(())
    }

    fn insert_change(
        &self,
        ticket: i64,
        rid: Rid,
        change: &TicketChange,
        known: &[(&TicketField, String)],
        columns: &Columns,
    ) -> Result<(), RepoError> {
        let mtime = change.date.julian();
        let user = SqlText(change.user.as_bytes());
        let values: Vec<SqlText<'_>> = known
            .iter()
            .map(|(field, _)| SqlText(field.value.as_bytes()))
            .collect();
        let mut bound: Vec<&dyn ToSql> = vec![&ticket, &mtime];
        let (mut names, mut places) = (String::new(), String::new());
        for ((_, name), value) in known.iter().zip(&values) {
            if columns.change.contains(name) {
                bound.push(value);
                names.push_str(&format!(", {}", quote(name)));
                places.push_str(&format!(", ?{}", bound.len()));
            }
        }
        if names.is_empty() && !columns.has_change_rid && !columns.has_change_user {
            return Ok(());
        }
        if columns.has_change_rid {
            bound.push(&rid);
            names.push_str(", tkt_rid");
            places.push_str(&format!(", ?{}", bound.len()));
        }
        if columns.has_change_user {
            bound.push(&user);
            names.push_str(", tkt_user");
            places.push_str(&format!(", ?{}", bound.len()));
        }
        let shared = columns.ticket.intersection(&columns.change);
        for name in shared.filter(|name| known.iter().all(|(_, given)| given != *name)) {
            names.push_str(&format!(", {}", quote(name)));
            places.push_str(&format!(", {}", quote(name)));
        }
        let sql = format!(
            "INSERT INTO ticketchng(tkt_id, tkt_mtime{names}) SELECT ?1, ?2{places} FROM ticket WHERE tkt_id = ?1"
        );
        self.tx.db.prepare_cached(&sql)?.execute(bound.as_slice())?;
        Ok(())
    }

    /// A column of a ticket as it stands.
    fn ticket_text(&self, ticket: i64, column: &str, columns: &Columns) -> Result<Vec<u8>, RepoError> {
        if !columns.has_own(column) {
            // SQLite takes a quoted name that is no column for a text.
            return Ok(column.as_bytes().to_vec());
        }
        let sql = format!("SELECT {} FROM ticket WHERE tkt_id = ?1", quote(column));
        let mut statement = self.tx.db.prepare_cached(&sql)?;
        let value = statement.query_row([ticket], |row| bytes(row, 0)).optional()?;
        Ok(value.map_or_else(|| b"unknown".to_vec(), Option::unwrap_or_default))
    }

    fn enter_ticket_event(
        &mut self,
        rid: Rid,
        change: &TicketChange,
        is_new: bool,
        tag: i64,
        ticket: i64,
        columns: &Columns,
    ) -> Result<(), RepoError> {
        let link = HashDigits::of(self.tx)?.link(change.ticket.as_bytes());
        let title = html(&self.ticket_text(ticket, &columns.title, columns)?);
        let count = change.fields.len();
        let status = change
            .fields
            .iter()
            .rev()
            .find(|field| !field.append && field.name.as_bytes() == columns.status.as_bytes());
        let (comment, brief) = if is_new {
            (
                [b"New ticket [".as_slice(), &link, b"] <i>", &title, b"</i>."].concat(),
                [b"New ticket [".as_slice(), &link, b"]."].concat(),
            )
        } else if let Some(status) = status {
            let status = html(status.value.as_bytes());
            let mut comment = [
                &status,
                b" ticket [".as_slice(),
                &link,
                b"]: <i>",
                &title,
                b"</i>",
            ]
            .concat();
            if count > 1 {
                let plural = if count == 2 { "" } else { "s" };
                comment.extend_from_slice(format!(" plus {} other change{plural}", count - 1).as_bytes());
            }
            (comment, [&status, b" ticket [".as_slice(), &link, b"]."].concat())
        } else {
            let status = html(&self.ticket_text(ticket, &columns.status, columns)?);
            let plural = if count == 1 { "" } else { "s" };
            let more = format!("{count} other change{plural}");
            let changes = format!("{count} change{plural}");
            (
                [
                    b"Ticket [".as_slice(),
                    &link,
                    b"] <i>",
                    &title,
                    b"</i> status still ",
                    &status,
                    b" with ",
                    more.as_bytes(),
                ]
                .concat(),
                [b"Ticket [".as_slice(), &link, b"]: ", changes.as_bytes()].concat(),
            )
        };
        self.tx
            .db
            .prepare_cached(
                "REPLACE INTO event(type, tagid, mtime, objid, user, comment, brief)
                 VALUES ('t', ?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                tag,
                change.date.julian(),
                rid,
                SqlText(change.user.as_bytes()),
                SqlText(&comment),
                SqlText(&brief),
            ))?;
        self.patched.insert(rid.0);
        Ok(())
    }
}

/// A column name in SQL.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
