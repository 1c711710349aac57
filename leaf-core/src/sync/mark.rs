//! Marks between two leaves: what need not be announced again.
//!
//! Stock Fossil announces, in each request and each reply, every artifact that is in no cluster: up to some
//! hundred names each way for a sync that moves nothing. Between leaves the server ends its reply with
//! `pragma leaf-mark TOKEN`, which stands for what it announces ([`Mark`]). The client keeps it for this remote
//! and returns it next time: `pragma leaf-mark pull TOKEN` says *I have heard what you announced then*,
//! `pragma leaf-mark push TOKEN` says *you have heard what I announced when you were like that*. While the
//! tokens fit, only what came later is announced. When they do not fit, everything is, as ever: by the server at
//! once, by the client after `pragma leaf-mark-stale`, a round later. Stock ignores the pragmas.
//!
//! The client keeps beside each token a mark of itself, and trusts the token only while that fits, too.
//!
//! Source: none upstream; pragmas that are not known are ignored by Fossil `src/xfer.c` on both sides.

use super::client::SessionMarks;
use crate::repo::{Mark, Repo, RepoError, RepoTx, Standing};
use crate::time::Timestamp;

/// The server has told what it had when it was like this.
const PULL: &str = "leaf-mark-pull:";
/// The server was told what we had when it was like this.
const PUSH: &str = "leaf-mark-push:";

/// Reads the marks kept for a remote; those that this repository has outgrown are left out.
pub(super) fn load(repo: &Repo, url: &str, standing: &Standing) -> Result<SessionMarks, RepoError> {
    let kept = |prefix: &str| -> Result<Option<(Mark, Mark)>, RepoError> {
        let row = repo.config(&format!("{prefix}{url}"))?;
        let pair = row.as_deref().and_then(|row| row.split_once(' '));
        let pair = pair
            .and_then(|(server, own)| Some((Mark::parse(server.as_bytes())?, Mark::parse(own.as_bytes())?)));
        match pair {
            Some((server, own)) if standing.fits(&own) => Ok(Some((server, own))),
            _ => Ok(None),
        }
    };
    let pull = kept(PULL)?.map(|(server, _)| server);
    Ok(SessionMarks {
        loaded: true,
        pull,
        push: kept(PUSH)?,
        server: None,
        stale: false,
    })
}

/// Keeps the marks of a session. What is kept already is not written again.
pub(super) fn keep(
    tx: &RepoTx<'_>,
    url: &str,
    standing: &Standing,
    marks: &SessionMarks,
    now: Timestamp,
) -> Result<(), RepoError> {
    let keep = |prefix: &str, value: String| -> Result<(), RepoError> {
        let name = format!("{prefix}{url}");
        if tx.config(&name)?.as_deref() == Some(value.as_str()) {
            return Ok(());
        }
        tx.set_config(&name, &value, now)
    };
    if let Some(server) = &marks.pull {
        keep(PULL, format!("{server} {}", standing.mark()))?;
    }
    if let Some((server, own)) = &marks.push {
        keep(PUSH, format!("{server} {own}"))?;
    }
    Ok(())
}
