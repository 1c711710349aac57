//! Fetching what another leaf has: a whole sync over NATS, round by round, on the repository's own threads.

use super::line::Line;
use crate::repo_pool::{RepoGone, RepoPool};
use crate::world;
use leaf_core::mesh::{Caller, MeshError, Next};
use leaf_core::nats::client::NatsError;
use leaf_core::sync::{SyncError, SyncOptions, SyncSession, SyncStats};
use leaf_core::xfer::ContentType;
use std::time::Duration;

/// Why a sync did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error(transparent)]
    Gone(#[from] RepoGone),
    #[error(transparent)]
    Mesh(#[from] MeshError),
    #[error(transparent)]
    Sync(#[from] SyncError),
}

impl FetchError {
    /// Nobody is there, which is no failure.
    pub(super) fn is_nobody(&self) -> bool {
        matches!(
            self,
            Self::Mesh(MeshError::Nats(NatsError::NoResponders | NatsError::Away))
        )
    }
}

/// One round: a message out, its reply back. `progress` hears how much of the reply is there.
pub(crate) async fn round_trip(
    line: &Line,
    caller: &mut Caller,
    message: Vec<u8>,
    patience: Duration,
    mut progress: impl FnMut(usize),
) -> Result<(Vec<u8>, ContentType), MeshError> {
    let mut ask = caller.ask(message, line.state().payload_max);
    let mut received = 0;
    loop {
        let reply = line.request(ask, patience).await;
        received += reply.as_ref().map_or(0, |arrival| arrival.body.len());
        progress(received);
        match caller.hear(reply)? {
            Next::Ask(next) => ask = next,
            Next::Done { body, content_type } => return Ok((body, content_type)),
        }
    }
}

/// Syncs the repository of `pool` with whom `caller` calls.
pub(super) async fn fetch(
    pool: &RepoPool,
    line: &Line,
    caller: &mut Caller,
    options: SyncOptions,
    patience: Duration,
) -> Result<SyncStats, FetchError> {
    let mut session = SyncSession::new(options);
    loop {
        let (back, transmit) = pool
            .run(move |repo, _| {
                let transmit = session.poll_transmit(repo, world::entropy());
                (session, transmit)
            })
            .await?;
        session = back;
        let Some(transmit) = transmit? else {
            let stats = session.stats();
            if stats.artifacts_received + stats.uv_received > 0 {
                pool.tell_news();
            }
            return Ok(*session.stats());
        };
        let (body, content_type) = round_trip(line, caller, transmit.body, patience, |_| {}).await?;
        let (back, heard) = pool
            .run(move |repo, _| {
                let heard = session.handle_reply(repo, &body, content_type, world::now());
                (session, heard)
            })
            .await?;
        session = back;
        heard?;
        while session.poll_event().is_some() {}
    }
}
