//! One Fossil repository: an open SQLite connection and what is asked of it.
//!
//! The shell opens the [`Connection`] (a file, an OPFS pool, memory in tests) and hands it over; nothing here
//! knows which. [`Repo`] reads; [`RepoTx`], which exists only inside [`Repo::write`], also writes. This folder
//! is the only place that says SQL.
//!
//! Source: Fossil `src/schema.c`, `src/content.c`, `src/db.c`.

use std::cell::{Cell, RefCell};
use std::ops::Deref;

use rusqlite::Connection;

use crate::id::Rid;
use crate::limits::Limits;
use crate::time::Timestamp;

mod asking;
mod attachment;
mod branch;
mod cache;
mod catalogue;
mod change;
mod checkin;
mod ci_lock;
mod clone_cursor;
mod cluster;
mod column;
mod config;
mod config_group;
mod content;
mod crosslink;
mod deltify;
mod error;
mod files;
mod forum;
mod guest;
mod guest_state;
mod integrity;
mod invite;
mod lineage;
mod mark;
mod news;
mod open;
mod peer_url;
mod peers;
mod phantom;
mod query;
mod rebuild;
mod receive;
mod request;
mod resolve;
mod shun;
mod sql_literal;
mod table;
mod tag;
mod technote;
mod ticket;
mod timeline;
mod tree;
mod unversioned;
mod user;
mod verify;
mod wiki;

pub use asking::Asking;
pub use attachment::{AttachmentSummary, NewAttachment};
pub use branch::{Branch, NewBranch};
pub use catalogue::StoredRow;
pub use change::{Author, BadChange};
pub use checkin::NewCheckin;
pub use ci_lock::HeldLock;
pub use config_group::ConfigGroup;
pub use content::Stored;
pub use crosslink::CrosslinkReport;
pub use error::RepoError;
pub use files::CheckinFile;
pub use forum::{ForumPlace, ForumThread, NewForumPost};
pub use guest::Guest;
pub use guest_state::GuestState;
pub use invite::{Invite, NotAdmitted};
pub use lineage::{ChangedFile, FileVersion};
use mark::StandingCache;
pub use mark::{Mark, Standing};
pub use news::News;
pub use open::NewRepo;
pub use peer_url::PeerLink;
pub use peers::Peer;
pub use query::QueryValue;
pub use receive::{Body, Hanging, Incoming, Put, Received};
pub use resolve::NameScope;
pub use shun::Shunned;
pub use table::{
    BadTable, Column, ColumnKind, Conflict, OpenTable, RowName, Table, TableDef, TableHash, TableRow,
    TableValue, Taken, TravelRow, Writer as RowWriter,
};
pub use tag::{NewTag, TagOn, TagSummary};
pub use technote::{NewTechNote, TechNoteSummary};
pub use ticket::{NewTicketChange, Ticket};
pub use timeline::{EventKind, TimelineCursor, TimelineEntry, TimelineQuery};
pub use tree::FileChange;
pub use unversioned::{UvBody, UvFile, UvStored, UvVerdict};
pub use user::{Cap, Capabilities, User, UserChange};
pub use verify::{BadRow, CheckPart, Checked, Fault, VerifyReport};
pub use wiki::{NewWikiPage, WikiSummary};

use cache::ContentCache;

/// An open repository, for reading.
#[derive(Debug)]
pub struct Repo {
    db: Connection,
    limits: Limits,
    cache: RefCell<ContentCache>,
    standing: StandingCache,
}

/// A repository inside a write transaction.
#[derive(Debug)]
pub struct RepoTx<'r> {
    repo: &'r Repo,
    origin: RefCell<Origin>,
    /// Row of `rcvfrom` for this transaction, once something was stored.
    rcvid: Cell<Option<i64>>,
}

/// Where the artifacts of one transaction come from; one row of `rcvfrom` if any are stored.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Login of the user who sent them.
    pub user: Option<String>,
    /// The nonce of the message they came in.
    pub nonce: Option<String>,
    /// Address of the peer.
    pub address: Option<String>,
    /// When.
    pub time: Timestamp,
}

impl Repo {
    /// Wraps a connection whose schema was checked or made just now.
    fn wrap(db: Connection) -> Self {
        db.set_prepared_statement_cache_capacity(128);
        Self {
            db,
            limits: Limits::default(),
            cache: RefCell::default(),
            standing: StandingCache::default(),
        }
    }

    /// Gives the connection back.
    pub fn into_connection(self) -> Connection {
        self.db.flush_prepared_statement_cache();
        self.db
    }

    /// The connection, for what a shell does below SQL: how durable writes are, copies of the file.
    pub fn connection(&self) -> &Connection {
        &self.db
    }

    /// The bounds in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sets other bounds.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Runs `work` in one write transaction: all of it happens, or none.
    ///
    /// # Errors
    ///
    /// Whatever `work` returns, and [`RepoError::Sqlite`] when the transaction cannot begin or commit. The
    /// repository is then as it was.
    pub fn write<T, E: From<RepoError>>(
        &mut self,
        work: impl FnOnce(&RepoTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.db
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(RepoError::from)?;
        self.standing.suspend();
        let tx = RepoTx {
            repo: self,
            origin: RefCell::default(),
            rcvid: Cell::new(None),
        };
        let done = work(&tx).and_then(|value| {
            tx.db.execute_batch("COMMIT").map_err(RepoError::from)?;
            Ok(value)
        });
        self.standing.resume();
        if done.is_err() {
            // What the transaction cached may not exist any more.
            self.cache.borrow_mut().clear();
            if !self.db.is_autocommit() {
                self.db.execute_batch("ROLLBACK").map_err(RepoError::from)?;
            }
        }
        done
    }

    /// Runs `work` in one read transaction, so that all it sees is of one moment.
    ///
    /// # Errors
    ///
    /// Whatever `work` returns, and [`RepoError::Sqlite`].
    pub fn read<T, E: From<RepoError>>(&self, work: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        let tx = self.db.unchecked_transaction().map_err(RepoError::from)?;
        let value = work(self)?;
        tx.finish().map_err(RepoError::from)?;
        Ok(value)
    }
}

impl Deref for RepoTx<'_> {
    type Target = Repo;

    fn deref(&self) -> &Repo {
        self.repo
    }
}

impl RepoTx<'_> {
    /// Says where the artifacts of this transaction come from. Before the first is stored.
    pub fn set_origin(&self, origin: Origin) {
        self.origin.replace(origin);
    }

    /// The `rcvfrom` row of this transaction, made when first asked for.
    fn rcvid(&self) -> Result<i64, RepoError> {
        if let Some(rcvid) = self.rcvid.get() {
            return Ok(rcvid);
        }
        let origin = self.origin.borrow();
        self.db
            .prepare_cached(
                "INSERT INTO rcvfrom(uid, mtime, nonce, ipaddr)
                 VALUES (coalesce((SELECT uid FROM user WHERE login = ?1), 0), ?2, ?3, ?4)",
            )?
            .execute((&origin.user, origin.time.julian(), &origin.nonce, &origin.address))?;
        let rcvid = self.db.last_insert_rowid();
        self.rcvid.set(Some(rcvid));
        Ok(rcvid)
    }
}

impl rusqlite::ToSql for Rid {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl rusqlite::types::FromSql for Rid {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        value.as_i64().map(Rid)
    }
}

impl rusqlite::types::FromSql for crate::id::ArtifactHash {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        Self::parse(value.as_bytes()?).map_err(rusqlite::types::FromSqlError::other)
    }
}
