//! Fossil's users at the broker: whoever signs in as in a repository has the rights of that user there, and whoever
//! does not sign in has those of `nobody`.
//!
//! Rights are looked up when somebody connects, and hold as long as the connection.

use crate::disk::{self, Access};
use crate::error::CliError;
use leaf_core::mesh::{MeshRights, PREFIX, Subjects};
use leaf_core::nats::broker::Grant;
use leaf_core::nats::info::Connect;
use leaf_core::repo::{Capabilities, Repo};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files that are served, whenever it is asked.
pub(super) type Files = Arc<dyn Fn() -> Vec<PathBuf> + Send + Sync>;

/// The users of the served repositories.
#[derive(Clone)]
pub struct FossilUsers {
    files: Files,
}

impl std::fmt::Debug for FossilUsers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("FossilUsers")
    }
}

impl FossilUsers {
    /// Of these files.
    pub fn new(files: Files) -> Self {
        Self { files }
    }
}

/// Looks users up.
pub(super) struct Lookup {
    files: Files,
    open: HashMap<PathBuf, Repo>,
}

impl Lookup {
    pub(super) fn new(users: FossilUsers) -> Self {
        Self {
            files: users.files,
            open: HashMap::new(),
        }
    }

    /// What somebody may do; `None` for a wrong password, for nothing, and for a link to the broker of somebody who
    /// may not do everything: there is no telling who is behind a link.
    pub(super) fn admit(&mut self, connect: &Connect) -> Option<Grant> {
        let files = (self.files)();
        self.open.retain(|file, _| files.contains(file));
        let (mut rights, mut is_known) = (MeshRights::default(), connect.user.is_none());
        for file in &files {
            match self.look(file, connect) {
                Ok((subjects, caps, is_user)) => {
                    rights.add(PREFIX, &subjects, caps);
                    is_known |= is_user;
                }
                Err(error) => {
                    tracing::error!(cause = error.lines().join(": "), "cannot look up users");
                    self.open.remove(file);
                }
            }
        }
        if !is_known || (connect.is_link() && !rights.is_everything()) {
            return None;
        }
        rights.grant(connect.user.clone().unwrap_or_else(|| "nobody".to_owned()))
    }

    /// The subjects of a repository, the rights there, and whether the user is one there.
    fn look(&mut self, file: &Path, connect: &Connect) -> Result<(Subjects, Capabilities, bool), CliError> {
        let repo = match self.open.get(file) {
            Some(repo) => repo,
            None => {
                let repo = disk::open(file, Access::Read)?;
                self.open.entry(file.to_owned()).or_insert(repo)
            }
        };
        let login = match &connect.user {
            Some(user) => repo.check_password(user, connect.pass.as_deref().unwrap_or_default())?,
            None => None,
        };
        let caps = match login {
            Some(caps) => caps,
            None => repo.capabilities_of_nobody()?,
        };
        Ok((
            Subjects::new(PREFIX, &repo.project_code()?),
            caps,
            login.is_some(),
        ))
    }
}
