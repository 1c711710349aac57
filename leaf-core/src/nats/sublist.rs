//! Who wants a subject: a tree of tokens, and a cache of what it said lately.
//!
//! Publishers repeat themselves, so most messages find their answer in the cache; a change of the tree mends
//! the entries that it touches instead of throwing the cache away.
//!
//! Source: NATS subject-based messaging and queue groups (docs.nats.io, nats-concepts/core-nats).

use super::subject::{has_wildcard, is_match, tokens};
use std::collections::HashMap;

/// Answers that are kept; when there are more, all but a quarter go.
const CACHE_MAX: usize = 4096;

/// The name that the owner of the list has for a subscription.
pub type SubKey = u32;

/// Subscriptions by subject.
#[derive(Debug, Default)]
pub struct Sublist {
    root: Level,
    cache: HashMap<Box<[u8]>, Matched>,
    /// What is found where nothing is.
    nobody: Matched,
    count: usize,
}

/// The subscriptions that match a subject.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Matched {
    /// Each of these gets the message.
    pub plain: Vec<SubKey>,
    /// Of each group one member gets it.
    pub queues: Vec<(Box<[u8]>, Vec<SubKey>)>,
}

impl Matched {
    /// Whether nobody asked.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.queues.is_empty()
    }

    fn add(&mut self, queue: Option<&[u8]>, key: SubKey) {
        let Some(queue) = queue else {
            self.plain.push(key);
            return;
        };
        match self.queues.iter_mut().find(|(name, _)| **name == *queue) {
            Some((_, members)) => members.push(key),
            None => self.queues.push((queue.into(), vec![key])),
        }
    }

    fn remove(&mut self, queue: Option<&[u8]>, key: SubKey) {
        match queue {
            None => self.plain.retain(|known| *known != key),
            Some(queue) => {
                for (_, members) in self.queues.iter_mut().filter(|(name, _)| **name == *queue) {
                    members.retain(|known| *known != key);
                }
                self.queues.retain(|(_, members)| !members.is_empty());
            }
        }
    }

    fn extend(&mut self, other: &Self) {
        self.plain.extend_from_slice(&other.plain);
        for (name, members) in &other.queues {
            match self.queues.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.extend_from_slice(members),
                None => self.queues.push((name.clone(), members.clone())),
            }
        }
    }
}

/// What follows some tokens.
#[derive(Debug, Default)]
struct Level {
    names: HashMap<Box<[u8]>, Node>,
    /// `*`
    any: Option<Box<Node>>,
    /// `>`
    rest: Option<Box<Node>>,
}

/// A token, who stops there and what follows it.
#[derive(Debug, Default)]
struct Node {
    subs: Matched,
    next: Level,
}

impl Level {
    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.any.is_none() && self.rest.is_none()
    }

    fn child(&mut self, token: &[u8]) -> Option<&mut Node> {
        match token {
            b"*" => self.any.as_deref_mut(),
            b">" => self.rest.as_deref_mut(),
            name => self.names.get_mut(name),
        }
    }

    fn child_or_new(&mut self, token: &[u8]) -> &mut Node {
        match token {
            b"*" => self.any.get_or_insert_default(),
            b">" => self.rest.get_or_insert_default(),
            name => self.names.entry(name.into()).or_default(),
        }
    }

    /// Takes a subscription out and whatever branch is bare after it.
    fn remove(&mut self, pattern: &[u8], queue: Option<&[u8]>, key: SubKey) {
        let (token, rest) = match pattern.iter().position(|byte| *byte == b'.') {
            Some(at) => (
                pattern.get(..at).unwrap_or_default(),
                pattern.get(at.saturating_add(1)..),
            ),
            None => (pattern, None),
        };
        let Some(node) = self.child(token) else { return };
        match rest {
            Some(rest) => node.next.remove(rest, queue, key),
            None => node.subs.remove(queue, key),
        }
        if node.subs.is_empty() && node.next.is_empty() {
            match token {
                b"*" => self.any = None,
                b">" => self.rest = None,
                name => drop(self.names.remove(name)),
            }
        }
    }

    fn collect(&self, subject: &[u8], found: &mut Matched) {
        if let Some(node) = &self.rest {
            found.extend(&node.subs);
        }
        let (token, rest) = match subject.iter().position(|byte| *byte == b'.') {
            Some(at) => (
                subject.get(..at).unwrap_or_default(),
                subject.get(at.saturating_add(1)..),
            ),
            None => (subject, None),
        };
        for node in self.names.get(token).into_iter().chain(self.any.as_deref()) {
            match rest {
                Some(rest) => node.next.collect(rest, found),
                None => found.extend(&node.subs),
            }
        }
    }
}

impl Sublist {
    /// How many subscriptions there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes a subscription in. `pattern` is a valid one and `key` is not in the list yet.
    pub fn insert(&mut self, pattern: &[u8], queue: Option<&[u8]>, key: SubKey) {
        let mut level = &mut self.root;
        let mut names = tokens(pattern).peekable();
        while let Some(token) = names.next() {
            let node = level.child_or_new(token);
            if names.peek().is_none() {
                node.subs.add(queue, key);
                break;
            }
            level = &mut node.next;
        }
        self.count = self.count.saturating_add(1);
        self.touch(pattern, |matched| matched.add(queue, key));
    }

    /// Takes a subscription out, as it was put in.
    pub fn remove(&mut self, pattern: &[u8], queue: Option<&[u8]>, key: SubKey) {
        self.root.remove(pattern, queue, key);
        self.count = self.count.saturating_sub(1);
        self.touch(pattern, |matched| matched.remove(queue, key));
    }

    /// Who wants `subject`, which has no wildcard.
    pub fn find(&mut self, subject: &[u8]) -> &Matched {
        // Asked twice, for a borrow that is returned holds for the whole function.
        if !self.cache.contains_key(subject) {
            if self.cache.len() >= CACHE_MAX {
                let mut kept = 0;
                self.cache.retain(|_, _| {
                    kept += 1;
                    kept <= CACHE_MAX / 4
                });
            }
            let mut found = Matched::default();
            // What has an empty token reaches nobody, not even by `>`.
            if tokens(subject).all(|token| !token.is_empty()) {
                self.root.collect(subject, &mut found);
            }
            self.cache.insert(subject.into(), found);
        }
        // Not by `entry`, which wants a subject of its own: this is done for each message.
        self.cache.get(subject).unwrap_or(&self.nobody)
    }

    /// Applies a change to every answer that it concerns.
    fn touch(&mut self, pattern: &[u8], mut change: impl FnMut(&mut Matched)) {
        if !has_wildcard(pattern) {
            if let Some(matched) = self.cache.get_mut(pattern) {
                change(matched);
            }
            return;
        }
        for (subject, matched) in &mut self.cache {
            if is_match(pattern, subject) {
                change(matched);
            }
        }
    }
}
