//! What SQLite says of the file.
//!
//! Source: SQLite `PRAGMA integrity_check`.

use super::{Repo, RepoError};

/// Complaints at most.
const COMPLAINTS_MAX: u32 = 20;

impl Repo {
    /// SQLite's complaints about the file: pages, indexes, constraints. Empty when it is sound.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`] when it cannot even be read.
    pub fn integrity(&self) -> Result<Vec<String>, RepoError> {
        let mut complaints = Vec::new();
        self.db.pragma(None, "integrity_check", COMPLAINTS_MAX, |row| {
            complaints.push(row.get::<_, String>(0)?);
            Ok(())
        })?;
        complaints.retain(|line| line != "ok");
        Ok(complaints)
    }
}
