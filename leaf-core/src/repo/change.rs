//! What a change of history has in common whatever it changes: who, when, and why it may be refused.
//!
//! Each change is one structural artifact, sometimes with contents beside it. It is composed, read back the way
//! any peer will read it, stored, and crosslinked, all in the caller's transaction.

use super::{Put, Repo, RepoError, RepoTx};
use crate::format::artifact::{Artifact, BadArtifact};
use crate::format::path::BadPath;
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;

/// Who makes a change, and when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Author {
    /// The login, as `U` cards name it.
    pub user: String,
    /// As `D` cards say it.
    pub date: Timestamp,
}

/// Why a change was refused. The repository is as it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadChange {
    /// The name fits more than one artifact.
    #[error("the name fits {matches} artifacts or more")]
    AmbiguousName {
        /// How many were looked at before giving up.
        matches: usize,
    },
    /// A branch of that name is open.
    #[error("an open branch has this name")]
    BranchExists,
    /// The parent was closed; only a new branch may go on from it.
    #[error("the parent check-in is closed")]
    ClosedLeaf,
    /// A file or folder of that name is there already.
    #[error("a file or folder of that name is there already")]
    FileExists,
    /// The parts given do not make an artifact that Fossil accepts.
    #[error("the parts do not make a well-formed artifact")]
    Malformed(#[from] BadArtifact),
    /// The name of a file is one that no check-in may hold.
    #[error("not a name for a file")]
    MalformedPath(#[source] BadPath),
    /// A file that is to be removed or renamed is not there.
    #[error("no such file in the parent check-in")]
    NoSuchFile,
    /// The name is that of no artifact.
    #[error("no artifact has this name")]
    NoSuchName,
    /// It is an artifact of another kind than the change needs.
    #[error("not an artifact of the kind that is needed")]
    OtherKind,
    /// Nothing would change.
    #[error("nothing would change")]
    NothingChanged,
    /// The check-in would be dated before its parent.
    #[error("the check-in would be older than its parent")]
    OlderThanParent,
    /// The content of a file reads as an artifact: receivers would act on it.
    #[error("the content reads as a structural artifact, and every receiver would act on it")]
    Structural,
    /// The parent has a child on its branch already.
    #[error("the check-in would fork its branch")]
    WouldFork,
}

impl Repo {
    /// The structural artifact `rid`, if it is one and its content is here.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn artifact(&self, rid: Rid) -> Result<Option<Artifact>, RepoError> {
        Ok(self
            .content(rid)?
            .and_then(|content| Artifact::parse(&content).ok()))
    }
}

impl RepoTx<'_> {
    /// Stores an artifact of ours and crosslinks it.
    ///
    /// # Errors
    ///
    /// [`BadChange::Malformed`] when Fossil would not read it as it was meant; nothing is stored.
    pub fn put_artifact(
        &self,
        artifact: &Artifact,
        author: &Author,
        private: bool,
    ) -> Result<(Rid, ArtifactHash), RepoError> {
        let content = artifact.write();
        if Artifact::parse(&content).map_err(BadChange::Malformed)? != *artifact {
            return Err(BadChange::Malformed(BadArtifact::NotStructural).into());
        }
        self.is_by(author);
        let (rid, hash) = self.put(
            &content,
            Put {
                private,
                unsent: true,
            },
        )?;
        self.crosslink(&[rid])?;
        Ok((rid, hash))
    }

    /// Stores the content of a file of ours.
    ///
    /// # Errors
    ///
    /// [`BadChange::Structural`] when it reads as an artifact; nothing is stored.
    pub(super) fn put_file(
        &self,
        content: &[u8],
        author: &Author,
        private: bool,
    ) -> Result<(Rid, ArtifactHash), RepoError> {
        if Artifact::parse(content).is_ok() {
            return Err(BadChange::Structural.into());
        }
        self.is_by(author);
        self.put(
            content,
            Put {
                private,
                unsent: true,
            },
        )
    }

    /// Says who made what this transaction stores, unless the caller has said so.
    fn is_by(&self, author: &Author) {
        let mut origin = self.origin.borrow_mut();
        if origin.user.is_none() {
            origin.user = Some(author.user.clone());
            origin.time = author.date;
        }
    }
}
