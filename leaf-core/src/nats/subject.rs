//! Subjects: tokens between dots, and the wildcards `*` (one token) and `>` (the rest).
//!
//! A wildcard is one only as a whole token: `foo*` is a name like any other.
//!
//! Source: NATS subject-based messaging (docs.nats.io, nats-concepts/subjects).

/// The tokens of a subject.
pub fn tokens(subject: &[u8]) -> impl Iterator<Item = &[u8]> {
    subject.split(|byte| *byte == b'.')
}

/// Whether one can subscribe to it: no empty token, no white space, `>` only at the end.
pub fn is_valid(pattern: &[u8]) -> bool {
    let mut is_ended = false;
    for token in tokens(pattern) {
        if is_ended || token.is_empty() || token.iter().any(|byte| is_space(*byte)) {
            return false;
        }
        is_ended = token == b">";
    }
    true
}

/// Whether one can publish to it: valid, and no token is a wildcard.
pub fn is_literal(subject: &[u8]) -> bool {
    is_valid(subject) && !has_wildcard(subject)
}

/// Whether a token is `*` or `>`.
pub fn has_wildcard(subject: &[u8]) -> bool {
    tokens(subject).any(|token| token == b"*" || token == b">")
}

/// Whether a subscription to `pattern` gets what is published to `subject`.
///
/// Wildcards in `subject` count as names; use [`is_within`] to compare two patterns.
pub fn is_match(pattern: &[u8], subject: &[u8]) -> bool {
    let mut names = tokens(subject);
    for token in tokens(pattern) {
        match (token, names.next()) {
            (b">", Some(_)) => return true,
            (b"*", Some(_)) => {}
            (token, Some(name)) if token == name => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

/// Whether every subject that `inner` matches is one that `outer` matches too.
pub fn is_within(inner: &[u8], outer: &[u8]) -> bool {
    let mut names = tokens(inner);
    for token in tokens(outer) {
        match (token, names.next()) {
            (b">", Some(_)) => return true,
            (b"*", Some(name)) if name != b">" => {}
            (token, Some(name)) if token == name => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

/// Whether some subject is matched by both patterns.
pub fn overlaps(one: &[u8], other: &[u8]) -> bool {
    let mut left = tokens(one);
    let mut right = tokens(other);
    loop {
        match (left.next(), right.next()) {
            (None, None) | (Some(b">"), Some(_)) | (Some(_), Some(b">")) => return true,
            (Some(a), Some(b)) if a == b || a == b"*" || b == b"*" => {}
            _ => return false,
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0c)
}
