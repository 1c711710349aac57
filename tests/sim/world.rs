//! The world: its leaves, the messages between them, and what happens next.

use crate::leaf::{Leaf, Phase};
use crate::link::{Ghost, Link};
use crate::rng::Rng;
use leaf_core::id::{ArtifactHash, ProjectCode};
use leaf_core::limits::Limits;
use leaf_core::time::Timestamp;
use std::collections::BTreeSet;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "secret";
/// When worlds begin: 2026-01-01T00:00:00Z.
const BEGIN: Timestamp = Timestamp(1_767_225_600_000);
/// Sessions that run at a time.
const LINKS_MAX: usize = 4;

pub(crate) fn project() -> ProjectCode {
    ProjectCode::from_random([0x5a; 20])
}

/// What was acknowledged: a call that makes it returned without an error.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) public: BTreeSet<ArtifactHash>,
    pub(crate) private: BTreeSet<ArtifactHash>,
    /// Unversioned files that were written at some time.
    pub(crate) uv_put: BTreeSet<String>,
    /// Unversioned files that were deleted at some time; who wins depends on the clocks.
    pub(crate) uv_deleted: BTreeSet<String>,
}

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) now: Timestamp,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) links: Vec<Link>,
    pub(crate) ghosts: Vec<Ghost>,
    pub(crate) ledger: Ledger,
    pub(crate) limits: Limits,
    /// Somebody lies: phantoms that never come are to be expected.
    pub(crate) has_evil: bool,
    pub(crate) loss_percent: usize,
    pub(crate) fuse_percent: usize,
    /// Numbers what is made, so that no content is made twice.
    pub(crate) made: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Result<Self, String> {
        let mut rng = Rng::new(seed);
        let limits = Limits {
            upload_bytes: 500 + rng.below(8_000),
            download_bytes: 500 + rng.below(8_000),
            gimmes_max: 2 + rng.below(30),
            server_gimmes_max: 2 + rng.below(60),
            phantoms_max: 400,
            artifact_bytes_max: 1 << 20,
            message_bytes_max: 4 << 20,
            ..Limits::default()
        };
        let mut world = Self {
            now: BEGIN,
            leaves: Vec::new(),
            links: Vec::new(),
            ghosts: Vec::new(),
            ledger: Ledger::default(),
            limits,
            has_evil: rng.in_100(40),
            loss_percent: *rng.pick(&[0, 5, 25]).expect("three of them"),
            fuse_percent: *rng.pick(&[0, 5, 15]).expect("three of them"),
            made: seed << 32,
            rng,
        };
        for index in 0..2 + world.rng.below(4) {
            let cloning = index > 0 && world.rng.in_100(40);
            let phase = if cloning {
                Phase::Cloning { from: 0 }
            } else {
                Phase::Whole
            };
            let mut leaf = Leaf::new(index, phase, limits);
            leaf.is_trusted = !cloning && (index == 0 || world.rng.in_100(40));
            leaf.skew_ms = *world
                .rng
                .pick(&[0, 0, 2_000, -400_000, 3_000_000])
                .expect("five of them");
            if !cloning {
                let now = leaf.now(BEGIN);
                leaf.create(now, index == 0)
                    .map_err(|error| format!("create: {error}"))?;
            }
            world.leaves.push(leaf);
        }
        let first = world.leaves.first().expect("two leaves at least");
        let initial = first.column("SELECT uuid FROM blob");
        world.ledger.public.extend(
            initial
                .iter()
                .map(|uuid| uuid.parse::<ArtifactHash>().expect("a name")),
        );
        Ok(world)
    }

    pub(crate) fn run(mut self, steps: u32) -> Result<(), String> {
        for step in 0..steps {
            self.step().map_err(|failure| format!("step {step}: {failure}"))?;
        }
        self.heal().map_err(|failure| format!("healing: {failure}"))?;
        self.judge().map_err(|failure| format!("at the end: {failure}"))
    }

    fn step(&mut self) -> Result<(), String> {
        self.now = self.now.plus_ms(self.rng.between(0, 20_000));
        match self.rng.below(100) {
            0..35 => self.edit(),
            35..80 if self.links.is_empty() => self.new_link(),
            35..80 => {
                let at = self.rng.below(self.links.len());
                self.advance(at)
            }
            80..90 if self.links.len() < LINKS_MAX => self.new_link(),
            90..93 => {
                let at = self.rng.below(self.leaves.len());
                self.crash(at)
            }
            93..96 => self.haunt(),
            96..100 if self.has_evil => self.lie(),
            _ => Ok(()),
        }
    }

    /// A leaf that holds a repository.
    pub(crate) fn any_whole(&mut self) -> usize {
        let whole: Vec<usize> = self
            .leaves
            .iter()
            .filter(|leaf| leaf.phase == Phase::Whole)
            .map(|leaf| leaf.index)
            .collect();
        *self.rng.pick(&whole).expect("the first leaf is never cloned")
    }

    pub(crate) fn leaf(&mut self, at: usize) -> &mut Leaf {
        self.leaves.get_mut(at).expect("leaves stay")
    }

    /// What the clock of a leaf says.
    pub(crate) fn clock(&self, at: usize) -> Timestamp {
        self.leaves.get(at).map_or(self.now, |leaf| leaf.now(self.now))
    }

    /// The process of a leaf ends and begins anew; its sessions are gone.
    pub(crate) fn crash(&mut self, at: usize) -> Result<(), String> {
        self.links.retain(|link| link.client != at);
        self.leaf(at)
            .crash()
            .map_err(|error| format!("leaf {at} does not open after a crash: {error}"))
    }

    /// Maybe lights the fuse of a leaf.
    pub(crate) fn endanger(&mut self, at: usize) {
        if self.rng.in_100(self.fuse_percent) {
            let length = self.rng.between(1, 400);
            self.leaf(at).fuse.light(length);
        }
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
