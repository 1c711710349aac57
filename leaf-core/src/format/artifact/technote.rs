//! Technical notes.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.7.

use super::draft::Draft;
use super::write::CardWriter;
use super::{Tag, Text};
use crate::id::ArtifactHash;
use crate::time::Timestamp;

/// One version of a technical note.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TechNote {
    /// `C`: the line shown in the timeline.
    pub comment: Option<Text>,
    /// `D`: when it was written.
    pub date: Timestamp,
    /// `E`: when it is to appear in the timeline.
    pub event_date: Timestamp,
    /// `E`: which technote. Random in practice; shaped like an artifact hash.
    pub id: ArtifactHash,
    /// `N`.
    pub mimetype: Option<Text>,
    /// `P`: the versions this one replaces.
    pub parents: Vec<ArtifactHash>,
    /// `T`: all of kind [`Add`](super::TagKind::Add), on itself.
    pub tags: Vec<Tag>,
    /// `U`.
    pub user: Option<Text>,
    /// `W`.
    pub text: Text,
}

impl TechNote {
    pub(super) fn from_draft(draft: Draft<'_>) -> Option<Self> {
        let (event_date, id) = draft.event?;
        Some(Self {
            comment: draft.comment.map(Text::new),
            date: draft.date?,
            event_date,
            id,
            mimetype: draft.mimetype.map(Text::new),
            parents: draft.parents,
            tags: draft.tags,
            user: draft.user.map(Text::new),
            text: Text::from(draft.text?),
        })
    }

    pub(super) fn write_cards(&self, cards: &mut CardWriter) {
        cards.optional_text(b'C', self.comment.as_ref());
        cards.date(self.date);
        cards
            .begin(b'E')
            .plain(event_date_text(self.event_date).as_bytes())
            .hash(&self.id)
            .end();
        cards.optional_text(b'N', self.mimetype.as_ref());
        cards.parents(&self.parents);
        cards.tags(&self.tags);
        cards.optional_text(b'U', self.user.as_ref());
        cards.block(&self.text);
    }
}

/// Upstream writes whole seconds here; milliseconds are kept where there are any.
fn event_date_text(date: Timestamp) -> String {
    if date.0.rem_euclid(1000) == 0 {
        date.iso()
    } else {
        date.iso_ms()
    }
}
