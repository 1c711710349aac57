//! One value of a row: in SQLite, in JSON, and as part of a key.
//!
//! Source: libfossil `internal/repo/tablesync.go` `normalizeValue()`; Go `encoding/json`, which writes bytes as
//! Base64; RFC 4648.

use super::definition::ColumnKind;
use crate::json::{Value, Writer};
use rusqlite::types::{ToSqlOutput, ValueRef};

/// What a column of a row holds.
#[derive(Clone, Debug, PartialEq)]
pub enum TableValue {
    /// Bytes.
    Blob(Vec<u8>),
    /// A whole number.
    Integer(i64),
    /// Nothing. Key columns always hold something.
    Null,
    /// Another number.
    Real(f64),
    /// Text.
    Text(String),
}

impl From<&str> for TableValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for TableValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl TableValue {
    /// Whether a column can hold it.
    pub(super) fn fits(&self, kind: ColumnKind, key: bool) -> bool {
        match (self, kind) {
            (Self::Null, _) => !key,
            (Self::Real(number), ColumnKind::Real) => number.is_finite(),
            (Self::Blob(_), ColumnKind::Blob)
            | (Self::Integer(_), ColumnKind::Integer)
            | (Self::Text(_), ColumnKind::Text) => true,
            _ => false,
        }
    }

    /// A JSON value as one of `kind`; `None` when it is none.
    pub(super) fn from_json(value: Value, kind: ColumnKind) -> Option<Self> {
        Some(match (value, kind) {
            (Value::Null, _) => Self::Null,
            (Value::Text(text), ColumnKind::Text) => Self::Text(text),
            (Value::Text(text), ColumnKind::Blob) => Self::Blob(from_base64(text.as_bytes())?),
            (Value::Number(number), ColumnKind::Integer) => Self::Integer(number),
            #[expect(clippy::cast_precision_loss, reason = "a real is what was asked for")]
            (Value::Number(number), ColumnKind::Real) => Self::Real(number as f64),
            (Value::Other(written), ColumnKind::Real) => Self::Real(written.parse().ok()?),
            _ => return None,
        })
    }

    /// Adds a member to a JSON object, unless there is nothing.
    pub(super) fn to_json(&self, name: &str, json: &mut Writer) {
        match self {
            Self::Blob(bytes) => json.text(name, &to_base64(bytes)),
            Self::Integer(number) => json.number(name, *number),
            Self::Real(number) if number.is_finite() => json.raw(name, &number.to_string()),
            Self::Null | Self::Real(_) => {}
            Self::Text(text) => json.text(name, text),
        }
    }

    /// Its part of what a key is the hash of.
    pub(super) fn to_key(&self) -> Vec<u8> {
        match self {
            Self::Blob(bytes) => crate::id::to_hex(bytes).into_bytes(),
            Self::Integer(number) => number.to_string().into_bytes(),
            Self::Null => Vec::new(),
            Self::Real(number) => number.to_string().into_bytes(),
            Self::Text(text) => text.clone().into_bytes(),
        }
    }
}

impl From<ValueRef<'_>> for TableValue {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

impl rusqlite::ToSql for TableValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Null => ValueRef::Null,
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .zip([16, 8, 0])
            .fold(0, |bits, (byte, shift)| bits | u32::from(*byte) << shift);
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = usize::try_from(bits >> shift & 63).unwrap_or_default();
            text.push(if at <= three.len() {
                char::from(DIGITS[digit])
            } else {
                '='
            });
        }
    }
    text
}

fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text
        .strip_suffix(b"==")
        .or_else(|| text.strip_suffix(b"="))
        .unwrap_or(text);
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in digits.chunks(4) {
        let mut bits = 0_u32;
        for (byte, shift) in four.iter().zip([18, 12, 6, 0]) {
            let digit = DIGITS.iter().position(|digit| digit == byte)?;
            bits |= u32::try_from(digit).ok()? << shift;
        }
        let [_, all @ ..] = bits.to_be_bytes();
        bytes.extend_from_slice(all.get(..four.len().checked_sub(1)?)?);
    }
    Some(bytes)
}
