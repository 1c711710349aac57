//! Names that can stand in a line of a message and in SQL alike: of synced tables and of their columns.
//!
//! Source: libfossil `internal/repo/tablesync.go` `ValidateTableName()`.

/// The longest name. Units: bytes.
pub const WORD_BYTES_MAX: usize = 64;

/// Whether `name` is a lower-case letter or `_`, and more of these and digits behind it.
pub fn is_word(name: &[u8]) -> bool {
    let is_part = |byte: &u8| matches!(byte, b'a'..=b'z' | b'_' | b'0'..=b'9');
    name.len() <= WORD_BYTES_MAX
        && name.first().is_some_and(|first| !first.is_ascii_digit())
        && name.iter().all(is_part)
}
