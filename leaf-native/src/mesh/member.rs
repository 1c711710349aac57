//! A repository in the mesh: it answers, says what is new, and fetches what others have.
//!
//! Whoever changes the file (a request by HTTP, a command, stock Fossil), the file changes: that is what is looked at.

use super::counter::{Counter, Window};
use super::fetch::{ByNats, is_nobody};
use super::line::{Line, Subscription};
use super::look::Look;
use super::who;
use crate::repo_pool::RepoPool;
use crate::world;
use leaf_core::limits::{Limits, MeshLimits};
use leaf_core::mesh::{Caller, Card, Errand, Hint, PREFIX, Pace, Subjects, Whom};
use leaf_core::nats::client::Arrival;
use leaf_core::repo::{Peer, RepoError};
use leaf_core::sync::{self, Credentials, Goal, ServeContext, SyncOptions};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{interval, sleep};

/// Announcements of one change at most.
const HINTS_MAX: u32 = 16;
/// Other leaves that are asked at a time.
const FETCHES_MAX: usize = 4;
/// How long another leaf may take for one reply.
const REPLY_MAX: Duration = Duration::from_mins(1);
/// How often the leaf says that it is still there.
const SIGN_OF_LIFE: Duration = Duration::from_hours(1);

/// How a leaf takes part.
#[derive(Clone, Debug)]
pub struct MeshOptions {
    /// What subjects begin with.
    pub prefix: String,
    /// What the leaf calls itself.
    pub leaf: String,
    /// As whom other leaves are asked; `None` is Fossil's `nobody`.
    pub login: Option<Credentials>,
    /// How often everybody is asked when nothing was announced. Units: milliseconds.
    pub every_ms: i64,
    /// Requests that are worked on at a time.
    pub requests_max: usize,
    /// How the leaf can be reached and what it does, for the registry that every repository keeps of who holds its
    /// project; `None` keeps it out of that.
    pub transports: Option<String>,
}

impl Default for MeshOptions {
    fn default() -> Self {
        Self {
            prefix: PREFIX.to_owned(),
            leaf: "leaf".to_owned(),
            login: None,
            every_ms: 60_000,
            requests_max: 32,
            transports: None,
        }
    }
}

/// The repositories of a leaf on one connection.
#[derive(Debug)]
pub struct Mesh {
    line: Line,
    options: Arc<MeshOptions>,
    permits: Arc<Semaphore>,
}

impl Mesh {
    /// Takes part by `line`.
    pub fn new(line: Line, options: MeshOptions) -> Self {
        Self {
            line,
            permits: Arc::new(Semaphore::new(options.requests_max)),
            options: Arc::new(options),
        }
    }

    /// Lets a repository take part, until the process ends. Call it inside of a runtime.
    pub fn join(&self, name: String, file: PathBuf, pool: Arc<RepoPool>) {
        let (line, options, permits) = (
            self.line.clone(),
            Arc::clone(&self.options),
            Arc::clone(&self.permits),
        );
        tokio::spawn(async move {
            match Member::new(line, options, permits, name, file.clone(), pool).await {
                Some(member) => member.live().await,
                None => {
                    tracing::error!(file = %file.display(), "a repository takes no part in the mesh: it cannot be read");
                }
            }
        });
    }
}

/// What a member is asked, told, and hears of itself.
struct Ears {
    window: Window,
    news: Subscription,
    who: Subscription,
}

struct Member {
    line: Line,
    options: Arc<MeshOptions>,
    subjects: Subjects,
    file: PathBuf,
    pool: Arc<RepoPool>,
    card: Card,
    counter: Counter,
    pace: Pace,
    /// The last delivery that was announced.
    delivery: i64,
    /// The catalogue of unversioned files that was announced last.
    unversioned: String,
}

impl Member {
    async fn new(
        line: Line,
        options: Arc<MeshOptions>,
        permits: Arc<Semaphore>,
        repository: String,
        file: PathBuf,
        pool: Arc<RepoPool>,
    ) -> Option<Self> {
        let read = pool
            .run(|repo, _| {
                let name = repo.config("project-name")?.unwrap_or_default();
                let delivery = repo.news_since(i64::MAX, 0)?.delivery;
                Ok::<_, RepoError>((
                    repo.project_code()?,
                    repo.server_code()?,
                    name,
                    (delivery, repo.uv_hash()?),
                ))
            })
            .await;
        let (project, server, name, (delivery, unversioned)) = read.ok()?.ok()?;
        let peer_id = server.as_str().to_owned();
        Some(Self {
            subjects: Subjects::new(&options.prefix, &project),
            counter: Counter::new(line.clone(), peer_id.clone(), permits),
            pace: Pace::new(options.every_ms, FETCHES_MAX, world::seed(), world::now()),
            card: Card {
                peer_id,
                project_code: project.as_str().to_owned(),
                project_name: name,
                repository,
                leaf: options.leaf.clone(),
                kind: "native".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            line,
            options,
            file,
            pool,
            delivery,
            unversioned,
        })
    }

    async fn live(mut self) {
        let mut ears = Ears {
            window: self.counter.open(&self.subjects, &self.card.peer_id),
            news: self.line.subscribe(&self.subjects.commit(), None),
            who: self.line.subscribe(&Subjects::who(&self.options.prefix), None),
        };
        let (fetched, mut done) = mpsc::unbounded_channel();
        let mut look = Look::new(&self.file);
        let mut sign = interval(SIGN_OF_LIFE);
        let mut line = self.line.clone();
        let mut news = self.pool.news();
        let mut was_ready = false;
        loop {
            while let Some(whom) = self.pace.begin(world::now()) {
                self.fetch(whom, fetched.clone());
            }
            let nap = world::nap(self.pace.due(world::now()));
            tokio::select! {
                Some(arrival) = ears.window.next() => self.answer(arrival),
                Some(arrival) = ears.news.next() => self.hear(&arrival).await,
                Some(arrival) = ears.who.next() => who::tell(&self.line, &self.card, &arrival),
                Some((whom, is_good)) = done.recv() => self.pace.done(&whom, is_good, world::now()),
                is_alive = line.changed() => {
                    let is_ready = line.state().is_ready;
                    if is_ready && !was_ready {
                        self.pace.hurry(world::now());
                    }
                    was_ready = is_ready;
                    if !is_alive {
                        return;
                    }
                }
                // What came by way of this program need not be waited for.
                Ok(()) = news.changed() => self.announce().await,
                () = look.changed() => self.announce().await,
                _ = sign.tick() => self.register().await,
                () = sleep(nap) => {}
            }
        }
    }

    /// Says in the repository itself that this leaf holds it.
    async fn register(&self) {
        let Some(transports) = self.options.transports.clone() else {
            return;
        };
        let card = &self.card;
        let peer = Peer {
            peer_id: card.peer_id.clone(),
            name: card.leaf.clone(),
            kind: card.kind.clone(),
            repository: card.repository.clone(),
            version: card.version.clone(),
            platform: format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
            transports,
            nats_subject: self.options.prefix.clone(),
            addr: String::new(),
            seen: world::now(),
        };
        let noted = self.pool.run(move |repo, _| match repo.is_peer_due(&peer)? {
            true => repo.write(|tx| tx.note_peer(&peer)),
            false => Ok(false),
        });
        if let Ok(Err(error)) = noted.await {
            let repository = &self.card.repository;
            tracing::warn!(repository, %error, "the leaf is not in the registry of the repository");
        }
    }

    fn answer(&self, arrival: Arrival) {
        let pool = Arc::clone(&self.pool);
        self.counter.take(arrival, |errand, payload_max| async move {
            serve(&pool, errand, payload_max).await
        });
    }

    /// Somebody has something new. What is here already is no reason to ask.
    async fn hear(&mut self, arrival: &Arrival) {
        let Some(hint) = Hint::read(&arrival.body).filter(|hint| hint.peer_id != self.card.peer_id) else {
            return;
        };
        let peer = hint.peer_id.clone();
        if let Ok(Ok(false)) = self.pool.run(move |repo, _| hint.is_known(repo)).await {
            self.pace.want(&peer, world::now());
        }
    }

    /// Says what is new since it was said last.
    async fn announce(&mut self) {
        let since = self.delivery;
        // Nothing is written: whoever made the change may well be about to make another.
        let read = self
            .pool
            .run(move |repo, _| Ok::<_, RepoError>((repo.news_since(since, HINTS_MAX)?, repo.uv_hash()?)));
        let Ok(Ok((news, unversioned))) = read.await else {
            return;
        };
        self.delivery = news.delivery;
        let artifacts = news.artifacts.iter().rev();
        let mut hints: Vec<(i64, String)> = artifacts.map(|(rid, hash)| (rid.0, hash.to_string())).collect();
        if self.unversioned != unversioned {
            self.unversioned.clone_from(&unversioned);
            hints.push((0, unversioned));
        }
        for (rid, uuid) in hints {
            let hint = Hint {
                rid,
                uuid,
                peer_id: self.card.peer_id.clone(),
            };
            self.line
                .publish(&self.subjects.commit(), None, Vec::new(), hint.write());
        }
    }

    /// Fetches from whom, and says on `done` how that went.
    fn fetch(&self, whom: Whom, done: mpsc::UnboundedSender<(Whom, bool)>) {
        let peer = match &whom {
            Whom::Anybody => None,
            Whom::Peer(peer) => Some(peer.clone()),
        };
        let url = format!("nats:{}", peer.as_deref().unwrap_or("anybody"));
        let options = SyncOptions {
            login: self.options.login.clone(),
            unversioned: true,
            ..SyncOptions::new(Goal::Pull, url)
        };
        let reply_bytes_max = MeshLimits::default().reply_bytes_max;
        let mut caller = Caller::new(
            self.subjects.clone(),
            self.card.peer_id.clone(),
            peer,
            reply_bytes_max,
            world::seed(),
        );
        let (line, pool) = (self.line.clone(), Arc::clone(&self.pool));
        let repository = self.card.repository.clone();
        tokio::spawn(async move {
            let mut wire = ByNats {
                line: &line,
                caller: &mut caller,
                patience: REPLY_MAX,
            };
            let fetched = pool.sync(options, &mut wire).await;
            let from = caller.peer().unwrap_or_default();
            match &fetched {
                Ok(stats) if stats.artifacts_received > 0 => {
                    tracing::info!(repository, from, received = stats.artifacts_received, "fetched");
                }
                Ok(_) => {}
                Err(error) if is_nobody(error) => {}
                Err(error) => tracing::warn!(repository, from, %error, "could not fetch"),
            }
            let is_good = fetched.as_ref().map_or_else(is_nobody, |_| true);
            // The member may be gone.
            done.send((whom, is_good)).ok();
        });
    }
}

/// What the repository answers to a whole request.
async fn serve(pool: &RepoPool, errand: Errand, payload_max: usize) -> Result<sync::Reply, String> {
    let from = errand.from.clone();
    let usual = Limits::default();
    let context = ServeContext {
        now: world::now(),
        peer_address: "nats".to_owned(),
        guest: None,
        base_url: None,
        limits: Limits {
            // Whoever takes no parts gets what fits into one message.
            download_bytes: match from {
                Some(_) => usual.download_bytes,
                None => usual.download_bytes.min(payload_max / 4 * 3),
            },
            ..usual
        },
    };
    let served = pool.serve(errand.body, errand.content_type, None, context).await;
    let reply = match served {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(error)) => {
            tracing::error!(%error, "sync failed");
            Err("the repository cannot be read or written".to_owned())
        }
        Err(_) => Err("internal error".to_owned()),
    };
    if let Ok(reply) = &reply {
        let served = &reply.served;
        tracing::info!(
            peer = from.as_deref().unwrap_or("unknown"),
            bytes = reply.body.len(),
            user = served.user.as_deref().unwrap_or("nobody"),
            sent = served.sent + served.uv_sent,
            received = served.received + served.uv_received,
            error = served.error.as_deref().unwrap_or_default(),
            "request by NATS"
        );
    }
    reply
}
