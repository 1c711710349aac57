//! SQL literals as text: the values of configuration cards.
//!
//! Only strings, blobs, integers and `NULL` exist here; whatever else a peer writes is no literal.
//!
//! Source: SQLite `quote()`; Fossil `src/configure.c`, `safeSql`; `src/blob.c`, `blob_sqltoken`.

use rusqlite::types::{Value, ValueRef};

/// Appends `value` as a literal that [`Tokens`] reads back.
pub(super) fn write(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => out.extend_from_slice(b"NULL"),
        ValueRef::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        ValueRef::Real(number) => out.extend_from_slice(number.to_string().as_bytes()),
        ValueRef::Text(text) => {
            out.push(b'\'');
            for byte in text {
                if *byte == b'\'' {
                    out.push(b'\'');
                }
                out.push(*byte);
            }
            out.push(b'\'');
        }
        ValueRef::Blob(bytes) => {
            out.extend_from_slice(b"X'");
            out.extend_from_slice(crate::id::to_hex(bytes).to_uppercase().as_bytes());
            out.push(b'\'');
        }
    }
}

/// One token of a payload.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// Letters, digits, `_`: a number, a column, `NULL`.
    Word(String),
    /// A quoted value.
    Quoted(Value),
}

impl Token {
    /// The value it stands for, if it is a literal.
    pub(super) fn value(self) -> Option<Value> {
        match self {
            Self::Quoted(value) => Some(value),
            Self::Word(word) if word.eq_ignore_ascii_case("null") => Some(Value::Null),
            Self::Word(word) => word.parse().ok().map(Value::Integer),
        }
    }
}

/// Reads tokens off a payload; stops at the first byte that is none.
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// The text up to the closing quote, `''` being one quote.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            let end = self.rest.iter().position(|byte| *byte == b'\'')?;
            text.extend_from_slice(self.rest.get(..end)?);
            self.rest = self.rest.get(end + 1..)?;
            match self.rest.strip_prefix(b"'") {
                Some(rest) => {
                    text.push(b'\'');
                    self.rest = rest;
                }
                None => return Some(text),
            }
        }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.rest = self.rest.trim_ascii_start();
        if let Some(rest) = self.rest.strip_prefix(b"'") {
            self.rest = rest;
            let text = self.quoted()?;
            return Some(Token::Quoted(Value::Text(String::from_utf8(text).ok()?)));
        }
        if let Some(rest) = self
            .rest
            .strip_prefix(b"x'")
            .or_else(|| self.rest.strip_prefix(b"X'"))
        {
            self.rest = rest;
            return Some(Token::Quoted(Value::Blob(from_hex(&self.quoted()?)?)));
        }
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-';
        let end = self
            .rest
            .iter()
            .position(|byte| !word(byte))
            .unwrap_or(self.rest.len());
        let (token, rest) = self
            .rest
            .split_at_checked(end)
            .filter(|(token, _)| !token.is_empty())?;
        self.rest = rest;
        Some(Token::Word(String::from_utf8(token.to_vec()).ok()?))
    }
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    digits
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}
