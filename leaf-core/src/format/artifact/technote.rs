//! Technical notes.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.7.

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
