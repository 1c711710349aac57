//! Wiki pages.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.4.

use super::Text;
use super::draft::Draft;
use super::write::CardWriter;
use crate::id::ArtifactHash;
use crate::time::Timestamp;

/// One version of a wiki page. An empty text deletes the page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WikiPage {
    /// `C`.
    pub comment: Option<Text>,
    /// `D`.
    pub date: Timestamp,
    /// `L`. Shape: see [`is_wiki_title`](super::is_wiki_title).
    pub title: Text,
    /// `N`; `None` is Fossil's own wiki markup.
    pub mimetype: Option<Text>,
    /// `P`: the versions this one replaces.
    pub parents: Vec<ArtifactHash>,
    /// `U`.
    pub user: Text,
    /// `W`.
    pub text: Text,
}

impl WikiPage {
    pub(super) fn from_draft(draft: Draft<'_>) -> Option<Self> {
        Some(Self {
            comment: draft.comment.map(Text::new),
            date: draft.date?,
            title: Text::new(draft.wiki_title?),
            mimetype: draft.mimetype.map(Text::new),
            parents: draft.parents,
            user: Text::new(draft.user?),
            text: Text::from(draft.text?),
        })
    }

    pub(super) fn write_cards(&self, cards: &mut CardWriter) {
        cards.optional_text(b'C', self.comment.as_ref());
        cards.date(self.date);
        cards.begin(b'L').text(&self.title).end();
        cards.optional_text(b'N', self.mimetype.as_ref());
        cards.parents(&self.parents);
        cards.begin(b'U').text(&self.user).end();
        cards.block(&self.text);
    }
}
