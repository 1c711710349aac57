//! The files of a check-in in the making: those of the parent, and what is done to them.
//!
//! Source: Fossil `src/checkin.c` `create_manifest()`, table `vfile`.

use super::change::{Author, BadChange};
use super::{Repo, RepoError, RepoTx};
use crate::format::artifact::{FileCard, FilePerm, FilesMd5, Text};
use crate::format::path::RepoPath;
use crate::id::Rid;
use std::collections::BTreeMap;

/// One change to the files of a check-in. Names are paths from the root of the tree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileChange {
    /// Adds a file, or replaces what it holds.
    Put {
        /// Where.
        path: Vec<u8>,
        /// All of it; of a symbolic link the path pointed to.
        content: Vec<u8>,
        /// How it is checked out.
        perm: FilePerm,
    },
    /// Takes a file away.
    Remove {
        /// Where.
        path: Vec<u8>,
    },
    /// Gives a file another name and keeps what it holds.
    Rename {
        /// The name in the parent.
        from: Vec<u8>,
        /// The new name.
        to: Vec<u8>,
    },
}

/// The files of a check-in in the making, by name.
pub(super) struct Tree {
    files: BTreeMap<Vec<u8>, FileCard>,
    /// Something is not as in the parent.
    is_changed: bool,
    /// Contents of the parent's files, and those that came in their place.
    pub(super) replaced: Vec<(Rid, Rid)>,
}

impl Tree {
    /// The parent's files, without the marks of how they got their names.
    pub(super) fn of_parent(repo: &Repo, parent: Option<Rid>) -> Result<Self, RepoError> {
        let cards = parent.map_or(Ok(Vec::new()), |parent| repo.file_cards(parent))?;
        let plain = |mut card: FileCard| {
            card.old_name = None;
            if card.perm == FilePerm::Placeholder {
                card.perm = FilePerm::Regular;
            }
            (card.name.as_bytes().to_vec(), card)
        };
        let files = cards.into_iter().map(plain).collect();
        Ok(Self {
            files,
            is_changed: false,
            replaced: Vec::new(),
        })
    }

    /// Whether the check-in would have other files than its parent.
    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Does one change; new contents are stored.
    pub(super) fn apply(
        &mut self,
        tx: &RepoTx<'_>,
        change: &FileChange,
        author: &Author,
        private: bool,
    ) -> Result<(), RepoError> {
        match change {
            FileChange::Put { path, content, perm } => {
                self.check_new(path)?;
                let (rid, hash) = tx.put_file(content, author, private)?;
                let mut card = FileCard {
                    name: path.as_slice().into(),
                    hash: Some(hash),
                    perm: *perm,
                    old_name: None,
                };
                let before = self.files.remove(path);
                card.old_name = before.as_ref().and_then(|before| before.old_name.clone());
                self.is_changed |= before.as_ref() != Some(&card);
                let older = before
                    .and_then(|before| before.hash)
                    .filter(|older| *older != hash);
                if let Some(older) = older.map(|older| tx.rid_of(&older)).transpose()?.flatten() {
                    self.replaced.push((older, rid));
                }
                self.files.insert(path.clone(), card);
            }
            FileChange::Remove { path } => {
                self.files.remove(path).ok_or(BadChange::NoSuchFile)?;
                self.is_changed = true;
            }
            FileChange::Rename { from, to } => {
                let mut card = self.files.remove(from).ok_or(BadChange::NoSuchFile)?;
                self.check_new(to)?;
                if self.files.contains_key(to) {
                    return Err(BadChange::FileExists.into());
                }
                let first_name = card.old_name.take().unwrap_or(from.as_slice().into());
                card.old_name = Some(first_name).filter(|first_name| first_name.as_bytes() != to.as_slice());
                card.name = to.as_slice().into();
                self.files.insert(to.clone(), card);
                self.is_changed = true;
            }
        }
        Ok(())
    }

    /// Refuses a name that a file may not have, or that would need a file to be a folder as well.
    fn check_new(&self, path: &[u8]) -> Result<(), RepoError> {
        RepoPath::parse_new(path).map_err(BadChange::MalformedPath)?;
        let slashes = path
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
            .map(|(at, _)| at);
        let under_a_file = slashes
            .filter_map(|at| path.get(..at))
            .any(|folder| self.files.contains_key(folder));
        let folder = [path, b"/"].concat();
        let over_files = self
            .files
            .range(folder.clone()..)
            .next()
            .is_some_and(|(name, _)| name.starts_with(&folder));
        if under_a_file || over_files {
            Err(BadChange::FileExists.into())
        } else {
            Ok(())
        }
    }

    /// The `F` cards.
    pub(super) fn cards(&self) -> Vec<FileCard> {
        let mark_renamed = |card: &FileCard| {
            let mut card = card.clone();
            if card.old_name.is_some() && card.perm == FilePerm::Regular {
                card.perm = FilePerm::Placeholder;
            }
            card
        };
        self.files.values().map(mark_renamed).collect()
    }

    /// The `R` card; `None` when not all contents are here, or the setting `repo-cksum` is off.
    pub(super) fn files_md5(&self, repo: &Repo) -> Result<Option<Text>, RepoError> {
        let setting = repo.config("repo-cksum")?.unwrap_or_default();
        if matches!(
            setting.to_ascii_lowercase().as_str(),
            "0" | "off" | "no" | "false"
        ) {
            return Ok(None);
        }
        let mut sum = FilesMd5::new();
        for (name, card) in &self.files {
            let rid = card.hash.map(|hash| repo.rid_of(&hash)).transpose()?.flatten();
            let Some(content) = rid.map(|rid| repo.content(rid)).transpose()?.flatten() else {
                return Ok(None);
            };
            sum.add(name, &content);
        }
        Ok(Some(Text::from(sum.hex())))
    }
}
