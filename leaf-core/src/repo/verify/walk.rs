//! Going through delta trees: each artifact is expanded once, and let go when nothing hangs on it any more.
//!
//! Of several deltas of one source those with the least below them come first, so that few contents wait at
//! a time however a tree is shaped.
//!
//! Source: Fossil `src/rebuild.c`, `rebuild_step`; `src/content.c`, `test_integrity`.

use std::sync::Arc;

use super::plan::CheckPart;
use super::recent::Recent;
use super::{BadRow, Checked, Fault, Repo, RepoError};
use crate::format::artifact::ArtifactView;
use crate::format::batch::{BatchVerifier, Verdict};
use crate::format::delta;
use crate::format::zblob::Inflater;
use crate::id::{ArtifactHash, Rid};
use crate::limits::Limits;
use crate::repo::crosslink::CheckinFacts;
use crate::repo::crosslink::changes::{self, PackedChanges};

/// Artifacts between two reports of progress.
const REPORT_EVERY: u64 = 256;

impl Repo {
    /// Expands and checks the artifacts of one part. Reads only, hence several parts may be checked at once,
    /// each with a connection of its own. `progress` hears of artifacts and bytes done since it last heard.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`]. What is wrong with an artifact is part of the result, not an error.
    pub fn check(&self, part: &CheckPart, progress: &mut dyn FnMut(u64, u64)) -> Result<Checked, RepoError> {
        // One transaction: SQLite would otherwise lock and look for a journal once for each artifact.
        self.read(|repo| {
            let mut walk = Walk {
                repo,
                part,
                progress,
                inflater: Inflater::new(),
                verifier: BatchVerifier::new(repo.limits().work_bytes),
                recent: Recent::default(),
                found: Checked::default(),
                reported: (0, 0),
            };
            walk.all()?;
            Ok(walk.end())
        })
    }
}

struct Walk<'a> {
    repo: &'a Repo,
    part: &'a CheckPart,
    progress: &'a mut dyn FnMut(u64, u64),
    inflater: Inflater,
    verifier: BatchVerifier<Named, Arc<Vec<u8>>>,
    recent: Recent,
    found: Checked,
    reported: (u64, u64),
}

/// An artifact that waits for its verdict: its row and its name.
type Named = (i64, ArtifactHash);

/// An artifact to be expanded: its row, how many deltas lie above it, and the content it is a delta of.
type Waiting = (i64, usize, Option<Arc<Vec<u8>>>);

impl Walk<'_> {
    fn all(&mut self) -> Result<(), RepoError> {
        for rid in &self.part.circles {
            self.bad(*rid, Fault::Cycle)?;
        }
        self.singles()?;
        for root in &self.part.roots {
            self.tree(*root)?;
        }
        Ok(())
    }

    fn tree(&mut self, root: i64) -> Result<(), RepoError> {
        let mut stack: Vec<Waiting> = vec![(root, 0, None)];
        while let Some((rid, depth, source)) = stack.pop() {
            let content = if depth > self.repo.limits().delta_depth_max {
                self.bad(rid, Fault::Depth)?;
                None
            } else {
                self.expand(rid, source)?
            };
            let Some(content) = content else {
                for below in self.part.forest.below(rid) {
                    self.bad(below, Fault::Source)?;
                }
                continue;
            };
            let first = stack.len();
            let below = self.part.forest.deltas_of(rid);
            stack.extend(below.map(|delta| (delta, depth + 1, Some(Arc::clone(&content)))));
            // The one with the least below it is to be popped first.
            if let Some(added) = stack.get_mut(first..) {
                added.reverse();
            }
        }
        Ok(())
    }

    /// Artifacts on their own, read in the order in which they are stored.
    fn singles(&mut self) -> Result<(), RepoError> {
        let mut wanted = self.part.singles.iter().copied().peekable();
        let (Some(first), Some(last)) = (self.part.singles.first(), self.part.singles.last()) else {
            return Ok(());
        };
        let mut statement = self.repo.db.prepare_cached(
            "SELECT rid, uuid, size, content FROM blob WHERE rid BETWEEN ?1 AND ?2 ORDER BY rid",
        )?;
        let mut rows = statement.query([first, last])?;
        while let Some(row) = rows.next()? {
            let rid: i64 = row.get(0)?;
            while wanted.next_if(|wanted| *wanted < rid).is_some() {}
            if wanted.next_if_eq(&rid).is_some() && row.get::<_, i64>(2)? >= 0 {
                let stored = row.get_ref(3)?.as_bytes().unwrap_or_default();
                self.expand_stored(rid, row.get(1)?, row.get(2)?, stored, None);
            }
        }
        Ok(())
    }

    /// Expands and notes one artifact. `None` when that cannot be done.
    fn expand(&mut self, rid: i64, source: Option<Arc<Vec<u8>>>) -> Result<Option<Arc<Vec<u8>>>, RepoError> {
        let mut statement = self
            .repo
            .db
            .prepare_cached("SELECT uuid, size, content FROM blob WHERE rid = ?1 AND size >= 0")?;
        let mut rows = statement.query([rid])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let stored = row.get_ref(2)?.as_bytes().unwrap_or_default();
        Ok(self.expand_stored(rid, row.get(0)?, row.get(1)?, stored, source))
    }

    fn expand_stored(
        &mut self,
        rid: i64,
        hash: ArtifactHash,
        size: i64,
        stored: &[u8],
        source: Option<Arc<Vec<u8>>>,
    ) -> Option<Arc<Vec<u8>>> {
        let limit = self.repo.limits().artifact_bytes_max;
        let mut content = Vec::new();
        if self.inflater.expand_into(stored, limit, &mut content).is_err() {
            self.found.bad.push(wrong(rid, hash, Fault::Zblob));
            return None;
        }
        if let Some(source) = source {
            let Ok(target) = delta::apply(&source, &content, limit) else {
                self.found.bad.push(wrong(rid, hash, Fault::Delta));
                return None;
            };
            content = target;
        }
        let content = Arc::new(content);
        self.note(rid, hash, size, &content);
        Some(content)
    }

    fn note(&mut self, rid: i64, hash: ArtifactHash, size: i64, content: &Arc<Vec<u8>>) {
        self.found.artifacts += 1;
        self.found.bytes += content.len() as u64;
        if i64::try_from(content.len()).ok() != Some(size) {
            let right = i64::try_from(content.len()).unwrap_or(i64::MAX);
            self.found.sizes.push((Rid(rid), right));
            self.found.bad.push(wrong(rid, hash, Fault::Size));
        }
        self.found.names.add(&hash, rid);
        let is_due = self.found.artifacts - self.reported.0 >= REPORT_EVERY;
        let mut facts = Facts {
            found: &mut self.found,
            recent: &mut self.recent,
            limits: self.repo.limits(),
        };
        let content = Arc::clone(content);
        self.verifier
            .push((rid, hash), hash, content, &mut |named, verdict, content| {
                facts.note(named, verdict, &content);
            });
        if is_due {
            // Small contents are hashed long before they fill the batch, so that they do not pile up.
            self.verifier
                .flush(&mut |named, verdict, content| facts.note(named, verdict, &content));
            self.report();
        }
    }

    fn report(&mut self) {
        let (artifacts, bytes) = (self.found.artifacts, self.found.bytes);
        (self.progress)(artifacts - self.reported.0, bytes - self.reported.1);
        self.reported = (artifacts, bytes);
    }

    fn bad(&mut self, rid: i64, why: Fault) -> Result<(), RepoError> {
        let hash = self.repo.hash_of(Rid(rid))?;
        self.found.bad.push(wrong(rid, hash, why));
        Ok(())
    }

    fn end(mut self) -> Checked {
        let mut facts = Facts {
            found: &mut self.found,
            recent: &mut self.recent,
            limits: self.repo.limits(),
        };
        self.verifier
            .flush(&mut |named, verdict, content| facts.note(named, verdict, &content));
        self.report();
        self.found.bad.sort_by_key(|row| row.rid);
        self.found.links.shrink();
        self.found
    }
}

/// Where goes what is learned of an artifact.
struct Facts<'a> {
    found: &'a mut Checked,
    recent: &'a mut Recent,
    limits: &'a Limits,
}

impl Facts<'_> {
    fn note(&mut self, (rid, hash): Named, verdict: Verdict, content: &Arc<Vec<u8>>) {
        if !verdict.named_right {
            self.found.bad.push(wrong(rid, hash, Fault::Hash));
        }
        match ArtifactView::parse_checked(content, verdict.z_right, self.limits) {
            Err(_) => {}
            Ok(ArtifactView::Other(_)) => self.found.others.push(Rid(rid)),
            Ok(ArtifactView::Manifest(view)) => {
                self.found.checkins.push(CheckinFacts::new(Rid(rid), &view));
                if view.parents.is_empty() {
                    let mut packed = PackedChanges::default();
                    changes::added(&view.files, &mut |change| packed.push(&change));
                    self.found.links.add((0, rid), &packed);
                }
                if view.baseline.is_none() {
                    self.recent.add(rid, hash, content, &view, &mut self.found.links);
                }
            }
        }
    }
}

fn wrong(rid: i64, hash: ArtifactHash, why: Fault) -> BadRow {
    BadRow {
        rid: Rid(rid),
        hash,
        why,
    }
}
