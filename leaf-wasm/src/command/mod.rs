//! What a page may ask, one file per kind of thing.

mod commit;
mod diff;
mod drive;
mod fetch;
mod guests;
mod peers;
mod read;
mod setup;
mod transfer;
mod unversioned;
mod verify;
mod wiki;

use crate::engine::{Leaf, Task, to_js};
use crate::failure::Failed;
use crate::host::now;
use crate::protocol::{Code, Command, Nothing};
use leaf_core::id::{ArtifactHash, Rid};
use leaf_core::repo::{Author, NameScope, Repo, RepoTx};
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// Config that names who makes changes here; stock Fossil reads and writes it, too.
pub(crate) const DEFAULT_USER: &str = "default-user";

/// Does one command.
pub(crate) async fn run(leaf: &Rc<Leaf>, command: Command, task: &Rc<Task>) -> Result<JsValue, Failed> {
    task.go_on()?;
    match command {
        Command::Info(Nothing {}) => to_js(&setup::info(leaf)?),
        Command::Status(Nothing {}) => to_js(&setup::status(leaf)?),
        Command::Create(args) => to_js(&setup::create(leaf, &args, task)?),
        Command::Configure(args) => to_js(&setup::configure(leaf, &args)?),
        Command::Clone(args) => to_js(&fetch::clone(leaf, &args, task).await?),
        Command::Sync(args) => to_js(&fetch::sync(leaf, &args, task).await?),
        Command::Commit(args) => to_js(&commit::commit(leaf, args, task)?),
        Command::EditBranch(args) => to_js(&commit::edit_branch(leaf, &args, task)?),
        Command::EditTag(args) => to_js(&commit::edit_tag(leaf, &args, task)?),
        Command::Timeline(args) => to_js(&leaf.read(|repo| read::timeline(repo, &args))?),
        Command::Checkin(args) => to_js(&leaf.read(|repo| read::checkin(repo, &args))?),
        Command::ListFiles(args) => to_js(&leaf.read(|repo| read::list_files(repo, &args))?),
        Command::ReadFile(args) => to_js(&leaf.read(|repo| read::read_file(repo, &args))?),
        Command::FileHistory(args) => to_js(&leaf.read(|repo| read::file_history(repo, &args))?),
        Command::ReadArtifact(args) => to_js(&leaf.read(|repo| read::read_artifact(repo, &args))?),
        Command::Branches(Nothing {}) => to_js(&leaf.read(read::branches)?),
        Command::Tags(Nothing {}) => to_js(&leaf.read(read::tags)?),
        Command::Diff(args) => to_js(&leaf.read(|repo| diff::diff(repo, &args))?),
        Command::WikiList(Nothing {}) => to_js(&leaf.read(wiki::list)?),
        Command::WikiRead(args) => to_js(&leaf.read(|repo| wiki::read(repo, &args))?),
        Command::WikiWrite(args) => to_js(&wiki::write(leaf, &args, task)?),
        Command::UvList(Nothing {}) => to_js(&leaf.read(unversioned::list)?),
        Command::UvRead(args) => to_js(&leaf.read(|repo| unversioned::read(repo, &args))?),
        Command::UvWrite(args) => to_js(&unversioned::write(leaf, &args)?),
        Command::UvRemove(args) => to_js(&unversioned::remove(leaf, &args)?),
        Command::Peers(Nothing {}) => to_js(&peers::list(leaf).await?),
        Command::Guests(Nothing {}) => to_js(&leaf.read(guests::list)?),
        Command::RemoveGuest(args) => to_js(&guests::remove(leaf, &args)?),
        Command::AddInvite(args) => to_js(&guests::invite(leaf, args)?),
        Command::Welcome(args) => to_js(&guests::welcome(leaf, &args)?),
        Command::Admit(args) => to_js(&guests::admit(leaf, &args)?),
        Command::Answer(args) => to_js(&guests::answer(leaf, &args)?),
        Command::Verify(Nothing {}) => to_js(&verify::verify(leaf, task).await?),
        Command::ExportBegin(args) => to_js(&transfer::export_begin(leaf, args)?),
        Command::ExportRead(args) => to_js(&transfer::export_read(leaf, &args)?),
        Command::ExportEnd(args) => to_js(&transfer::export_end(leaf, &args)?),
        Command::ImportBegin(args) => to_js(&transfer::import_begin(leaf, args)?),
        Command::ImportWrite(args) => to_js(&transfer::import_write(leaf, &args)?),
        Command::ImportEnd(args) => to_js(&transfer::import_end(leaf, &args, task)?),
    }
}

/// The check-in that `name` stands for; without a name the tip of the main branch.
fn checkin(repo: &Repo, name: Option<&str>) -> Result<Rid, Failed> {
    let found = match name {
        Some(name) => repo.resolve(name, NameScope::Checkin)?,
        None => repo.main_checkin()?,
    };
    found.ok_or_else(|| Failed::not_found("check-in", name.unwrap_or("tip")))
}

/// Who makes changes here, now.
fn author(repo: &Repo) -> Result<Author, Failed> {
    let user = repo.config(DEFAULT_USER)?.filter(|user| !user.is_empty());
    let user =
        user.ok_or_else(|| Failed::new(Code::Refused, "it is not known who you are; set the user first"))?;
    Ok(Author { user, date: now() })
}

/// Makes a change that makes one artifact, unless the same request made it before.
fn once(
    leaf: &Leaf,
    task: &Task,
    change: impl FnOnce(&RepoTx<'_>, &Author) -> Result<ArtifactHash, Failed>,
) -> Result<ArtifactHash, Failed> {
    leaf.with(|repo| {
        if let Some(made) = repo.request(&task.id)? {
            return Ok(made);
        }
        repo.write(|tx| {
            let author = author(tx)?;
            let hash = change(tx, &author)?;
            tx.note_request(&task.id, &hash, author.date)?;
            Ok(hash)
        })
    })
}
