//! The timeline: what happened, newest first.
//!
//! Source: Fossil table `event`; `src/timeline.c` `timeline_query_for_tty()`.

use super::catalogue::PUBLIC;
use super::{Repo, RepoError, column};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params_from_iter, types::Value};

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EventKind {
    /// A check-in.
    Checkin,
    /// Tags were put on or taken off.
    Control,
    /// A forum post.
    Forum,
    /// A technical note.
    TechNote,
    /// A ticket was changed.
    Ticket,
    /// A wiki page was changed, or something attached.
    Wiki,
}

impl EventKind {
    /// Column `event.type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checkin => "ci",
            Self::Control => "g",
            Self::Forum => "f",
            Self::TechNote => "e",
            Self::Ticket => "t",
            Self::Wiki => "w",
        }
    }

    /// The inverse of [`as_str`](Self::as_str).
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Checkin,
            Self::Control,
            Self::Forum,
            Self::TechNote,
            Self::Ticket,
            Self::Wiki,
        ];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Which entries of the timeline are wanted. The default wants the 20 newest.
#[derive(Clone, Debug)]
pub struct TimelineQuery {
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only check-ins of this branch.
    pub branch: Option<String>,
    /// Only by this user.
    pub user: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Not after.
    pub until: Option<Timestamp>,
    /// Only what follows the entry that had this cursor.
    pub after: Option<TimelineCursor>,
    /// How many entries at most.
    pub limit: usize,
}

impl Default for TimelineQuery {
    fn default() -> Self {
        Self {
            kind: None,
            branch: None,
            user: None,
            since: None,
            until: None,
            after: None,
            limit: 20,
        }
    }
}

/// A place in the timeline. Good for as long as the repository is not rebuilt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimelineCursor {
    mtime: f64,
    rid: Rid,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is shown as a mark of its own")]
pub struct TimelineEntry {
    /// Which artifact says so.
    pub rid: Rid,
    /// Its name.
    pub hash: ArtifactHash,
    /// What kind of thing.
    pub kind: EventKind,
    /// When.
    pub time: Timestamp,
    /// Who, after any later correction.
    pub user: String,
    /// What was said, after any later correction.
    pub comment: String,
    /// The branch of a check-in.
    pub branch: Option<String>,
    /// Symbolic tags, sorted; the name of the branch is one of them.
    pub tags: Vec<String>,
    /// A check-in without child on its branch.
    pub is_leaf: bool,
    /// A check-in with more than one parent.
    pub is_merge: bool,
    /// Closed against further check-ins.
    pub is_closed: bool,
    /// Kept out of sync.
    pub is_private: bool,
    /// Made here, and never sent.
    pub is_unsent: bool,
    /// Where the timeline goes on after this entry.
    pub cursor: TimelineCursor,
}

/// Half a millisecond in days: stock rounds the last digit of a time, either way.
pub(super) const HALF_MS: f64 = 0.5 / 86_400_000.0;

impl Repo {
    /// The entries that `query` wants, newest first.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn timeline(&self, query: &TimelineQuery) -> Result<Vec<TimelineEntry>, RepoError> {
        let mut sql = entries_where("1");
        let mut values: Vec<Value> = Vec::new();
        let mut also = |clause: &str, wanted: &[Value]| {
            sql.push_str(clause);
            values.extend_from_slice(wanted);
        };
        if let Some(kind) = query.kind {
            also(" AND e.type=?", &[kind.as_str().to_owned().into()]);
        }
        if let Some(branch) = &query.branch {
            let clause = " AND e.objid IN (SELECT rid FROM tagxref WHERE tagid=8 AND tagtype>0 AND value=?)";
            also(clause, &[branch.clone().into()]);
        }
        if let Some(user) = &query.user {
            also(" AND coalesce(e.euser, e.user)=?", &[user.clone().into()]);
        }
        if let Some(since) = query.since {
            also(" AND e.mtime>=?", &[(since.julian() - HALF_MS).into()]);
        }
        if let Some(until) = query.until {
            also(" AND e.mtime<=?", &[(until.julian() + HALF_MS).into()]);
        }
        if let Some(after) = query.after {
            also(
                " AND (e.mtime, e.objid)<(?, ?)",
                &[after.mtime.into(), after.rid.0.into()],
            );
        }
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        also(" ORDER BY e.mtime DESC, e.objid DESC LIMIT ?", &[limit.into()]);
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), read_entry)?;
        let mut entries = rows.collect::<Result<Vec<_>, _>>()?;
        for entry in &mut entries {
            entry.tags = self.symbolic_tags(entry.rid)?;
        }
        Ok(entries)
    }

    /// The entry of one artifact; `None` when the timeline does not have it.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn timeline_entry(&self, rid: Rid) -> Result<Option<TimelineEntry>, RepoError> {
        let found = self
            .db
            .prepare_cached(&entries_where("e.objid=?1"))?
            .query_row([rid], read_entry)
            .optional()?;
        let Some(mut entry) = found else { return Ok(None) };
        entry.tags = self.symbolic_tags(rid)?;
        Ok(Some(entry))
    }

    /// The symbolic tags in force on an artifact, sorted, without their `sym-`.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn symbolic_tags(&self, rid: Rid) -> Result<Vec<String>, RepoError> {
        let sql = "SELECT substr(tagname, 5) FROM tagxref CROSS JOIN tag USING(tagid)
             WHERE rid=?1 AND tagtype>0 AND tagname GLOB 'sym-*' ORDER BY 1";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([rid], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The query that [`read_entry`] reads.
fn entries_where(wanted: &str) -> String {
    format!(
        "SELECT e.objid, blob.uuid, e.type, e.mtime, coalesce(e.euser, e.user, ''),
         coalesce(e.ecomment, e.comment, ''),
         (SELECT value FROM tagxref WHERE tagid=8 AND rid=e.objid AND tagtype>0),
         EXISTS(SELECT 1 FROM leaf WHERE rid=e.objid),
         EXISTS(SELECT 1 FROM plink WHERE cid=e.objid AND NOT isprim),
         EXISTS(SELECT 1 FROM tagxref WHERE tagid=9 AND rid=e.objid AND tagtype>0),
         EXISTS(SELECT 1 FROM private WHERE rid=e.objid),
         EXISTS(SELECT 1 FROM unsent WHERE rid=e.objid) AND {PUBLIC}
         FROM event e JOIN blob ON blob.rid=e.objid WHERE {wanted}"
    )
}

/// An entry but for its tags.
fn read_entry(row: &Row<'_>) -> rusqlite::Result<TimelineEntry> {
    let rid = row.get(0)?;
    let kind = EventKind::parse(&column::text(row, 2)?);
    let mtime = row.get(3)?;
    Ok(TimelineEntry {
        rid,
        hash: row.get(1)?,
        kind: kind.ok_or(rusqlite::Error::IntegralValueOutOfRange(2, 0))?,
        time: Timestamp::from_julian(mtime),
        user: column::text(row, 4)?,
        comment: column::text(row, 5)?,
        branch: row.get(6)?,
        tags: Vec::new(),
        is_leaf: row.get(7)?,
        is_merge: row.get(8)?,
        is_closed: row.get(9)?,
        is_private: row.get(10)?,
        is_unsent: row.get(11)?,
        cursor: TimelineCursor { mtime, rid },
    })
}
