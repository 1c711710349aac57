//! Attachments: which one is the latest of its name, and the lines of the timeline about them.
//!
//! An attachment names what it hangs on by title or id alone; whether that is a wiki page, a ticket or a
//! technote shows in the tags that those leave.
//!
//! Source: Fossil `src/manifest.c`, `manifest_crosslink` for `CFTYPE_ATTACHMENT`.

use super::super::RepoError;
use super::phrase::{HashDigits, html};
use super::{Linker, SqlText, bytes};
use crate::format::artifact::Attachment;
use crate::id::{ArtifactHash, Rid};

/// What an attachment hangs on.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Target {
    Wiki,
    Ticket,
    TechNote,
}

/// A row of `attachment`.
struct Row {
    rid: i64,
    mtime: f64,
    content: Option<Vec<u8>>,
    filename: Vec<u8>,
    user: Option<Vec<u8>>,
}

impl Linker<'_> {
    pub(super) fn attachment(&mut self, rid: Rid, attachment: &Attachment) -> Result<(), RepoError> {
        let content = attachment.source.map(|source| source.hex());
        let comment = attachment
            .comment
            .as_ref()
            .map_or(b"".as_slice(), |text| text.as_bytes());
        self.tx
            .db
            .prepare_cached(
                "REPLACE INTO attachment(attachid, mtime, src, target, filename, comment, user)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                rid,
                attachment.date.julian(),
                content.as_ref().map(crate::id::HexHash::as_str),
                SqlText(attachment.target.as_bytes()),
                SqlText(attachment.filename.as_bytes()),
                SqlText(comment),
                attachment.user.as_ref().map(|user| SqlText(user.as_bytes())),
            ))?;
        self.attachments.insert(attachment.target.as_bytes().to_vec());
        Ok(())
    }

    pub(super) fn finish_attachments(&mut self) -> Result<(), RepoError> {
        let digits = HashDigits::of(self.tx)?;
        for target in std::mem::take(&mut self.attachments) {
            self.tx
                .db
                .prepare_cached(
                    "UPDATE attachment SET isLatest = (mtime == (SELECT max(mtime) FROM attachment AS a
                       WHERE a.target = attachment.target AND a.filename = attachment.filename))
                      WHERE target = ?1",
                )?
                .execute([SqlText(&target)])?;
            let rows = self.attachments_of(&target)?;
            if rows.is_empty() {
                continue;
            }
            let kind = self.target_kind(&target)?;
            let versions = match kind {
                Target::TechNote => self.technote_versions(&target)?,
                _ => Vec::new(),
            };
            for row in rows {
                let mut late = true;
                for version in &versions {
                    late &= self.order.is_after(self.tx, row.rid, *version)?;
                }
                self.enter_attachment_event(&row, &target, kind, late, digits)?;
            }
        }
        Ok(())
    }

    fn attachments_of(&self, target: &[u8]) -> Result<Vec<Row>, RepoError> {
        let mut statement = self.tx.db.prepare_cached(
            "SELECT attachid, mtime, src, filename, user FROM attachment WHERE target = ?1 ORDER BY attachid",
        )?;
        let rows = statement.query_map([SqlText(target)], |row| {
            Ok(Row {
                rid: row.get(0)?,
                mtime: row.get(1)?,
                content: bytes(row, 2)?.filter(|content| !content.is_empty()),
                filename: bytes(row, 3)?.unwrap_or_default(),
                user: bytes(row, 4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn target_kind(&self, target: &[u8]) -> Result<Target, RepoError> {
        if ArtifactHash::parse(target).is_err() {
            return Ok(Target::Wiki);
        }
        if self.known_tagid(&[b"tkt-", target].concat())?.is_some() {
            return Ok(Target::Ticket);
        }
        Ok(match self.known_tagid(&[b"event-", target].concat())? {
            Some(_) => Target::TechNote,
            None => Target::Wiki,
        })
    }

    /// `late`: whether stock would meet the attachment after every version of what it hangs on, which shows
    /// in the words about a technote.
    fn enter_attachment_event(
        &mut self,
        row: &Row,
        target: &[u8],
        kind: Target,
        late: bool,
        digits: HashDigits,
    ) -> Result<(), RepoError> {
        let name = html(&row.filename);
        let place: Vec<u8> = match kind {
            Target::Wiki => [b"wiki page [".as_slice(), &html(target), b"]"].concat(),
            Target::Ticket => [b"ticket [".as_slice(), &digits.link(target), b"]"].concat(),
            Target::TechNote => [b"tech note [/technote/".as_slice(), &digits.link(target), b"]"].concat(),
        };
        let comment = match &row.content {
            Some(content) => [
                b"Add attachment [/artifact/",
                digits.linked(content),
                b"|",
                &name,
                b"] to ",
                &place,
            ]
            .concat(),
            None if kind == Target::TechNote && late => [
                b"Delete attachment \"/artifact/",
                digits.linked(&row.filename),
                b"|",
                &name,
                b"\" from ",
                &place,
            ]
            .concat(),
            None => [b"Delete attachment \"", name.as_slice(), b"\" from ", &place].concat(),
        };
        let letter = match kind {
            Target::Wiki => "w",
            Target::Ticket => "t",
            Target::TechNote => "e",
        };
        self.tx
            .db
            .prepare_cached(
                "REPLACE INTO event(type, mtime, objid, user, comment) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                letter,
                row.mtime,
                row.rid,
                row.user.as_deref().map(SqlText),
                SqlText(&comment),
            ))?;
        self.patched.insert(row.rid);
        Ok(())
    }
}
