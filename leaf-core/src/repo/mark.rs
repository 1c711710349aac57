//! Marks: what was announced, in a few bytes.
//!
//! Two repositories that have synced need not tell each other again what is in no cluster. A mark names the
//! *set* of what a repository announces, by a hash over the names, and says up to which row the set went. It
//! fits as long as the rows up to there still make the same set; then only later rows are news. As the set
//! itself is hashed, whatever changes it makes the mark misfit, and everything is announced as ever: an
//! artifact made public, a phantom filled in, a restored backup, a new cluster. What can take artifacts away
//! without changing the set (shunning, purging, a rebuild) is hashed along.
//!
//! Source: none upstream; Fossil `src/xfer.c` `send_unclustered()` is what a mark saves.

use super::{Repo, RepoError, RepoTx};
use crate::format::hash::sha1_hex;
use crate::id::{ArtifactHash, Rid};
use core::cell::{Cell, RefCell};
use core::fmt;

/// What a repository announced at some time.
///
/// Shape: as text the row in twelve digits, so that messages weigh the same however many artifacts there are,
/// a dot, and 40 hex digits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mark {
    /// The last row that was there.
    pub rid_max: Rid,
    fingerprint: String,
}

impl Mark {
    /// Reads the text form; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (rid, fingerprint) = core::str::from_utf8(text).ok()?.split_once('.')?;
        let hex = matches!(
            ArtifactHash::parse(fingerprint.as_bytes()),
            Ok(ArtifactHash::Sha1(_))
        );
        let rid = rid.parse().ok().filter(|rid| *rid >= 0)?;
        hex.then(|| Self {
            rid_max: Rid(rid),
            fingerprint: fingerprint.to_owned(),
        })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}.{}", self.rid_max.0, self.fingerprint)
    }
}

/// Counts our own removals, which leave no other trace that stays.
const REMOVALS: &str = "leaf-removals";

impl RepoTx<'_> {
    /// Makes every mark misfit, as artifacts went that clusters still name.
    pub(super) fn note_removal(&self) -> Result<(), RepoError> {
        let count = "INSERT INTO config (name, value) VALUES (?1, 1)
             ON CONFLICT (name) DO UPDATE SET value = value + 1";
        self.db.prepare_cached(count)?.execute([REMOVALS])?;
        Ok(())
    }
}

/// What a repository announces at one moment, read once and asked often.
#[derive(Clone, Debug)]
pub struct Standing {
    rid_max: Rid,
    rows: Vec<(Rid, ArtifactHash, bool)>,
    /// Whether private artifacts are among the rows.
    private: bool,
    removals: String,
}

impl Standing {
    /// Row, name, and whether it is private, of all that is announced.
    pub fn rows(&self) -> &[(Rid, ArtifactHash, bool)] {
        &self.rows
    }

    /// Whether private artifacts were asked for.
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// The mark of this moment.
    pub fn mark(&self) -> Mark {
        Mark {
            rid_max: self.rid_max,
            fingerprint: self.fingerprint(self.rid_max),
        }
    }

    /// Whether what was announced when `mark` was made is still what the rows up to there announce.
    pub fn fits(&self, mark: &Mark) -> bool {
        self.fingerprint(mark.rid_max) == mark.fingerprint
    }

    fn fingerprint(&self, rid_max: Rid) -> String {
        let told = self.rows.iter().filter(|(rid, ..)| *rid <= rid_max);
        let mut names: Vec<_> = told.map(|(_, hash, private)| (hash, private)).collect();
        names.sort_unstable();
        let mut text = format!("leaf-mark 1 {} {}\n", self.private, self.removals).into_bytes();
        for (hash, private) in names {
            text.extend_from_slice(hash.hex().as_bytes());
            text.extend_from_slice(if *private { b" 1\n" } else { b" 0\n" });
        }
        sha1_hex(&text)
    }
}

/// The standing last read, for as long as nobody has changed the file since: a server is asked for it with every
/// request, and most requests change nothing.
#[derive(Debug, Default)]
pub(super) struct StandingCache {
    /// With the version of the file it was read from.
    kept: RefCell<Option<(i64, Standing)>>,
    /// In a write transaction, whose changes make no new version yet.
    is_suspended: Cell<bool>,
}

impl StandingCache {
    pub(super) fn suspend(&self) {
        self.kept.take();
        self.is_suspended.set(true);
    }

    pub(super) fn resume(&self) {
        self.is_suspended.set(false);
    }
}

impl Repo {
    /// What this repository announces now; `private` when private artifacts are announced, too.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn standing(&self, private: bool) -> Result<Standing, RepoError> {
        if self.standing.is_suspended.get() {
            return self.read_standing(private);
        }
        let version = "PRAGMA data_version";
        let version = self.db.prepare_cached(version)?.query_row((), |row| row.get(0))?;
        if let Some((of, kept)) = &*self.standing.kept.borrow()
            && (*of, kept.private) == (version, private)
        {
            return Ok(kept.clone());
        }
        let standing = self.read_standing(private)?;
        self.standing.kept.replace(Some((version, standing.clone())));
        Ok(standing)
    }

    fn read_standing(&self, private: bool) -> Result<Standing, RepoError> {
        let mut rows: Vec<_> = self
            .announced()?
            .into_iter()
            .map(|(rid, hash)| (rid, hash, false))
            .collect();
        if private {
            rows.extend(
                self.private_artifacts()?
                    .into_iter()
                    .map(|(rid, hash)| (rid, hash, true)),
            );
        }
        let last = "SELECT coalesce(max(rid), 0) FROM blob";
        let rid_max = self.db.prepare_cached(last)?.query_row((), |row| row.get(0))?;
        Ok(Standing {
            rid_max,
            rows,
            private,
            removals: self.removals()?,
        })
    }

    /// Traces of what takes artifacts away.
    fn removals(&self) -> Result<String, RepoError> {
        let shunned: (i64, Option<i64>) =
            self.db
                .query_row("SELECT count(*), max(mtime) FROM shun", (), |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
        let purge = "SELECT count(*) FROM sqlite_schema WHERE name = 'purgeevent' AND type = 'table'";
        let purged: i64 = match self.db.query_row(purge, (), |row| row.get(0))? {
            0 => 0,
            _ => self
                .db
                .query_row("SELECT coalesce(max(peid), 0) FROM purgeevent", (), |row| {
                    row.get(0)
                })?,
        };
        let traces = "SELECT group_concat(name || value || coalesce(mtime, ''), ' ') FROM
             (SELECT * FROM config WHERE name IN ('rebuilt', ?1) ORDER BY name)";
        let traces: Option<String> = self.db.query_row(traces, [REMOVALS], |row| row.get(0))?;
        Ok(format!("{shunned:?} {purged} {traces:?}"))
    }
}
