//! Technical notes: only the newest version has a line in the timeline.
//!
//! Source: Fossil `src/manifest.c`, `manifest_crosslink` for `CFTYPE_EVENT`.

use super::super::RepoError;
use super::wiki::trimmed;
use super::{Linker, SqlText};
use crate::format::artifact::{Artifact, TechNote};
use crate::id::{ArtifactHash, Rid};

impl Linker<'_> {
    pub(super) fn technote(&mut self, rid: Rid, note: &TechNote) -> Result<(), RepoError> {
        let date = note.date.julian();
        self.tags(rid, &note.tags, date)?;
        self.link_version(rid, &note.parents, date)?;
        let length = trimmed(note.text.as_bytes()).len();
        self.tag_itself(rid, &tag_name(&note.id), Some(length), date)?;
        self.technotes.insert(note.id);
        self.attachments.insert(note.id.hex().as_bytes().to_vec());
        Ok(())
    }

    /// Rows of the versions of a technote, oldest first.
    pub(super) fn technote_versions(&self, id: &[u8]) -> Result<Vec<i64>, RepoError> {
        let mut statement = self.tx.db.prepare_cached(
            "SELECT rid, mtime FROM tagxref JOIN tag USING(tagid)
              WHERE tagname = ?1 AND srcid = rid ORDER BY mtime, rid",
        )?;
        let versions = statement
            .query_map([SqlText(&[b"event-", id].concat())], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect::<Result<Vec<(i64, f64)>, _>>()?;
        // Of two versions of one moment the one met first counts.
        let mut kept: Vec<(i64, f64)> = Vec::new();
        for (rid, mtime) in versions {
            match kept.last_mut() {
                Some(last) if last.1.total_cmp(&mtime).is_eq() => {
                    if self.order.is_after(self.tx, last.0, rid)? {
                        last.0 = rid;
                    }
                }
                _ => kept.push((rid, mtime)),
            }
        }
        Ok(kept.into_iter().map(|(rid, _)| rid).collect())
    }

    pub(super) fn finish_technotes(&mut self) -> Result<(), RepoError> {
        for id in std::mem::take(&mut self.technotes) {
            let hex = id.hex();
            let mut shown: Vec<(i64, TechNote)> = Vec::new();
            for rid in self.technote_versions(hex.as_bytes())? {
                if let Some(Artifact::TechNote(note)) = self.tx.artifact(Rid(rid))? {
                    if let Some(prior) = note.parents.first()
                        && self.tx.rid_of(prior)?.is_some()
                    {
                        shown.clear();
                    }
                    shown.push((rid, note));
                }
            }
            self.show_technote(&id, &shown)?;
        }
        Ok(())
    }

    fn show_technote(&mut self, id: &ArtifactHash, shown: &[(i64, TechNote)]) -> Result<(), RepoError> {
        let tag = self.tagid(&tag_name(id))?;
        self.tx
            .db
            .prepare_cached("DELETE FROM event WHERE type = 'e' AND tagid = ?1")?
            .execute([tag])?;
        for (rid, note) in shown {
            self.tx
                .db
                .prepare_cached(
                    "REPLACE INTO event(type, mtime, objid, tagid, user, comment)
                     VALUES ('e', ?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((
                    note.event_date.julian(),
                    rid,
                    tag,
                    note.user.as_ref().map(|user| SqlText(user.as_bytes())),
                    note.comment.as_ref().map(|comment| SqlText(comment.as_bytes())),
                ))?;
            self.patched.insert(*rid);
        }
        Ok(())
    }
}

fn tag_name(id: &ArtifactHash) -> Vec<u8> {
    [b"event-", id.hex().as_bytes()].concat()
}
