//! Columns that hold what people wrote: nearly always UTF-8, and shown even when they are not.

use rusqlite::Row;
use rusqlite::types::ValueRef;

/// A text column, with U+FFFD where its bytes are not UTF-8. NULL is the empty text.
pub(super) fn text(row: &Row<'_>, index: usize) -> rusqlite::Result<String> {
    let bytes = row.get_ref(index)?.as_bytes_or_null()?;
    Ok(String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned())
}

/// The same for a column that may hold a number.
pub(super) fn number_or_text(row: &Row<'_>, index: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(index)? {
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        _ => text(row, index)?,
    })
}

/// As [`text`], but NULL is no text.
pub(super) fn optional_text(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<String>> {
    match row.get_ref(index)? {
        ValueRef::Null => Ok(None),
        _ => text(row, index).map(Some),
    }
}
