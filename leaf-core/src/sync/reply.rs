//! Applying a reply, and deciding whether there is more to say.
//!
//! Source: Fossil `src/xfer.c` `client_sync()`.

use super::client::{Flight, SyncEvent, SyncSession};
use super::receive::receive;
use super::table_talk::HeardTables;
use super::{SyncError, mark, unversioned};
use crate::Blame;
use crate::format::fossilize;
use crate::id::{ArtifactHash, Rid};
use crate::repo::{Asking, Body, Hanging, Incoming, PeerLink, Repo, RepoError, RepoTx, UvVerdict};
use crate::time::Timestamp;
use crate::xfer::{BadCard, Card, Cards, Pragma, Version, envelope};
use std::collections::HashSet;

/// A clock that differs by less is not worth a word. Units: seconds.
const SKEW_S: i64 = 10;
/// Time that a server may need from stamping its reply to our having it. Units: seconds.
const TRANSFER_S: i64 = 20;
/// Bytes that travel in a second at the least.
const BYTES_PER_S: u64 = 5_000;

/// What one reply brought.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) received: u64,
    deltas: u64,
    pub(super) uv_received: u64,
    new_phantoms: usize,
    configs: u64,
    settled: Vec<Rid>,
    next_is_private: bool,
    pub(super) seqno: Option<i64>,
    pub(super) push_card: Option<(Vec<u8>, Vec<u8>)>,
    /// The row that was said before it.
    pub(super) row_before_push: Option<i64>,
    pub(super) version: Option<Version>,
    pub(super) denied: Option<String>,
    asked: Vec<ArtifactHash>,
    asked_private: Vec<ArtifactHash>,
    to_prove: Vec<ArtifactHash>,
    uv_to_ask: Vec<String>,
    uv_catalogue: bool,
    missing: u64,
    can_ask: bool,
    /// Deltas of a clone that came before their sources.
    pub(super) hanging: Vec<Hanging>,
    /// What was asked for, less what the reply brought or announced.
    left_out: HashSet<ArtifactHash>,
    tables: HeardTables,
}

impl SyncSession {
    /// Applies a whole reply in one transaction; whether to go on.
    pub(super) fn apply(
        &mut self,
        repo: &mut Repo,
        message: &[u8],
        flight: &Flight,
        now: Timestamp,
    ) -> Result<bool, SyncError> {
        self.talk.marks.stale = false;
        self.talk.marks.server = None;
        let heard = repo.write(|tx| {
            let mut heard = Heard {
                left_out: flight.asked.iter().copied().collect(),
                ..Heard::default()
            };
            self.hear(tx, message, now, &mut heard)?;
            self.conclude(tx, flight, now, &mut heard)?;
            Ok::<_, SyncError>(heard)
        })?;
        let talk = &mut self.talk;
        talk.uv.hash_sent |= flight.uv_hash;
        talk.config_asked |= flight.config_asked;
        talk.config_sent |= flight.config_sent;
        talk.lock_sent |= flight.lock;
        let stats = &mut self.stats;
        stats.rounds = self.round;
        stats.artifacts_sent += flight.sent;
        stats.deltas_sent += flight.deltas;
        stats.uv_sent += flight.uv_sent.len() as u64;
        stats.artifacts_received += heard.received;
        stats.deltas_received += heard.deltas;
        stats.uv_received += heard.uv_received;
        stats.config_received += heard.configs;
        stats.plain_bytes_sent += flight.bytes;
        stats.plain_bytes_received += message.len() as u64;
        self.note_tables(&flight.tables, &heard.tables);
        self.events.push_back(SyncEvent::Round {
            round: self.round,
            received: heard.received,
            sent: flight.sent,
            missing: heard.missing,
        });
        Ok(self.goes_on(flight, heard))
    }

    fn hear(
        &mut self,
        tx: &RepoTx<'_>,
        message: &[u8],
        now: Timestamp,
        heard: &mut Heard,
    ) -> Result<(), SyncError> {
        let limits = self.options.limits;
        let mut cards = Cards::new(message, &limits);
        while let Some(card) = cards.next() {
            match card? {
                Card::Unknown([b'<', ..]) => return Err(SyncError::PeerSentHtml),
                Card::Timestamp(time) => self.compare_clocks(time, message.len() as u64, now),
                card => self.card(tx, card, now, heard, cards.offset())?,
            }
        }
        Ok(())
    }

    fn card(
        &mut self,
        tx: &RepoTx<'_>,
        card: Card<'_>,
        now: Timestamp,
        heard: &mut Heard,
        offset: usize,
    ) -> Result<(), SyncError> {
        match card {
            Card::Cfile {
                hash,
                source,
                size,
                zblob,
            } => {
                let zblob = self.stock_form(zblob)?;
                self.store(tx, &hash, source, Body::Stored { zblob: &zblob, size }, heard)?;
            }
            Card::CloneSeqno(seqno) if self.talk.clone => heard.seqno = Some(seqno.max(0)),
            Card::CloneSeqno(_) | Card::Comment(_) | Card::Timestamp(_) => {}
            Card::Config { name, payload } => {
                tx.apply_config(name, payload, &self.options.config_pull, now)
                    .map_err(blame)?;
                heard.configs += 1;
            }
            Card::Cookie(value) => tx.set_config("cookie", &String::from_utf8_lossy(value), now)?,
            Card::Error(text) => self.hear_error(&decode(text), heard)?,
            Card::File {
                hash,
                source,
                content,
            } => {
                self.store(tx, &hash, source, Body::Plain(content), heard)?;
            }
            Card::Gimme(hash) => self.note_gimme(tx, &hash, heard)?,
            Card::Igot { hash, private } => self.note_igot(tx, &hash, private, heard)?,
            Card::Message(text) => self.hear_message(decode(text)),
            Card::Pragma(Pragma::LeafCount(Some(count))) => self.note_count(tx, count)?,
            Card::Pragma(Pragma::Link { url, arg, mtime }) => self.note_link(tx, url, arg, mtime)?,
            Card::Pragma(Pragma::ServerVersion(version)) => {
                heard.version = Some(version);
                self.talk.server = version;
            }
            Card::Pragma(Pragma::XtableHash {
                table, hash: b"-", ..
            }) => {
                self.hear_no_table(table);
            }
            Card::Pragma(pragma) => self.pragma(&pragma, heard),
            Card::Private => heard.next_is_private = true,
            Card::Push { server, project } => {
                heard.row_before_push = heard.seqno;
                heard.push_card = Some((server.to_vec(), project.to_vec()));
            }
            Card::Uvfile {
                name,
                mtime,
                hash,
                size,
                body,
            } => {
                if self.options.unversioned {
                    if self.options.unversioned_revert {
                        tx.uv_forget(name)?;
                    }
                    let file = unversioned::Arriving {
                        name,
                        mtime,
                        hash,
                        size,
                        body,
                    };
                    file.store(tx, &self.options.limits, now).map_err(blame)?;
                    heard.uv_received += 1;
                }
            }
            Card::Uvigot {
                name, mtime, hash, ..
            } => self.note_uvigot(tx, name, mtime, hash, heard)?,
            Card::Row { .. } | Card::Schema { .. } | Card::Xgimme { .. } | Card::Xigot { .. } => {
                if !self.hear_table(tx, &card, now, &mut heard.tables)? {
                    return Err(BadCard::Unknown { offset }.into());
                }
            }
            Card::Clone { .. }
            | Card::Login { .. }
            | Card::Pull { .. }
            | Card::ReqConfig(_)
            | Card::Unknown(_)
            | Card::Uvgimme(_) => return Err(BadCard::Unknown { offset }.into()),
        }
        Ok(())
    }

    fn pragma(&mut self, pragma: &Pragma<'_>, heard: &mut Heard) {
        match pragma {
            Pragma::AvoidDeltaManifests => self.events.push_back(SyncEvent::AvoidDeltaManifests),
            Pragma::CiLockFail { user, since } => {
                self.events.push_back(SyncEvent::CiLockFailed {
                    user: decode(user),
                    since: *since,
                });
            }
            Pragma::LeafMark { token, .. } => self.talk.marks.server = crate::repo::Mark::parse(token),
            Pragma::LeafMarkStale => self.talk.marks.stale = true,
            Pragma::LeafUvStored => self.talk.uv.stored = true,
            Pragma::UvPullOnly => {
                heard.uv_catalogue = true;
                self.talk.uv.pull_only = true;
            }
            Pragma::UvPushOk => {
                heard.uv_catalogue = true;
                self.talk.uv.push_ok = true;
            }
            _ => {}
        }
    }

    /// What arrived in an earlier session is not to come; what this reply brings is.
    fn note_count(&mut self, tx: &RepoTx<'_>, count: u64) -> Result<(), RepoError> {
        if self.talk.clone {
            let artifacts = count.saturating_sub(tx.artifact_count()?);
            self.events.push_back(SyncEvent::Expected { artifacts });
        }
        Ok(())
    }

    /// Heeded only if we asked.
    fn note_link(&mut self, tx: &RepoTx<'_>, url: &[u8], arg: &[u8], mtime: i64) -> Result<(), RepoError> {
        let link = PeerLink {
            url: decode(url),
            arg: decode(arg),
            mtime,
        };
        if self.options.share_links && tx.note_link(&link)? {
            self.events.push_back(SyncEvent::Link { url: link.url });
        }
        Ok(())
    }

    /// The first reply of a clone may refuse us only because we could not log in yet.
    fn hear_error(&mut self, message: &str, heard: &mut Heard) -> Result<(), SyncError> {
        if self.talk.clone && self.round == 1 && self.options.login.is_some() {
            heard.denied = Some(message.to_owned());
            return Ok(());
        }
        // Whoever may only read is told so in a friendlier way, unless the request had artifacts in it.
        if self.talk.pull && self.talk.push && message.starts_with("not authorized to write") {
            self.talk.push = false;
            self.events.push_back(SyncEvent::PullOnly);
            heard.denied = Some(message.to_owned());
            return Ok(());
        }
        Err(match message {
            "wrong project" => SyncError::PeerWrongProject,
            _ => SyncError::PeerSaid {
                message: message.to_owned(),
            },
        })
    }

    fn hear_message(&mut self, message: String) {
        if self.talk.push && message.starts_with("pull only ") {
            self.talk.push = false;
            self.events.push_back(SyncEvent::PullOnly);
        } else {
            self.events.push_back(SyncEvent::ServerSays { message });
        }
    }

    /// Transfer takes time, so a server that seems to be behind may not be.
    fn compare_clocks(&mut self, text: &[u8], bytes: u64, now: Timestamp) {
        let time = text.get(..19).and_then(Timestamp::parse_iso);
        let Some(time) = time else { return };
        let seconds = time.unix().saturating_sub(now.unix());
        let transfer = TRANSFER_S.saturating_add(i64::try_from(bytes / BYTES_PER_S).unwrap_or(i64::MAX));
        if seconds > SKEW_S || seconds < -transfer {
            let skew = SyncEvent::ClockSkew { seconds };
            if !self
                .events
                .iter()
                .any(|event| matches!(event, SyncEvent::ClockSkew { .. }))
            {
                self.events.push_back(skew);
            }
        }
    }

    // ---- artifacts ------------------------------------------------------------------------------------------

    /// Legacy peers send the bare zlib stream; the stored form has its size in front.
    fn stock_form<'m>(&mut self, zblob: &'m [u8]) -> Result<std::borrow::Cow<'m, [u8]>, SyncError> {
        let (form, legacy) = envelope::stock_form(zblob, self.options.limits.artifact_bytes_max)?;
        self.talk.legacy |= legacy;
        Ok(form)
    }

    fn store(
        &mut self,
        tx: &RepoTx<'_>,
        hash: &ArtifactHash,
        source: Option<ArtifactHash>,
        body: Body<'_>,
        heard: &mut Heard,
    ) -> Result<(), SyncError> {
        let private = core::mem::take(&mut heard.next_is_private);
        if (private && !self.options.private) || !(self.talk.pull || self.talk.clone) {
            return Ok(());
        }
        let incoming = Incoming {
            hash: *hash,
            source,
            body,
            private,
        };
        heard.received += 1;
        heard.deltas += u64::from(source.is_some());
        heard.left_out.remove(hash);
        self.talk.unmet = self.talk.unmet.saturating_sub(1);
        if self.talk.clone {
            heard.hanging.extend(tx.stage(&incoming).map_err(blame)?);
            return Ok(());
        }
        let received = receive(tx, &incoming).map_err(blame)?;
        if let Some(rid) = received.rid {
            self.talk.on_remote.insert(rid);
            self.talk.announced.remove(&rid);
        }
        heard.settled.extend(received.settled);
        Ok(())
    }

    fn note_igot(
        &mut self,
        tx: &RepoTx<'_>,
        hash: &ArtifactHash,
        private: bool,
        heard: &mut Heard,
    ) -> Result<(), SyncError> {
        heard.left_out.remove(hash);
        if let Some(rid) = tx.rid_of(hash)? {
            heard.new_phantoms += usize::from(self.talk.pull && tx.doubt(rid)?);
            self.talk.on_remote.insert(rid);
            if !tx.holds(rid)? {
                self.talk.announced.insert(rid);
            }
            match (private, tx.is_private(rid)?) {
                (false, true) if !tx.holds(rid)? => {
                    tx.set_public(rid)?;
                    heard.new_phantoms += usize::from(self.talk.pull);
                }
                (false, true) if self.options.private => tx.set_public(rid)?,
                // A server that is not told of private artifacts could make them public by their names.
                (false, true) => heard.to_prove.push(*hash),
                _ => {}
            }
        } else if (self.talk.pull || self.talk.clone) && (!private || self.options.private) {
            let max = self.options.limits.phantoms_max;
            if self.talk.unmet >= max {
                return Err(SyncError::PeerAnnouncedTooMuch { max });
            }
            if let Some(rid) = tx.phantom(hash, private)? {
                self.talk.unmet += 1;
                heard.new_phantoms += 1;
                self.talk.on_remote.insert(rid);
                self.talk.announced.insert(rid);
            }
        }
        Ok(())
    }

    /// Only what we hold counts, or a server that asks for what nobody has would keep us going.
    fn note_gimme(&self, tx: &RepoTx<'_>, hash: &ArtifactHash, heard: &mut Heard) -> Result<(), SyncError> {
        let Some(rid) = tx.rid_of(hash)?.filter(|_| self.talk.push) else {
            return Ok(());
        };
        if tx.is_private(rid)? && !self.options.private {
            if self.talk.server.hears_private_igots() {
                heard.asked_private.push(*hash);
            }
        } else if tx.is_available(rid)? {
            heard.asked.push(*hash);
        }
        Ok(())
    }

    // ---- unversioned files ----------------------------------------------------------------------------------

    fn note_uvigot(
        &mut self,
        tx: &RepoTx<'_>,
        name: &str,
        mtime: i64,
        hash: Option<ArtifactHash>,
        heard: &mut Heard,
    ) -> Result<(), SyncError> {
        if !self.options.unversioned {
            return Ok(());
        }
        let revert = self.options.unversioned_revert;
        let verdict = match tx.uv_status(name, mtime, hash.as_ref())? {
            UvVerdict::PushTime if revert => UvVerdict::PullTime,
            UvVerdict::Push if revert => UvVerdict::Pull,
            verdict => verdict,
        };
        let uv = &mut self.talk.uv;
        match (verdict, hash) {
            (UvVerdict::Pull | UvVerdict::Unknown, Some(_)) => heard.uv_to_ask.push(name.to_owned()),
            (UvVerdict::Pull, None) => tx.uv_tombstone(name, mtime)?,
            (UvVerdict::PullTime, _) => tx.uv_touch(name, mtime)?,
            _ => {}
        }
        match verdict {
            UvVerdict::Push | UvVerdict::PushTime if uv.pull_only => {
                uv.to_send.remove(name);
                if !self.events.contains(&SyncEvent::UvPullOnly) {
                    self.events.push_back(SyncEvent::UvPullOnly);
                }
            }
            UvVerdict::Push => {
                uv.to_send.insert(name.to_owned(), false);
            }
            UvVerdict::PushTime => {
                uv.to_send.insert(name.to_owned(), true);
            }
            _ => {
                uv.to_send.remove(name);
            }
        }
        Ok(())
    }

    // ---- the end of a reply ---------------------------------------------------------------------------------

    fn conclude(
        &mut self,
        tx: &RepoTx<'_>,
        flight: &Flight,
        now: Timestamp,
        heard: &mut Heard,
    ) -> Result<(), SyncError> {
        if self.talk.clone {
            self.conclude_clone(tx, now, heard)?;
        } else {
            tx.crosslink(&heard.settled).map_err(blame)?;
            if heard.received == 0 && self.talk.pull {
                heard.new_phantoms += tx.doubt_waiting()?;
            }
        }
        if self.stats.rounds == 0 {
            tx.note_peer_url(&self.options.url, false, now)?;
        }
        if self.talk.push {
            for rid in &flight.unsent {
                tx.mark_sent(*rid)?;
            }
        }
        for name in &flight.uv_sent {
            self.talk.uv.to_send.remove(name);
        }
        if heard.uv_catalogue && self.options.unversioned_revert {
            for name in core::mem::take(&mut self.talk.uv.to_send).into_keys() {
                tx.uv_forget(&name)?;
            }
        }
        if flight.uv_hash {
            tx.keep_uv_hash(now)?;
        }
        self.conclude_tables(tx, &flight.tables, &heard.tables)?;
        if !self.talk.clone {
            self.note_in_vain(tx, heard)?;
            self.update_marks(tx, flight, now, heard)?;
        }
        Ok(())
    }

    /// Keeps what was asked for in vain, and looks for something else to ask for.
    fn note_in_vain(&mut self, tx: &RepoTx<'_>, heard: &mut Heard) -> Result<(), RepoError> {
        let talk = &mut self.talk;
        talk.in_vain.extend(&heard.left_out);
        heard.missing = tx.phantom_count()?;
        let next = Asking {
            private: self.options.private,
            max: 1,
            announced: &talk.announced,
            rest: talk.in_vain.len() < self.options.limits.vain_gimmes_max,
            turn: talk.turn,
            wanted: &|hash| !talk.in_vain.contains(hash),
        };
        heard.can_ask = !tx.phantoms_to_ask(&next)?.is_empty();
        Ok(())
    }

    fn update_marks(
        &mut self,
        tx: &RepoTx<'_>,
        flight: &Flight,
        now: Timestamp,
        heard: &Heard,
    ) -> Result<(), RepoError> {
        let marks = &mut self.talk.marks;
        let Some(server) = marks.server.clone() else {
            return Ok(());
        };
        let standing = tx.standing(self.options.private)?;
        // With more phantoms than a session asks for, what the server announces had better be heard again.
        let is_flooded = heard.missing > self.options.limits.vain_gimmes_max as u64;
        if self.talk.pull && !is_flooded {
            marks.pull = Some(server.clone());
        }
        marks.push = match flight.mark.clone().filter(|_| self.talk.push && !marks.stale) {
            None => None,
            // What came since from the server itself need not be told to it either.
            Some(own) => {
                let on_remote = &self.talk.on_remote;
                let told = |rid| flight.told.contains(rid) || on_remote.contains(rid);
                let all_told = standing.rows().iter().all(|(rid, ..)| told(rid));
                Some((server, if all_told { standing.mark() } else { own }))
            }
        };
        mark::keep(tx, &self.options.url, &standing, marks, now)
    }

    /// The rules by which a session ends.
    fn goes_on(&mut self, flight: &Flight, mut heard: Heard) -> bool {
        let tables = self.tables_go_on();
        let limits = &self.options.limits;
        let received = usize::try_from(heard.received).unwrap_or(usize::MAX);
        let talk = &mut self.talk;
        // A server that asks again for what it was just sent does not take it.
        let unheeded = heard.received == 0 && heard.asked.iter().all(|hash| flight.answers.contains(hash));
        talk.asked = core::mem::take(&mut heard.asked);
        talk.asked_private = core::mem::take(&mut heard.asked_private);
        talk.uv.to_ask = core::mem::take(&mut heard.uv_to_ask);
        heard.to_prove.truncate(limits.gimmes_max);
        let doubts = talk.to_prove.is_none() && !heard.to_prove.is_empty();
        if doubts || talk.to_prove.is_some() {
            talk.to_prove = Some(if doubts {
                core::mem::take(&mut heard.to_prove)
            } else {
                Vec::new()
            });
        }
        if talk.clone {
            return self.clone_goes_on(flight, &heard);
        }
        let left_out = heard.left_out.len();
        if (heard.received > 0 || heard.new_phantoms > 0 || left_out > 0) && heard.can_ask {
            talk.gimmes_max = limits.gimmes_max.max(received.max(left_out).saturating_mul(2));
            return true;
        }
        let news_of_private = !talk.asked_private.is_empty() && self.round == 1;
        let uv_to_send = talk.uv.push_ok && !talk.uv.to_send.is_empty();
        let uv_to_ask = !talk.uv.to_ask.is_empty() && (heard.uv_received > 0 || self.round < 3);
        heard.denied.is_some()
            || (doubts && talk.pull)
            || (!talk.asked.is_empty() && !unheeded)
            || news_of_private
            || uv_to_send
            || uv_to_ask
            || tables
            || (talk.marks.stale && talk.push)
    }
}

/// Text of the server, as it was before it was escaped.
fn decode(text: &[u8]) -> String {
    String::from_utf8_lossy(&fossilize::decode(text)).into_owned()
}

/// What the repository refuses because of its content is the peer's fault.
fn blame(error: RepoError) -> SyncError {
    if error.blame() == Blame::Peer {
        SyncError::PeerSentBadArtifact(error)
    } else {
        SyncError::Repo(error)
    }
}
