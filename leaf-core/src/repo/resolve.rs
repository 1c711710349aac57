//! Names that people give to artifacts: hash prefixes, tags, branches, dates.
//!
//! Source: Fossil `src/name.c` `symbolic_name_to_rid()`. Times are UTC. `current`, `prev` and `next` are not
//! here: they are names in a working copy, not in a repository.

use super::change::BadChange;
use super::timeline::HALF_MS;
use super::{Repo, RepoError};
use crate::id::Rid;
use crate::time::Timestamp;
use rusqlite::{OptionalExtension, params};

/// Which artifacts a name may stand for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NameScope {
    /// Any artifact.
    Any,
    /// Check-ins alone.
    Checkin,
}

impl NameScope {
    /// The pattern for `event.type`.
    fn event_type(self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Checkin => "ci",
        }
    }
}

impl Repo {
    /// The artifact that `name` stands for, or `None`.
    ///
    /// Tried in this order: `tip`; `date:D`; a date; `tag:NAME`; `root:NAME`; `start:NAME`; `NAME:DATE`; a
    /// hash prefix of four digits or more, `[..]` around it allowed; a tag or branch; a date of digits alone;
    /// `rid:N`.
    ///
    /// # Errors
    ///
    /// [`BadChange::AmbiguousName`] when a prefix fits several artifacts.
    pub fn resolve(&self, name: &str, scope: NameScope) -> Result<Option<Rid>, RepoError> {
        if name.is_empty() {
            return Ok(None);
        }
        if name == "tip"
            && let Some(tip) = self.latest_event("ci", None)?
        {
            return Ok(Some(tip));
        }
        if let Some(date) = name.strip_prefix("date:") {
            let date = expand_digits(date).unwrap_or_else(|| date.to_owned());
            return end_of(&date).map_or(Ok(None), |date| self.latest_event(scope.event_type(), Some(date)));
        }
        if let Some(date) = end_of(name)
            && let Some(rid) = self.latest_event(scope.event_type(), Some(date))?
        {
            return Ok(Some(rid));
        }
        if let Some(tag) = name.strip_prefix("tag:") {
            return self.latest_with_tag(tag, scope, None);
        }
        if let Some(branch) = name.strip_prefix("root:") {
            let rid = self.resolve(branch, scope)?;
            return rid.map(|rid| self.start_of_branch(rid, false)).transpose();
        }
        if let Some(branch) = name.strip_prefix("start:") {
            let rid = self.resolve(branch, scope)?;
            return rid.map(|rid| self.start_of_branch(rid, true)).transpose();
        }
        if let Some((tag, date)) = name.split_once(':') {
            let date = expand_digits(date).unwrap_or_else(|| date.to_owned());
            if let Some(date) = end_of(date.trim_end_matches("utc")) {
                return self.latest_with_tag(tag, scope, Some(date));
            }
        }
        let bare = name.strip_prefix('[').unwrap_or(name);
        let bare = bare.strip_suffix(']').unwrap_or(bare);
        if let Some(rid) = self.by_prefix(bare, scope)? {
            return Ok(Some(rid));
        }
        if let Some(rid) = self.latest_with_tag(name, scope, None)? {
            return Ok(Some(rid));
        }
        if let Some(date) = expand_digits(name).as_deref().and_then(end_of)
            && let Some(rid) = self.latest_event(scope.event_type(), Some(date))?
        {
            return Ok(Some(rid));
        }
        match name.strip_prefix("rid:").and_then(|number| number.parse().ok()) {
            Some(number) => self.by_number(number, scope),
            None => Ok(None),
        }
    }

    /// Like [`resolve`](Self::resolve) among check-ins, for callers that need one.
    ///
    /// # Errors
    ///
    /// [`BadChange::NoSuchName`], [`BadChange::AmbiguousName`].
    pub fn resolve_checkin(&self, name: &str) -> Result<Rid, RepoError> {
        Ok(self
            .resolve(name, NameScope::Checkin)?
            .ok_or(BadChange::NoSuchName)?)
    }

    /// The check-in that is meant when none is named: the tip of `trunk`, else the newest; `None` when there is none.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn main_checkin(&self) -> Result<Option<Rid>, RepoError> {
        match self.resolve("trunk", NameScope::Checkin)? {
            Some(rid) => Ok(Some(rid)),
            None => self.resolve("tip", NameScope::Checkin),
        }
    }

    fn latest_event(&self, event_type: &str, until: Option<Timestamp>) -> Result<Option<Rid>, RepoError> {
        let sql = "SELECT objid FROM event WHERE type GLOB ?1 AND mtime<=?2 ORDER BY mtime DESC, objid DESC LIMIT 1";
        let until = until.map_or(f64::INFINITY, |until| until.julian() + HALF_MS);
        let mut query = self.db.prepare_cached(sql)?;
        Ok(query
            .query_row(params![event_type, until], |row| row.get(0))
            .optional()?)
    }

    fn latest_with_tag(
        &self,
        tag: &str,
        scope: NameScope,
        until: Option<Timestamp>,
    ) -> Result<Option<Rid>, RepoError> {
        // A tag asked for is nearly always on one of the newest events; else all that have it are looked at.
        let recent = "SELECT objid FROM (SELECT * FROM event ORDER BY mtime DESC LIMIT 100)
             WHERE type GLOB ?2 AND mtime<=?3 AND EXISTS(
                   SELECT 1 FROM tag, tagxref WHERE tagname='sym-'||?1 AND tagxref.tagid=tag.tagid
                      AND tagxref.tagtype>0 AND tagxref.rid=objid)
             ORDER BY mtime DESC, objid DESC LIMIT 1";
        let all = "SELECT event.objid FROM tag, tagxref, event
             WHERE tag.tagname='sym-'||?1 AND tagxref.tagid=tag.tagid AND tagxref.tagtype>0
               AND event.objid=tagxref.rid AND event.type GLOB ?2 AND event.mtime<=?3
             ORDER BY event.mtime DESC, event.objid DESC LIMIT 1";
        let until = until.map_or(f64::INFINITY, |until| until.julian() + HALF_MS);
        for sql in [recent, all] {
            let mut query = self.db.prepare_cached(sql)?;
            let found = query
                .query_row(params![tag, scope.event_type(), until], |row| row.get(0))
                .optional()?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn by_prefix(&self, prefix: &str, scope: NameScope) -> Result<Option<Rid>, RepoError> {
        if !(4..=64).contains(&prefix.len()) || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let prefix = prefix.to_ascii_lowercase();
        // The range of the index that GLOB 'prefix*' would read.
        let sql = match scope {
            NameScope::Any => "SELECT rid FROM blob WHERE uuid>=?1 AND uuid<?1||'g' LIMIT 2",
            NameScope::Checkin => {
                "SELECT rid FROM blob CROSS JOIN event ON objid=rid AND type='ci'
                  WHERE uuid>=?1 AND uuid<?1||'g' LIMIT 2"
            }
        };
        let mut query = self.db.prepare_cached(sql)?;
        let rows = query.query_map([&prefix], |row| row.get(0))?;
        let matches = rows.collect::<Result<Vec<_>, _>>()?;
        match matches.as_slice() {
            [] => Ok(None),
            [rid] => Ok(Some(*rid)),
            several => Err(BadChange::AmbiguousName {
                matches: several.len(),
            }
            .into()),
        }
    }

    fn by_number(&self, number: i64, scope: NameScope) -> Result<Option<Rid>, RepoError> {
        let sql = "SELECT rid FROM blob WHERE rid=?1
             AND (?2='*' OR EXISTS(SELECT 1 FROM event WHERE objid=rid AND type GLOB ?2))";
        let mut query = self.db.prepare_cached(sql)?;
        Ok(query
            .query_row(params![number, scope.event_type()], |row| row.get(0))
            .optional()?)
    }

    /// The first check-in of the branch that `rid` is on (`inside`), or the one that the branch grew from.
    fn start_of_branch(&self, rid: Rid, inside: bool) -> Result<Rid, RepoError> {
        let sql = "WITH RECURSIVE par(pid, ex, cnt) AS (
               SELECT pid, EXISTS(SELECT 1 FROM tagxref
                                   WHERE tagid=8 AND tagtype>0 AND value=?2 AND rid=plink.pid), 1
                 FROM plink WHERE cid=?1 AND isprim
               UNION ALL
               SELECT plink.pid, EXISTS(SELECT 1 FROM tagxref
                                   WHERE tagid=8 AND tagtype>0 AND value=?2 AND rid=plink.pid), 1+par.cnt
                 FROM plink, par WHERE cid=par.pid AND isprim AND par.ex
                LIMIT 100000)
             SELECT pid FROM par WHERE ex>=?3 ORDER BY cnt DESC LIMIT 1";
        let branch = self.branch_of(rid)?;
        let mut query = self.db.prepare_cached(sql)?;
        let start = query
            .query_row(params![rid, branch, inside], |row| row.get(0))
            .optional()?;
        Ok(start.unwrap_or(rid))
    }
}

/// The last moment of a date in the form `YYYY-MM-DD[ HH:MM[:SS[.SSS]]]`, `T` for the space allowed.
fn end_of(date: &str) -> Option<Timestamp> {
    let whole = match date.len() {
        10 => format!("{date}T23:59:59.999"),
        16 => format!("{date}:59.999"),
        19 => format!("{date}.999"),
        _ => date.to_owned(),
    };
    Timestamp::parse_iso(whole.as_bytes())
}

/// `YYYYMMDD[HHMM[SS]]` with its punctuation put in.
fn expand_digits(digits: &str) -> Option<String> {
    let good = matches!(digits.len(), 8 | 12 | 14) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let year: u16 = digits.get(..4).filter(|_| good)?.parse().ok()?;
    if !(1970..=2100).contains(&year) {
        return None;
    }
    let marks = ["", "", "-", "-", " ", ":", ":"];
    let pairs = (0..digits.len() / 2).zip(marks);
    Some(
        pairs
            .flat_map(|(pair, mark)| [mark, digits.get(pair * 2..pair * 2 + 2).unwrap_or("")])
            .collect(),
    )
}
