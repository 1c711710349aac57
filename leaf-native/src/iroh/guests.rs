//! Who may come in, and to which repositories: the lists of peers that the served repositories keep.
//!
//! The list is asked when the handshake has proved whose key it is, before any stream is read, and again for each
//! request: who is revoked gets nothing more. A stranger gets as far as the door for tickets, and that only where
//! somebody was invited.
//!
//! Source: iroh 1.4 `endpoint::EndpointHooks`; threat list: the reference lets in any endpoint.

use crate::repo_pool::RepoPool;
use crate::serve::Repositories;
use crate::world;
use iroh::EndpointId;
use iroh::endpoint::{AfterHandshakeOutcome, Connection, EndpointHooks, Side};
use leaf_core::id::ProjectCode;
use leaf_core::peer::JOIN;
use leaf_core::repo::{Guest, Repo, RepoError};
use leaf_iroh::NOT_LISTED;
use std::path::PathBuf;
use std::sync::Arc;

/// Who may come in.
#[derive(Clone, Debug)]
pub(super) struct Guests {
    repositories: Arc<Repositories>,
}

/// A repository that somebody may use.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// As it is served.
    pub(super) name: String,
    pub(super) project: ProjectCode,
    pub(super) project_name: String,
    /// As whom.
    pub(super) guest: Guest,
    pub(super) pool: Arc<RepoPool>,
}

impl Place {
    fn is_called(&self, wanted: &str) -> bool {
        self.project.as_str().starts_with(wanted) && wanted.len() >= 8
            || self.name == wanted
            || self.project_name == wanted
    }
}

impl Guests {
    pub(super) fn new(repositories: Arc<Repositories>) -> Self {
        Self { repositories }
    }

    /// All that is served: names, files, and the ways to them. Opening a repository may touch the disk.
    pub(super) async fn members(&self) -> Vec<(String, PathBuf, Arc<RepoPool>)> {
        let repositories = Arc::clone(&self.repositories);
        let members = tokio::task::spawn_blocking(move || repositories.members()).await;
        members.unwrap_or_default()
    }

    /// The same without the files.
    pub(super) async fn pools(&self) -> Vec<(String, Arc<RepoPool>)> {
        let members = self.members().await.into_iter();
        members.map(|(name, _, pool)| (name, pool)).collect()
    }

    /// The repositories that `id` may use.
    pub(super) async fn places(&self, id: EndpointId) -> Vec<Place> {
        let mut places = Vec::new();
        for (name, pool) in self.pools().await {
            let id = id.to_string();
            let found = pool.run(move |repo, _| listed(repo, &id)).await;
            match found {
                Ok(Ok(Some((guest, project, project_name)))) => places.push(Place {
                    name,
                    project,
                    project_name,
                    guest,
                    pool,
                }),
                Ok(Ok(None)) | Err(_) => {}
                Ok(Err(error)) => tracing::error!(name, %error, "the list of peers cannot be read"),
            }
        }
        places
    }

    /// The one that `id` means by `wanted`; else what to tell it.
    pub(super) async fn place(&self, id: EndpointId, wanted: Option<&str>) -> Result<Place, String> {
        let mut places = self.places(id).await;
        if places.is_empty() {
            return Err("you are not on the list of peers".to_owned());
        }
        if let Some(wanted) = wanted {
            places.retain(|place| place.is_called(wanted));
        }
        match <[Place; 1]>::try_from(places) {
            Ok([only]) => Ok(only),
            Err(places) if places.is_empty() => {
                Err("there is no such project, or it is not for you".to_owned())
            }
            Err(places) => {
                let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
                Err(format!(
                    "there are several projects for you: write one behind the key: {}",
                    names.join(", ")
                ))
            }
        }
    }

    /// Whether some repository says so.
    async fn some(&self, ask: fn(&Repo) -> Result<bool, RepoError>) -> bool {
        for (_, pool) in self.pools().await {
            if let Ok(Ok(true)) = pool.run(move |repo, _| ask(repo)).await {
                return true;
            }
        }
        false
    }

    /// Whether somebody was invited who has not come yet.
    pub(super) async fn are_awaited(&self) -> bool {
        self.some(|repo| repo.awaits_guests(world::now())).await
    }

    /// Whether there is anything to say to one with a ticket.
    async fn were_invited(&self) -> bool {
        self.some(Repo::has_invited).await
    }
}

fn listed(repo: &Repo, id: &str) -> Result<Option<(Guest, ProjectCode, String)>, RepoError> {
    let Some(guest) = repo.guest(id)? else {
        return Ok(None);
    };
    let name = repo.config("project-name")?.unwrap_or_default();
    Ok(Some((guest, repo.project_code()?, name)))
}

impl EndpointHooks for Guests {
    async fn after_handshake(&self, connection: &Connection) -> AfterHandshakeOutcome {
        if connection.side() == Side::Client {
            return AfterHandshakeOutcome::Accept;
        }
        let id = connection.remote_id();
        let is_welcome = match connection.alpn() == JOIN {
            true => self.were_invited().await,
            false => !self.places(id).await.is_empty(),
        };
        if is_welcome {
            return AfterHandshakeOutcome::Accept;
        }
        tracing::info!(peer = %id, "refused: not on the list of peers");
        AfterHandshakeOutcome::Reject {
            error_code: NOT_LISTED,
            reason: b"not on the list of peers".to_vec(),
        }
    }
}
