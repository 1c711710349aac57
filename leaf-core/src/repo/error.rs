//! Why a repository refused or failed, and who has to act.
//!
//! Damage (a row that cannot be what Fossil wrote) is kept apart from refusal (busy, full, locked) and from
//! what a peer sent.

use super::change::BadChange;
use super::table::BadTable;
use crate::Blame;
use crate::format::delta::BadDelta;
use crate::format::zblob::BadZblob;
use crate::id::{ArtifactHash, Rid};

/// Why a repository operation failed. Unless a variant says otherwise, the repository is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepoError {
    /// Content does not have the name it came under.
    #[error("the content of {hash} does not match its hash")]
    WrongHash {
        /// The claimed name.
        hash: ArtifactHash,
    },
    /// A delta that came under `hash` does not fit its source.
    #[error("the delta of {hash} does not apply")]
    WrongDelta {
        /// The claimed name.
        hash: ArtifactHash,
        /// What is wrong with it.
        source: BadDelta,
    },
    /// A compressed payload that came under `hash` is corrupt or too large.
    #[error("the compressed content of {hash} is not usable")]
    WrongZblob {
        /// The claimed name.
        hash: ArtifactHash,
        /// What is wrong with it.
        source: BadZblob,
    },
    /// A payload came with a size other than its own.
    #[error("{hash} was announced with {declared} bytes and has {actual}")]
    WrongSize {
        /// The claimed name.
        hash: ArtifactHash,
        /// Bytes announced.
        declared: u64,
        /// Bytes there are.
        actual: u64,
    },
    /// Something exceeds one of [`Limits`](crate::limits::Limits).
    #[error("{what}: {value} exceeds the limit of {max}")]
    Limit {
        /// The name of the bound.
        what: &'static str,
        /// What there was.
        value: u64,
        /// What is allowed.
        max: u64,
    },
    /// A stored blob cannot be expanded.
    #[error("artifact {} is damaged: its compressed content cannot be read; try `leaf verify`", .rid.0)]
    DamagedZblob {
        /// The row.
        rid: Rid,
        /// What is wrong.
        source: BadZblob,
    },
    /// A stored delta does not fit its source.
    #[error("artifact {} is damaged: its delta does not apply; try `leaf verify`", .rid.0)]
    DamagedDelta {
        /// The row.
        rid: Rid,
        /// What is wrong.
        source: BadDelta,
    },
    /// Deltas refer to each other in a circle, or in a chain longer than allowed.
    #[error("artifact {} hangs on a chain of more than {depth_max} deltas, or on a circle of them", .rid.0)]
    DeltaChain {
        /// The row at which the walk began.
        rid: Rid,
        /// The longest chain allowed.
        depth_max: usize,
    },
    /// A row or value cannot be what Fossil wrote.
    #[error("the repository is damaged: {what}; try `leaf verify`")]
    Damaged {
        /// Table or value at fault.
        what: &'static str,
    },
    /// Artifacts whose content is not what their names say.
    #[error("{} artifacts do not match their hashes, the first is {}", .hashes.len(), .hashes.first().map(ToString::to_string).unwrap_or_default())]
    WrongContent {
        /// All of them.
        hashes: Vec<ArtifactHash>,
    },
    /// The file is no Fossil repository.
    #[error("this is not a Fossil repository: {what}")]
    NotARepository {
        /// What is missing or foreign.
        what: &'static str,
    },
    /// The file holds a clone that has not come to its end.
    #[error("this file holds an unfinished clone; run the same `leaf clone` again to finish it")]
    UnfinishedClone,
    /// The schema is of a version that this program does not know.
    #[error("the schema of this repository is not the one of Fossil 2; run `fossil rebuild` on it")]
    OtherSchema,
    /// A statement that was to read does more than that.
    #[error("only one statement that reads is allowed: SELECT, VALUES or WITH")]
    QueryWrites,
    /// The name is unknown in this repository.
    #[error("no artifact is called {hash}")]
    NoSuchArtifact {
        /// The name.
        hash: ArtifactHash,
    },
    /// A change that was asked for makes no sense here.
    #[error(transparent)]
    Change(#[from] BadChange),
    /// A name that no unversioned file can have.
    #[error("not a name for an unversioned file: it may hold no white space, backslash or `..`")]
    BadUvName,
    /// A synced table, or a row of one, that cannot be.
    #[error(transparent)]
    Table(#[from] BadTable),
    /// SQLite refused: busy, full, read-only, or corrupt.
    #[error("the database failed")]
    Sqlite(#[from] rusqlite::Error),
}

impl RepoError {
    /// Whether a row is at fault, rather than SQLite or who asks.
    pub(super) fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. }
                | Self::DamagedDelta { .. }
                | Self::DamagedZblob { .. }
                | Self::DeltaChain { .. }
        )
    }

    /// Who has to act.
    pub fn blame(&self) -> Blame {
        match self {
            Self::WrongHash { .. }
            | Self::WrongDelta { .. }
            | Self::WrongZblob { .. }
            | Self::WrongSize { .. }
            | Self::WrongContent { .. }
            | Self::BadUvName
            | Self::Table(_)
            | Self::Limit { .. } => Blame::Peer,
            Self::Change(_)
            | Self::NotARepository { .. }
            | Self::UnfinishedClone
            | Self::OtherSchema
            | Self::QueryWrites
            | Self::NoSuchArtifact { .. } => Blame::Caller,
            Self::DamagedZblob { .. }
            | Self::DamagedDelta { .. }
            | Self::DeltaChain { .. }
            | Self::Damaged { .. }
            | Self::Sqlite(_) => Blame::Storage,
        }
    }
}
