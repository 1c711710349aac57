//! Check-ins without copies: a manifest that borrows from its text, and comparison of file lists line by line.
//!
//! Two successive check-ins share nearly all of their `F` cards. Equal cards are equal bytes, so a comparison
//! looks inside a card only where the two lists differ.
//!
//! Source: Fossil `src/manifest.c` `manifest_file_next()`, `manifest_file_seek()`, `add_mlink()`.

use super::{Artifact, BadArtifact, Cherrypick, FilePerm, Manifest, Tag};
use crate::id::ArtifactHash;
use crate::time::Timestamp;
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
        let _ = content;
        todo!()
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
        todo!()
    }
}

/// The arguments of an `F` card, as they stand in the manifest. Always well formed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileLine<'a>(&'a [u8]);

impl<'a> FileLine<'a> {
    /// The bytes between `F ` and the newline.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The name, unescaped.
    pub fn name(self) -> Cow<'a, [u8]> {
        todo!()
    }

    /// The name as it is written.
    pub fn name_escaped(self) -> &'a [u8] {
        todo!()
    }

    /// The content; `None` where a delta manifest takes the file away.
    pub fn hash(self) -> Option<ArtifactHash> {
        todo!()
    }

    /// The same as hex text.
    pub fn hash_hex(self) -> Option<&'a [u8]> {
        todo!()
    }

    /// How the file is checked out.
    pub fn perm(self) -> FilePerm {
        todo!()
    }

    /// The name in the parent, if it changed; unescaped.
    pub fn old_name(self) -> Option<Cow<'a, [u8]>> {
        todo!()
    }
}

/// One difference between two file lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileDiff<'a> {
    /// Only the second list has this name. It was renamed if its [`FileLine::old_name`] says so.
    Added(FileLine<'a>),
    /// Both have the name, with other bytes after it.
    Changed {
        /// In the first list.
        old: FileLine<'a>,
        /// In the second list.
        new: FileLine<'a>,
    },
    /// Only the first list has this name.
    Removed(FileLine<'a>),
}

/// The differences between two file lists, in order of the names.
pub fn diff_files<'a>(parent: &[FileLine<'a>], child: &[FileLine<'a>]) -> Vec<FileDiff<'a>> {
    let _ = (parent, child);
    todo!()
}

/// The full list of a delta manifest: its baseline's files with its own put over them.
pub fn merge_baseline<'a>(baseline: &[FileLine<'a>], delta: &[FileLine<'a>]) -> Vec<FileLine<'a>> {
    let _ = (baseline, delta);
    todo!()
}

/// The card of `name` (unescaped) in a file list.
pub fn find_file<'a>(files: &[FileLine<'a>], name: &[u8]) -> Option<FileLine<'a>> {
    let _ = (files, name);
    todo!()
}
