//! Wiki pages.

use super::once;
use super::read::ms;
use crate::engine::{Leaf, Task};
use crate::failure::Failed;
use crate::protocol::{Changed, Title, WikiPage, WikiSummary, WikiWrite};
use leaf_core::repo::{NewWikiPage, Repo};

/// What pages are written in unless one says.
const MARKDOWN: &str = "text/x-markdown";
/// Fossil's own markup, which artifacts do not name.
const FOSSIL_WIKI: &str = "text/x-fossil-wiki";

/// All pages but deleted ones.
pub(super) fn list(repo: &Repo) -> Result<Vec<WikiSummary>, Failed> {
    let pages = repo.wiki_pages()?.into_iter().filter(|page| !page.is_deleted);
    pages
        .map(|page| {
            Ok(WikiSummary {
                title: page.title,
                hash: repo.hash_of(page.rid)?.to_string(),
                time: ms(page.time),
            })
        })
        .collect()
}

/// One page.
pub(super) fn read(repo: &Repo, args: &Title) -> Result<WikiPage, Failed> {
    let found = repo
        .wiki_page(&args.title)?
        .filter(|(_, page)| !page.text.as_bytes().is_empty());
    let (rid, page) = found.ok_or_else(|| Failed::not_found("wiki page", &args.title))?;
    Ok(WikiPage {
        title: args.title.clone(),
        hash: repo.hash_of(rid)?.to_string(),
        time: ms(page.date),
        user: page.user.to_string(),
        mimetype: page
            .mimetype
            .map_or_else(|| FOSSIL_WIKI.to_owned(), |mimetype| mimetype.to_string()),
        text: page.text.to_string(),
    })
}

/// Writes a page.
pub(super) fn write(leaf: &Leaf, args: &WikiWrite, task: &Task) -> Result<Changed, Failed> {
    let hash = once(leaf, task, |tx, author| {
        let new = NewWikiPage {
            title: &args.title,
            text: args.text.as_bytes(),
            mimetype: Some(args.mimetype.as_deref().unwrap_or(MARKDOWN)),
        };
        Ok(tx.wiki_put(&new, author)?.1)
    })?;
    Ok(Changed {
        hash: hash.to_string(),
    })
}
