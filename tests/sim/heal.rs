//! Healing: every wire works, every clock is right, nobody lies, and all talk to all until nobody has news.

use crate::leaf::Phase;
use crate::link::options;
use crate::world::{World, chain};
use leaf_core::limits::Limits;
use leaf_core::sync::{Goal, SyncSession};

/// Sweeps over all pairs after which there must be no more news.
const SWEEPS_MAX: usize = 8;
/// Rounds of a session between two leaves that nothing disturbs.
const ROUNDS_MAX: u32 = 30;
/// By this much the last clock that was ahead is passed.
const LATER_MS: i64 = 4 * 3_600_000;

impl World {
    pub(crate) fn heal(&mut self) -> Result<(), String> {
        self.links.clear();
        self.ghosts.clear();
        (self.loss_percent, self.fuse_percent) = (0, 0);
        self.limits = Limits {
            rounds_max: ROUNDS_MAX,
            ..Limits::default()
        };
        let has_evil = std::mem::take(&mut self.has_evil);
        self.now = self.now.plus_ms(LATER_MS);
        for at in 0..self.leaves.len() {
            self.leaf(at).skew_ms = 0;
            self.finish_clone(at)?;
        }
        self.has_evil = has_evil;
        for _ in 0..SWEEPS_MAX {
            if self.sweep()? == 0 {
                return Ok(());
            }
        }
        Err(format!("there is still news after {SWEEPS_MAX} sweeps"))
    }

    fn finish_clone(&mut self, at: usize) -> Result<(), String> {
        if self.leaf(at).phase == Phase::Whole {
            return Ok(());
        }
        // What a liar put into the half of it would be found at the end only.
        self.leaf(at).wipe();
        while self.links.is_empty() && self.leaf(at).phase != Phase::Whole {
            self.new_link()?;
            self.links.retain(|link| link.client == at);
            while !self.links.is_empty() {
                self.advance(0)?;
            }
        }
        Ok(())
    }

    /// Every pair syncs once. Returns how many things moved.
    fn sweep(&mut self) -> Result<u64, String> {
        let mut moved = 0;
        for client in 0..self.leaves.len() {
            for server in 0..self.leaves.len() {
                if client != server {
                    let news = self.sync(client, server);
                    moved += news.map_err(|error| format!("leaf {client} with leaf {server}: {error}"))?;
                }
            }
        }
        Ok(moved)
    }

    fn sync(&mut self, client: usize, server: usize) -> Result<u64, String> {
        let is_private = self.leaf(client).is_trusted && self.leaf(server).is_trusted;
        let mut options = options(Goal::Sync, server, is_private, self.limits);
        options.unversioned = true;
        let mut session = SyncSession::new(options);
        loop {
            let (now, entropy) = (self.now, self.rng.array());
            let polled = session.poll_transmit(self.leaf(client).repo(), entropy);
            let Some(request) = polled.map_err(|error| chain(&error))? else {
                break;
            };
            let reply = self.serve(server, &request).map_err(|error| chain(&error))?;
            if let Some(refusal) = reply.served.error {
                return Err(format!("refused: {refusal}"));
            }
            let heard = session.handle_reply(self.leaf(client).repo(), &reply.body, reply.content_type, now);
            heard.map_err(|error| chain(&error))?;
        }
        let stats = session.stats();
        Ok(stats.artifacts_received + stats.artifacts_sent + stats.uv_received + stats.uv_sent)
    }
}
