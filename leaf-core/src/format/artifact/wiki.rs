//! Wiki pages.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.4.

use super::Text;
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
