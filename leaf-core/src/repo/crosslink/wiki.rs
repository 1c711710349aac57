//! Wiki pages: each version has a line in the timeline, the newest has the links.
//!
//! Source: Fossil `src/manifest.c`, `manifest_crosslink` for `CFTYPE_WIKI`; `src/backlink.c`.

use rusqlite::OptionalExtension;

use super::super::RepoError;
use super::backlink::{Markup, Source};
use super::{Linker, SqlText};
use crate::format::artifact::{Artifact, WikiPage};
use crate::id::Rid;

/// Text as upstream counts it: without leading space, up to a NUL.
pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    let text = text.split_at(end).0;
    let start = text
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t'..=b'\r'))
        .unwrap_or(text.len());
    text.split_at(start).1
}

impl Linker<'_> {
    pub(super) fn wiki_page(&mut self, rid: Rid, page: &WikiPage) -> Result<(), RepoError> {
        let date = page.date.julian();
        let title = page.title.as_bytes();
        let has_prior = self.link_version(rid, &page.parents, date)?;
        let length = trimmed(page.text.as_bytes()).len();
        self.tag_itself(rid, &[b"wiki-", title].concat(), Some(length), date)?;
        let mark: &[u8] = match (length, has_prior) {
            (0, _) => b"-",
            (_, false) => b"+",
            (_, true) => b":",
        };
        self.tx
            .db
            .prepare_cached(
                "REPLACE INTO event(type, mtime, objid, user, comment) VALUES ('w', ?1, ?2, ?3, ?4)",
            )?
            .execute((
                date,
                rid,
                SqlText(page.user.as_bytes()),
                SqlText(&[mark, title].concat()),
            ))?;
        self.patched.insert(rid.0);
        self.wiki.insert(title.to_vec());
        Ok(())
    }

    /// Enters the links of the newest versions of pages that changed.
    pub(super) fn finish_wiki(&mut self) -> Result<(), RepoError> {
        for title in std::mem::take(&mut self.wiki) {
            let Some(tag) = self.known_tagid(&[b"wiki-", title.as_slice()].concat())? else {
                continue;
            };
            let mut statement = self
                .tx
                .db
                .prepare_cached("SELECT rid FROM tagxref WHERE tagid = ?1 ORDER BY mtime DESC LIMIT 1")?;
            let newest: Option<Rid> = statement.query_row([tag], |row| row.get(0)).optional()?;
            let Some(newest) = newest else { continue };
            if let Some(Artifact::Wiki(page)) = self.tx.artifact(newest)? {
                let source = Source::Wiki(tag);
                self.clear_backlinks(source)?;
                let markup = Markup::of(page.mimetype.as_ref());
                self.backlinks(source, page.text.as_bytes(), markup, page.date.julian())?;
            }
        }
        Ok(())
    }
}
