//! Forum posts.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.8.

use super::Text;
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
