//! The header block of a message: written and read, `NATS/1.0` and lines of `Name: value`.
//!
//! Source: NATS headers (docs.nats.io, reference/nats-protocol), which are those of RFC 9110 but for the case.

use std::fmt::Write as _;

pub(super) const FROM: &str = "Leaf-From";
pub(super) const TYPE: &str = "Leaf-Type";
pub(super) const PART: &str = "Leaf-Part";
pub(super) const MORE: &str = "Leaf-More";
pub(super) const ERROR: &str = "Leaf-Error";
pub(super) const HELLO: &str = "Leaf-Hello";

/// Characters of an error that are passed on.
const ERROR_CHARS_MAX: usize = 200;

/// A header block in the making.
#[derive(Debug)]
pub(super) struct Head(String);

impl Head {
    pub(super) fn from(peer: &str) -> Self {
        Self("NATS/1.0\r\n".to_owned()).with(FROM, peer)
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        write!(self.0, "{name}: {value}\r\n").ok();
        self
    }

    pub(super) fn part(self, token: u64, offset: usize, total: usize) -> Self {
        self.with(PART, &format!("{token:x} {offset} {total}"))
    }

    pub(super) fn error(self, text: &str) -> Self {
        let text: String = text.chars().take(ERROR_CHARS_MAX).collect();
        self.with(ERROR, &text.replace(['\r', '\n'], " "))
    }

    pub(super) fn bytes(mut self) -> Vec<u8> {
        self.0.push_str("\r\n");
        self.0.into_bytes()
    }
}

/// The value of a header.
pub(super) fn value<'a>(header: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(header).ok()?;
    text.split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// Who speaks, if it is a leaf.
pub(super) fn peer(header: &[u8]) -> Option<&str> {
    value(header, FROM).filter(|peer| super::is_peer(peer))
}

/// Which part of a message the body is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Part {
    pub(super) token: u64,
    pub(super) offset: usize,
    pub(super) total: usize,
}

pub(super) fn part(header: &[u8]) -> Option<Part> {
    let mut words = value(header, PART)?.split(' ');
    Some(Part {
        token: u64::from_str_radix(words.next()?, 16).ok()?,
        offset: words.next()?.parse().ok()?,
        total: words.next()?.parse().ok()?,
    })
}

/// Which part is asked for: its message and where it begins.
pub(super) fn more(header: &[u8]) -> Option<(u64, usize)> {
    let (token, offset) = value(header, MORE)?.split_once(' ')?;
    Some((u64::from_str_radix(token, 16).ok()?, offset.parse().ok()?))
}
