//! What every command takes: the repository, and how to answer.

use crate::disk::{self, Access};
use crate::error::{CliError, Exit};
use crate::output::Out;
use crate::world;
use clap::Args;
use leaf_core::id::Rid;
use leaf_core::repo::{Author, NameScope, Repo};
use std::path::{Path, PathBuf};

/// Options of every command.
#[derive(Args, Debug)]
pub(super) struct Global {
    /// The repository file
    #[arg(
        short = 'R',
        long,
        value_name = "FILE",
        global = true,
        env = "LEAF_REPOSITORY",
        hide_env = true
    )]
    repository: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    /// No notes, no progress
    #[arg(short, long, global = true)]
    quiet: bool,
}

impl Global {
    /// How to answer.
    pub(super) fn out(&self) -> Out {
        Out {
            json: self.json,
            quiet: self.quiet,
        }
    }

    /// The repository: `named` before `-R` before `$LEAF_REPOSITORY`.
    pub(super) fn file<'a>(&'a self, named: Option<&'a Path>) -> Result<&'a Path, CliError> {
        named.or(self.repository.as_deref()).ok_or_else(|| {
            CliError::usage("no repository is named")
                .next_step("name one with -R FILE, or set LEAF_REPOSITORY")
        })
    }

    /// Opens the repository for reading.
    pub(super) fn read(&self) -> Result<Repo, CliError> {
        disk::open(self.file(None)?, Access::Read)
    }

    /// Opens the repository for reading and writing.
    pub(super) fn write(&self) -> Result<Repo, CliError> {
        disk::open(self.file(None)?, Access::Write)
    }
}

/// Where a login name is looked for, in this order: ours, then those of stock.
const NAMES: [&str; 5] = ["LEAF_USER", "FOSSIL_USER", "USER", "LOGNAME", "USERNAME"];

/// Who makes changes, and when.
///
/// Source: Fossil `src/user.c` `user_select()`, `src/db.c` `db_create_default_users()`.
#[derive(Args, Debug)]
pub(super) struct Who {
    /// Who you are; default: `$LEAF_USER`, `$FOSSIL_USER`, `$USER`, `$LOGNAME` or `$USERNAME`
    #[arg(long, value_name = "LOGIN")]
    user: Option<String>,
}

impl Who {
    /// The login name that changes are made under.
    pub(super) fn login(&self) -> Result<String, CliError> {
        self.given().or_else(from_environment).ok_or_else(|| {
            CliError::usage("it is not known who you are").next_step("say so with --user LOGIN")
        })
    }

    /// The first user of a new repository: whom a clone logs in as before the environment, `root` when nothing says.
    ///
    /// Unlike an author's name this one can be changed later, so a guess will do if it is said.
    pub(super) fn admin(&self, remote_user: Option<String>, out: Out) -> String {
        // Whoever logs in as everybody is not to rule the clone.
        let remote_user = remote_user.filter(|login| login != "anonymous" && login != "nobody");
        let known = self.given().or(remote_user).or_else(from_environment);
        known.unwrap_or_else(|| {
            out.note("it is not known who you are: the first user is root (--user LOGIN names another)");
            "root".to_owned()
        })
    }

    fn given(&self) -> Option<String> {
        self.user.clone().filter(|login| !login.is_empty())
    }

    /// That login, now.
    pub(super) fn author(&self) -> Result<Author, CliError> {
        Ok(Author {
            user: self.login()?,
            date: world::now(),
        })
    }
}

fn from_environment() -> Option<String> {
    let mut values = NAMES.into_iter().filter_map(|name| std::env::var(name).ok());
    values.find(|login| !login.is_empty())
}

/// The artifact that `name` stands for.
pub(super) fn resolve(repo: &Repo, name: &str, scope: NameScope) -> Result<Rid, CliError> {
    let found = repo
        .resolve(name, scope)
        .map_err(|error| CliError::from(error).during(format!("cannot tell what {name} is")))?;
    found.ok_or_else(|| {
        let kind = if scope == NameScope::Checkin {
            "check-in"
        } else {
            "artifact"
        };
        CliError::new(Exit::No, format!("there is no {kind} called {name}"))
            .next_step("a name is a tag, a branch, a date, `tip`, or the first digits of a hash")
    })
}

/// The content of a file of the file system, or of standard input for `-`.
pub(super) fn read_input(path: &Path) -> Result<Vec<u8>, CliError> {
    use std::io::Read;
    if path == Path::new("-") {
        let mut content = Vec::new();
        std::io::stdin().read_to_end(&mut content)?;
        return Ok(content);
    }
    std::fs::read(path).map_err(|error| CliError::storage(format!("cannot read {}", path.display()), &error))
}
