//! The threads that own a repository's connections.
//!
//! SQLite blocks, sockets must not: requests are handed over as jobs. Several threads serve one repository, each
//! with a connection of its own, so that clones do not wait for one another; SQLite sees to it that writers do.
//! The queue is short because whoever adds to it holds one of the server's few request permits.

use crate::disk::{self, Access};
use crate::error::CliError;
use crate::world;
use leaf_core::repo::Repo;
use leaf_core::sync::{
    self, SeenLogins, ServeContext, SyncError, SyncOptions, SyncSession, SyncStats, Transmit,
};
use leaf_core::xfer::ContentType;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::sync::{oneshot, watch};

/// Connections to one repository at most.
const THREADS_MAX: usize = 4;

type Job = Box<dyn FnOnce(&mut Repo, &mut SeenLogins) + Send>;

/// The way to one repository. Its threads end when it is dropped and its jobs are done.
#[derive(Debug)]
pub struct RepoPool {
    jobs: mpsc::Sender<Job>,
    news: watch::Sender<()>,
}

/// A job panicked: a bug of ours, and the request has no answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the thread of the repository has gone")]
pub struct RepoGone;

/// What carries the rounds of a sync that runs in the background.
pub(crate) trait Carrier {
    /// Why one was not carried.
    type Error: std::error::Error + 'static;

    /// Carries a message, and brings the reply.
    fn carry(
        &mut self,
        message: Transmit,
    ) -> impl Future<Output = Result<(Vec<u8>, ContentType), Self::Error>> + Send;
}

/// Why such a sync did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError<E: std::error::Error + 'static> {
    /// The repository is gone.
    #[error(transparent)]
    Gone(#[from] RepoGone),
    /// The wire.
    #[error(transparent)]
    Wire(E),
    /// The protocol, or the repository.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

impl RepoPool {
    /// Opens `file` once for each thread.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened as a repository, or the system has no thread to give.
    pub fn open(file: &Path) -> Result<Self, CliError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        let seen = SeenLogins::default();
        for _ in 0..cores.clamp(2, THREADS_MAX) {
            let owner = Owner {
                file: file.to_owned(),
                repo: disk::open(file, Access::Write)?,
                seen: seen.clone(),
                queue: Arc::clone(&queue),
            };
            std::thread::Builder::new()
                .name("repository".into())
                .spawn(move || owner.work())?;
        }
        Ok(Self {
            jobs,
            news: watch::Sender::new(()),
        })
    }

    /// Answers a request of a sync, by whatever wire it came, and says so if it brought something new.
    ///
    /// # Errors
    ///
    /// [`RepoGone`]; within, what the repository says.
    pub async fn serve(
        &self,
        body: Vec<u8>,
        content_type: ContentType,
        cookie: Option<String>,
        context: ServeContext,
    ) -> Result<Result<sync::Reply, SyncError>, RepoGone> {
        let answer = move |repo: &mut Repo, seen: &mut SeenLogins| {
            let request = sync::Request {
                body: &body,
                content_type,
                cookie: cookie.as_deref(),
            };
            sync::serve(repo, seen, &request, &context)
        };
        let reply = self.run(answer).await?;
        if let Ok(reply) = &reply
            && reply.served.received + reply.served.uv_received > 0
        {
            self.tell_news();
        }
        Ok(reply)
    }

    /// Syncs with whom `carrier` leads to, round by round, and says so if that brought something new.
    ///
    /// # Errors
    ///
    /// [`FetchError`]. Rounds before it are kept.
    pub(crate) async fn sync<C: Carrier>(
        &self,
        options: SyncOptions,
        carrier: &mut C,
    ) -> Result<SyncStats, FetchError<C::Error>> {
        let mut session = SyncSession::new(options);
        let synced = loop {
            let (back, transmit) = self
                .run(move |repo, _| {
                    let transmit = session.poll_transmit(repo, world::entropy());
                    (session, transmit)
                })
                .await?;
            session = back;
            let Some(transmit) = transmit? else {
                break Ok(*session.stats());
            };
            let (body, content_type) = match carrier.carry(transmit).await {
                Ok(reply) => reply,
                Err(error) => break Err(FetchError::Wire(error)),
            };
            let (back, heard) = self
                .run(move |repo, _| {
                    let heard = session.handle_reply(repo, &body, content_type, world::now());
                    (session, heard)
                })
                .await?;
            session = back;
            heard?;
            while session.poll_event().is_some() {}
        };
        let stats = session.stats();
        if stats.artifacts_received + stats.uv_received > 0 {
            self.tell_news();
        }
        synced
    }

    /// Says that something new has arrived.
    pub fn tell_news(&self) {
        self.news.send_replace(());
    }

    /// Hears of it.
    pub fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Runs `job` on one of the threads and returns its value.
    ///
    /// # Errors
    ///
    /// [`RepoGone`].
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Repo, &mut SeenLogins) -> T + Send + 'static,
    ) -> Result<T, RepoGone> {
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |repo, seen| {
            // The caller may have stopped waiting; its answer is then of no use to anyone.
            answer.send(job(repo, seen)).ok();
        });
        self.jobs.send(job).map_err(|_| RepoGone)?;
        wait.await.map_err(|_| RepoGone)
    }
}

/// What one thread owns.
struct Owner {
    file: PathBuf,
    repo: Repo,
    seen: SeenLogins,
    queue: Arc<Mutex<mpsc::Receiver<Job>>>,
}

impl Owner {
    /// Does jobs until there will be none.
    fn work(mut self) {
        while let Some(job) = next(&self.queue) {
            let (repo, seen) = (&mut self.repo, &mut self.seen);
            if catch_unwind(AssertUnwindSafe(|| job(repo, seen))).is_ok() {
                continue;
            }
            // The connection may be inside a transaction that nobody will end: closing it rolls back.
            tracing::error!("a request ended in a bug of ours; its connection to the repository is renewed");
            match disk::open(&self.file, Access::Write) {
                Ok(repo) => self.repo = repo,
                Err(error) => {
                    tracing::error!(
                        cause = error.lines().join(": "),
                        "the repository cannot be opened again"
                    );
                    return;
                }
            }
        }
    }
}

/// The next job, or `None` when there will be none.
fn next(queue: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}
