//! Named values of a repository.
//!
//! Source: Fossil `src/db.c`, `db_get`, `db_set`.

use rusqlite::OptionalExtension;

use super::{Repo, RepoError, RepoTx};
use crate::id::{ProjectCode, ServerCode};
use crate::time::Timestamp;

impl Repo {
    /// A value of the `config` table, as text.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn config(&self, name: &str) -> Result<Option<String>, RepoError> {
        let mut statement = self
            .db
            .prepare_cached("SELECT CAST(value AS TEXT) FROM config WHERE name = ?1")?;
        Ok(statement
            .query_row([name], |row| row.get(0))
            .optional()?
            .flatten())
    }

    /// All values, as text, by name. Passwords are among them.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn config_all(&self) -> Result<Vec<(String, String)>, RepoError> {
        let sql = "SELECT name, coalesce(CAST(value AS TEXT), '') FROM config ORDER BY name";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The name of the project.
    ///
    /// # Errors
    ///
    /// [`RepoError::Damaged`] when it is missing or malformed.
    pub fn project_code(&self) -> Result<ProjectCode, RepoError> {
        let text = self.config("project-code")?.unwrap_or_default();
        ProjectCode::parse(text.as_bytes()).map_err(|_| RepoError::Damaged {
            what: "config project-code",
        })
    }

    /// The name of this file among those of its project.
    ///
    /// # Errors
    ///
    /// [`RepoError::Damaged`] when it is missing or malformed.
    pub fn server_code(&self) -> Result<ServerCode, RepoError> {
        let text = self.config("server-code")?.unwrap_or_default();
        ServerCode::parse(text.as_bytes()).map_err(|_| RepoError::Damaged {
            what: "config server-code",
        })
    }
}

impl RepoTx<'_> {
    /// Sets a value.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn set_config(&self, name: &str, value: &str, now: Timestamp) -> Result<(), RepoError> {
        self.db
            .prepare_cached("REPLACE INTO config(name, value, mtime) VALUES (?1, ?2, ?3)")?
            .execute((name, value, now.unix()))?;
        Ok(())
    }

    /// Removes a value. `false` when there was none.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn unset_config(&self, name: &str) -> Result<bool, RepoError> {
        Ok(self
            .db
            .prepare_cached("DELETE FROM config WHERE name = ?1")?
            .execute([name])?
            > 0)
    }
}
