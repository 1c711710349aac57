//! Random talks against a model that is too simple to be wrong: who subscribes to what, and who must hear what.
//!
//! Source: the rules of the other themes; the real servers show that the model has them right.

use crate::case::{A, B, C, Case, Stage, Who, then};
use std::collections::BTreeMap;

on_every_broker![
    random_talks_reach_whom_the_model_says,
    many_subscriptions_match_as_one_by_one,
];

/// Numbers that look random and come again with the same seed (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    /// Below `count`.
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % count
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn subject(&mut self) -> String {
        let count = 1 + self.below(4);
        let tokens: Vec<&str> = (0..count).map(|_| self.one_of(&["a", "b", "c"])).collect();
        tokens.join(".")
    }

    fn pattern(&mut self) -> String {
        let count = 1 + self.below(3);
        let mut tokens: Vec<&str> = (0..count).map(|_| self.one_of(&["a", "b", "c", "*"])).collect();
        if self.below(4) == 0 {
            tokens.push(">");
        }
        tokens.join(".")
    }
}

/// Whether `subject` is one of those that `pattern` stands for.
fn matches(pattern: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in pattern.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

struct Subscription {
    pattern: String,
    queue: Option<&'static str>,
    delivered: usize,
    maximum: Option<usize>,
}

/// Of which connection, and its name there.
type Key = (usize, usize);

const CLIENTS: [Who; 3] = [A, B, C];
/// The one that does not hear itself.
const DEAF: usize = 2;

#[derive(Default)]
struct Model {
    subscriptions: BTreeMap<Key, Subscription>,
}

impl Model {
    fn subscribe(&mut self, key: Key, pattern: &str, queue: Option<&'static str>) {
        let new = Subscription {
            pattern: pattern.to_owned(),
            queue,
            delivered: 0,
            maximum: None,
        };
        // A sid in use keeps what it has.
        self.subscriptions.entry(key).or_insert(new);
    }

    fn unsubscribe(&mut self, key: Key, maximum: usize) {
        let Some(found) = self.subscriptions.get_mut(&key) else {
            return;
        };
        match maximum > found.delivered {
            true => found.maximum = Some(maximum),
            false => drop(self.subscriptions.remove(&key)),
        }
    }

    /// Holds what was heard of one message against what had to be, and counts it.
    fn delivered(&mut self, publisher: usize, subject: &str, heard: &[Key]) {
        let mut groups: BTreeMap<&str, Vec<Key>> = BTreeMap::new();
        let mut plain = Vec::new();
        for (key, subscription) in &self.subscriptions {
            let is_own = key.0 == publisher && publisher == DEAF;
            if is_own || !matches(&subscription.pattern, subject) {
                continue;
            }
            match subscription.queue {
                Some(queue) => groups.entry(queue).or_default().push(*key),
                None => plain.push(*key),
            }
        }
        let mut rest = heard.to_vec();
        for key in &plain {
            let at = rest.iter().position(|heard| heard == key);
            rest.swap_remove(at.unwrap_or_else(|| panic!("{subject} did not reach {key:?}: {heard:?}")));
        }
        for (queue, members) in &groups {
            let at = rest.iter().position(|heard| members.contains(heard));
            rest.swap_remove(
                at.unwrap_or_else(|| panic!("{subject} did not reach group {queue}: {heard:?}")),
            );
        }
        assert!(rest.is_empty(), "{subject} reached {rest:?} too");
        for key in heard {
            let found = self.subscriptions.get_mut(key).expect("it was expected");
            found.delivered += 1;
            if found.maximum == Some(found.delivered) {
                self.subscriptions.remove(key);
            }
        }
    }
}

/// What a client heard since it was last asked: sids and payloads.
fn heard(stage: &mut Stage, who: Who) -> Vec<(usize, String)> {
    let heard = String::from_utf8(stage.wire(who).so_far()).expect("text");
    let lines: Vec<&str> = heard.lines().collect();
    let messages = lines.chunks(2).map(|message| {
        let [head, payload] = message else {
            panic!("{heard}");
        };
        let sid = head.split(' ').nth(2).and_then(|sid| sid.parse().ok());
        (sid.unwrap_or_else(|| panic!("{head}")), (*payload).to_owned())
    });
    messages.collect()
}

fn talk(stage: &mut Stage, seed: u64) {
    for (number, who) in CLIENTS.into_iter().enumerate() {
        stage.open(who);
        let echo = number != DEAF;
        let connect = format!("CONNECT {{\"verbose\":false,\"pedantic\":false,\"echo\":{echo}}}\r\n");
        stage.wire(who).send(connect.as_bytes());
        stage.wire(who).expect_quiet();
    }
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut model = Model::default();
    for number in 0..400 {
        let client = dice.below(CLIENTS.len());
        let who = CLIENTS[client];
        let key = (client, dice.below(8));
        let line = match dice.below(10) {
            0..3 => {
                let pattern = dice.pattern();
                let queue = match dice.below(2) {
                    0 => None,
                    _ => Some(dice.one_of(&["red", "blue"])),
                };
                model.subscribe(key, &pattern, queue);
                format!("SUB {pattern} {} {}\r\n", queue.unwrap_or_default(), key.1)
            }
            3 => {
                model.unsubscribe(key, 0);
                format!("UNSUB {}\r\n", key.1)
            }
            4 => {
                let maximum = 1 + dice.below(6);
                model.unsubscribe(key, maximum);
                format!("UNSUB {} {maximum}\r\n", key.1)
            }
            _ => {
                let subject = dice.subject();
                let message = format!("PUB {subject} 4\r\n{number:04}\r\n");
                stage.wire(who).send(message.as_bytes());
                let mut keys = Vec::new();
                // The publisher first: then the message is on its way to the others.
                let others = (0..CLIENTS.len()).filter(|other| *other != client);
                for other in [client].into_iter().chain(others) {
                    let name = CLIENTS[other];
                    for (sid, payload) in heard(stage, name) {
                        assert_eq!(payload, format!("{number:04}"), "of another message");
                        keys.push((other, sid));
                    }
                }
                model.delivered(client, &subject, &keys);
                continue;
            }
        };
        stage.wire(who).send(line.as_bytes());
        stage.wire(who).expect_quiet();
    }
}

fn random_talks_reach_whom_the_model_says() -> Case {
    let seeds = 1..=5;
    let talks = seeds.map(|seed| {
        then(&format!("the talk of seed {seed}"), move |stage| {
            talk(stage, seed);
        })
    });
    Case::new(talks.collect::<Vec<_>>())
}

fn many_subscriptions_match_as_one_by_one() -> Case {
    Case::new([
        A.joins(),
        B.joins(),
        then("3000 patterns, 200 subjects", |stage| {
            let mut dice = Dice(0x1234_5678_9abc_def1);
            let patterns: Vec<String> = (0..3000).map(|_| dice.pattern()).collect();
            let lines = patterns.iter().enumerate();
            let lines: String = lines
                .map(|(sid, pattern)| format!("SUB {pattern} {sid}\r\n"))
                .collect();
            stage.wire(A).send(lines.as_bytes());
            stage.wire(A).expect_quiet();
            for _ in 0..200 {
                let subject = dice.subject();
                stage.wire(B).send(format!("PUB {subject} 1\r\nx\r\n").as_bytes());
                stage.wire(B).expect_quiet();
                let mut sids: Vec<usize> = heard(stage, A).into_iter().map(|(sid, _)| sid).collect();
                sids.sort_unstable();
                let wanted = patterns.iter().enumerate();
                let wanted = wanted.filter(|(_, pattern)| matches(pattern, &subject));
                assert_eq!(sids, wanted.map(|(sid, _)| sid).collect::<Vec<_>>(), "{subject}");
            }
        }),
    ])
}
