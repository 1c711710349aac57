//! Where a leaf can be called: read from the URL of a command, and noted in each repository that it serves, config row
//! `leaf-iroh-url`, so that `leaf invite`, which is another process, can say it in a ticket.

use crate::error::CliError;
use crate::remote::RemoteUrl;
use crate::world;
use leaf_core::repo::{Repo, RepoError};
use leaf_iroh::IrohUrl;

/// Where a repository says by which key and where it can be called.
const PLACE: &str = "leaf-iroh-url";

/// What a URL names.
///
/// # Errors
///
/// When it names no key, or a place that is none.
pub fn place_of(url: &RemoteUrl) -> Result<IrohUrl, CliError> {
    IrohUrl::of_parts(&url.host(), url.project(), url.query()).map_err(|bad| {
        CliError::usage(bad.to_string()).next_step("write it like iroh://ENDPOINT-ID?addr=IP:PORT&relay=URL")
    })
}

/// Where `repo` was said to be served last; `None` if it never was.
///
/// # Errors
///
/// When the repository cannot be read.
pub fn noted_place(repo: &Repo) -> Result<Option<IrohUrl>, CliError> {
    Ok(repo.config(PLACE)?.and_then(|text| IrohUrl::parse(&text).ok()))
}

/// Says in `repo` where it is served.
///
/// # Errors
///
/// When the repository cannot be written.
pub fn note_place(repo: &mut Repo, place: &IrohUrl) -> Result<(), RepoError> {
    let text = place.to_string();
    if repo.config(PLACE)?.as_deref() == Some(&text) {
        return Ok(());
    }
    repo.write(|tx| tx.set_config(PLACE, &text, world::now()))
}
