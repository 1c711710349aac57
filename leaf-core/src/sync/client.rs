//! The client side of a sync: what it is asked, what it remembers between rounds, when it stops.
//!
//! A round is composed by [`super::compose`] and its reply applied by [`super::reply`]. What a request promises
//! to be rid of (files asked for by the server, say) is forgotten only when the reply is there, so that a lost
//! message costs a round and nothing else.
//!
//! Source: Fossil `src/xfer.c` `client_sync()`.

use super::table_talk::{TableFlight, TableTalk};
use super::{Goal, SyncError, SyncOptions};
use crate::id::{ArtifactHash, ProjectCode, Rid};
use crate::repo::{Mark, Repo};
use crate::time::Timestamp;
use crate::xfer::{ContentType, Version, envelope, login};
use std::collections::{BTreeMap, HashSet, VecDeque};

/// Brings one repository and one server to the same set of artifacts.
///
/// Call [`poll_transmit`](Self::poll_transmit) and carry what it returns; hand the answer to
/// [`handle_reply`](Self::handle_reply), or call [`handle_lost`](Self::handle_lost) if there is none; drain
/// [`poll_event`](Self::poll_event); repeat until `poll_transmit` returns `None`.
#[derive(Debug)]
pub struct SyncSession {
    pub(super) options: SyncOptions,
    state: State,
    pub(super) round: u32,
    pub(super) stats: SyncStats,
    pub(super) events: VecDeque<SyncEvent>,
    pub(super) talk: Talk,
    /// What the request that is out promises to be rid of.
    in_flight: Flight,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// The next poll composes a request.
    Ready,
    /// A request is out; the next move is a reply, or its loss.
    Waiting,
    /// Nothing is left to move, or something went wrong. Terminal.
    Done,
}

/// What the client knows of the exchange so far.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one exchange"
)]
pub(super) struct Talk {
    /// Which Fossil the server is.
    pub(super) server: Version,
    pub(super) push: bool,
    pub(super) pull: bool,
    pub(super) clone: bool,
    /// The project; unknown until the first reply of a clone.
    pub(super) project: Option<ProjectCode>,
    /// Next row to clone; 0 when there is no more.
    pub(super) seqno: i64,
    /// The server has said whose rows these are.
    pub(super) source_known: bool,
    /// The server is of the legacy dialect, which wants the row in a card of its own.
    pub(super) legacy: bool,
    /// Artifacts the server asked for.
    pub(super) asked: Vec<ArtifactHash>,
    /// Phantoms to ask for in one request.
    pub(super) gimmes_max: usize,
    /// What the server was asked for and neither sent nor announced: it does not have them.
    pub(super) in_vain: HashSet<ArtifactHash>,
    /// Where among the phantoms this session begins to ask.
    pub(super) turn: u64,
    /// Phantoms that the server announced in this session.
    pub(super) announced: HashSet<Rid>,
    /// Phantoms that the server made, less the artifacts that it sent.
    pub(super) unmet: usize,
    /// Private artifacts the server asked for and may not have.
    pub(super) asked_private: Vec<ArtifactHash>,
    /// Private artifacts that the server calls public, to be asked for as a proof; once a session.
    pub(super) to_prove: Option<Vec<ArtifactHash>>,
    /// Artifacts that the last reply announced or brought.
    pub(super) on_remote: HashSet<Rid>,
    pub(super) uv: Uv,
    pub(super) config_asked: bool,
    pub(super) config_sent: bool,
    pub(super) lock_sent: bool,
    pub(super) marks: SessionMarks,
    pub(super) tables: TableTalk,
}

/// Unversioned files.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one exchange"
)]
pub(super) struct Uv {
    pub(super) hash_sent: bool,
    /// Files that the server lacks or has in an older version; `true` when only the time differs.
    pub(super) to_send: BTreeMap<String, bool>,
    pub(super) to_send_known: bool,
    /// Files to ask for.
    pub(super) to_ask: Vec<String>,
    pub(super) push_ok: bool,
    pub(super) pull_only: bool,
    /// The server is a leaf that takes files as they are stored.
    pub(super) stored: bool,
}

/// Marks kept for this remote, read when the session begins; see [`super::mark`].
#[derive(Clone, Debug, Default)]
pub(super) struct SessionMarks {
    pub(super) loaded: bool,
    /// The server as it was when we had heard all that it announced.
    pub(super) pull: Option<Mark>,
    /// The server as it was when it had heard all that we announced, and ourselves as we were then.
    pub(super) push: Option<(Mark, Mark)>,
    /// What the server calls its present state.
    pub(super) server: Option<Mark>,
    pub(super) stale: bool,
}

/// What a request carries.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one request"
)]
pub(super) struct Flight {
    /// Phantoms that it asks for.
    pub(super) asked: Vec<ArtifactHash>,
    /// Artifacts that it brings on the server's demand.
    pub(super) answers: HashSet<ArtifactHash>,
    /// Unsent artifacts that it brings or announces.
    pub(super) unsent: Vec<Rid>,
    pub(super) sent: u64,
    pub(super) deltas: u64,
    pub(super) uv_sent: Vec<String>,
    pub(super) uv_hash: bool,
    pub(super) config_asked: bool,
    pub(super) config_sent: bool,
    pub(super) lock: bool,
    pub(super) tables: TableFlight,
    /// Ourselves, as announced now or before.
    pub(super) mark: Option<Mark>,
    /// What was announced now or before.
    pub(super) told: HashSet<Rid>,
    pub(super) bytes: u64,
}

/// A request to carry to the server.
#[derive(Clone, Debug)]
pub struct Transmit {
    /// The HTTP body.
    pub body: Vec<u8>,
    /// Its type.
    pub content_type: ContentType,
    /// Value of a `Cookie: x-f-l-c=..` header, URL-encoded, when the login travels there.
    pub cookie: Option<String>,
    /// Counts from 1.
    pub round: u32,
}

/// What happened, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SyncEvent {
    /// The server forbids delta manifests.
    AvoidDeltaManifests,
    /// Somebody else is committing on the check-in that was to be locked.
    CiLockFailed {
        /// Who.
        user: String,
        /// Since when. Units: seconds since 1970.
        since: i64,
    },
    /// The server's clock differs from ours by so many seconds; positive when it is ahead.
    ClockSkew {
        /// Units: seconds.
        seconds: i64,
    },
    /// Every artifact of a clone is staged, none is verified; see `Repo::finish_clone`.
    CloneReceived,
    /// How many artifacts are still to come, as far as the server knows; said once, at the begin of a clone.
    Expected {
        /// Those that arrived before are not among them.
        artifacts: u64,
    },
    /// Nothing is left to move.
    Done {
        /// Rounds it took.
        rounds: u32,
    },
    /// Another repository of the project.
    Link {
        /// Where.
        url: String,
    },
    /// The server takes nothing from us; the session goes on as a pull.
    PullOnly,
    /// A reply was applied.
    Round {
        /// Counts from 1.
        round: u32,
        /// Artifacts that this reply brought.
        received: u64,
        /// Artifacts that its request brought.
        sent: u64,
        /// Artifacts that are known by name and still to come.
        missing: u64,
    },
    /// The server has something to say.
    ServerSays {
        /// Its words.
        message: String,
    },
    /// A synced table stays as it is: what the server says of it cannot be used.
    TableSkipped {
        /// Its name.
        table: String,
        /// What is wrong.
        reason: String,
    },
    /// The server takes no unversioned files from us; those that differ stay as they are.
    UvPullOnly,
}

/// Sums over a session.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SyncStats {
    /// Requests that were answered.
    pub rounds: u32,
    /// Artifacts received, deltas among them.
    pub artifacts_received: u64,
    /// Artifacts sent, deltas among them.
    pub artifacts_sent: u64,
    /// Deltas received.
    pub deltas_received: u64,
    /// Deltas sent.
    pub deltas_sent: u64,
    /// Unversioned files received.
    pub uv_received: u64,
    /// Unversioned files sent.
    pub uv_sent: u64,
    /// Rows of synced tables received.
    pub rows_received: u64,
    /// Rows of synced tables sent.
    pub rows_sent: u64,
    /// Configuration cards received.
    pub config_received: u64,
    /// Bytes of requests, before compression.
    pub plain_bytes_sent: u64,
    /// Bytes of replies, after expansion.
    pub plain_bytes_received: u64,
}

impl SyncSession {
    /// A session that has not said anything yet.
    pub fn new(options: SyncOptions) -> Self {
        let goal = options.goal;
        let talk = Talk {
            server: Version::OURS,
            push: matches!(goal, Goal::Push | Goal::Sync),
            pull: matches!(goal, Goal::Pull | Goal::Sync),
            clone: goal == Goal::Clone,
            project: None,
            seqno: 1,
            source_known: false,
            legacy: false,
            asked: Vec::new(),
            gimmes_max: options.limits.gimmes_max,
            in_vain: HashSet::new(),
            turn: 0,
            announced: HashSet::new(),
            unmet: 0,
            asked_private: Vec::new(),
            to_prove: None,
            on_remote: HashSet::new(),
            uv: Uv::default(),
            config_asked: false,
            config_sent: false,
            lock_sent: false,
            marks: SessionMarks::default(),
            tables: TableTalk::default(),
        };
        Self {
            options,
            state: State::Ready,
            round: 0,
            stats: SyncStats::default(),
            events: VecDeque::new(),
            talk,
            in_flight: Flight::default(),
        }
    }

    /// The next message to carry, or `None` while one is out or when all is done.
    ///
    /// `entropy` makes the message unlike any other, so that no login can be replayed.
    ///
    /// # Errors
    ///
    /// [`SyncError::TooManyRounds`], [`SyncError::Repo`]; the session is finished.
    pub fn poll_transmit(
        &mut self,
        repo: &mut Repo,
        entropy: [u8; 20],
    ) -> Result<Option<Transmit>, SyncError> {
        if self.state != State::Ready {
            return Ok(None);
        }
        self.state = State::Done;
        if self.round >= self.options.limits.rounds_max {
            return Err(SyncError::TooManyRounds { rounds: self.round });
        }
        let (message, flight) = repo.read(|repo| self.compose(repo, entropy))?;
        self.in_flight = flight;
        self.in_flight.bytes = message.len() as u64;
        self.round += 1;
        self.state = State::Waiting;
        Ok(Some(self.seal(message)))
    }

    /// Signs and packs a message.
    fn seal(&self, message: Vec<u8>) -> Transmit {
        let content_type = if self.options.debug {
            ContentType::Debug
        } else {
            ContentType::Compressed
        };
        let mut cookie = None;
        let mut body = message;
        if let (Some(login), Some(project)) = (&self.options.login, &self.talk.project) {
            let secret = login::secret(project, &login.user, &login.password);
            let mut line = login::card(&login.user, &secret, &body);
            if self.options.cookie_login && self.round > 1 && self.talk.server.takes_cookie_login() {
                cookie = Some(login::to_cookie(&line));
            } else {
                line.push(b'\n');
                line.extend_from_slice(&body);
                body = line;
            }
        }
        Transmit {
            body: envelope::pack(body, content_type),
            content_type,
            cookie,
            round: self.round,
        }
    }

    /// Applies the server's answer to the last [`Transmit`].
    ///
    /// # Errors
    ///
    /// Any but [`SyncError::TooManyRounds`]. The repository is as it was before the call, and the session is
    /// finished.
    pub fn handle_reply(
        &mut self,
        repo: &mut Repo,
        reply: &[u8],
        content_type: ContentType,
        now: Timestamp,
    ) -> Result<(), SyncError> {
        if self.state != State::Waiting {
            return Err(SyncError::OutOfTurn);
        }
        self.state = State::Done;
        if reply.len() <= 4 {
            return Err(SyncError::PeerSentNothing);
        }
        let message = envelope::unpack(reply, content_type, self.options.limits.message_bytes_max)?;
        let flight = core::mem::take(&mut self.in_flight);
        let go_on = self.apply(repo, &message, &flight, now)?;
        if go_on {
            self.state = State::Ready;
        } else {
            if self.talk.clone {
                self.events.push_back(SyncEvent::CloneReceived);
            }
            self.events.push_back(SyncEvent::Done { rounds: self.round });
        }
        Ok(())
    }

    /// There will be no answer to the last [`Transmit`]; the next one says the same again.
    pub fn handle_lost(&mut self) {
        if self.state == State::Waiting {
            self.in_flight = Flight::default();
            self.state = State::Ready;
        }
    }

    /// What happened since the last call.
    pub fn poll_event(&mut self) -> Option<SyncEvent> {
        self.events.pop_front()
    }

    /// Sums so far.
    pub fn stats(&self) -> &SyncStats {
        &self.stats
    }
}
