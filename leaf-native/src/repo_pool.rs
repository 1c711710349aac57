//! The threads that own a repository's connections.
//!
//! SQLite blocks, sockets must not: requests are handed over as jobs. Several threads serve one repository, each
//! with a connection of its own, so that clones do not wait for one another; SQLite sees to it that writers do.
//! The queue is short because whoever adds to it holds one of the server's few request permits.

use crate::disk::{self, Access};
use crate::error::CliError;
use leaf_core::repo::Repo;
use leaf_core::sync::SeenLogins;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::sync::oneshot;

/// Connections to one repository at most.
const THREADS_MAX: usize = 4;

type Job = Box<dyn FnOnce(&mut Repo, &mut SeenLogins) + Send>;

/// The way to one repository. Its threads end when it is dropped and its jobs are done.
#[derive(Debug)]
pub struct RepoPool {
    jobs: mpsc::Sender<Job>,
}

/// A job panicked: a bug of ours, and the request has no answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the thread of the repository has gone")]
pub struct RepoGone;

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
            let mut repo = disk::open(file, Access::Write)?;
            let (queue, mut seen) = (Arc::clone(&queue), seen.clone());
            std::thread::Builder::new()
                .name("repository".into())
                .spawn(move || {
                    while let Some(job) = next(&queue) {
                        job(&mut repo, &mut seen);
                    }
                })?;
        }
        Ok(Self { jobs })
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
            let value = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(repo, seen)));
            if let Ok(value) = value {
                // The caller may have stopped waiting; its answer is then of no use to anyone.
                answer.send(value).ok();
            }
        });
        self.jobs.send(job).map_err(|_| RepoGone)?;
        wait.await.map_err(|_| RepoGone)
    }
}

/// The next job, or `None` when there will be none.
fn next(queue: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}
