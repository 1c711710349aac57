//! Crosslinking: from artifacts to the derived tables, in any order of arrival.
//!
//! What stock's tables hold depends here and there on the order in which its rebuild comes across the
//! artifacts. The rules in this folder name the result instead: each row is a function of the artifacts at
//! hand (and, for the few rows that remember an order, of the order in which stock would meet them, see
//! `order`). That is why artifacts may arrive in any order, and why a full rebuild and a row-by-row one agree.
//!
//! ```text
//!   artifact ── checkin ── changes     plink, mlink, filename, cherrypick, orphan
//!        │ ├─── tags                   tag, tagxref, private
//!        │ └─── wiki, technote, attachment, ticket, forum, control
//!        └──▶ finish: event columns, backlink, leaf, ticket tables, times that are too close
//! ```
//!
//! Known differences from a stock rebuild: an older tag on a check-in yields to a newer inherited one in stock
//! when the artifact of the older is met later (here the check-in's own tag always counts); a check-in that
//! was given other parents keeps its line in the timeline (stock loses it when it meets the tag first); links
//! of a comment that was edited may be those of either version in stock, which makes deltas while it rebuilds
//! and so changes the order in which it meets the rest.
//!
//! Source: Fossil `src/manifest.c`, `manifest_crosslink` and `manifest_crosslink_end`.

mod attachment;
mod backlink;
pub(super) mod changes;
mod checkin;
mod control;
mod forum;
mod fudge;
mod leaf;
mod links;
mod markdown;
mod order;
mod patch;
mod phrase;
mod tags;
mod technote;
mod ticket;
mod wiki;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, VecDeque};

use rusqlite::types::{ToSqlOutput, ValueRef};

use super::verify::{Key, Names};
use super::{RepoError, RepoTx};
use crate::format::artifact::{Artifact, ArtifactView};
use crate::id::{ArtifactHash, Rid};

pub(super) use checkin::{CheckinFacts, Side, parse_parents};
pub(super) use order::{Order, Place, bag_order};
pub(super) use tags::ExplicitTag;

/// Tags with numbers of their own.
pub(super) mod tagid {
    pub(in crate::repo) const BGCOLOR: i64 = 1;
    pub(in crate::repo) const COMMENT: i64 = 2;
    pub(in crate::repo) const USER: i64 = 3;
    pub(in crate::repo) const DATE: i64 = 4;
    pub(in crate::repo) const PRIVATE: i64 = 6;
    pub(in crate::repo) const BRANCH: i64 = 8;
    pub(in crate::repo) const PARENT: i64 = 10;
}

/// What crosslinking met.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CrosslinkReport {
    /// Structural artifacts among those given.
    pub structural: usize,
}

impl RepoTx<'_> {
    /// Brings the derived tables up to date with artifacts whose content has just become available.
    ///
    /// The cost is that of the artifacts given and of what they change, not that of the repository.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`], and damage that is met on the way. The caller is to abandon the transaction.
    pub fn crosslink(&self, settled: &[Rid]) -> Result<CrosslinkReport, RepoError> {
        let mut linker = Linker::new(self, Order::of_chains());
        let mut queue: VecDeque<Rid> = settled.iter().copied().collect();
        let has_hidden = self.has_private_phantoms()?;
        let mut report = CrosslinkReport::default();
        while let Some(rid) = queue.pop_front() {
            let Some(content) = self.content(rid)? else {
                continue;
            };
            let linked = match ArtifactView::parse_within(&content, self.limits()) {
                Err(_) => continue,
                Ok(ArtifactView::Manifest(view)) => {
                    if has_hidden {
                        self.name_in(rid, view.parents.iter().chain(&view.baseline))?;
                    }
                    linker.checkin(rid, &view)?
                }
                Ok(ArtifactView::Other(artifact)) => {
                    if let (true, Artifact::Cluster(cluster)) = (has_hidden, &artifact) {
                        self.name_in(rid, cluster.members.iter())?;
                    }
                    linker.other(rid, &artifact)?;
                    // Upstream compares a check-in with whatever it names as its parent.
                    linker.relink_children(rid)?;
                    true
                }
            };
            report.structural += 1;
            if linked {
                queue.extend(linker.adopted(rid)?);
            }
        }
        linker.finish()?;
        Ok(report)
    }
}

/// One run over new artifacts: what they add at once, and what has to wait until all were seen.
pub(super) struct Linker<'t> {
    tx: &'t RepoTx<'t>,
    order: Order,
    tagids: RefCell<HashMap<Vec<u8>, i64>>,
    /// A rebuild takes tags and settles them all at once.
    collected: Option<Vec<ExplicitTag>>,
    /// Rows by name, as far as they are known without a look into the database.
    names: Names,
    /// Members of clusters, while tags are collected.
    clustered: Vec<i64>,
    attachments: BTreeSet<Vec<u8>>,
    forum: BTreeSet<i64>,
    leaves: BTreeSet<i64>,
    patched: BTreeSet<i64>,
    close: BTreeSet<i64>,
    technotes: BTreeSet<ArtifactHash>,
    tickets: BTreeSet<Vec<u8>>,
    wiki: BTreeSet<Vec<u8>>,
}

impl<'t> Linker<'t> {
    fn new(tx: &'t RepoTx<'t>, order: Order) -> Self {
        Self {
            tx,
            order,
            tagids: RefCell::default(),
            collected: None,
            names: Names::default(),
            clustered: Vec::new(),
            attachments: BTreeSet::new(),
            forum: BTreeSet::new(),
            leaves: BTreeSet::new(),
            patched: BTreeSet::new(),
            close: BTreeSet::new(),
            technotes: BTreeSet::new(),
            tickets: BTreeSet::new(),
            wiki: BTreeSet::new(),
        }
    }

    /// For a rebuild: tags are collected, see [`take_tags`](Self::take_tags).
    pub(super) fn for_rebuild(tx: &'t RepoTx<'t>, order: Order, names: Names) -> Self {
        Self {
            collected: Some(Vec::new()),
            names,
            ..Self::new(tx, order)
        }
    }

    /// The tags collected so far. From now on tags are applied as they come.
    pub(super) fn take_tags(&mut self) -> Vec<ExplicitTag> {
        self.collected.take().unwrap_or_default()
    }

    /// The members of clusters found so far.
    pub(super) fn take_clustered(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.clustered)
    }

    /// Enters an artifact that is no check-in.
    pub(super) fn other(&mut self, rid: Rid, artifact: &Artifact) -> Result<(), RepoError> {
        match artifact {
            Artifact::Attachment(attachment) => self.attachment(rid, attachment),
            Artifact::Cluster(cluster) => self.cluster(rid, &cluster.members),
            Artifact::Control(control) => self.control(rid, control),
            Artifact::Forum(post) => self.forum_post(rid, post),
            Artifact::TechNote(note) => self.technote(rid, note),
            Artifact::Ticket(change) => self.ticket_change(rid, change),
            Artifact::Wiki(page) => self.wiki_page(rid, page),
            Artifact::Manifest(_) => Ok(()),
        }
    }

    /// Where stock would meet `rid`.
    pub(super) fn place(&self, rid: i64) -> Result<Place, RepoError> {
        self.order.place(self.tx, rid)
    }

    /// What had to wait until everything was seen.
    pub(super) fn finish(&mut self) -> Result<(), RepoError> {
        self.finish_technotes()?;
        self.finish_tickets()?;
        self.finish_attachments()?;
        self.finish_forum()?;
        self.finish_wiki()?;
        self.finish_cherrypicks()?;
        self.finish_patches()?;
        self.finish_close_times()?;
        self.finish_leaves()
    }

    /// The row of `hash`, a phantom if need be; `None` when it is shunned.
    pub(super) fn row_of(&self, hash: &ArtifactHash) -> Result<Option<i64>, RepoError> {
        match self.names.find(hash) {
            Some(rid) => Ok(Some(rid)),
            None => Ok(self.tx.phantom(hash, false)?.map(|rid| rid.0)),
        }
    }

    /// The row of a name of which only the key was kept: 0 for none, `None` when it is not in memory.
    pub(super) fn row_of_key(&self, key: Option<Key>) -> Option<i64> {
        match key {
            Some(key) => self.names.find_key(&key),
            None => Some(0),
        }
    }

    /// The row of `hash`, if it has one.
    fn known_row(&self, hash: &ArtifactHash) -> Result<Option<i64>, RepoError> {
        match self.names.find(hash) {
            Some(rid) => Ok(Some(rid)),
            None => Ok(self.tx.rid_of(hash)?.map(|rid| rid.0)),
        }
    }

    /// A cluster stands for its members, which are announced no more.
    fn cluster(&mut self, rid: Rid, members: &[ArtifactHash]) -> Result<(), RepoError> {
        let received: f64 = self
            .tx
            .db
            .prepare_cached("SELECT coalesce((SELECT mtime FROM rcvfrom WHERE rcvid = blob.rcvid), 0.0) FROM blob WHERE rid = ?1")?
            .query_row([rid], |row| row.get(0))?;
        self.tag_itself(rid, b"cluster", None, received)?;
        for member in members {
            if let Some(member) = self.row_of(member)? {
                if self.collected.is_some() {
                    self.clustered.push(member);
                    continue;
                }
                self.tx
                    .db
                    .prepare_cached("DELETE FROM unclustered WHERE rid = ?1")?
                    .execute([member])?;
            }
        }
        Ok(())
    }

    /// Links a version of a page, note or post to the ones before it, and lets it inherit their tags.
    fn link_version(&mut self, rid: Rid, parents: &[ArtifactHash], mtime: f64) -> Result<bool, RepoError> {
        let mut primary = None;
        for (index, parent) in parents.iter().enumerate() {
            let Some(parent) = self.row_of(parent)? else {
                continue;
            };
            if index == 0 {
                primary = Some(parent);
            }
            self.tx
                .db
                .prepare_cached(
                    "INSERT OR IGNORE INTO plink(pid, cid, isprim, mtime, baseid) VALUES (?1, ?2, ?3, ?4, NULL)",
                )?
                .execute((parent, rid, index == 0, mtime))?;
        }
        if let Some(parent) = primary {
            self.inherit(parent, rid.0)?;
        }
        Ok(primary.is_some())
    }
}

/// Bytes bound as text, whether they are UTF-8 or not, as upstream does.
#[derive(Clone, Copy, Debug)]
pub(super) struct SqlText<'a>(pub(super) &'a [u8]);

impl rusqlite::ToSql for SqlText<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// A text column as bytes; `None` for NULL.
pub(super) fn bytes(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<Option<Vec<u8>>> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string().into_bytes()),
        ValueRef::Real(number) => Some(number.to_string().into_bytes()),
        ValueRef::Text(text) | ValueRef::Blob(text) => Some(text.to_vec()),
    })
}
