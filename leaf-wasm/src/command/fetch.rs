//! Clone and sync.

use super::drive::{Driven, drive};
use super::setup::{self, remember};
use super::verify::check_parts;
use crate::engine::{Leaf, Task, limits};
use crate::failure::Failed;
use crate::host::{Store, entropy, monotonic_ms, now};
use crate::protocol::{Clone, CloneResult, Code, Direction, LeafState, Progress, Sync, SyncResult};
use leaf_core::id::to_hex;
use leaf_core::repo::{ConfigGroup, Repo, UserChange};
use leaf_core::sync::{Credentials, Goal, SyncOptions};
use std::rc::Rc;

/// Fetches everything, verifies it, and links it. What an earlier clone left unfinished is gone on with.
pub(super) async fn clone(leaf: &Rc<Leaf>, args: &Clone, task: &Rc<Task>) -> Result<CloneResult, Failed> {
    let _occupied = leaf.occupy()?;
    if setup::is_made_by(leaf, task)? {
        return Ok(CloneResult {
            verified: leaf.read(|repo| Ok(repo.artifact_count()?))?,
            ..CloneResult::default()
        });
    }
    if leaf.state() == LeafState::Ready {
        return Err(Failed::exists());
    }
    let user = args.user.as_deref();
    if leaf.state() == LeafState::Empty {
        leaf.import.replace(None);
        let db = leaf.store.connect()?;
        Store::relax(&db)?;
        let new = setup::new_repo(None, setup::person(user));
        leaf.begin_clone(Repo::create_for_clone(db, &new)?);
    }
    let options = SyncOptions {
        login: login(user, args.password.as_deref()),
        private: args.private == Some(true),
        unversioned: args.unversioned != Some(false),
        config_pull: ConfigGroup::matching("/all"),
        limits: limits(),
        ..SyncOptions::new(Goal::Clone, &args.url)
    };
    let begin = monotonic_ms();
    let driven = match drive(leaf, &args.url, options, "cloning", task).await {
        Ok(driven) => driven,
        Err(failed) => return Err(abandon(leaf, failed)),
    };
    leaf.with_any(|repo| {
        remember(repo, &args.url, user)?;
        setup::note_maker(repo, task)?;
        let password = to_hex(&entropy());
        let admin = repo.config(super::DEFAULT_USER)?.unwrap_or_default();
        let change = UserChange {
            password: Some(&password),
            capabilities: Some("s"),
            info: None,
        };
        Ok(repo.write(|tx| tx.set_user(&admin, &change, now()))?)
    })?;
    let received = monotonic_ms();
    let checked = check_parts(leaf, "verifying", task).await?;
    let verified = checked.iter().map(|part| part.artifacts).sum();
    let checked_at = monotonic_ms();
    let total = Some(verified);
    task.progress(|| Progress {
        stage: "linking",
        done: 0,
        total,
        rounds: driven.stats.rounds,
        bytes_received: driven.bytes_received,
        bytes_sent: driven.bytes_sent,
    });
    leaf.with_any(|repo| Ok(repo.finish_clone(checked, now())?))?;
    // From here on what is acknowledged must be on the disk.
    leaf.reopen()?;
    let end = monotonic_ms();
    Ok(CloneResult {
        artifacts: driven.stats.artifacts_received,
        verified,
        rounds: driven.stats.rounds,
        bytes_received: driven.bytes_received,
        bytes_sent: driven.bytes_sent,
        elapsed_ms: [received - begin, checked_at - received, end - checked_at],
        remarks: driven.remarks,
    })
}

/// Takes a file away that nothing was received into, so that the leaf is empty again.
fn abandon(leaf: &Rc<Leaf>, failed: Failed) -> Failed {
    let is_empty = leaf
        .with_any(|repo| Ok(repo.artifact_count()? == 0))
        .unwrap_or(false);
    match is_empty.then(|| leaf.clear()) {
        Some(Err(other)) => other,
        _ => failed,
    }
}

/// Moves what one side has and the other has not.
pub(super) async fn sync(leaf: &Rc<Leaf>, args: &Sync, task: &Rc<Task>) -> Result<SyncResult, Failed> {
    let _occupied = leaf.occupy()?;
    let (url, kept_user) = leaf.with(|repo| {
        let (remote, user) = setup::remote(repo)?;
        let url =
            args.url.clone().or(remote).ok_or_else(|| {
                Failed::new(Code::BadArguments, "there is nobody to sync with yet; give a URL")
            })?;
        Ok((url, user))
    })?;
    let user = args.user.clone().or(kept_user);
    let goal = match args.direction.unwrap_or(Direction::Both) {
        Direction::Pull => Goal::Pull,
        Direction::Push => Goal::Push,
        Direction::Both => Goal::Sync,
    };
    let options = SyncOptions {
        login: login(user.as_deref(), args.password.as_deref()),
        private: args.private == Some(true),
        unversioned: args.unversioned != Some(false),
        limits: limits(),
        ..SyncOptions::new(goal, &url)
    };
    let Driven {
        stats,
        bytes_sent,
        bytes_received,
        remarks,
    } = drive(leaf, &url, options, "syncing", task).await?;
    let missing = leaf.with(|repo| {
        remember(repo, &url, user.as_deref())?;
        Ok(repo.phantom_count()?)
    })?;
    Ok(SyncResult {
        received: stats.artifacts_received,
        sent: stats.artifacts_sent,
        uv_received: stats.uv_received,
        uv_sent: stats.uv_sent,
        rounds: stats.rounds,
        bytes_received,
        bytes_sent,
        missing,
        remarks,
    })
}

fn login(user: Option<&str>, password: Option<&str>) -> Option<Credentials> {
    let user = user.filter(|user| !user.is_empty() && *user != "nobody")?;
    Some(Credentials {
        user: user.to_owned(),
        password: password.unwrap_or_default().to_owned(),
    })
}
