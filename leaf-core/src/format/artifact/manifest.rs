//! Manifests: check-ins.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.1.

use super::{Tag, Text};
use crate::id::ArtifactHash;
use crate::time::Timestamp;

/// A check-in: which files, after what, by whom and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Manifest {
    /// `B`: this is a delta manifest; its files are changes to those of the baseline.
    pub baseline: Option<ArtifactHash>,
    /// `C`.
    pub comment: Option<Text>,
    /// `D`.
    pub date: Timestamp,
    /// `F`. Shape: strictly ascending by the bytes of the name.
    pub files: Vec<FileCard>,
    /// `N`: of the comment.
    pub mimetype: Option<Text>,
    /// `P`: the primary parent first, the others by merge.
    pub parents: Vec<ArtifactHash>,
    /// `Q`.
    pub cherrypicks: Vec<Cherrypick>,
    /// `R`: MD5 over names and contents of all files. Shape: 32 hex digits.
    pub files_md5: Option<Text>,
    /// `T`.
    pub tags: Vec<Tag>,
    /// `U`.
    pub user: Option<Text>,
}

/// An `F` card.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileCard {
    /// Path from the root of the tree. Shape: parts divided by `/`; none empty, `.` or `..`.
    pub name: Text,
    /// The content; `None`, in a delta manifest only, takes the file away.
    pub hash: Option<ArtifactHash>,
    /// How it is checked out.
    pub perm: FilePerm,
    /// The name in the parent, if it changed.
    pub old_name: Option<Text>,
}

/// How a file is checked out.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum FilePerm {
    /// No mark; or `w`, written where an old name follows.
    #[default]
    Regular,
    /// `x`.
    Executable,
    /// `l`: the content is the path pointed to.
    Symlink,
}

/// A `Q` card: changes of another check-in that were merged without becoming a parent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cherrypick {
    /// `-`: the changes were taken out.
    pub backout: bool,
    /// The check-in, or the last of a range.
    pub hash: ArtifactHash,
    /// Where the range begins.
    pub base: Option<ArtifactHash>,
}
