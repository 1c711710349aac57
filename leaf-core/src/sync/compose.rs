//! Composing a request.
//!
//! The order of cards matters to servers: who asks, then what for, then everything else.
//!
//! Source: Fossil `src/xfer.c` `client_sync()`.

use super::client::{Flight, SyncSession};
use super::send::{Sender, Sent};
use super::{SyncError, mark};
use crate::id::{ArtifactHash, ProjectCode, Rid};
use crate::repo::{Asking, Mark, Repo, Standing};
use crate::xfer::{Card, MessageWriter, Pragma, Version};

impl SyncSession {
    /// The next message, and what it promises. Nothing of the session changes but what is read once.
    pub(super) fn compose(&mut self, repo: &Repo, entropy: [u8; 20]) -> Result<(Vec<u8>, Flight), SyncError> {
        let standing = repo.standing(self.options.private)?;
        self.prepare(repo, &standing, entropy)?;
        let mut out = MessageWriter::new(self.options.limits.upload_bytes);
        let mut flight = Flight::default();
        let mut sender = Sender::new(self.options.private, self.options.limits.artifact_bytes_max);
        sender.peer = self.talk.server;
        sender.on_remote = core::mem::take(&mut self.talk.on_remote);
        self.open(repo, &mut out)?;
        let told = self.say_marks(&standing, &mut out, &mut flight);
        if let Some(cookie) = repo.config("cookie")? {
            out.push(&Card::Cookie(cookie.as_bytes()));
        }
        self.answer_gimmes(repo, &mut out, &mut sender, &mut flight)?;
        for name in &self.talk.uv.to_ask {
            out.push(&Card::Uvgimme(name));
        }
        self.ask_for_phantoms(repo, &mut out, &mut flight)?;
        if self.talk.push {
            self.send_news(repo, &mut out, &mut sender, &mut flight, (&standing, told))?;
        }
        self.exchange_config(repo, &mut out, &mut flight)?;
        self.send_uv(repo, &mut out, &mut flight)?;
        self.say_tables(repo, &mut out, &mut flight)?;
        self.lock(&mut out, &mut flight);
        out.push(&Card::Comment(
            format!(" {}", crate::id::to_hex(&entropy).to_ascii_uppercase()).as_bytes(),
        ));
        (flight.sent, flight.deltas) = (sender.sent, sender.deltas);
        Ok((out.finish(), flight))
    }

    /// Reads what is read once.
    fn prepare(&mut self, repo: &Repo, standing: &Standing, entropy: [u8; 20]) -> Result<(), SyncError> {
        let talk = &mut self.talk;
        if self.round == 0 {
            let [turn @ .., _, _, _, _, _, _, _, _, _, _, _, _] = entropy;
            talk.turn = u64::from_le_bytes(turn);
        }
        if talk.project.is_none() {
            talk.project = repo
                .config("project-code")?
                .and_then(|code| ProjectCode::parse(code.as_bytes()).ok());
        }
        if self.round == 0 && talk.clone {
            talk.seqno = repo.clone_seqno()?;
        }
        if !talk.marks.loaded {
            talk.marks = mark::load(repo, &self.options.url, standing)?;
        }
        if self.options.unversioned && !talk.uv.to_send_known {
            let live = repo.uv_list()?.into_iter().filter(|file| file.hash.is_some());
            talk.uv.to_send = live.map(|file| (file.name, false)).collect();
            talk.uv.to_send_known = true;
        }
        Ok(())
    }

    /// Who we are and what we want.
    fn open(&self, repo: &Repo, out: &mut MessageWriter) -> Result<(), SyncError> {
        let (talk, options) = (&self.talk, &self.options);
        out.push(&Card::Pragma(Pragma::ClientVersion(Version::OURS)));
        if options.private {
            out.push(&Card::Pragma(Pragma::SendPrivate));
        }
        if options.unversioned {
            out.push(&Card::Pragma(Pragma::LeafUvStored));
        }
        if talk.clone && self.stats.artifacts_received == 0 {
            out.push(&Card::Pragma(Pragma::LeafCount(None)));
        }
        if talk.clone && talk.seqno > 0 {
            out.push(&Card::Clone {
                version: 3,
                seqno: talk.seqno,
            });
            if talk.legacy {
                out.push(&Card::CloneSeqno(talk.seqno));
            }
        }
        let server = repo.config("server-code")?.unwrap_or_else(|| "x".to_owned());
        let Some(project) = &talk.project else {
            return Ok(());
        };
        let (server, project) = (server.as_bytes(), project.as_str().as_bytes());
        if talk.pull {
            out.push(&Card::Pull { server, project });
            if options.verily && self.round < 2 {
                out.push(&Card::Pragma(Pragma::SendCatalog));
            }
        }
        if talk.push {
            out.push(&Card::Push { server, project });
        }
        // Once: until a first reply is there.
        if self.stats.rounds == 0 {
            self.introduce(repo, out)?;
        }
        Ok(())
    }

    /// Where we can be called in turn, and whether we want to hear of others.
    fn introduce(&self, repo: &Repo, out: &mut MessageWriter) -> Result<(), SyncError> {
        if let Some(url) = repo.own_url()? {
            out.push(&Card::Pragma(Pragma::ClientUrl(url.as_bytes())));
        }
        if self.talk.pull && self.options.share_links {
            out.push(&Card::Pragma(Pragma::ReqLinks));
        }
        Ok(())
    }

    /// Says up to where both sides know of each other; gives the row up to which we need not announce.
    fn say_marks(&self, standing: &Standing, out: &mut MessageWriter, flight: &mut Flight) -> Option<Rid> {
        if !self.talk.pull && !self.talk.push {
            return None;
        }
        let (marks, afresh) = (&self.talk.marks, self.options.verily && self.round < 2);
        let mut say = |direction: &[u8], mark: Option<&Mark>| {
            let token = mark
                .filter(|_| !afresh)
                .map_or_else(|| "-".to_owned(), ToString::to_string);
            out.push(&Card::Pragma(Pragma::LeafMark {
                direction,
                token: token.as_bytes(),
            }));
        };
        say(b"pull", marks.pull.as_ref());
        if !self.talk.push {
            return None;
        }
        flight.mark = Some(standing.mark());
        flight.told = standing.rows().iter().map(|(rid, ..)| *rid).collect();
        let (server, own) = marks
            .push
            .as_ref()
            .filter(|(_, own)| !afresh && standing.fits(own))?;
        say(b"push", Some(server));
        Some(own.rid_max)
    }

    /// What the server asked for in its last reply.
    fn answer_gimmes(
        &self,
        repo: &Repo,
        out: &mut MessageWriter,
        sender: &mut Sender,
        flight: &mut Flight,
    ) -> Result<(), SyncError> {
        if !self.talk.push {
            return Ok(());
        }
        for hash in &self.talk.asked {
            if let Some(rid) = repo.rid_of(hash)? {
                sender.on_remote.remove(&rid);
                if sender.send(repo, out, rid, hash)? == Sent::Artifact {
                    flight.answers.insert(*hash);
                }
            }
        }
        for hash in &self.talk.asked_private {
            out.push(&Card::Igot {
                hash: *hash,
                private: true,
            });
        }
        Ok(())
    }

    /// What the server was asked for in vain is not asked for again in this session.
    fn ask_for_phantoms(
        &self,
        repo: &Repo,
        out: &mut MessageWriter,
        flight: &mut Flight,
    ) -> Result<(), SyncError> {
        if !self.talk.pull {
            return Ok(());
        }
        for hash in self.talk.to_prove.iter().flatten() {
            out.push(&Card::Gimme(*hash));
        }
        flight.asked = repo.phantoms_to_ask(&Asking {
            private: self.options.private,
            max: self.talk.gimmes_max,
            announced: &self.talk.announced,
            rest: self.talk.in_vain.len() < self.options.limits.vain_gimmes_max,
            turn: self.talk.turn,
            wanted: &|hash| !self.talk.in_vain.contains(hash),
        })?;
        for hash in &flight.asked {
            out.push(&Card::Gimme(*hash));
        }
        if !flight.asked.is_empty() && self.round == 2 {
            out.push(&Card::Pragma(Pragma::ReqClusters));
        }
        Ok(())
    }

    /// Unsent artifacts, and the names of what is in no cluster.
    fn send_news(
        &self,
        repo: &Repo,
        out: &mut MessageWriter,
        sender: &mut Sender,
        flight: &mut Flight,
        (standing, told): (&Standing, Option<Rid>),
    ) -> Result<(), SyncError> {
        for (rid, hash) in repo.unsent_artifacts()? {
            if sender.send(repo, out, rid, &hash)? == Sent::Announced {
                sender.on_remote.insert(rid);
            }
            flight.unsent.push(rid);
        }
        let news = |rid: Rid| told.is_none_or(|told| rid > told) && !sender.on_remote.contains(&rid);
        let mut announce = |rid: Rid, hash: &ArtifactHash, private: bool| {
            if news(rid) {
                out.push(&Card::Igot { hash: *hash, private });
            }
        };
        if self.options.verily && self.round == 0 {
            repo.each_available(&mut |rid, hash| announce(rid, hash, false))?;
            for (rid, hash, _) in standing.rows().iter().filter(|(_, _, private)| *private) {
                announce(*rid, hash, true);
            }
        } else {
            for (rid, hash, private) in standing.rows() {
                announce(*rid, hash, *private);
            }
        }
        if self.round == 2 && !self.talk.asked.is_empty() {
            for (rid, hash) in repo.clusters()? {
                announce(rid, &hash, false);
            }
        }
        Ok(())
    }

    /// On a clone not before the second round: the first goes out without a login.
    fn exchange_config(
        &self,
        repo: &Repo,
        out: &mut MessageWriter,
        flight: &mut Flight,
    ) -> Result<(), SyncError> {
        if self.talk.clone && self.round == 0 {
            return Ok(());
        }
        if !self.talk.config_asked {
            for group in &self.options.config_pull {
                out.push(&Card::ReqConfig(group.name()));
            }
            flight.config_asked = true;
        }
        if self.options.unversioned && !self.talk.uv.hash_sent {
            out.push(&Card::Pragma(Pragma::UvHash(repo.uv_hash()?.as_bytes())));
            flight.uv_hash = true;
        }
        if !self.talk.config_sent {
            for group in &self.options.config_push {
                for (name, payload) in repo.config_cards(*group, 0)? {
                    out.push(&Card::Config {
                        name: &name,
                        payload: &payload,
                    });
                }
            }
            flight.config_sent = true;
        }
        Ok(())
    }

    /// Unversioned files that the server lacks; known once it has answered with its catalogue.
    fn send_uv(&self, repo: &Repo, out: &mut MessageWriter, flight: &mut Flight) -> Result<(), SyncError> {
        let uv = &self.talk.uv;
        if !uv.push_ok || self.options.unversioned_revert {
            return Ok(());
        }
        for (name, time_only) in &uv.to_send {
            if out.is_full() {
                break;
            }
            if let Some(file) = repo.uv_stored(name)? {
                super::unversioned::send(out, &file, *time_only, uv.stored)?;
            }
            flight.uv_sent.push(name.clone());
        }
        Ok(())
    }

    fn lock(&self, out: &mut MessageWriter, flight: &mut Flight) {
        let Some(lock) = self.options.ci_lock.as_ref().filter(|_| !self.talk.lock_sent) else {
            return;
        };
        let client = lock.client.as_bytes();
        out.push(&Card::Pragma(match lock.checkin {
            Some(checkin) => Pragma::CiLock { checkin, client },
            None => Pragma::CiUnlock(client),
        }));
        flight.lock = true;
    }
}
