//! Tags, and control artifacts, which carry nothing else.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.3.

use super::Text;
use super::draft::Draft;
use super::write::CardWriter;
use crate::id::ArtifactHash;
use crate::time::Timestamp;

/// Tags on other artifacts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ControlArtifact {
    /// `D`.
    pub date: Timestamp,
    /// `T`. Shape: sorted by kind and name, then target; at least one, none on itself.
    pub tags: Vec<Tag>,
    /// `U`.
    pub user: Option<Text>,
}

/// A `T` card: adds or cancels a tag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tag {
    /// What is done.
    pub kind: TagKind,
    /// Which tag. Shape: not empty, not all hexadecimal digits.
    pub name: Text,
    /// On what.
    pub target: TagTarget,
    /// A value makes it a property.
    pub value: Option<Text>,
}

/// What a `T` card does.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TagKind {
    /// `*`: adds the tag to the target and its descendants.
    Propagate,
    /// `+`: adds the tag to the target alone.
    Add,
    /// `-`: takes the tag away, or stops its propagation.
    Cancel,
}

/// What a `T` card applies to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TagTarget {
    /// `*`: the artifact that holds the card.
    SelfArtifact,
    /// Another artifact.
    Hash(ArtifactHash),
}

impl ControlArtifact {
    pub(super) fn from_draft(draft: Draft<'_>) -> Option<Self> {
        Some(Self {
            date: draft.date?,
            tags: draft.tags,
            user: draft.user.map(Text::new),
        })
    }

    pub(super) fn write_cards(&self, cards: &mut CardWriter) {
        cards.date(self.date);
        cards.tags(&self.tags);
        cards.optional_text(b'U', self.user.as_ref());
    }
}

impl Tag {
    /// What `T` cards are sorted by. No two in one artifact are equal.
    pub fn sort_key(&self) -> (TagKind, &Text, TagTarget) {
        (self.kind, &self.name, self.target)
    }
}
