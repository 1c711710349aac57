//! Where a leaf can be called: noted in each repository that it serves, config row `leaf-iroh-url`, so that `leaf invite`,
//! which is another process, can say it in a ticket.

use crate::error::CliError;
use crate::world;
use leaf_core::repo::{Repo, RepoError};
use leaf_iroh::IrohUrl;

/// Where a repository says by which key and where it can be called.
const PLACE: &str = "leaf-iroh-url";

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
