//! Tickets: which there are, what they say, and changing them.
//!
//! A repository may define the columns of its tickets as it likes, so a ticket is a list of named values here.
//!
//! Source: Fossil `src/tkt.c` `ticket_cmd()`, `ticket_put()`; tables `ticket`, `ticketchng`, `concealed`.

use super::change::{Author, BadChange};
use super::{Repo, RepoError, RepoTx, column};
use crate::format::artifact::{Artifact, Text, TicketChange, TicketField};
use crate::format::hash;
use crate::id::{ArtifactHash, Rid};
use rusqlite::params;

/// A ticket as its changes left it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ticket {
    /// Which: 40 hex digits.
    pub id: String,
    /// The columns of the ticket table, in its order, without those that Fossil keeps for itself.
    pub fields: Vec<(String, String)>,
}

/// A change of a ticket to be made.
#[derive(Clone, Debug)]
pub struct NewTicketChange {
    /// Which: 40 hex digits; those of a new ticket are random.
    pub ticket: String,
    /// What is set or appended.
    pub fields: Vec<TicketField>,
}

impl Repo {
    /// All tickets, the one changed last first.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn tickets(&self) -> Result<Vec<Ticket>, RepoError> {
        self.select_tickets("SELECT * FROM ticket ORDER BY tkt_mtime DESC, tkt_uuid", None)
    }

    /// The ticket whose id begins with `prefix`.
    ///
    /// # Errors
    ///
    /// [`BadChange::NoSuchName`], [`BadChange::AmbiguousName`].
    pub fn ticket(&self, prefix: &str) -> Result<Ticket, RepoError> {
        let sql = "SELECT * FROM ticket WHERE tkt_uuid>=?1 AND tkt_uuid<?1||'g' LIMIT 2";
        let good = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
        let prefix = if good {
            prefix.to_ascii_lowercase()
        } else {
            return Err(BadChange::NoSuchName.into());
        };
        let mut matches = self.select_tickets(sql, Some(&prefix))?;
        match (matches.pop(), matches.len()) {
            (None, _) => Err(BadChange::NoSuchName.into()),
            (Some(ticket), 0) => Ok(ticket),
            (Some(_), others) => Err(BadChange::AmbiguousName { matches: others + 1 }.into()),
        }
    }

    /// The changes of a ticket, oldest first.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn ticket_history(&self, ticket: &str) -> Result<Vec<(Rid, TicketChange)>, RepoError> {
        let sql = "SELECT rid FROM tag CROSS JOIN tagxref USING(tagid)
             WHERE tagname='tkt-'||?1 ORDER BY mtime, rid";
        let mut statement = self.db.prepare_cached(sql)?;
        let rids = statement.query_map([ticket], |row| row.get(0))?;
        let mut history = Vec::new();
        for rid in rids {
            let rid = rid?;
            if let Some(Artifact::Ticket(change)) = self.artifact(rid)? {
                history.push((rid, change));
            }
        }
        Ok(history)
    }

    fn select_tickets(&self, sql: &str, prefix: Option<&str>) -> Result<Vec<Ticket>, RepoError> {
        let mut statement = self.db.prepare(sql)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = match prefix {
            Some(prefix) => statement.query([prefix])?,
            None => statement.query([])?,
        };
        let mut tickets = Vec::new();
        while let Some(row) = rows.next()? {
            let mut ticket = Ticket {
                id: String::new(),
                fields: Vec::new(),
            };
            for (index, name) in names.iter().enumerate() {
                match name.as_str() {
                    "tkt_uuid" => ticket.id = column::text(row, index)?,
                    name if name.starts_with("tkt_") => {}
                    name => ticket
                        .fields
                        .push((name.to_owned(), column::number_or_text(row, index)?)),
                }
            }
            tickets.push(ticket);
        }
        Ok(tickets)
    }
}

impl RepoTx<'_> {
    /// Changes a ticket, or opens one if the id is new.
    ///
    /// A value of a field whose name begins with `private_` goes into the table `concealed`, which reaches none
    /// but those who may read it, and the artifact has its SHA1.
    ///
    /// # Errors
    ///
    /// [`BadChange::NothingChanged`] when there are no fields; [`BadChange::Malformed`] when a field is named
    /// twice or its name is none.
    pub fn ticket_change(
        &self,
        new: &NewTicketChange,
        author: &Author,
    ) -> Result<(Rid, ArtifactHash), RepoError> {
        if new.fields.is_empty() {
            return Err(BadChange::NothingChanged.into());
        }
        let mut fields = new.fields.clone();
        for field in &mut fields {
            if field.name.as_bytes().starts_with(b"private_") && !field.value.is_empty() {
                field.value = self.conceal(&field.value, author)?;
            }
        }
        fields.sort_by_key(TicketField::sort_key);
        let history = self.ticket_history(&new.ticket)?;
        let earliest = history
            .last()
            .map_or(author.date, |(_, change)| change.date.plus_ms(1));
        let change = TicketChange {
            // Changes count in order of their dates.
            date: author.date.max(earliest),
            fields,
            ticket: new.ticket.as_str().into(),
            user: author.user.as_str().into(),
        };
        self.put_artifact(&Artifact::Ticket(change), author, false)
    }

    /// Keeps `value` where only the privileged read it, and returns what stands for it.
    fn conceal(&self, value: &Text, author: &Author) -> Result<Text, RepoError> {
        if ArtifactHash::parse(value.as_bytes()).is_ok() {
            return Ok(value.clone());
        }
        let hash = hash::sha1_hex(value.as_bytes());
        let sql = "INSERT OR IGNORE INTO concealed(hash, content, mtime) VALUES(?1, ?2, ?3)";
        let content = value.as_str_lossy();
        self.db
            .prepare_cached(sql)?
            .execute(params![hash, content, author.date.unix()])?;
        Ok(Text::from(hash))
    }
}
