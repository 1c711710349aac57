//! Manifests: check-ins.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.1.

use super::write::CardWriter;
use super::{Tag, Text};
use crate::format::hash::Md5;
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
    /// No mark.
    #[default]
    Regular,
    /// `x`.
    Executable,
    /// `l`: the content is the path pointed to.
    Symlink,
    /// `w`: no mark either, but an old name stands behind it or once did.
    Placeholder,
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

impl Manifest {
    pub(super) fn write_cards(&self, cards: &mut CardWriter) {
        cards.optional_hash(b'B', self.baseline.as_ref());
        cards.optional_text(b'C', self.comment.as_ref());
        cards.date(self.date);
        for file in &self.files {
            file.write(cards);
        }
        cards.optional_text(b'N', self.mimetype.as_ref());
        cards.parents(&self.parents);
        for pick in &self.cherrypicks {
            let mark: &[u8] = if pick.backout { b"-" } else { b"+" };
            cards
                .begin(b'Q')
                .plain(&[mark, pick.hash.hex().as_bytes()].concat());
            if let Some(base) = &pick.base {
                cards.hash(base);
            }
            cards.end();
        }
        if let Some(md5) = &self.files_md5 {
            cards.begin(b'R').plain(md5.as_bytes()).end();
        }
        cards.tags(&self.tags);
        cards.optional_text(b'U', self.user.as_ref());
    }
}

impl FileCard {
    fn write(&self, cards: &mut CardWriter) {
        cards.begin(b'F').text(&self.name);
        if let Some(hash) = &self.hash {
            cards.hash(hash);
            match self.perm {
                FilePerm::Executable => drop(cards.plain(b"x")),
                FilePerm::Symlink => drop(cards.plain(b"l")),
                FilePerm::Placeholder => drop(cards.plain(b"w")),
                FilePerm::Regular if self.old_name.is_some() => drop(cards.plain(b"")),
                FilePerm::Regular => {}
            }
            if let Some(old_name) = &self.old_name {
                cards.text(old_name);
            }
        }
        cards.end();
    }
}

/// The MD5 of an `R` card, over all files of a check-in in the order of their names.
///
/// Source: Fossil `src/vfile.c` `vfile_aggregate_checksum_manifest()`.
pub struct FilesMd5(Md5);

impl FilesMd5 {
    /// Of no files yet.
    pub fn new() -> Self {
        Self(Md5::new())
    }

    /// Adds the next file. The content of a symbolic link is the path pointed to.
    pub fn add(&mut self, name: &[u8], content: &[u8]) {
        self.0.update(name);
        self.0.update(format!(" {}\n", content.len()).as_bytes());
        self.0.update(content);
    }

    /// 32 hex digits.
    pub fn hex(self) -> String {
        self.0.hex()
    }
}

impl Default for FilesMd5 {
    fn default() -> Self {
        Self::new()
    }
}
