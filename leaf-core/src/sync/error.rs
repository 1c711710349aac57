//! Why a sync stopped.

use crate::Blame;
use crate::repo::RepoError;
use crate::xfer::{BadCard, BadEnvelope};

/// Why a sync stopped. [`SyncError::blame`] says who has to act.
///
/// After any of these the repository is as it was before the call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// A reply arrived that no request is waiting for. The shell called out of turn.
    #[error("a reply arrived while no request was out")]
    OutOfTurn,
    /// The peer announced more artifacts that are unknown here than one session may bring.
    #[error("the peer announced more than {max} unknown artifacts")]
    PeerAnnouncedTooMuch {
        /// [`Limits::phantoms_max`](crate::limits::Limits::phantoms_max).
        max: usize,
    },
    /// The server says something is wrong.
    #[error("the server says: {message}")]
    PeerSaid {
        /// Its words.
        message: String,
    },
    /// The peer sent bytes that are not cards.
    #[error("the peer sent a malformed message")]
    PeerSentBadCard(#[from] BadCard),
    /// The peer sent a message that cannot be unpacked.
    #[error("the peer sent a message that cannot be unpacked")]
    PeerSentBadEnvelope(#[from] BadEnvelope),
    /// The peer sent an artifact that is not what it is called, or that cannot be stored.
    #[error("the peer sent a bad artifact")]
    PeerSentBadArtifact(#[source] RepoError),
    /// The peer answers with a web page.
    #[error("the peer answers with a web page instead of the sync protocol")]
    PeerSentHtml,
    /// The peer does not go on with a clone.
    #[error("the server does not go on with the clone at row {seqno}")]
    PeerStalled {
        /// The row that was asked for.
        seqno: i64,
    },
    /// The reply has no content: EdgeSync nodes say so that they failed.
    #[error("the peer sent an empty reply")]
    PeerSentNothing,
    /// Another server answers than the one that the clone goes on with.
    #[error("several servers answer in turns, and a clone has to come from one of them")]
    PeersTakeTurns,
    /// The peer belongs to another project.
    #[error("the peer belongs to another project")]
    PeerWrongProject,
    /// The repository failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// Still not done after [`Limits::rounds_max`](crate::limits::Limits::rounds_max).
    #[error("no agreement after {rounds} rounds")]
    TooManyRounds {
        /// Rounds that were spent.
        rounds: u32,
    },
}

impl SyncError {
    /// Who has to act.
    pub fn blame(&self) -> Blame {
        match self {
            Self::OutOfTurn => Blame::Caller,
            Self::Repo(error) => error.blame(),
            _ => Blame::Peer,
        }
    }
}
