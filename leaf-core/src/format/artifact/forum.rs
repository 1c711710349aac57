//! Forum posts.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.8.

use super::Text;
use super::draft::Draft;
use super::write::CardWriter;
use crate::id::ArtifactHash;
use crate::time::Timestamp;

/// One version of a forum post. Title and reply exclude each other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForumPost {
    /// `D`.
    pub date: Timestamp,
    /// `G`: the first post of the thread; `None` for that one itself.
    pub thread_root: Option<ArtifactHash>,
    /// `H`: the title of the thread.
    pub title: Option<Text>,
    /// `I`: the post answered.
    pub in_reply_to: Option<ArtifactHash>,
    /// `N`.
    pub mimetype: Option<Text>,
    /// `P`: the version this one replaces.
    pub parent: Option<ArtifactHash>,
    /// `U`.
    pub user: Text,
    /// `W`.
    pub text: Text,
}

impl ForumPost {
    pub(super) fn from_draft(draft: Draft<'_>) -> Option<Self> {
        Some(Self {
            date: draft.date?,
            thread_root: draft.thread_root,
            title: draft.thread_title.map(Text::new),
            in_reply_to: draft.in_reply_to,
            mimetype: draft.mimetype.map(Text::new),
            parent: draft.parents.first().copied(),
            user: Text::new(draft.user?),
            text: Text::from(draft.text?),
        })
    }

    pub(super) fn write_cards(&self, cards: &mut CardWriter) {
        cards.date(self.date);
        cards.optional_hash(b'G', self.thread_root.as_ref());
        cards.optional_text(b'H', self.title.as_ref());
        cards.optional_hash(b'I', self.in_reply_to.as_ref());
        cards.optional_text(b'N', self.mimetype.as_ref());
        cards.optional_hash(b'P', self.parent.as_ref());
        cards.begin(b'U').text(&self.user).end();
        cards.block(&self.text);
    }
}
