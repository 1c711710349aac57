//! Links from texts to artifacts, for the lists of what refers to an artifact.
//!
//! Source: Fossil `src/backlink.c`.

use super::super::RepoError;
use super::{Linker, links, markdown};
use crate::format::artifact::Text;

/// The text that has the links, as `backlink.srctype` and `backlink.srcid` say it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// The comment of the check-in in this row.
    Comment(i64),
    /// The ticket change in this row.
    Ticket(i64),
    /// The page with this tag.
    Wiki(i64),
    /// The post in this row.
    Forum(i64),
}

impl Source {
    fn columns(self) -> (i64, i64) {
        match self {
            Self::Comment(rid) => (0, rid),
            Self::Ticket(rid) => (1, rid),
            Self::Wiki(tag) => (2, tag),
            Self::Forum(rid) => (4, rid),
        }
    }
}

/// How a text is marked up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Markup {
    /// Fossil's own.
    Wiki,
    /// Markdown.
    Markdown,
    /// None that has links.
    Other,
}

impl Markup {
    /// By its mimetype.
    pub(super) fn of(mimetype: Option<&Text>) -> Self {
        mimetype.map_or(Self::Wiki, |name| Self::named(name.as_bytes()))
    }

    /// By the name of a mimetype.
    pub(super) fn named(name: &[u8]) -> Self {
        let has = |word: &[u8]| name.windows(word.len()).any(|part| part == word);
        match () {
            () if has(b"wiki") => Self::Wiki,
            () if has(b"markdown") => Self::Markdown,
            () => Self::Other,
        }
    }
}

impl Linker<'_> {
    /// Forgets the links of a text.
    pub(super) fn clear_backlinks(&self, source: Source) -> Result<(), RepoError> {
        self.tx
            .db
            .prepare_cached("DELETE FROM backlink WHERE srctype = ?1 AND srcid = ?2")?
            .execute(source.columns())?;
        Ok(())
    }

    /// Enters the links of a text.
    pub(super) fn backlinks(
        &self,
        source: Source,
        text: &[u8],
        markup: Markup,
        mtime: f64,
    ) -> Result<(), RepoError> {
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        let text = text.split_at(end).0;
        let targets: Vec<Vec<u8>> = match markup {
            Markup::Wiki if !text.contains(&b'[') => return Ok(()),
            Markup::Wiki => {
                let only_html = self.tx.config("wiki-use-html")?.is_some_and(|value| value == "1");
                links::targets(text, only_html)
                    .into_iter()
                    .map(<[u8]>::to_vec)
                    .collect()
            }
            Markup::Markdown => markdown::targets(text),
            Markup::Other => return Ok(()),
        };
        let (kind, id) = source.columns();
        for target in targets.iter().filter_map(|target| artifact_prefix(target)) {
            self.tx
                .db
                .prepare_cached(
                    "REPLACE INTO backlink(target, srctype, srcid, mtime) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((target, kind, id, mtime))?;
        }
        Ok(())
    }
}

/// The start of a hash that a link target is, in lower case.
fn artifact_prefix(target: &[u8]) -> Option<String> {
    if target.len() < 4 {
        return None;
    }
    let target = match target.strip_prefix(b"/info/") {
        Some(rest) if target.len() >= 10 => rest,
        _ => target,
    };
    let is_hex = target.len() <= 64 && target.iter().all(u8::is_ascii_hexdigit);
    is_hex.then(|| {
        target
            .iter()
            .map(|digit| char::from(digit.to_ascii_lowercase()))
            .collect()
    })
}
