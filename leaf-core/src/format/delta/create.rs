//! From a source and a target to the delta between them.
//!
//! What both have in common at their ends is found first, by comparing; only what lies between is looked up
//! in landmarks of the source. Most versions of a file differ in one place, so most of the work is comparing.
//!
//! Source: Fossil `www/delta_encoder_algorithm.wiki`. The bytes differ from stock's; any decoder takes them.

use super::checksum::checksum;
use super::matcher::{Landmarks, Match, WINDOW, common_prefix, common_suffix};
use super::number;

/// A delta that makes `target` from `source`.
///
/// Never longer than `target` by more than 24 bytes; work is linear in the two sizes.
///
/// # Panics
///
/// When `target` is larger than 4 GiB, which the format cannot say.
pub fn create(source: &[u8], target: &[u8]) -> Vec<u8> {
    let source = &source[..source.len().min(u32::MAX as usize)];
    let mut writer = Writer::new(target);
    let front = common_prefix(source, target);
    let back = common_suffix(&source[front..], &target[front..]);
    let end = target.len() - back;
    writer.copy_if_worth(Match {
        from: 0,
        at: 0,
        len: front,
    });
    if end.saturating_sub(writer.base) >= WINDOW && source.len() >= WINDOW {
        let landmarks = Landmarks::new(source);
        let mut at = writer.base;
        while let Some(found) = landmarks.find(&target[..end], at, writer.base) {
            at = if writer.copy_if_worth(found) {
                writer.base
            } else {
                // Short, in a large source: on to the first window that reaches beyond it.
                found.at + found.len + 1 - WINDOW
            };
        }
    }
    writer.copy_if_worth(Match {
        from: source.len() - back,
        at: end,
        len: back,
    });
    writer.finish()
}

/// A delta in the making.
struct Writer<'a> {
    target: &'a [u8],
    /// The target is made up to here.
    base: usize,
    delta: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn new(target: &'a [u8]) -> Self {
        let mut delta = Vec::with_capacity(64);
        number::put(number32(target.len()), &mut delta);
        delta.push(b'\n');
        Self {
            target,
            base: 0,
            delta,
        }
    }

    /// Makes the target up to the end of `found`, unless to insert it would be shorter.
    fn copy_if_worth(&mut self, found: Match) -> bool {
        let (literal, from, len) = (found.at - self.base, number32(found.from), number32(found.len));
        let cost = number::digits(number32(literal)) + number::digits(len) + number::digits(from) + 3;
        if len < cost {
            return false;
        }
        self.insert(literal);
        number::put(len, &mut self.delta);
        self.delta.push(b'@');
        number::put(from, &mut self.delta);
        self.delta.push(b',');
        self.base += found.len;
        true
    }

    /// Makes the next `bytes` of the target from the delta itself.
    fn insert(&mut self, bytes: usize) {
        if bytes > 0 {
            number::put(number32(bytes), &mut self.delta);
            self.delta.push(b':');
            self.delta
                .extend_from_slice(&self.target[self.base..self.base + bytes]);
            self.base += bytes;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.insert(self.target.len() - self.base);
        number::put(checksum(self.target), &mut self.delta);
        self.delta.push(b';');
        self.delta
    }
}

fn number32(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("the format has numbers of 32 bits")
}
