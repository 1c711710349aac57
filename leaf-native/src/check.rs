//! Verification on all cores: one connection and one thread for each core.

use crate::disk::Access;
use crate::error::CliError;
use crate::output::{Out, count, human_bytes};
use crate::progress::{Progress, rate};
use leaf_core::repo::{CheckPart, Checked, Repo};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Parts for each thread: small enough that none is left alone with a long one.
const PARTS_PER_THREAD: usize = 4;

/// Verifies every artifact of `file`, which `repo` has open, and notes what a rebuild needs.
///
/// `open` gives each further thread its connection; a clone that is not finished is opened in another way.
///
/// # Errors
///
/// When the file cannot be read. Damage of artifacts is part of the result.
pub fn check_all(
    repo: &Repo,
    file: &Path,
    stage: &str,
    out: Out,
    open: fn(&Path, Access) -> Result<Repo, CliError>,
) -> Result<Vec<Checked>, CliError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = repo.check_plan(threads * PARTS_PER_THREAD)?;
    let total = repo.artifact_count()?;
    let (artifacts, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    let queue = Mutex::new(parts.into_iter().enumerate().collect::<Vec<_>>());
    let done = Mutex::new(Vec::new());
    let work = |repo: &Repo, tell: &mut dyn FnMut()| -> Result<(), CliError> {
        while let Some((index, part)) = next(&queue) {
            let checked = repo.check(&part, &mut |more_artifacts, more_bytes| {
                artifacts.fetch_add(more_artifacts, Ordering::Relaxed);
                bytes.fetch_add(more_bytes, Ordering::Relaxed);
                tell();
            })?;
            done.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((index, checked));
        }
        Ok(())
    };
    let mut progress = Progress::counted(out, stage, total);
    std::thread::scope(|scope| {
        // This thread works, too, with the connection that is there; it also tells of the others' progress.
        let others: Vec<_> = (1..threads)
            .map(|_| scope.spawn(|| work(&open(file, Access::Read)?, &mut || ())))
            .collect();
        work(repo, &mut || {
            let (artifacts, bytes) = (artifacts.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed));
            progress.set(artifacts, |elapsed| {
                let speed = rate(bytes, elapsed);
                format!("{}, {}{speed}", count(artifacts, "artifact"), human_bytes(bytes))
            });
        })?;
        for other in others {
            other
                .join()
                .map_err(|_| CliError::usage("a thread that verified has panicked"))??;
        }
        Ok::<_, CliError>(())
    })?;
    progress.finish();
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, checked)| checked).collect())
}

/// The next part to check.
fn next(queue: &Mutex<Vec<(usize, CheckPart)>>) -> Option<(usize, CheckPart)> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop()
}
