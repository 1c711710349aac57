//! Why a command failed, as the page hears it: the one place where errors of the core become a [`Failure`].

use crate::protocol::{Code, Failure, FailureBlame};
use leaf_core::Blame;
use leaf_core::repo::{BadChange, RepoError};
use leaf_core::sync::SyncError;
use rusqlite::ErrorCode;
use std::error::Error;

/// A failure on its way to the page.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) Failure);

impl Failed {
    /// A failure of this shell.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        let blame = match code {
            Code::NotFossil | Code::Denied | Code::WrongProject | Code::BadPeer => FailureBlame::Peer,
            Code::Network => FailureBlame::Network,
            Code::Damaged | Code::QuotaExceeded | Code::Locked | Code::Storage => FailureBlame::Storage,
            _ => FailureBlame::Caller,
        };
        let message = message.into();
        Self(Failure { code, blame, message })
    }

    /// Something of this name is not here.
    pub(crate) fn not_found(what: &str, name: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no {what} called {name}"))
    }

    /// There is a repository here already.
    pub(crate) fn exists() -> Self {
        let message = "there is a repository here already; use a leaf of another name";
        Self::new(Code::Exists, message)
    }

    /// Whether the same request may well succeed when sent again.
    pub(crate) fn is_transient(&self) -> bool {
        self.0.code == Code::Network
    }
}

/// The whole chain of causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        RepoError::from(error).into()
    }
}

impl From<BadChange> for Failed {
    fn from(error: BadChange) -> Self {
        RepoError::from(error).into()
    }
}

impl From<RepoError> for Failed {
    fn from(error: RepoError) -> Self {
        let (code, step) = match &error {
            RepoError::Sqlite(sqlite) => match sqlite.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => (
                    Code::QuotaExceeded,
                    "nothing was stored: free some space, or ask the browser for persistent storage",
                ),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
                    Code::Damaged,
                    "sync what is unsent elsewhere if you can, then clone anew",
                ),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    (Code::Locked, "close what else has it open")
                }
                _ => (Code::Storage, ""),
            },
            RepoError::Damaged { .. }
            | RepoError::DamagedDelta { .. }
            | RepoError::DamagedZblob { .. }
            | RepoError::DeltaChain { .. } => (Code::Damaged, ""),
            RepoError::Change(BadChange::WouldFork) => (Code::WouldFork, "sync first, or allow the fork"),
            RepoError::Change(BadChange::NothingChanged) => (Code::NothingChanged, ""),
            RepoError::Change(BadChange::ClosedLeaf) => (Code::Refused, "start a new branch from it"),
            RepoError::Change(BadChange::NoSuchName | BadChange::NoSuchFile)
            | RepoError::NoSuchArtifact { .. } => (Code::NotFound, ""),
            RepoError::UnfinishedClone => (Code::Cloning, ""),
            RepoError::Change(_)
            | RepoError::NotARepository { .. }
            | RepoError::OtherSchema
            | RepoError::BadUvName => (Code::Refused, ""),
            RepoError::QueryWrites => (Code::BadArguments, ""),
            _ => (
                Code::BadPeer,
                "tell the owner of the server to verify its repository",
            ),
        };
        let mut message = chain(&error);
        if !step.is_empty() {
            message = format!("{message}; {step}");
        }
        let blame = match error.blame() {
            Blame::Peer => FailureBlame::Peer,
            Blame::Storage => FailureBlame::Storage,
            _ => FailureBlame::Caller,
        };
        Self(Failure { code, blame, message })
    }
}

impl From<SyncError> for Failed {
    fn from(error: SyncError) -> Self {
        let (code, step) = match &error {
            SyncError::Repo(_) => {
                let SyncError::Repo(error) = error else {
                    unreachable!("matched just now")
                };
                return error.into();
            }
            SyncError::OutOfTurn => (Code::Internal, ""),
            SyncError::PeerSaid { message }
                if message.contains("login") || message.contains("authorized") =>
            {
                (Code::Denied, "; check user and password")
            }
            SyncError::PeerSaid { .. } => (Code::Denied, ""),
            SyncError::PeerSentHtml => (Code::NotFossil, "; check the URL"),
            SyncError::PeerWrongProject => (Code::WrongProject, "; use another leaf for that project"),
            _ => (Code::BadPeer, ""),
        };
        Self::new(code, format!("{}{step}", chain(&error)))
    }
}
