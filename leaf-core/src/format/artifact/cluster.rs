//! Clusters: one artifact that stands for many when two repositories compare what they hold.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.2.

use super::draft::Draft;
use super::write::CardWriter;
use crate::id::ArtifactHash;

/// A list of artifacts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cluster {
    /// `M`. Shape: strictly ascending by hex text, at least one.
    pub members: Vec<ArtifactHash>,
}

impl Cluster {
    pub(super) fn from_draft(draft: Draft<'_>) -> Self {
        Self {
            members: draft.members,
        }
    }

    pub(super) fn write_cards(&self, cards: &mut CardWriter) {
        for member in &self.members {
            cards.begin(b'M').hash(member).end();
        }
    }
}
