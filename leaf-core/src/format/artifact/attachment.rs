//! Attachments: a file bound to a wiki page, a ticket or a technote.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.6.

use super::Text;
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
