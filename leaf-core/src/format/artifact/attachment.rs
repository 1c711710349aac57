//! Attachments: a file bound to a wiki page, a ticket or a technote.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.6.

use super::Text;
use super::draft::Draft;
use super::write::CardWriter;
use crate::id::ArtifactHash;
use crate::time::Timestamp;

/// A file attached to something, or the removal of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attachment {
    /// `A`: the name shown to people; only what follows the last `/` counts.
    pub filename: Text,
    /// `A`: the title of a wiki page, or the id of a ticket or technote.
    pub target: Text,
    /// `A`: the content; `None` removes the attachment.
    pub source: Option<ArtifactHash>,
    /// `C`.
    pub comment: Option<Text>,
    /// `D`.
    pub date: Timestamp,
    /// `N`.
    pub mimetype: Option<Text>,
    /// `U`.
    pub user: Option<Text>,
}

impl Attachment {
    pub(super) fn from_draft(draft: Draft<'_>) -> Option<Self> {
        let card = draft.attachment?;
        Some(Self {
            filename: Text::new(card.filename),
            target: Text::new(card.target),
            source: card.source,
            comment: draft.comment.map(Text::new),
            date: draft.date?,
            mimetype: draft.mimetype.map(Text::new),
            user: draft.user.map(Text::new),
        })
    }

    pub(super) fn write_cards(&self, cards: &mut CardWriter) {
        cards.begin(b'A').text(&self.filename).text(&self.target);
        if let Some(source) = &self.source {
            cards.hash(source);
        }
        cards.end();
        cards.optional_text(b'C', self.comment.as_ref());
        cards.date(self.date);
        cards.optional_text(b'N', self.mimetype.as_ref());
        cards.optional_text(b'U', self.user.as_ref());
    }
}
