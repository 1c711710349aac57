//! The files of a check-in.
//!
//! Source: Fossil `src/manifest.c` `manifest_file_next()`.

use super::change::BadChange;
use super::{Repo, RepoError};
use crate::format::artifact::{FileCard, FileLine, FilePerm, ManifestView, Text, find_file, merge_baseline};
use crate::id::{ArtifactHash, Rid};
use std::sync::Arc;

/// A file of a check-in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckinFile {
    /// Path from the root of the tree.
    pub name: Text,
    /// Its content.
    pub hash: ArtifactHash,
    /// How it is checked out.
    pub perm: FilePerm,
    /// Bytes; `None` when the content is not here.
    pub size: Option<u64>,
}

impl Repo {
    /// The files of a check-in in order of their names; a delta manifest is put over its baseline.
    ///
    /// # Errors
    ///
    /// [`BadChange::OtherKind`] when `checkin` is no check-in whose content is here, baseline included.
    pub fn files(&self, checkin: Rid) -> Result<Vec<CheckinFile>, RepoError> {
        self.file_cards(checkin)?
            .into_iter()
            .map(|card| self.sized(card))
            .filter_map(Result::transpose)
            .collect()
    }

    /// One file of a check-in; `None` when there is no such file.
    ///
    /// # Errors
    ///
    /// As [`files`](Self::files).
    pub fn file(&self, checkin: Rid, name: &[u8]) -> Result<Option<CheckinFile>, RepoError> {
        let card = self.with_files(checkin, |files| find_file(files, name).map(FileLine::to_card))?;
        card.map_or(Ok(None), |card| self.sized(card))
    }

    /// The content of one file of a check-in; `None` when there is no such file, or its content is not here.
    ///
    /// # Errors
    ///
    /// As [`files`](Self::files).
    pub fn file_content(&self, checkin: Rid, name: &[u8]) -> Result<Option<Arc<Vec<u8>>>, RepoError> {
        let hash = self.with_files(checkin, |files| find_file(files, name).and_then(FileLine::hash))?;
        hash.map_or(Ok(None), |hash| self.content_of(&hash))
    }

    /// The `F` cards of a check-in, its baseline's among them, in order of their names.
    pub(super) fn file_cards(&self, checkin: Rid) -> Result<Vec<FileCard>, RepoError> {
        self.with_files(checkin, |files| files.iter().map(|line| line.to_card()).collect())
    }

    /// Hands the whole file list of a check-in to `work`, uncopied.
    fn with_files<T>(&self, checkin: Rid, work: impl FnOnce(&[FileLine<'_>]) -> T) -> Result<T, RepoError> {
        let content = self.content(checkin)?.ok_or(BadChange::OtherKind)?;
        let view = ManifestView::parse(&content).map_err(|_| BadChange::OtherKind)?;
        let Some(baseline) = view.baseline else {
            return Ok(work(&view.files));
        };
        let baseline = self.rid_of(&baseline)?.ok_or(BadChange::OtherKind)?;
        let baseline = self.content(baseline)?.ok_or(BadChange::OtherKind)?;
        let baseline = ManifestView::parse(&baseline).map_err(|_| BadChange::OtherKind)?;
        Ok(work(&merge_baseline(&baseline.files, &view.files)))
    }

    fn sized(&self, card: FileCard) -> Result<Option<CheckinFile>, RepoError> {
        let Some(hash) = card.hash else { return Ok(None) };
        let mut statement = self.db.prepare_cached("SELECT size FROM blob WHERE uuid=?1")?;
        let mut rows = statement.query([hash.hex().as_str()])?;
        let size: i64 = rows.next()?.map_or(Ok(-1), |row| row.get(0))?;
        Ok(Some(CheckinFile {
            name: card.name,
            hash,
            perm: card.perm,
            size: u64::try_from(size).ok(),
        }))
    }
}
