//! What a reply says beyond direct answers: clones, configuration, locks, and what follows the last card.
//!
//! Source: Fossil `src/xfer.c` `page_xfer()`, `send_compressed_file()`, `request_phantoms()`,
//! `send_unclustered()`, `send_all()`, `send_private()`.

use super::send::Sent;
use super::serving::{NO_PRIVATE, Refusal, Serving, Stop, refuse};
use crate::format::fossilize;
use crate::id::{ArtifactHash, Rid};
use crate::repo::{Asking, Cap, ConfigGroup, RepoError, Standing};
use crate::xfer::{Card, ContentType, Pragma};
use core::ops::ControlFlow;

impl Serving<'_> {
    // ---- clone ----------------------------------------------------------------------------------------------

    /// Sends everything, a budget's worth at a time. `seqno` counts rows, as the client need not know.
    pub(super) fn clone_from(&mut self, version: u32, seqno: i64) -> Result<(), Stop> {
        let codes = (
            self.repo.server_code()?.to_string(),
            self.repo.project_code()?.to_string(),
        );
        // A client that cannot log in yet asks again when it can; answered now, it would miss what is private.
        let too_early = self.private_denied && !self.logged_in;
        if !self.caps.has(Cap::Clone) || too_early {
            let message = if too_early {
                NO_PRIVATE
            } else {
                "not authorized to clone"
            }
            .to_owned();
            return Err(Stop::Refused(Refusal {
                message,
                codes: Some(codes),
                user: None,
            }));
        }
        if self.repo.config("uv-sync")?.is_some_and(|value| is_on(&value)) && !self.uv_catalog_sent {
            self.out.push(&Card::Pragma(Pragma::UvPullOnly));
            self.send_uv_catalog()?;
        }
        if self.count {
            let count = self.repo.cloned_count(self.sender.private)?;
            self.out.push(&Card::Pragma(Pragma::LeafCount(Some(count))));
        }
        if version >= 2 {
            let next = self.clone_rows(version, seqno.max(1))?;
            // The client asks for what this says when it reads the `push` card below.
            self.out.push(&Card::CloneSeqno(next));
        } else {
            self.clone_all = true;
            self.pulling = true;
            self.sender.native = true;
        }
        self.out.push(&Card::Push {
            server: codes.0.as_bytes(),
            project: codes.1.as_bytes(),
        });
        Ok(())
    }

    /// Where the next request goes on; 0 when there is no more.
    fn clone_rows(&mut self, version: u32, seqno: i64) -> Result<i64, Stop> {
        if version >= 3 {
            self.content_type = match self.content_type {
                ContentType::Debug => ContentType::Debug,
                _ => ContentType::Uncompressed,
            };
            return self.clone_stored(seqno);
        }
        self.sender.native = true;
        let mut next = seqno;
        while let Some((rid, hash)) = self.repo.next_artifact(Rid(next))? {
            if self.out.is_full() {
                return Ok(rid.0);
            }
            if self.sender.send(self.repo, &mut self.out, rid, &hash)? == Sent::TooNew {
                return refuse("Fossil version 2.0 or later required.");
            }
            next = rid.0.saturating_add(1);
        }
        Ok(0)
    }

    /// Copies stored bytes: nothing is expanded but what is a delta of something that may not be sent.
    fn clone_stored(&mut self, seqno: i64) -> Result<i64, Stop> {
        let (out, sender) = (&mut self.out, &mut self.sender);
        let mut next = 0;
        let mut too_old = false;
        self.repo.each_stored(Rid(seqno), sender.private, &mut |row| {
            if out.is_full() {
                next = row.rid.0;
                return Ok(ControlFlow::Break(()));
            }
            if matches!(row.hash, ArtifactHash::Sha3(_)) && !sender.peer.reads_sha3() {
                too_old = true;
                return Ok(ControlFlow::Break(()));
            }
            if row.private {
                out.push(&Card::Private);
            }
            out.push(&Card::Cfile {
                hash: row.hash,
                source: row.source,
                size: row.size,
                zblob: row.zblob,
            });
            sender.sent += 1;
            sender.deltas += u64::from(row.source.is_some());
            Ok::<_, RepoError>(ControlFlow::Continue(()))
        })?;
        if too_old {
            refuse("Fossil version 2.0 or later required.")
        } else {
            Ok(next)
        }
    }

    // ---- configuration and locks ----------------------------------------------------------------------------

    /// Old-style names, without slash, name nothing.
    pub(super) fn give_config(&mut self, name: &str) -> Result<(), Stop> {
        let Some(name) = name.strip_prefix('/').filter(|_| self.may_read()) else {
            return Ok(());
        };
        for group in ConfigGroup::matching(name) {
            let allowed = match group {
                ConfigGroup::User | ConfigGroup::Subscriber => self.caps.has(Cap::Admin),
                ConfigGroup::Email => self.caps.has(Cap::ReadAddresses),
                _ => true,
            };
            if allowed {
                for (name, payload) in self.repo.config_cards(group, 0)? {
                    self.out.push(&Card::Config {
                        name: &name,
                        payload: &payload,
                    });
                }
            }
        }
        Ok(())
    }

    pub(super) fn receive_config(&mut self, name: &str, payload: &[u8]) -> Result<(), Stop> {
        self.need(Cap::Admin, "not authorized to push configuration")?;
        // Whatever this changes (the shun list, say), no mark speaks of it.
        (self.marks.told, self.marks.stale) = (None, true);
        self.writer()
            .apply_config(name, payload, &ConfigGroup::ALL, self.context.now)?;
        Ok(())
    }

    pub(super) fn ci_lock(&mut self, checkin: &ArtifactHash, client: &[u8]) -> Result<(), Stop> {
        let Some(tx) = self.tx.filter(|_| self.caps.has(Cap::Write)) else {
            return Ok(());
        };
        let user = self.served.user.as_deref().unwrap_or("anonymous");
        let client = String::from_utf8_lossy(client);
        if let Some(lock) = tx.ci_lock(checkin, &client, user, self.context.now)? {
            let user = fossilize::encode(lock.user.as_bytes());
            self.out.push(&Card::Pragma(Pragma::CiLockFail {
                user: &user,
                since: lock.since,
            }));
        }
        if self
            .repo
            .config("forbid-delta-manifests")?
            .is_some_and(|value| is_on(&value))
        {
            self.out.push(&Card::Pragma(Pragma::AvoidDeltaManifests));
        }
        Ok(())
    }

    // ---- after the last card --------------------------------------------------------------------------------

    /// Crosslinks what came, asks for what is missing, announces what is here.
    pub(super) fn answer(&mut self) -> Result<(), Stop> {
        if let Some(tx) = self.tx {
            if !self.settled.is_empty() {
                tx.crosslink(&self.settled)?;
            }
            if self.pulling && !self.clone_all && tx.clusters_due()? {
                tx.make_clusters(self.context.now)?;
            }
        }
        if self.pushing {
            if let (Some(tx), 0) = (self.tx, self.served.received) {
                tx.doubt_waiting()?;
            }
            self.ask_for_phantoms()?;
        }
        if self.clone_all && self.gimmes == 0 {
            self.announce_all()?;
        } else if self.pulling {
            self.announce_unclustered()?;
        }
        self.answer_tables()?;
        if self.marks.wanted && (self.pulling || self.pushing) && !self.clone_all {
            self.give_mark()?;
        }
        if let (true, Some(base_url)) = (self.links, &self.context.base_url) {
            for link in self.repo.peer_links(base_url, self.context.now)? {
                let (url, arg) = (
                    fossilize::encode(link.url.as_bytes()),
                    fossilize::encode(link.arg.as_bytes()),
                );
                self.out.push(&Card::Pragma(Pragma::Link {
                    url: &url,
                    arg: &arg,
                    mtime: link.mtime,
                }));
            }
        }
        self.out.push(&Card::Timestamp(
            format!("{} errors 0", self.context.now.iso()).as_bytes(),
        ));
        Ok(())
    }

    fn ask_for_phantoms(&mut self) -> Result<(), RepoError> {
        for hash in &self.to_prove {
            self.out.push(&Card::Gimme(*hash));
        }
        let max = self.context.limits.server_gimmes_max;
        let wanted = self.repo.phantoms_to_ask(&Asking {
            private: self.sender.private,
            max,
            announced: &self.sender.on_remote,
            rest: true,
            turn: self.context.now.0.unsigned_abs(),
            wanted: &|hash| !self.unknown_there.contains(hash),
        })?;
        // There are more than can be asked for: what the client has not announced this time may never be.
        self.marks.stale |= wanted.len() >= max && self.marks.relied_on;
        for hash in &wanted {
            self.out.push(&Card::Gimme(*hash));
        }
        Ok(())
    }

    /// To a client of the first clone protocol, which asks for what it is told of.
    fn announce_all(&mut self) -> Result<(), RepoError> {
        let out = &mut self.out;
        self.repo.each_available(&mut |_, hash| {
            out.push(&Card::Igot {
                hash: *hash,
                private: false,
            });
        })?;
        self.announce_private()
    }

    /// What is in no cluster, which through the clusters among it is everything.
    fn announce_unclustered(&mut self) -> Result<(), RepoError> {
        if self.catalog {
            let (out, on_remote) = (&mut self.out, &self.sender.on_remote);
            self.repo.each_available(&mut |rid, hash| {
                if !on_remote.contains(&rid) {
                    out.push(&Card::Igot {
                        hash: *hash,
                        private: false,
                    });
                }
            })?;
            return self.announce_private();
        }
        let told = self.marks.told;
        let standing = self.standing()?;
        for (rid, hash, private) in standing.rows() {
            if told.is_none_or(|told| *rid > told) && !self.sender.on_remote.contains(rid) {
                self.out.push(&Card::Igot {
                    hash: *hash,
                    private: *private,
                });
            }
        }
        self.marks.standing = Some(standing);
        Ok(())
    }

    /// What is announced now, read again only if this request may have changed it.
    fn standing(&mut self) -> Result<Standing, RepoError> {
        let kept = self
            .marks
            .standing
            .take()
            .filter(|kept| kept.is_private() == self.sender.private);
        match kept {
            Some(kept) if self.tx.is_none() => Ok(kept),
            _ => self.repo.standing(self.sender.private),
        }
    }

    fn announce_private(&mut self) -> Result<(), RepoError> {
        if self.sender.private {
            for (rid, hash) in self.repo.private_artifacts()? {
                if !self.sender.on_remote.contains(&rid) {
                    self.out.push(&Card::Igot { hash, private: true });
                }
            }
        }
        Ok(())
    }

    fn give_mark(&mut self) -> Result<(), RepoError> {
        if self.marks.stale && self.pushing {
            self.out.push(&Card::Pragma(Pragma::LeafMarkStale));
        }
        let just_read = self
            .marks
            .standing
            .take()
            .filter(|_| self.pulling && !self.catalog);
        let standing = match just_read {
            Some(standing) => standing,
            None => self.repo.standing(self.sender.private)?,
        };
        let token = standing.mark().to_string();
        self.out.push(&Card::Pragma(Pragma::LeafMark {
            direction: &[],
            token: token.as_bytes(),
        }));
        Ok(())
    }

    pub(super) fn announce_clusters(&mut self) -> Result<(), RepoError> {
        for (rid, hash) in self.repo.clusters()? {
            if !self.sender.on_remote.contains(&rid) {
                self.out.push(&Card::Igot { hash, private: false });
            }
        }
        Ok(())
    }
}

/// A boolean setting, as Fossil reads one.
fn is_on(value: &str) -> bool {
    matches!(value.trim(), "on" | "yes" | "true" | "1") || value.trim().parse::<i64>().is_ok_and(|n| n != 0)
}
