//! Rounds carried by NATS, for a command that waits for them on its own thread.

use super::RemoteUrl;
use crate::error::CliError;
use crate::mesh::{Door, Line, LineState, NatsUrl, cards, round_trip};
use crate::world;
use leaf_core::id::ProjectCode;
use leaf_core::limits::MeshLimits;
use leaf_core::mesh::{Caller, Card, MeshError, PREFIX, Subjects, Unplaced, place};
use leaf_core::nats::client::NatsError;
use leaf_core::xfer::ContentType;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long a server may take to let us in, at the begin and when the connection has ended.
const READY_MAX: Duration = Duration::from_secs(20);

/// Why a round was not carried.
#[derive(Debug, thiserror::Error)]
pub enum NatsRemoteError {
    /// The server is not there, or does not let us in.
    #[error("no connection to {url}")]
    Connect {
        /// Where.
        url: RemoteUrl,
        /// Why.
        source: NatsError,
    },
    /// The server cannot be reached, as the system says.
    #[error("cannot connect to {url}: {cause}")]
    Unreachable {
        /// Where.
        url: RemoteUrl,
        /// In the words of the system.
        cause: String,
    },
    /// The exchange failed.
    #[error(transparent)]
    Mesh(#[from] MeshError),
}

impl NatsRemoteError {
    /// Whether the same request may well succeed when sent again.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Mesh(MeshError::Nats(
                NatsError::Away | NatsError::PeerSilent | NatsError::PeerSays(_)
            ))
        )
    }

    /// What the user may try.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Connect {
                source: NatsError::Denied(_),
                ..
            } => "give credentials: nats://USER@HOST and $LEAF_PASSWORD, $LEAF_NATS_TOKEN, or --creds FILE",
            Self::Connect {
                source: NatsError::WrongPort,
                ..
            } => "name the port for clients; to join the server as a leaf node: leaf serve --leafnode",
            Self::Unreachable { cause, .. } if cause.contains("certificate") => {
                "check the name of the host, or trust who signed its certificate: --ca-cert FILE"
            }
            Self::Connect { .. } | Self::Unreachable { .. } => {
                "check host and port, and that the server runs"
            }
            Self::Mesh(MeshError::Nats(NatsError::NoResponders)) => {
                "no leaf there has this project: `leaf peers URL` lists who is there"
            }
            Self::Mesh(MeshError::Nats(NatsError::TimedOut)) => {
                "try again later, or wait longer with --timeout SECONDS"
            }
            Self::Mesh(MeshError::PeerTakesNoParts { .. }) => {
                "raise `max_payload` of the NATS server, or sync by HTTP"
            }
            Self::Mesh(MeshError::PeerFailed | MeshError::PeerSays(_) | MeshError::PeerProtocol(_)) => {
                "look into the log of the leaf that answers"
            }
            Self::Mesh(_) => "run the same command again: what has arrived is kept",
        }
    }
}

/// Other leaves of a project, called by NATS.
#[derive(Debug)]
pub struct NatsRemote {
    runtime: Runtime,
    line: Line,
    caller: Caller,
    url: RemoteUrl,
    silence_max: Duration,
}

/// A connection to a NATS server for a command.
#[derive(Debug)]
pub struct NatsSession {
    /// What the connection's task runs on.
    pub runtime: Runtime,
    /// The connection.
    pub line: Line,
    url: RemoteUrl,
}

impl NatsSession {
    /// Connects.
    ///
    /// # Errors
    ///
    /// When the server is not there, is no NATS server, or does not let us in.
    pub fn open(url: &RemoteUrl, door: NatsUrl) -> Result<Self, CliError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let line = runtime.block_on(async { Line::open(Door::Url(door)) });
        ready(&runtime, &line, url)?;
        Ok(Self {
            runtime,
            line,
            url: url.clone(),
        })
    }

    /// Which project the URL means: the one that its path names, else the only one there is; and who has it.
    ///
    /// # Errors
    ///
    /// When there is none, or when several could be meant.
    pub fn place(&self, begun: Option<&str>) -> Result<(ProjectCode, Option<String>), CliError> {
        let wanted = self.url.project();
        let cards = self.runtime.block_on(cards(&self.line, PREFIX));
        let url = &self.url;
        let choice = || format!("write one of these behind the URL: {}", names(&cards));
        place(&cards, wanted.as_deref(), begun).map_err(|why| match why {
            Unplaced::BadProject => CliError::usage("a leaf there names a project that is none"),
            Unplaced::Nobody => CliError::no(format!("no leaf answers at {url}"))
                .next_step("start one there: leaf serve FILE --nats ADDRESS:PORT, or with --peer"),
            Unplaced::Several => {
                CliError::usage(format!("there are several projects at {url}")).next_step(choice())
            }
            Unplaced::Unknown => {
                CliError::no(format!("no leaf at {url} has such a project")).next_step(choice())
            }
        })
    }
}

fn names(cards: &[Card]) -> String {
    let mut names: Vec<&str> = cards
        .iter()
        .map(|card| match card.project_name.is_empty() {
            true => card.repository.as_str(),
            false => card.project_name.as_str(),
        })
        .collect();
    names.dedup();
    names.truncate(10);
    names.join(", ")
}

impl NatsRemote {
    /// Whoever of `project` answers first, or `peer` alone. `own` is what others call us.
    pub fn new(
        session: NatsSession,
        project: &ProjectCode,
        own: String,
        peer: Option<String>,
        silence_max: Duration,
    ) -> Self {
        let subjects = Subjects::new(PREFIX, project);
        let caller = Caller::new(
            subjects,
            own,
            peer,
            MeshLimits::default().reply_bytes_max,
            world::seed(),
        );
        Self {
            runtime: session.runtime,
            line: session.line,
            caller,
            url: session.url,
            silence_max,
        }
    }

    /// Who answers, once somebody has.
    pub fn peer(&self) -> Option<&str> {
        self.caller.peer()
    }

    /// Carries one round. `progress` hears how many bytes of the reply have come.
    ///
    /// # Errors
    ///
    /// [`NatsRemoteError`].
    pub fn round_trip(
        &mut self,
        message: Vec<u8>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Vec<u8>, ContentType), NatsRemoteError> {
        ready(&self.runtime, &self.line, &self.url)?;
        let work = round_trip(&self.line, &mut self.caller, message, self.silence_max, |bytes| {
            progress(bytes as u64);
        });
        Ok(self.runtime.block_on(work)?)
    }
}

fn ready(runtime: &Runtime, line: &Line, url: &RemoteUrl) -> Result<LineState, NatsRemoteError> {
    runtime
        .block_on(line.ready(READY_MAX))
        .map_err(|state| match (state.cause, state.lost) {
            (Some(cause), _) => NatsRemoteError::Unreachable {
                url: url.clone(),
                cause,
            },
            (None, why) => NatsRemoteError::Connect {
                url: url.clone(),
                source: why.unwrap_or(NatsError::TimedOut),
            },
        })
}
