//! Questions in SQL that somebody outside asks; answers only, no changes.
//!
//! SQLite itself refuses every change while one is asked (`PRAGMA query_only`), and the statement must be one that
//! only reads: attaching other files and setting pragmas count as changes.
//!
//! Source: SQLite `sqlite3_stmt_readonly()`, `PRAGMA query_only`.

use super::{Repo, RepoError};
use rusqlite::types::ValueRef;
use std::ops::ControlFlow;

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QueryValue<'a> {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number.
    Real(f64),
    /// Text, which need not be UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

impl<'a> From<ValueRef<'a>> for QueryValue<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => Self::Text(bytes),
            ValueRef::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl Repo {
    /// Runs one statement that reads and hands each row, with the names of its columns, to `row`.
    ///
    /// # Errors
    ///
    /// [`RepoError::QueryWrites`] when the statement does more than read; it is not begun. [`RepoError::Sqlite`]
    /// when it is not SQL, or fails half-way.
    pub fn query(
        &self,
        sql: &str,
        row: &mut dyn FnMut(&[&str], &[QueryValue<'_>]) -> ControlFlow<()>,
    ) -> Result<(), RepoError> {
        self.db.pragma_update(None, "query_only", true)?;
        let answered = self.answer(sql, row);
        self.db.pragma_update(None, "query_only", false)?;
        answered
    }

    fn answer(
        &self,
        sql: &str,
        row: &mut dyn FnMut(&[&str], &[QueryValue<'_>]) -> ControlFlow<()>,
    ) -> Result<(), RepoError> {
        let mut statement = self.db.prepare(sql)?;
        // SQLite counts ATTACH and some pragmas as reading; none of them gives columns but pragmas.
        let first: String = sql
            .trim_start()
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        let reads = ["select", "values", "with"]
            .iter()
            .any(|word| first.eq_ignore_ascii_case(word));
        if !statement.readonly() || !reads {
            return Err(RepoError::QueryWrites);
        }
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut rows = statement.query([])?;
        while let Some(found) = rows.next()? {
            let cells = (0..names.len()).map(|column| found.get_ref(column).map(QueryValue::from));
            let cells = cells.collect::<Result<Vec<_>, _>>()?;
            if row(&names, &cells).is_break() {
                break;
            }
        }
        Ok(())
    }
}
