//! Who may connect and what they may say: decided by the shell, held to by the broker.
//!
//! Source: NATS authorization (docs.nats.io, running-a-nats-service/configuration/securing_nats).

use crate::nats::info::{Connect, Rights};
use crate::nats::subject::{has_wildcard, is_match, is_within, overlaps};
use crate::time::Timestamp;
use std::collections::HashMap;

/// Decides about a `CONNECT`. The shell's: passwords, signatures and Fossil's users are no business of a broker.
pub trait Gate: Send {
    /// Whether a connection has to bring credentials before it says anything else.
    fn is_guarded(&self, visitor: &Visitor) -> bool;

    /// Whether connections are given a nonce to sign.
    fn wants_signatures(&self) -> bool {
        false
    }

    /// Lets a connection in, or `None`.
    fn admit(&mut self, visitor: &Visitor, connect: &Connect) -> Option<Grant>;
}

/// Lets everybody do everything: for a broker that only its own machine reaches.
#[derive(Clone, Copy, Debug)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn is_guarded(&self, _: &Visitor) -> bool {
        false
    }

    fn admit(&mut self, _: &Visitor, _: &Connect) -> Option<Grant> {
        Some(Grant::default())
    }
}

/// What is known of a connection before it says anything.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// Where it comes from, as a person reads it: `127.0.0.1:50000`.
    pub address: String,
    /// What an nkey has to sign: random, its own for each connection.
    pub nonce: String,
    /// Who it is, as far as that is known by other means than what it says.
    pub known: Known,
    /// TLS begins behind the `INFO` of the side that was dialled.
    pub is_encrypted: bool,
}

/// Who a connection is, before it says anything.
#[derive(Clone, Debug, Default)]
pub enum Known {
    /// Nobody knows.
    #[default]
    Stranger,
    /// The leaf itself.
    Itself,
    /// A peer whose key is on the list, and what that allows: an iroh endpoint id is proved by the handshake.
    Peer(Box<Grant>),
}

/// What a connection may do.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// For logs and monitoring.
    pub user: String,
    /// What it may publish to.
    pub publish: Rights,
    /// What it may subscribe to.
    pub subscribe: Rights,
    /// Below these it may subscribe to what it calls by name, as in `_INBOX.NAME.*`: who does not know a name hears
    /// nothing. A name has no wildcards and 16 characters at least.
    pub named: Vec<String>,
    /// It may answer whoever asked it, wherever the reply goes.
    pub responses: Option<Responses>,
}

impl Grant {
    /// Whether there is nothing it may not do.
    pub fn is_everything(&self) -> bool {
        [&self.publish, &self.subscribe]
            .iter()
            .all(|rights| rights.allow.is_none() && rights.deny.is_empty())
    }
}

/// How much of an answer is allowed where publishing is not.
#[derive(Clone, Copy, Debug)]
pub struct Responses {
    /// Messages to one reply subject.
    pub count_max: u32,
    /// How long after the request.
    pub age_ms_max: i64,
}

/// What nobody guesses.
const NAME_BYTES_MIN: usize = 16;

impl Grant {
    /// Whether it may subscribe to `pattern`, as a member of `queue`.
    pub(crate) fn may_subscribe(&self, pattern: &[u8], queue: Option<&[u8]>) -> bool {
        let is_named = |prefix: &String| {
            let rest = pattern.strip_prefix(prefix.as_bytes());
            let name = rest
                .and_then(|rest| rest.strip_prefix(b"."))
                .and_then(|rest| rest.split(|byte| *byte == b'.').next());
            name.is_some_and(|name| name.len() >= NAME_BYTES_MIN)
        };
        self.subscribe.allows_pattern(pattern, queue)
            || (self.named.iter().any(is_named) && self.subscribe.denies_nothing_of(pattern))
    }
}

impl Rights {
    /// Whether nothing that `pattern` matches is denied.
    fn denies_nothing_of(&self, pattern: &[u8]) -> bool {
        !self.deny.iter().any(|rule| overlaps(rule.as_bytes(), pattern))
    }

    /// Whether there is no limit.
    pub(crate) fn is_open(&self) -> bool {
        self.allow.is_none() && self.deny.is_empty()
    }

    /// Whether this literal subject is allowed.
    pub fn allows(&self, subject: &[u8]) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|p| is_match(p.as_bytes(), subject));
        self.allow.as_deref().is_none_or(any) && !any(&self.deny)
    }

    /// Whether a subscription to `pattern` is allowed; `queue` names its group. A rule may name a group behind
    /// a space and is then about members of that group only.
    pub fn allows_pattern(&self, pattern: &[u8], queue: Option<&[u8]>) -> bool {
        let allowed = self.allow.as_ref().is_none_or(|rules| {
            let found = Covering::of(rules, pattern, queue);
            // Where groups are named, a member of another one is not meant by a rule for everybody.
            match found.names_groups && queue.is_some() {
                true => found.group,
                false => found.everybody,
            }
        });
        let denied = Covering::of(&self.deny, pattern, queue);
        allowed && !denied.everybody && !denied.group
    }

    /// Whether some subject that `pattern` matches is allowed.
    pub(crate) fn touches(&self, pattern: &[u8]) -> bool {
        let is_allowed = self
            .allow
            .as_ref()
            .is_none_or(|rules| rules.iter().any(|rule| overlaps(rule.as_bytes(), pattern)));
        is_allowed && !self.deny.iter().any(|rule| is_within(pattern, rule.as_bytes()))
    }

    /// Whether a permitted subscription can match what is denied, so that each delivery has to be looked at.
    pub(crate) fn cuts(&self, pattern: &[u8]) -> bool {
        has_wildcard(pattern) && self.deny.iter().any(|rule| overlaps(rule.as_bytes(), pattern))
    }
}

/// Which rules of a list are about a subscription.
struct Covering {
    /// One without a group.
    everybody: bool,
    /// One that names its group.
    group: bool,
    /// One that names any group.
    names_groups: bool,
}

impl Covering {
    fn of(rules: &[String], pattern: &[u8], queue: Option<&[u8]>) -> Self {
        let mut found = Self {
            everybody: false,
            group: false,
            names_groups: false,
        };
        for rule in rules {
            let (subject, group) = rule
                .split_once(' ')
                .map_or((&**rule, None), |(s, g)| (s, Some(g)));
            if !is_within(pattern, subject.as_bytes()) {
                continue;
            }
            match group {
                None => found.everybody = true,
                Some(group) => {
                    found.names_groups = true;
                    found.group |= queue.is_some_and(|queue| is_match(group.as_bytes(), queue));
                }
            }
        }
        found
    }
}

/// Reply subjects that somebody was given and may answer to.
#[derive(Debug, Default)]
pub(super) struct Owed {
    replies: HashMap<Box<[u8]>, (u32, Timestamp)>,
}

/// Replies kept before the stale ones are looked for.
const OWED_MAX: usize = 1024;

impl Owed {
    pub(super) fn note(&mut self, reply: &[u8], rule: Responses, now: Timestamp) {
        if self.replies.len() >= OWED_MAX {
            self.replies
                .retain(|_, (_, since)| now.0.saturating_sub(since.0) <= rule.age_ms_max);
        }
        if self.replies.len() < OWED_MAX {
            self.replies.insert(reply.into(), (0, now));
        }
    }

    pub(super) fn take(&mut self, reply: &[u8], rule: Responses, now: Timestamp) -> bool {
        let Some((count, since)) = self.replies.get_mut(reply) else {
            return false;
        };
        *count = count.saturating_add(1);
        let is_in_time = now.0.saturating_sub(since.0) <= rule.age_ms_max;
        let is_owed = *count <= rule.count_max && is_in_time;
        if *count >= rule.count_max || !is_in_time {
            self.replies.remove(reply);
        }
        is_owed
    }
}
