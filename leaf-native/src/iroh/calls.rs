//! Calls that a leaf makes of itself: each repository is synced with those on its list whose place is known, at once
//! when something is new here, and all once in a while.
//!
//! ```text
//!   file, news ──▶ pace: whom now ──▶ a call: connection, kept ──▶ RepoPool::sync
//! ```
//!
//! Who hangs or is away takes one place of several until its time is up, and is then left alone for a while, longer each
//! time: it holds up nobody.
//!
//! Source: `leaf_core::mesh::Pace`, as in `mesh::member`; `leaf_iroh` for a call.

use super::guests::Guests;
use super::register::Register;
use crate::mesh::Look;
use crate::repo_pool::{Carrier, FetchError, RepoPool};
use crate::world;
use iroh::endpoint::Connection;
use iroh::{Endpoint, EndpointId};
use leaf_core::id::ProjectCode;
use leaf_core::limits::PeerLimits;
use leaf_core::mesh::{Pace, Whom};
use leaf_core::peer::XFER;
use leaf_core::repo::{Guest, Repo, RepoError};
use leaf_core::sync::{Goal, SyncOptions, SyncStats, Transmit};
use leaf_core::xfer::ContentType;
use leaf_iroh::{FAILED, IrohError, IrohUrl, connect, judge, round, say_where};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Peers that are called at a time, for one repository.
const CALLS_MAX: usize = 8;
/// How long a peer may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long one may take in all.
const CALL_MAX: Duration = Duration::from_mins(15);
/// Addresses of this leaf that peers are told.
const ADDRESSES_MAX: usize = 8;

/// Who calls.
#[derive(Debug)]
pub(super) struct Calls {
    endpoint: Endpoint,
    /// Where it can be called itself.
    place: IrohUrl,
    register: Arc<Register>,
    /// How often everybody is called. Units: milliseconds.
    every_ms: i64,
    /// Peers are found by their key alone.
    finds: bool,
    /// Connections are kept: the next call needs none, and what is new goes out at once.
    open: Mutex<BTreeMap<EndpointId, Connection>>,
}

/// One repository, and what of it is known to be here.
struct Caller {
    calls: Arc<Calls>,
    name: String,
    file: PathBuf,
    pool: Arc<RepoPool>,
    project: ProjectCode,
    here: Newest,
}

/// The last delivery, and the catalogue of unversioned files.
type Newest = (i64, String);

/// A round goes out on a connection.
struct ByKey<'a> {
    connection: &'a Connection,
    project: &'a str,
}

impl Carrier for ByKey<'_> {
    type Error = IrohError;

    async fn carry(&mut self, message: Transmit) -> Result<(Vec<u8>, ContentType), IrohError> {
        let request = (message.content_type, message.body.as_slice());
        let limits = PeerLimits::default();
        let room = &mut |_| true;
        round(
            self.connection,
            Some(self.project),
            request,
            &limits,
            SILENCE_MAX,
            room,
        )
        .await
    }
}

impl Calls {
    pub(super) fn new(
        endpoint: Endpoint,
        mut place: IrohUrl,
        register: Arc<Register>,
        every_ms: i64,
        finds: bool,
    ) -> Self {
        // It has to go into a line.
        place.addresses.truncate(ADDRESSES_MAX);
        Self {
            endpoint,
            place,
            register,
            every_ms,
            finds,
            open: Mutex::default(),
        }
    }

    /// Calls for every repository that is served now, for as long as this is waited for.
    pub(super) async fn run(self: Arc<Self>, guests: &Guests) {
        let mut callers = JoinSet::new();
        for (name, file, pool) in guests.members().await {
            let read = pool.run(|repo, _| Ok::<_, RepoError>((repo.project_code()?, newest(repo)?)));
            let Ok(Ok((project, here))) = read.await else {
                tracing::error!(name, "a repository calls nobody: it cannot be read");
                continue;
            };
            let caller = Caller {
                calls: Arc::clone(&self),
                name,
                file,
                pool,
                project,
                here,
            };
            callers.spawn(caller.live());
        }
        while callers.join_next().await.is_some() {}
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<EndpointId, Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection with a peer, if it is still there; else a new one.
    async fn connection(&self, place: &IrohUrl, project: &str) -> Result<Connection, IrohError> {
        let kept = self.open().get(&place.id).cloned();
        if let Some(kept) = kept.filter(|kept| kept.close_reason().is_none()) {
            return Ok(kept);
        }
        let connection = connect(&self.endpoint, place, XFER).await?;
        say_where(&connection, project, &self.place, SILENCE_MAX).await?;
        self.open().insert(place.id, connection.clone());
        let (entry, open) = (self.register.enter(&connection), connection.clone());
        tokio::spawn(async move {
            open.closed().await;
            drop(entry);
        });
        Ok(connection)
    }

    async fn call(
        &self,
        place: &IrohUrl,
        project: &str,
        pool: &RepoPool,
    ) -> Result<SyncStats, FetchError<IrohError>> {
        let connection = self.connection(place, project).await.map_err(FetchError::Wire)?;
        let options = SyncOptions {
            unversioned: true,
            ..SyncOptions::new(Goal::Sync, format!("iroh://{}", place.id))
        };
        let mut wire = ByKey {
            connection: &connection,
            project,
        };
        let synced = match timeout(CALL_MAX, pool.sync(options, &mut wire)).await {
            Ok(synced) => synced,
            Err(_) => Err(FetchError::Wire(IrohError::Refused(
                "it takes too long".to_owned(),
            ))),
        };
        synced.map_err(|error| {
            let error = match error {
                FetchError::Wire(error) => FetchError::Wire(judge(error, &connection, self.endpoint.id())),
                error => error,
            };
            // Whatever was wrong, the next call begins anew.
            connection.close(FAILED, b"");
            error
        })
    }
}

impl Caller {
    async fn live(mut self) {
        let now = world::now();
        let mut pace = Pace::new(self.calls.every_ms, CALLS_MAX, world::seed(), now);
        let (mut look, mut news) = (Look::new(&self.file), self.pool.news());
        let (tell, mut done) = mpsc::unbounded_channel();
        let mut under_way = JoinSet::new();
        loop {
            while let Some(whom) = pace.begin(world::now()) {
                match &whom {
                    Whom::Anybody => {
                        self.want_all(&mut pace).await;
                        pace.done(&whom, true, world::now());
                    }
                    Whom::Peer(id) => {
                        under_way.spawn(self.call(id.clone(), tell.clone()));
                    }
                }
            }
            let nap = world::nap(pace.due(world::now()));
            tokio::select! {
                Some((whom, is_good)) = done.recv() => pace.done(&whom, is_good, world::now()),
                Ok(()) = news.changed() => self.look(&mut pace).await,
                () = look.changed() => self.look(&mut pace).await,
                () = sleep(nap) => {}
            }
            while under_way.try_join_next().is_some() {}
        }
    }

    /// Calls all when something is here that was not.
    async fn look(&mut self, pace: &mut Pace) {
        if let Ok(Ok(now)) = self.pool.run(|repo, _| newest(repo)).await
            && now != self.here
        {
            self.here = now;
            self.want_all(pace).await;
        }
    }

    async fn want_all(&self, pace: &mut Pace) {
        let guests = self.pool.run(|repo, _| repo.guests()).await;
        let Ok(Ok(guests)) = guests else { return };
        let can_be_called = |guest: &&Guest| self.calls.finds || !guest.place.is_empty();
        for guest in guests.iter().filter(can_be_called) {
            pace.want(&guest.id, world::now());
        }
    }

    /// Calls one, and says on `done` how that went.
    fn call(
        &self,
        id: String,
        done: mpsc::UnboundedSender<(Whom, bool)>,
    ) -> impl Future<Output = ()> + use<> {
        let (calls, pool) = (Arc::clone(&self.calls), Arc::clone(&self.pool));
        let (repository, project) = (self.name.clone(), self.project.clone());
        async move {
            let asked = id.clone();
            let guest = pool.run(move |repo, _| repo.guest(&asked)).await;
            let guest = guest.ok().and_then(Result::ok).flatten();
            let place = guest.and_then(|guest| match guest.place.as_str() {
                // Its key is enough.
                "" if calls.finds => IrohUrl::parse(&format!("iroh://{id}")).ok(),
                place => IrohUrl::parse(place).ok(),
            });
            let is_good = match place.filter(|place| place.id.to_string() == id) {
                // Off the list, or of no place, since it was wanted.
                None => true,
                Some(place) => match calls.call(&place, project.as_str(), &pool).await {
                    Ok(stats) => {
                        let (sent, received) = (stats.artifacts_sent, stats.artifacts_received);
                        if sent + received > 0 {
                            tracing::info!(repository, peer = id, sent, received, "synced by key");
                        }
                        true
                    }
                    Err(error) => {
                        tracing::info!(repository, peer = id, %error, "could not sync by key");
                        false
                    }
                },
            };
            // The caller may be gone.
            done.send((Whom::Peer(id), is_good)).ok();
        }
    }
}

fn newest(repo: &Repo) -> Result<Newest, RepoError> {
    let delivery = repo.news_since(i64::MAX, 0)?.delivery;
    Ok((delivery, repo.uv_hash()?))
}
