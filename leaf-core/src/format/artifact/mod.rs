//! Structural artifacts: the eight kinds of text that mean something to Fossil, read and written.
//!
//! An artifact is structural when its bytes obey the grammar to the last space and its `Z` card is the MD5 of
//! the rest; everything else is an ordinary file. There is no other mark, hence [`Artifact::parse`] accepts
//! exactly what Fossil accepts: one artifact read differently is a history that differs.
//!
//! Source: Fossil `www/fileformat.wiki` section 2; `src/manifest.c` `manifest_parse()`.

mod attachment;
mod cluster;
mod control;
mod files;
mod forum;
mod manifest;
mod technote;
mod text;
mod ticket;
mod wiki;

pub use attachment::Attachment;
pub use cluster::Cluster;
pub use control::{ControlArtifact, Tag, TagKind, TagTarget};
pub use files::{ArtifactView, FileDiff, FileLine, ManifestView, diff_files, find_file, merge_baseline};
pub use forum::ForumPost;
pub use manifest::{Cherrypick, FileCard, FilePerm, Manifest};
pub use technote::TechNote;
pub use text::Text;
pub use ticket::{TicketChange, TicketField};
pub use wiki::WikiPage;

/// A structural artifact.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Artifact {
    /// A check-in.
    Manifest(Manifest),
    /// A list of other artifacts, for sync.
    Cluster(Cluster),
    /// Tags on other artifacts.
    Control(ControlArtifact),
    /// One version of a wiki page.
    Wiki(WikiPage),
    /// A change of a ticket.
    Ticket(TicketChange),
    /// A file attached to a wiki page, a ticket or a technote.
    Attachment(Attachment),
    /// One version of a technical note.
    TechNote(TechNote),
    /// One version of a forum post.
    Forum(ForumPost),
}

impl Artifact {
    /// Reads a structural artifact, in or out of a clear-signed wrapper.
    ///
    /// An ordinary file is turned away by its first and last bytes, without a scan.
    ///
    /// # Errors
    ///
    /// [`BadArtifact`]: what Fossil's grammar does not allow, and where.
    pub fn parse(content: &[u8]) -> Result<Self, BadArtifact> {
        let _ = content;
        todo!()
    }

    /// The bytes, with the `Z` card.
    pub fn write(&self) -> Vec<u8> {
        todo!()
    }
}

/// Why some bytes are not a structural artifact.
///
/// Units: `offset` counts bytes from the start of the content, inside its clear-signed wrapper if it has one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadArtifact {
    /// Neither the first bytes nor the last are those of an artifact: an ordinary file.
    #[error("not a structural artifact")]
    NotStructural,
    /// A good artifact, but not a check-in.
    #[error("not a check-in")]
    NotManifest,
}

/// Whether Fossil allows `title` as the name of a wiki page.
///
/// Shape: 1 to 100 bytes; none below 0x20; no space first, last or next to another.
///
/// Source: Fossil `src/wiki.c` `wiki_name_is_wellformed()`.
pub fn is_wiki_title(title: &[u8]) -> bool {
    let _ = title;
    todo!()
}
