//! Making a repository, opening one, and refusing what is none.
//!
//! A clone is made unfinished: it has no `aux-schema`, so that neither this program nor stock Fossil takes it
//! for a repository before all of it is there and verified.
//!
//! Source: Fossil `src/db.c`, `db_open_repository`, `db_create_repository`, `db_initial_setup`.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};

use super::{Repo, RepoError, RepoTx};
use crate::format::hash::sha1_hex;
use crate::id::{ProjectCode, ServerCode};
use crate::time::Timestamp;

/// Config `aux-schema`: the version of the derived tables.
const AUX_SCHEMA: &str = "2015-01-24";
/// `PRAGMA application_id` of a repository.
const APPLICATION_ID: i64 = 252_006_673;
/// Tables without which a file is no repository.
const TABLES: [&str; 7] = ["blob", "delta", "rcvfrom", "user", "config", "mlink", "plink"];

/// Views that stock Fossil makes.
const VIEWS: [&str; 2] = ["artifact", "ftscontent"];
/// Virtual tables that stock Fossil makes.
const VIRTUAL: [&str; 2] = ["ftsidx", "chatfts1"];

/// What a new repository starts with.
#[derive(Clone, Debug)]
pub struct NewRepo {
    /// The project; new ones from random bytes.
    pub project_code: ProjectCode,
    /// This file; always from random bytes.
    pub server_code: ServerCode,
    /// Config `project-name`.
    pub project_name: Option<String>,
    /// Login of the first user, who gets the setup capability.
    pub admin: String,
    /// Password of that user, in clear.
    pub admin_password: String,
    /// When.
    pub now: Timestamp,
}

impl Repo {
    /// Makes a repository without check-ins in an empty database.
    ///
    /// # Errors
    ///
    /// [`RepoError::NotARepository`] when the database is not empty; [`RepoError::Sqlite`].
    pub fn create(db: Connection, new: &NewRepo) -> Result<Self, RepoError> {
        Self::create_with(db, new, |_| Ok(()))
    }

    /// The same, with what `begin` puts into it: all of it is there, or nothing.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), and those of `begin`.
    pub fn create_with<E: From<RepoError>>(
        db: Connection,
        new: &NewRepo,
        begin: impl FnOnce(&RepoTx<'_>) -> Result<(), E>,
    ) -> Result<Self, E> {
        Self::create_unfinished(db, new, |tx| {
            tx.set_config("project-code", new.project_code.as_str(), new.now)?;
            tx.mark_finished(new.now)?;
            begin(tx)
        })
    }

    /// Makes the file that a clone fills: no project code yet, and not to be opened before it is finished.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_for_clone(db: Connection, new: &NewRepo) -> Result<Self, RepoError> {
        Self::create_unfinished(db, new, |_| Ok(()))
    }

    fn create_unfinished<E: From<RepoError>>(
        db: Connection,
        new: &NewRepo,
        begin: impl FnOnce(&RepoTx<'_>) -> Result<(), E>,
    ) -> Result<Self, E> {
        refuse_contents(&db)?;
        let mut repo = Self::wrap(db);
        repo.write(|tx| {
            tx.make_tables()?;
            tx.first_rows(new)?;
            begin(tx)
        })?;
        Ok(repo)
    }

    /// Opens a finished repository.
    ///
    /// # Errors
    ///
    /// [`RepoError::NotARepository`], [`RepoError::UnfinishedClone`], [`RepoError::OtherSchema`].
    pub fn open(db: Connection) -> Result<Self, RepoError> {
        let repo = Self::open_any(db)?;
        match repo.config("aux-schema")? {
            None => Err(RepoError::UnfinishedClone),
            Some(version) if version == AUX_SCHEMA => Ok(repo),
            Some(_) => Err(RepoError::OtherSchema),
        }
    }

    /// Opens a file whose clone was cut off, to go on with it.
    ///
    /// # Errors
    ///
    /// [`RepoError::NotARepository`] also when the file is finished.
    pub fn open_unfinished(db: Connection) -> Result<Self, RepoError> {
        let repo = Self::open_any(db)?;
        match repo.config("aux-schema")? {
            None => Ok(repo),
            Some(_) => Err(RepoError::NotARepository {
                what: "the file holds a finished repository",
            }),
        }
    }

    fn open_any(db: Connection) -> Result<Self, RepoError> {
        // A file may come from anybody: what its schema says is data, not code to trust.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        db.pragma_update(None, "cell_size_check", true)?;
        db.pragma_update(None, "foreign_keys", false)?;
        for table in TABLES {
            if !db.table_exists(None, table).map_err(no_database)? {
                return Err(RepoError::NotARepository {
                    what: "tables are missing",
                });
            }
        }
        refuse_foreign_code(&db)?;
        Ok(Self::wrap(db))
    }
}

/// Refuses to make a repository of a file that holds something, and else sets what is outside of transactions.
fn refuse_contents(db: &Connection) -> Result<(), RepoError> {
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 {
        return Err(RepoError::NotARepository {
            what: "the file has other contents",
        });
    }
    db.pragma_update(None, "application_id", APPLICATION_ID)?;
    // Fossil's REFERENCES clauses are remarks, and its rows do not heed them.
    db.pragma_update(None, "foreign_keys", false)?;
    Ok(())
}

/// Says of a file that is no database that it is no repository.
fn no_database(error: rusqlite::Error) -> RepoError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => RepoError::NotARepository {
            what: "the file is not a database",
        },
        _ => error.into(),
    }
}

/// Refuses a file whose schema does things when it is read or written: triggers, views in place of tables,
/// virtual tables that Fossil does not make, generated columns in the tables that are written here.
fn refuse_foreign_code(db: &Connection) -> Result<(), RepoError> {
    let mut statement = db.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, name, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let sql = sql.to_ascii_lowercase();
        match kind.as_str() {
            "trigger" => {
                return Err(RepoError::NotARepository {
                    what: "its schema holds a trigger",
                });
            }
            "view" if !VIEWS.contains(&name.as_str()) => {
                return Err(RepoError::NotARepository {
                    what: "its schema holds a view that is not Fossil's",
                });
            }
            "table" if sql.starts_with("create virtual") && !VIRTUAL.contains(&name.as_str()) => {
                return Err(RepoError::NotARepository {
                    what: "its schema holds a virtual table that is not Fossil's",
                });
            }
            "table" if sql.contains("generated always") || sql.contains(" as (") => {
                return Err(RepoError::NotARepository {
                    what: "its schema holds a computed column",
                });
            }
            _ => {}
        }
    }
    Ok(())
}

impl RepoTx<'_> {
    fn make_tables(&self) -> Result<(), RepoError> {
        self.db.execute_batch(include_str!("schema.sql"))?;
        self.db.execute_batch(include_str!("defaults.sql"))?;
        Ok(())
    }

    /// Rows that every repository has.
    fn first_rows(&self, new: &NewRepo) -> Result<(), RepoError> {
        self.set_config("hash-policy", "2", new.now)?;
        self.set_config("content-schema", "2", new.now)?;
        self.set_config("server-code", new.server_code.as_str(), new.now)?;
        if let Some(name) = &new.project_name {
            self.set_config("project-name", name, new.now)?;
        }
        for (name, value) in [("autosync", "1"), ("localauth", "0"), ("timeline-plaintext", "1")] {
            self.set_config(name, value, new.now)?;
        }
        let secret = format!("{}/{}/{}", new.project_code, new.admin, new.admin_password);
        let mut user = self
            .db
            .prepare("INSERT INTO user(login, pw, cap, info, mtime) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        user.execute((&new.admin, sha1_hex(secret.as_bytes()), "s", "", new.now.unix()))?;
        for (login, cap, info) in [
            ("anonymous", "hmnc", "Anon"),
            ("nobody", "gjorz", "Nobody"),
            ("developer", "ei", "Dev"),
            ("reader", "kptw", "Reader"),
        ] {
            user.execute((login, "", cap, info, new.now.unix()))?;
        }
        Ok(())
    }

    /// Makes an unfinished file a repository.
    pub(super) fn mark_finished(&self, now: Timestamp) -> Result<(), RepoError> {
        self.set_config("aux-schema", AUX_SCHEMA, now)?;
        self.set_config("rebuilt", concat!("leaf ", env!("CARGO_PKG_VERSION")), now)
    }
}
