//! What a clone adds to a session: where it goes on, and when it is at its end.
//!
//! Where it goes on is a number of the server's own rows. Another server, or the same one with another file, numbers
//! them otherwise: the clone then begins anew, and keeps what it has.
//!
//! Source: Fossil `src/xfer.c` `client_sync()`, `clone_seqno`; every reply to a `clone` card names the server. The
//! legacy dialect: what a hub of EdgeSync 0.0.20 says.

use super::SyncError;
use super::client::{Flight, SyncSession};
use super::reply::Heard;
use crate::id::ProjectCode;
use crate::repo::RepoTx;
use crate::time::Timestamp;

impl SyncSession {
    /// Notes how far the clone is. A reply that says nothing of it was cut short, and nothing of it stays.
    pub(super) fn conclude_clone(
        &mut self,
        tx: &RepoTx<'_>,
        now: Timestamp,
        heard: &mut Heard,
    ) -> Result<(), SyncError> {
        if let (None, Some((first, last))) = (&self.talk.project, &heard.push_card) {
            let wanted = self
                .options
                .project
                .as_ref()
                .map(|wanted| wanted.as_str().as_bytes());
            self.talk.legacy |= wanted == Some(first) || is_of_legacy_hub(tx, heard)?;
            let project = if self.talk.legacy { first } else { last };
            let project = ProjectCode::parse(project).map_err(|_| SyncError::PeerWrongProject)?;
            if self
                .options
                .project
                .as_ref()
                .is_some_and(|wanted| *wanted != project)
            {
                return Err(SyncError::PeerWrongProject);
            }
            tx.set_config("project-code", project.as_str(), now)?;
            self.talk.project = Some(project);
        }
        for delta in &heard.hanging {
            tx.hang(delta)?;
        }
        let asked_for = self.talk.seqno;
        let is_silent = heard.seqno.is_none() && asked_for > 0;
        let next = heard.seqno.unwrap_or(0);
        let stands_still = next > 0 && next <= asked_for && heard.received == 0;
        if self.talk.project.is_none() || (heard.denied.is_none() && (is_silent || stands_still)) {
            return Err(SyncError::PeerStalled { seqno: asked_for });
        }
        if self.source_changed(tx, now, heard)? {
            heard.seqno = Some(1);
        }
        if let Some(seqno) = heard.seqno {
            tx.set_clone_seqno(seqno, now)?;
        }
        Ok(())
    }

    /// Whether the rows that were counted so far are another server's.
    fn source_changed(&mut self, tx: &RepoTx<'_>, now: Timestamp, heard: &Heard) -> Result<bool, SyncError> {
        let Some((first, last)) = &heard.push_card else {
            return Ok(false);
        };
        let server = if self.talk.legacy { last } else { first };
        let server = String::from_utf8_lossy(server).into_owned();
        let is_first = !core::mem::replace(&mut self.talk.source_known, true);
        let kept = tx.clone_source()?;
        if kept.as_ref() == Some(&server) {
            return Ok(false);
        }
        // Once in a session, or two servers behind one address would make it begin anew without an end.
        if !is_first {
            return Err(SyncError::PeersTakeTurns);
        }
        tx.set_clone_source(&server, now)?;
        Ok(kept.is_some())
    }

    /// Whether there is more to clone, or something to ask for after it.
    pub(super) fn clone_goes_on(&mut self, flight: &Flight, heard: &Heard) -> bool {
        let (talk, options) = (&mut self.talk, &self.options);
        if heard.denied.is_some() {
            return true;
        }
        talk.seqno = heard.seqno.unwrap_or(0);
        let config = !talk.config_asked && !options.config_pull.is_empty();
        let uv_comes = heard.uv_received > 0 || flight.uv_hash;
        let uv = options.unversioned && (!talk.uv.hash_sent || (!talk.uv.to_ask.is_empty() && uv_comes));
        talk.seqno > 0 || config || uv
    }
}

/// Both dialects of EdgeSync bound a clone by a cookie of this name; only the legacy one pushes before it says a row.
fn is_of_legacy_hub(tx: &RepoTx<'_>, heard: &Heard) -> Result<bool, SyncError> {
    // Stock, which may go on with what such a hub began, says its version.
    if heard.row_before_push.is_some() || heard.version.is_some() {
        return Ok(false);
    }
    let cookie = tx.config("cookie")?;
    Ok(cookie.is_some_and(|cookie| cookie.starts_with("lf-clone-cap:")))
}
