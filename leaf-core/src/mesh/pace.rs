//! When to fetch, and from whom.
//!
//! At once where something is new, and everybody once in a while, for announcements may be lost. A peer that does not
//! answer takes one place of several and is then left alone for a time, longer each time: it holds up nobody.

use crate::nats::dice::Dice;
use crate::time::Timestamp;
use std::collections::VecDeque;

/// What is fetched when; [`begin`](Self::begin) says whom to ask now.
#[derive(Debug)]
pub struct Pace {
    /// Those who have something new, each once.
    wanted: VecDeque<Whom>,
    /// Who is asked now.
    asked: Vec<Whom>,
    at_once: usize,
    /// Who failed lately.
    failing: VecDeque<Failing>,
    due: Timestamp,
    every_ms: i64,
    failures: u32,
    dice: Dice,
}

/// A peer that failed.
#[derive(Debug)]
struct Failing {
    peer: Whom,
    times: u32,
    /// Not asked before.
    until: Timestamp,
}

/// Peers that may wait to be asked.
const WANTED_MAX: usize = 64;
/// Peers of which it is known that they failed; of more the oldest is forgotten.
const FAILING_MAX: usize = 64;
/// How long a peer that failed is left alone at first. Units: milliseconds.
const ALONE_MS: i64 = 30_000;
/// How much longer a wait may become, as a power of two.
const BACK_OFF_MAX: u32 = 4;

/// Whom to ask.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Whom {
    /// Whoever answers.
    Anybody,
    /// One who has something new.
    Peer(String),
}

impl Pace {
    /// Fetches within a second at first, then about every `every_ms`, from `at_once` peers at a time. `seed` is random.
    pub fn new(every_ms: i64, at_once: usize, seed: u64, now: Timestamp) -> Self {
        let mut pace = Self {
            wanted: VecDeque::new(),
            asked: Vec::new(),
            at_once,
            failing: VecDeque::new(),
            due: now,
            every_ms,
            failures: 0,
            dice: Dice::new(seed),
        };
        pace.due = pace.dice.later(now, 1_000);
        pace
    }

    /// Somebody has something new; without a name, anybody may have it. Of one that failed just now nothing is wanted:
    /// what it has others will have, or it is asked with everybody.
    pub fn want(&mut self, peer: &str, now: Timestamp) {
        let whom = match peer.is_empty() {
            true => Whom::Anybody,
            false => Whom::Peer(peer.to_owned()),
        };
        let is_failing = |failing: &Failing| failing.peer == whom && failing.until > now;
        if self.wanted.len() < WANTED_MAX
            && !self.wanted.contains(&whom)
            && !self.failing.iter().any(is_failing)
        {
            self.wanted.push_back(whom);
        }
    }

    /// Whom to ask now, if anybody; [`done`](Self::done) must follow.
    pub fn begin(&mut self, now: Timestamp) -> Option<Whom> {
        if self.asked.len() >= self.at_once {
            return None;
        }
        let whom = match self.first_wanted() {
            Some(at) => self.wanted.remove(at)?,
            None if self.due <= now && !self.asked.contains(&Whom::Anybody) => Whom::Anybody,
            None => return None,
        };
        self.asked.push(whom.clone());
        Some(whom)
    }

    /// It was fetched from there, or nobody answered.
    pub fn done(&mut self, whom: &Whom, is_good: bool, now: Timestamp) {
        self.asked.retain(|asked| asked != whom);
        if *whom == Whom::Anybody {
            self.failures = match is_good {
                true => 0,
                false => self.failures.saturating_add(1).min(BACK_OFF_MAX),
            };
            let wait = self.every_ms.saturating_mul(1 << self.failures);
            self.due = self.dice.later(now, wait);
            return;
        }
        let known = self.failing.iter().position(|failing| failing.peer == *whom);
        let known = known.and_then(|at| self.failing.remove(at));
        if !is_good {
            let times = known.map_or(0, |known| known.times.saturating_add(1).min(BACK_OFF_MAX));
            if self.failing.len() >= FAILING_MAX {
                self.failing.pop_front();
            }
            self.failing.push_back(Failing {
                peer: whom.clone(),
                times,
                until: now.plus_ms(ALONE_MS.saturating_mul(1 << times)),
            });
        }
    }

    /// Asks everybody soon: the connection was away, and what was announced meanwhile is lost.
    pub fn hurry(&mut self, now: Timestamp) {
        self.due = self.dice.later(now, 1_000);
    }

    /// When to call [`begin`](Self::begin) again; `None` while it has nothing to say before something is done.
    pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
        match self.first_wanted() {
            _ if self.asked.len() >= self.at_once => None,
            Some(_) => Some(now),
            None if self.asked.contains(&Whom::Anybody) => None,
            None => Some(self.due),
        }
    }

    /// The first that is wanted and not asked already.
    fn first_wanted(&self) -> Option<usize> {
        self.wanted.iter().position(|wanted| !self.asked.contains(wanted))
    }
}
