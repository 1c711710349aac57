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
use core::fmt;
use std::io::Write;

/// What a repository announced at some time.
///
/// Shape: as text the row, a dot, and 40 hex digits.
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
        write!(f, "{}.{}", self.rid_max.0, self.fingerprint)
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

impl Repo {
    /// The mark of this repository as it is now; `private` when private artifacts are announced, too.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn mark(&self, private: bool) -> Result<Mark, RepoError> {
        let rid_max = Rid(self
            .db
            .query_row("SELECT coalesce(max(rid), 0) FROM blob", (), |row| row.get(0))?);
        Ok(Mark {
            rid_max,
            fingerprint: self.fingerprint(rid_max, private)?,
        })
    }

    /// Whether what was announced when `mark` was made is still what the rows up to there announce.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn mark_fits(&self, mark: &Mark, private: bool) -> Result<bool, RepoError> {
        Ok(self.fingerprint(mark.rid_max, private)? == mark.fingerprint)
    }

    fn fingerprint(&self, rid_max: Rid, private: bool) -> Result<String, RepoError> {
        let mut names: Vec<(ArtifactHash, bool)> = self
            .announced()?
            .into_iter()
            .filter(|(rid, _)| *rid <= rid_max)
            .map(|(_, hash)| (hash, false))
            .collect();
        if private {
            let hidden = self.private_artifacts()?;
            names.extend(
                hidden
                    .into_iter()
                    .filter(|(rid, _)| *rid <= rid_max)
                    .map(|(_, hash)| (hash, true)),
            );
        }
        names.sort_unstable();
        let mut text = format!("leaf-mark 1 {private} {}\n", self.removals()?).into_bytes();
        for (hash, private) in names {
            writeln!(text, "{hash} {}", u8::from(private)).expect("a vector takes any bytes");
        }
        Ok(sha1_hex(&text))
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
