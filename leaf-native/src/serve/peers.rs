//! Which leaves may call by key, and how it stands with them: `GET /peers.json`, for the page.
//!
//! Only this machine is told: names and keys of peers are nobody else's business.
//!
//! Source: ours; the keys are those of `leaf peers list --json`.

use super::answer::Answer;
use super::route::Repositories;
use crate::iroh::guests_json;
use crate::world;
use hyper::StatusCode;
use leaf_core::repo::{Repo, RepoError};
use serde_json::{Value, json};
use std::sync::Arc;

/// Answers, for all repositories.
pub(super) async fn answer(repositories: Arc<Repositories>) -> Answer {
    let members = tokio::task::spawn_blocking(move || repositories.members()).await;
    let mut list = Vec::new();
    for (name, _, pool) in members.unwrap_or_default() {
        match pool.run(move |repo, _| peers(&name, repo)).await {
            Ok(Ok(peers)) => list.push(peers),
            Ok(Err(error)) => tracing::error!(%error, "the list of peers cannot be read"),
            Err(_) => return Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
        }
    }
    Answer::new(
        StatusCode::OK,
        "application/json",
        format!("{}\n", Value::from(list)),
    )
}

fn peers(name: &str, repo: &Repo) -> Result<Value, RepoError> {
    Ok(json!({
        "repository": name,
        "project_code": repo.project_code()?.as_str(),
        "peers": guests_json(repo, world::now())?,
    }))
}
