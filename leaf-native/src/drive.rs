//! The sync loop of a command: compose, carry, apply, until nothing is left to move.

use crate::error::CliError;
use crate::output::{Out, count, grouped};
use crate::progress::{Progress, traffic};
use crate::remote::{Remote, RoundRequest};
use crate::world;
use leaf_core::repo::Repo;
use leaf_core::sync::{SyncEvent, SyncOptions, SyncSession, SyncStats};
use std::time::Duration;

/// How often a round is sent again whose reply was lost.
const RETRIES_MAX: u32 = 2;
/// How long to wait before that.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// What a sync did.
#[derive(Debug, Default)]
pub struct Driven {
    /// Artifacts and files.
    pub stats: SyncStats,
    /// Bytes of requests as they went over the wire, without HTTP's own.
    pub bytes_sent: u64,
    /// Bytes of replies.
    pub bytes_received: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// What the server said that the user should hear.
    pub remarks: Vec<String>,
}

/// Syncs `repo` with `remote`, to the end or to the first error.
///
/// # Errors
///
/// Any of the network, of the protocol or of the repository. Rounds before it are kept.
pub fn drive(
    repo: &mut Repo,
    remote: &mut Remote,
    options: SyncOptions,
    stage: &str,
    out: Out,
) -> Result<Driven, CliError> {
    let mut session = SyncSession::new(options);
    let mut driven = Driven::default();
    let mut progress = Progress::open_ended(out, stage);
    let mut expected = None;
    let mut lost = 0;
    let mut takes_nothing = false;
    while let Some(transmit) = session.poll_transmit(repo, world::entropy())? {
        let request = RoundRequest {
            body: &transmit.body,
            content_type: transmit.content_type,
            cookie: transmit.cookie.as_deref(),
        };
        driven.bytes_sent += transmit.body.len() as u64;
        let (before, sent) = (driven.bytes_received, driven.bytes_sent);
        let stats = *session.stats();
        let carried = remote.round_trip(request, &mut |bytes| {
            progress.set(stats.artifacts_received, |elapsed| {
                format!(
                    "{}, {}",
                    how_far(stats.artifacts_received, expected, elapsed),
                    traffic(transmit.round, before + bytes, sent, elapsed)
                )
            });
        });
        match carried {
            Ok(reply) => {
                lost = 0;
                driven.bytes_received += reply.body.len() as u64;
                session.handle_reply(repo, &reply.body, reply.content_type, world::now())?;
            }
            Err(error) if error.is_transient() && lost < RETRIES_MAX && transmit.round > 1 => {
                lost += 1;
                out.note(format!("{error}; trying again"));
                std::thread::sleep(RETRY_AFTER);
                session.handle_lost();
            }
            Err(error) => return Err(error.into()),
        }
        while let Some(event) = session.poll_event() {
            if let SyncEvent::Expected { artifacts } = event {
                progress.expect(artifacts);
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
    driven.elapsed = progress.elapsed();
    progress.finish();
    Ok(driven)
}

/// `1,234 of 65,000 artifacts, 12 s left`, or `1,234 artifacts` when nobody knows how many there will be.
fn how_far(artifacts: u64, expected: Option<u64>, elapsed: Duration) -> String {
    let Some(expected) = expected.filter(|expected| *expected >= artifacts) else {
        return count(artifacts, "artifact");
    };
    let left = elapsed
        .as_secs()
        .saturating_mul(expected - artifacts)
        .checked_div(artifacts);
    let left = left.map_or_else(String::new, |seconds| format!(", {seconds} s left"));
    format!("{} of {}{left}", grouped(artifacts), count(expected, "artifact"))
}

/// What of an event the user should hear.
fn remark(event: &SyncEvent) -> Option<String> {
    match event {
        SyncEvent::CiLockFailed { user, .. } => Some(format!("{user} is committing on the same check-in")),
        SyncEvent::ClockSkew { seconds } => {
            let (by, way) = (
                seconds.unsigned_abs(),
                if *seconds > 0 { "ahead of" } else { "behind" },
            );
            Some(format!("the server's clock is {by} s {way} ours"))
        }
        SyncEvent::Link { url } => Some(format!(
            "another repository of the project: {}",
            crate::output::tame(url)
        )),
        SyncEvent::PullOnly => Some("the server takes nothing from us: pulled only".to_owned()),
        SyncEvent::ServerSays { message } => {
            Some(format!("the server says: {}", crate::output::tame(message)))
        }
        SyncEvent::TableSkipped { table, reason } => Some(format!(
            "the synced table {} stays as it is: {reason}",
            crate::output::tame(table)
        )),
        SyncEvent::UvPullOnly => Some("the server takes no unversioned files from us".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_clone_is_says_what_is_left_once_the_total_is_known() {
        let after = Duration::from_secs(10);
        assert_eq!(how_far(1_000, None, after), "1,000 artifacts");
        assert_eq!(
            how_far(1_000, Some(4_000), after),
            "1,000 of 4,000 artifacts, 30 s left"
        );
        assert_eq!(how_far(0, Some(4_000), after), "0 of 4,000 artifacts");
        assert_eq!(how_far(5, Some(4), after), "5 artifacts", "the server was wrong");
    }
}
