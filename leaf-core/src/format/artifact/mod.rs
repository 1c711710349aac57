//! Structural artifacts: the eight kinds of text that mean something to Fossil, read and written.
//!
//! An artifact is structural when its bytes obey the grammar to the last space and its `Z` card is the MD5 of
//! the rest; everything else is an ordinary file. There is no other mark, hence [`Artifact::parse`] accepts
//! exactly what Fossil accepts: one artifact read differently is a history that differs.
//!
//! Three inputs that stock takes are turned away here: hashes in capitals, the date `now`, and a checksum left
//! unchecked because a NUL line follows it. None was ever written by a tool, and each would be unsound.
//!
//! Source: Fossil `www/fileformat.wiki` section 2; `src/manifest.c` `manifest_parse()`.

mod attachment;
mod cluster;
mod control;
mod date;
mod draft;
mod files;
mod forum;
mod kind;
mod lexer;
mod manifest;
mod technote;
mod text;
mod ticket;
mod wiki;
mod write;

pub use attachment::Attachment;
pub use cluster::Cluster;
pub use control::{ControlArtifact, Tag, TagKind, TagTarget};
pub use files::{ArtifactView, FileLine, ManifestView, find_file, merge_baseline};
pub use forum::ForumPost;
pub use lexer::ZCard;
pub use manifest::{Cherrypick, FileCard, FilePerm, FilesMd5, Manifest};
pub use technote::TechNote;
pub use text::Text;
pub use ticket::{TicketChange, TicketField};
pub use wiki::WikiPage;

use write::CardWriter;

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
    /// Reads a structural artifact, in or out of a clear-signed wrapper, within the default [`Limits`](crate::limits::Limits).
    ///
    /// An ordinary file is turned away by its first and last bytes, without a scan.
    ///
    /// # Errors
    ///
    /// [`BadArtifact`]: what Fossil's grammar does not allow, and where.
    pub fn parse(content: &[u8]) -> Result<Self, BadArtifact> {
        match ArtifactView::parse(content)? {
            ArtifactView::Manifest(view) => Ok(Self::Manifest(view.to_manifest())),
            ArtifactView::Other(artifact) => Ok(artifact),
        }
    }

    /// The bytes, with the `Z` card.
    ///
    /// Cards are written as given: where a shape of the parts is not kept, the result is not structural.
    pub fn write(&self) -> Vec<u8> {
        let mut cards = CardWriter::default();
        match self {
            Self::Manifest(manifest) => manifest.write_cards(&mut cards),
            Self::Cluster(cluster) => cluster.write_cards(&mut cards),
            Self::Control(control) => control.write_cards(&mut cards),
            Self::Wiki(page) => page.write_cards(&mut cards),
            Self::Ticket(change) => change.write_cards(&mut cards),
            Self::Attachment(attachment) => attachment.write_cards(&mut cards),
            Self::TechNote(note) => note.write_cards(&mut cards),
            Self::Forum(post) => post.write_cards(&mut cards),
        }
        cards.finish()
    }
}

/// Why some bytes are not a structural artifact.
///
/// Units: `offset` counts bytes from the start of the content, inside its clear-signed wrapper if it has one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadArtifact {
    /// A card stands after one with a later letter.
    #[error("the {card} card at byte {offset} is out of order")]
    CardOrder {
        /// Its letter.
        card: char,
        /// Where it begins.
        offset: usize,
    },
    /// A card has more arguments than its letter takes.
    #[error("the card has an argument too many at byte {offset}")]
    ExtraArgument {
        /// Where that argument begins.
        offset: usize,
    },
    /// A card lacks an argument, or has one that its letter does not allow.
    #[error("the {card} card at byte {offset} is malformed")]
    Malformed {
        /// Its letter.
        card: char,
        /// Where it begins.
        offset: usize,
    },
    /// A card that this kind of artifact must have is missing.
    #[error("the {card} card is missing")]
    Missing {
        /// Its letter.
        card: char,
    },
    /// The name of a file is longer than [`Limits::name_bytes_max`](crate::limits::Limits::name_bytes_max).
    #[error("the name at byte {offset} is too long")]
    NameTooLong {
        /// Where its card begins.
        offset: usize,
    },
    /// A line does not begin like a card.
    #[error("no card begins at byte {offset}")]
    NotACard {
        /// Where the line begins.
        offset: usize,
    },
    /// A card that this kind of artifact may not have.
    #[error("the {card} card has no place in this kind of artifact")]
    NotAllowed {
        /// Its letter.
        card: char,
    },
    /// A good artifact, but not a check-in.
    #[error("not a check-in")]
    NotManifest,
    /// Neither the first bytes nor the last are those of an artifact: an ordinary file.
    #[error("not a structural artifact")]
    NotStructural,
    /// A card occurs twice that may occur once.
    #[error("the {card} card at byte {offset} is the second")]
    Repeated {
        /// Its letter.
        card: char,
        /// Where it begins.
        offset: usize,
    },
    /// A control artifact has a tag on itself, or a technote has one that is not.
    #[error("a tag has a target or kind that this kind of artifact does not allow")]
    TagMisplaced,
    /// More `F` cards than [`Limits::manifest_files_max`](crate::limits::Limits::manifest_files_max).
    #[error("more than {max} files")]
    TooManyFiles {
        /// The limit.
        max: usize,
    },
    /// A forum post has more than one parent.
    #[error("a forum post has more than one parent")]
    TooManyParents,
    /// A card does not sort after the one before it.
    #[error("the {card} card at byte {offset} does not sort after the one before it")]
    Unsorted {
        /// Its letter.
        card: char,
        /// Where it begins.
        offset: usize,
    },
    /// The `Z` card is not the MD5 of what stands before it.
    #[error("the checksum at byte {offset} is wrong")]
    WrongChecksum {
        /// Where the `Z` card begins.
        offset: usize,
    },
}

/// Whether Fossil allows `title` as the name of a wiki page.
///
/// Shape: 1 to 100 bytes; none below 0x20; no space first, last or next to another.
///
/// Source: Fossil `src/wiki.c` `wiki_name_is_wellformed()`.
pub fn is_wiki_title(title: &[u8]) -> bool {
    let first = title.first().is_some_and(|&byte| byte > b' ');
    let doubled = title.windows(2).any(|pair| pair == b"  ");
    let printable = title.iter().all(|&byte| byte >= b' ');
    first && printable && !doubled && title.last() != Some(&b' ') && title.len() <= 100
}
