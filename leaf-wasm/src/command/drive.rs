//! The sync loop: compose, carry, apply, until nothing is left to move.
//!
//! The repository is free while a round is on its way.

use crate::engine::{Leaf, Task};
use crate::failure::Failed;
use crate::host::{Round, breathe, now};
use crate::mesh::Call;
use crate::protocol::Progress;
use leaf_core::sync::{SyncEvent, SyncOptions, SyncSession, SyncStats};
use std::rc::Rc;

/// How often a round is sent again whose reply was lost.
const RETRIES_MAX: u32 = 2;

/// What a session did.
#[derive(Debug, Default)]
pub(super) struct Driven {
    pub(super) stats: SyncStats,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
    pub(super) remarks: Vec<String>,
}

/// Syncs with `url`, to the end or to the first error. Rounds before that are kept.
pub(super) async fn drive(
    leaf: &Rc<Leaf>,
    url: &str,
    options: SyncOptions,
    stage: &'static str,
    task: &Rc<Task>,
) -> Result<Driven, Failed> {
    let mut call = Call::to(leaf, url, &options.limits).await?;
    let mut session = SyncSession::new(options);
    let mut driven = Driven::default();
    let mut expected = None;
    let mut lost = 0;
    let mut takes_nothing = false;
    loop {
        task.go_on()?;
        let transmit = leaf.with_any(|repo| Ok(session.poll_transmit(repo, crate::host::entropy())?))?;
        let Some(transmit) = transmit else { break };
        driven.bytes_sent += transmit.body.len() as u64;
        let progress = Progress {
            stage,
            done: session.stats().artifacts_received,
            total: expected,
            rounds: transmit.round,
            bytes_received: driven.bytes_received,
            bytes_sent: driven.bytes_sent,
        };
        task.progress(|| progress.clone());
        let round = transmit.round;
        let (signal, told) = (task.signal.as_ref(), tell(task, progress));
        let carried = match &mut call {
            Some(call) => call.carry(transmit.body, signal, told).await,
            None => {
                let round = Round {
                    url,
                    content_type: transmit.content_type,
                    body: &transmit.body,
                    signal,
                };
                leaf.wire.carry(&round, told).await
            }
        };
        match carried {
            Ok(reply) => {
                lost = 0;
                driven.bytes_received += reply.body.len() as u64;
                leaf.with_any(|repo| {
                    Ok(session.handle_reply(repo, &reply.body, reply.content_type, now())?)
                })?;
            }
            Err(failed) if failed.is_transient() && lost < RETRIES_MAX && round > 1 => {
                lost += 1;
                breathe().await;
                session.handle_lost();
            }
            Err(failed) => return Err(failed),
        }
        while let Some(event) = session.poll_event() {
            if let SyncEvent::Expected { artifacts } = event {
                expected = Some(artifacts);
            }
            takes_nothing |= event == SyncEvent::PullOnly;
            driven.remarks.extend(remark(&event));
        }
    }
    driven.stats = *session.stats();
    if takes_nothing {
        // It was carried, and thrown away.
        driven.stats.artifacts_sent = 0;
    }
    Ok(driven)
}

/// Tells the page of the bytes of a reply as they come.
fn tell(task: &Rc<Task>, progress: Progress) -> Box<dyn FnMut(f64)> {
    let task = Rc::clone(task);
    Box::new(move |bytes| {
        task.progress(|| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of bytes"
            )]
            let bytes = bytes as u64;
            Progress {
                bytes_received: progress.bytes_received + bytes,
                ..progress.clone()
            }
        });
    })
}

/// What of an event people should hear.
fn remark(event: &SyncEvent) -> Option<String> {
    match event {
        SyncEvent::ClockSkew { seconds } => {
            let way = if *seconds > 0 { "ahead of" } else { "behind" };
            Some(format!(
                "the server's clock is {} s {way} ours",
                seconds.unsigned_abs()
            ))
        }
        SyncEvent::PullOnly => {
            Some("the server takes nothing from us: pulled only; check the login".to_owned())
        }
        SyncEvent::ServerSays { message } => Some(format!("the server says: {message}")),
        SyncEvent::TableSkipped { table, reason } => {
            Some(format!("the synced table {table} stays as it is: {reason}"))
        }
        SyncEvent::UvPullOnly => Some("the server takes no unversioned files from us".to_owned()),
        _ => None,
    }
}
