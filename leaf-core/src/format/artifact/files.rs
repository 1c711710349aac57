//! Check-ins without copies: a manifest that borrows from its text, line by line.
//!
//! Two successive check-ins share nearly all of their `F` cards. Equal cards are equal bytes, so a comparison
//! looks inside a card only where the two lists differ.
//!
//! Source: Fossil `src/manifest.c` `manifest_file_next()`, `manifest_file_seek()`, `add_mlink()`.

use super::draft::{self, Draft};
use super::kind::Kind;
use super::{
    Artifact, Attachment, BadArtifact, Cherrypick, Cluster, ControlArtifact, FileCard, FilePerm, ForumPost,
    Manifest, Tag, TechNote, Text, TicketChange, WikiPage, lexer,
};
use crate::id::ArtifactHash;
use crate::limits::Limits;
use crate::time::Timestamp;
use core::cmp::Ordering;
use std::borrow::Cow;

/// A structural artifact with check-ins left in place.
#[derive(Clone, Debug)]
pub enum ArtifactView<'a> {
    /// A check-in, borrowed.
    Manifest(ManifestView<'a>),
    /// Any other kind, owned: none of them is large or frequent.
    Other(Artifact),
}

impl<'a> ArtifactView<'a> {
    /// Like [`Artifact::parse`], with the same verdict on every input.
    ///
    /// # Errors
    ///
    /// As [`Artifact::parse`].
    pub fn parse(content: &'a [u8]) -> Result<Self, BadArtifact> {
        Self::parse_within(content, &Limits::default())
    }

    /// Like [`parse`](Self::parse), held against `limits` for names and number of files.
    ///
    /// Other cards have no bound of their own: what is kept of them is never larger than the artifact.
    ///
    /// # Errors
    ///
    /// As [`Artifact::parse`].
    pub fn parse_within(content: &'a [u8], limits: &Limits) -> Result<Self, BadArtifact> {
        Self::parse_checked(content, None, limits)
    }

    /// Like [`parse_within`](Self::parse_within), without another look at a checksum whose verdict is known.
    ///
    /// # Errors
    ///
    /// As [`Artifact::parse`].
    pub fn parse_checked(
        content: &'a [u8],
        z_right: Option<bool>,
        limits: &Limits,
    ) -> Result<Self, BadArtifact> {
        let draft = draft::read(content, z_right, limits)?;
        let kind = Kind::of(&draft)?;
        let view = match kind {
            Kind::Manifest => ManifestView::from_draft(draft).map(Self::Manifest),
            Kind::Cluster => Some(Self::Other(Artifact::Cluster(Cluster::from_draft(draft)))),
            Kind::Control => ControlArtifact::from_draft(draft)
                .map(Artifact::Control)
                .map(Self::Other),
            Kind::Wiki => WikiPage::from_draft(draft).map(Artifact::Wiki).map(Self::Other),
            Kind::Ticket => TicketChange::from_draft(draft)
                .map(Artifact::Ticket)
                .map(Self::Other),
            Kind::Attachment => Attachment::from_draft(draft)
                .map(Artifact::Attachment)
                .map(Self::Other),
            Kind::TechNote => TechNote::from_draft(draft)
                .map(Artifact::TechNote)
                .map(Self::Other),
            Kind::Forum => ForumPost::from_draft(draft).map(Artifact::Forum).map(Self::Other),
        };
        Ok(view.expect("the cards that a kind requires were found"))
    }
}

/// A check-in that borrows from its text. Fields as those of [`Manifest`].
#[derive(Clone, Debug)]
pub struct ManifestView<'a> {
    /// `B`.
    pub baseline: Option<ArtifactHash>,
    /// `C`, unescaped.
    pub comment: Option<Cow<'a, [u8]>>,
    /// `D`.
    pub date: Timestamp,
    /// `F`; of a delta manifest its own cards alone. Strictly ascending by name.
    pub files: Vec<FileLine<'a>>,
    /// `N`, unescaped.
    pub mimetype: Option<Cow<'a, [u8]>>,
    /// `P`.
    pub parents: Vec<ArtifactHash>,
    /// `Q`.
    pub cherrypicks: Vec<Cherrypick>,
    /// `R`: 32 hex digits.
    pub files_md5: Option<&'a [u8]>,
    /// `T`.
    pub tags: Vec<Tag>,
    /// `U`, unescaped.
    pub user: Option<Cow<'a, [u8]>>,
}

impl<'a> ManifestView<'a> {
    /// Reads a check-in.
    ///
    /// # Errors
    ///
    /// As [`Artifact::parse`]; [`BadArtifact::NotManifest`] when it is a good artifact of another kind.
    pub fn parse(content: &'a [u8]) -> Result<Self, BadArtifact> {
        match ArtifactView::parse(content)? {
            ArtifactView::Manifest(view) => Ok(view),
            ArtifactView::Other(_) => Err(BadArtifact::NotManifest),
        }
    }

    /// A copy that owns its parts.
    pub fn to_manifest(&self) -> Manifest {
        let text = |text: &Cow<'_, [u8]>| Text::from(&**text);
        Manifest {
            baseline: self.baseline,
            comment: self.comment.as_ref().map(text),
            date: self.date,
            files: self.files.iter().map(|line| line.to_card()).collect(),
            mimetype: self.mimetype.as_ref().map(text),
            parents: self.parents.clone(),
            cherrypicks: self.cherrypicks.clone(),
            files_md5: self.files_md5.map(Text::from),
            tags: self.tags.clone(),
            user: self.user.as_ref().map(text),
        }
    }

    fn from_draft(draft: Draft<'a>) -> Option<Self> {
        Some(Self {
            baseline: draft.baseline,
            comment: draft.comment,
            date: draft.date?,
            files: draft.files,
            mimetype: draft.mimetype,
            parents: draft.parents,
            cherrypicks: draft.cherrypicks,
            files_md5: draft.files_md5,
            tags: draft.tags,
            user: draft.user,
        })
    }
}

/// The arguments of an `F` card, as they stand in the manifest. Always well formed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileLine<'a> {
    line: &'a [u8],
    name_bytes: usize,
}

impl<'a> FileLine<'a> {
    /// Of a line that was found good, whose first argument is `name_bytes` long.
    pub(crate) fn new(line: &'a [u8], name_bytes: usize) -> Self {
        Self { line, name_bytes }
    }

    /// The bytes between `F ` and the newline.
    pub fn as_bytes(self) -> &'a [u8] {
        self.line
    }

    /// The name as it is written.
    pub fn name_escaped(self) -> &'a [u8] {
        self.line.get(..self.name_bytes).unwrap_or(self.line)
    }

    /// The name, unescaped.
    pub fn name(self) -> Cow<'a, [u8]> {
        lexer::unescape(self.name_escaped())
    }

    /// The content; `None` where a delta manifest takes the file away.
    pub fn hash(self) -> Option<ArtifactHash> {
        lexer::hash_argument(self.hash_hex())
    }

    /// The same as hex text.
    pub fn hash_hex(self) -> Option<&'a [u8]> {
        self.arguments().next()
    }

    /// How the file is checked out.
    pub fn perm(self) -> FilePerm {
        match self.arguments().nth(1) {
            Some(perm) if perm.contains(&b'x') => FilePerm::Executable,
            Some(perm) if perm.contains(&b'l') => FilePerm::Symlink,
            Some(b"w") => FilePerm::Placeholder,
            _ => FilePerm::Regular,
        }
    }

    /// The name in the parent, if it changed; unescaped.
    pub fn old_name(self) -> Option<Cow<'a, [u8]>> {
        self.arguments().nth(2).map(lexer::unescape)
    }

    /// A copy that owns its parts.
    pub fn to_card(self) -> FileCard {
        FileCard {
            name: Text::new(self.name()),
            hash: self.hash(),
            perm: self.perm(),
            old_name: self.old_name().map(Text::new),
        }
    }

    /// What follows the name.
    fn arguments(self) -> impl Iterator<Item = &'a [u8]> {
        let rest = self.line.get(self.name_bytes + 1..);
        rest.into_iter()
            .flat_map(|rest| rest.split(|byte| matches!(byte, b' ' | 0)))
    }

    /// The order of two names, which is that of their unescaped bytes.
    pub(crate) fn cmp_name(self, other: Self) -> Ordering {
        let (a, b) = (self.name_escaped(), other.name_escaped());
        if a.contains(&b'\\') || b.contains(&b'\\') {
            self.name().cmp(&other.name())
        } else {
            a.cmp(b)
        }
    }
}

/// The full list of a delta manifest: its baseline's files with its own put over them.
pub fn merge_baseline<'a>(baseline: &[FileLine<'a>], delta: &[FileLine<'a>]) -> Vec<FileLine<'a>> {
    let mut files = Vec::with_capacity(baseline.len() + delta.len());
    let mut rest = baseline;
    for own in delta {
        let before = rest.partition_point(|line| line.cmp_name(*own) == Ordering::Less);
        let (kept, after) = rest.split_at(before);
        files.extend_from_slice(kept);
        rest = match after {
            [same, after @ ..] if same.cmp_name(*own) == Ordering::Equal => after,
            after => after,
        };
        if own.hash_hex().is_some() {
            files.push(*own);
        }
    }
    files.extend_from_slice(rest);
    files
}

/// The card of `name` (unescaped) in a file list.
pub fn find_file<'a>(files: &[FileLine<'a>], name: &[u8]) -> Option<FileLine<'a>> {
    let at = files.binary_search_by(|line| (*line.name()).cmp(name)).ok()?;
    files.get(at).copied()
}
