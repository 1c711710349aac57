//! One session between two leaves, a hop of a message at a time.

use crate::leaf::Phase;
use crate::world::{PASSWORD, World, chain};
use leaf_core::Blame;
use leaf_core::limits::Limits;
use leaf_core::repo::Repo;
use leaf_core::sync::{
    Credentials, Goal, Reply, Request, ServeContext, SyncError, SyncEvent, SyncOptions, SyncSession,
    Transmit, serve,
};
use leaf_core::xfer::ContentType;

/// A session, and the message of it that is under way.
pub(crate) struct Link {
    pub(crate) client: usize,
    pub(crate) server: usize,
    session: SyncSession,
    wire: Wire,
    /// A message of it was changed on its way: whatever is refused is refused rightly.
    is_tampered: bool,
    is_clone: bool,
    may_tamper: bool,
}

enum Wire {
    Idle,
    Request(Transmit),
    Reply(Vec<u8>, ContentType),
}

/// A request that was answered and may arrive once more, at any time.
pub(crate) struct Ghost {
    server: usize,
    request: Transmit,
}

/// Ghosts that are kept.
const GHOSTS_MAX: usize = 12;

pub(crate) fn options(goal: Goal, server: usize, is_private: bool, limits: Limits) -> SyncOptions {
    let mut options = SyncOptions::new(goal, format!("http://leaf{server}/"));
    let user = if is_private { "vip" } else { "sim" }.to_owned();
    options.login = Some(Credentials {
        user,
        password: PASSWORD.to_owned(),
    });
    options.private = is_private;
    options.limits = limits;
    options
}

impl World {
    /// Two leaves begin to talk.
    pub(crate) fn new_link(&mut self) -> Result<(), String> {
        let client = self.rng.below(self.leaves.len());
        let server = match self.leaf(client).phase {
            Phase::Cloning { from } => from,
            Phase::Whole => self.any_whole(),
        };
        let is_clone = self.leaf(client).phase != Phase::Whole;
        if client == server || (is_clone && self.links.iter().any(|link| link.client == client)) {
            return Ok(());
        }
        let is_private =
            !is_clone && self.leaf(client).is_trusted && self.leaf(server).is_trusted && self.rng.in_100(60);
        let goal = match is_clone {
            true => Goal::Clone,
            false => *self
                .rng
                .pick(&[Goal::Pull, Goal::Push, Goal::Sync, Goal::Sync])
                .expect("four goals"),
        };
        let mut options = options(goal, server, is_private, self.limits);
        options.unversioned = self.rng.in_100(40);
        options.verily = self.rng.in_100(5);
        options.cookie_login = self.rng.in_100(30);
        options.debug = self.rng.in_100(50);
        if is_clone {
            let now = self.clock(client);
            self.leaf(client)
                .open_clone(now)
                .map_err(|error| format!("a clone does not open: {}", chain(&error)))?;
        }
        self.links.push(Link {
            client,
            server,
            session: SyncSession::new(options),
            wire: Wire::Idle,
            is_tampered: false,
            is_clone,
            may_tamper: self.has_evil && !is_private,
        });
        Ok(())
    }

    /// Carries one session one hop further.
    pub(crate) fn advance(&mut self, at: usize) -> Result<(), String> {
        let mut link = self.links.swap_remove(at);
        let is_lost = self.rng.in_100(self.loss_percent);
        let is_going_on = match std::mem::replace(&mut link.wire, Wire::Idle) {
            Wire::Idle => self.ask(&mut link)?,
            Wire::Request(_) | Wire::Reply(..) if is_lost => {
                link.session.handle_lost();
                true
            }
            Wire::Request(request) => self.answer(&mut link, request)?,
            Wire::Reply(body, content_type) => self.hear(&mut link, &body, content_type)?,
        };
        // A crash of its client took the session with it.
        if is_going_on && self.leaf(link.client).repo.is_some() {
            self.links.push(link);
        }
        Ok(())
    }

    fn ask(&mut self, link: &mut Link) -> Result<bool, String> {
        let entropy = self.rng.array();
        self.endanger(link.client);
        let client = self.leaf(link.client);
        let before = client.fingerprint();
        let polled = link.session.poll_transmit(client.repo(), entropy);
        match polled {
            Ok(Some(request)) => {
                client.fuse.quench();
                link.wire = Wire::Request(request);
                Ok(true)
            }
            Ok(None) => {
                client.fuse.quench();
                self.end(link)?;
                Ok(false)
            }
            Err(error) => self
                .survive(link.client, &before, link.is_tampered, &error)
                .map(|()| false),
        }
    }

    fn answer(&mut self, link: &mut Link, mut request: Transmit) -> Result<bool, String> {
        self.tamper(link, &mut request.body);
        self.endanger(link.server);
        let before = self.leaf(link.server).fingerprint();
        let reply = self.serve(link.server, &request);
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => {
                self.survive(link.server, &before, link.is_tampered, &error)?;
                link.session.handle_lost();
                return Ok(true);
            }
        };
        self.leaf(link.server).fuse.quench();
        if let Some(refusal) = &reply.served.error {
            let is_first_of_clone = link.is_clone && request.round == 1;
            if !link.is_tampered && !is_first_of_clone {
                return Err(format!(
                    "leaf {} refuses leaf {}: {refusal}",
                    link.server, link.client
                ));
            }
            if before != self.leaf(link.server).fingerprint() {
                return Err(format!(
                    "leaf {} refused a request and changed: {refusal}",
                    link.server
                ));
            }
        }
        if self.ghosts.len() < GHOSTS_MAX {
            self.ghosts.push(Ghost {
                server: link.server,
                request,
            });
        }
        let (mut body, content_type) = (reply.body, reply.content_type);
        self.tamper(link, &mut body);
        link.wire = Wire::Reply(body, content_type);
        Ok(true)
    }

    fn hear(&mut self, link: &mut Link, body: &[u8], content_type: ContentType) -> Result<bool, String> {
        self.endanger(link.client);
        let world_now = self.now;
        let client = self.leaf(link.client);
        let (before, now) = (client.fingerprint(), client.now(world_now));
        let heard = link.session.handle_reply(client.repo(), body, content_type, now);
        match heard {
            Ok(()) => {
                client.fuse.quench();
                Ok(true)
            }
            Err(error) => self
                .survive(link.client, &before, link.is_tampered, &error)
                .map(|()| false),
        }
    }

    pub(crate) fn serve(&mut self, at: usize, request: &Transmit) -> Result<Reply, SyncError> {
        let (world_now, limits) = (self.now, self.limits);
        let server = self.leaf(at);
        let context = ServeContext {
            now: server.now(world_now),
            peer_address: "10.0.0.1".to_owned(),
            guest: None,
            base_url: None,
            limits,
        };
        let repo: &mut Repo = server.repo.as_mut().expect("servers are whole, and up");
        let asked = Request {
            body: &request.body,
            content_type: request.content_type,
            cookie: request.cookie.as_deref(),
        };
        serve(repo, &mut server.seen, &asked, &context)
    }

    /// An error is in order when a fuse burnt down or somebody lied. Nothing may have changed.
    pub(crate) fn survive(
        &mut self,
        at: usize,
        before: &[i64],
        is_tampered: bool,
        error: &SyncError,
    ) -> Result<(), String> {
        let is_burnt = self.leaf(at).fuse.quench();
        if is_burnt {
            self.crash(at)?;
        } else if !(is_tampered && error.blame() == Blame::Peer) {
            return Err(format!("leaf {at} fails: {}", chain(error)));
        }
        if before != self.leaf(at).fingerprint() {
            return Err(format!("leaf {at} failed and changed: {}", chain(error)));
        }
        Ok(())
    }

    /// Changes a message on its way, as nobody but a liar does.
    fn tamper(&mut self, link: &mut Link, body: &mut Vec<u8>) {
        if !link.may_tamper || !self.rng.in_100(6) || body.is_empty() {
            return;
        }
        link.is_tampered = true;
        let at = self.rng.below(body.len());
        match self.rng.below(4) {
            0 => body.truncate(at),
            1 => drop(body.remove(at)),
            2 => body.insert(at, self.rng.array::<1>()[0]),
            _ => {
                if let Some(byte) = body.get_mut(at) {
                    *byte ^= 1 << (at % 8);
                }
            }
        }
    }

    /// A request arrives that was answered long ago; nobody hears the reply.
    pub(crate) fn haunt(&mut self) -> Result<(), String> {
        if self.ghosts.is_empty() {
            return Ok(());
        }
        let at = self.rng.below(self.ghosts.len());
        let ghost = self.ghosts.swap_remove(at);
        self.serve(ghost.server, &ghost.request)
            .map_err(|error| format!("an old request: {}", chain(&error)))?;
        Ok(())
    }

    /// A session has nothing left to say.
    pub(crate) fn end(&mut self, link: &mut Link) -> Result<(), String> {
        let events: Vec<SyncEvent> = std::iter::from_fn(|| link.session.poll_event()).collect();
        if !link.is_clone || !events.contains(&SyncEvent::CloneReceived) {
            return Ok(());
        }
        self.endanger(link.client);
        let world_now = self.now;
        let leaf = self.leaf(link.client);
        let now = leaf.now(world_now);
        let repo = leaf.repo();
        let checked = repo.check_plan(1).and_then(|parts| {
            parts
                .iter()
                .map(|part| repo.check(part, &mut |_, _| ()))
                .collect::<Result<Vec<_>, _>>()
        });
        let finished = checked.and_then(|checked| leaf.repo().finish_clone(checked, now));
        let is_burnt = leaf.fuse.quench();
        match finished {
            Ok(()) => {
                leaf.phase = Phase::Whole;
                leaf.add_users(now)
                    .map_err(|error| format!("users of a clone: {}", chain(&error)))
            }
            Err(_) if is_burnt => self.crash(link.client),
            Err(error) if link.is_tampered && error.blame() == Blame::Peer => {
                leaf.wipe();
                Ok(())
            }
            Err(error) => Err(format!(
                "clone of leaf {} does not finish: {}",
                link.client,
                chain(&error)
            )),
        }
    }
}
