//! `leaf commit`: files of the file system into a branch, without a working copy.

use super::global::{Global, Who, read_input, resolve};
use crate::error::CliError;
use crate::output::{GOOD, HASH, paint, tame};
use clap::Args;
use leaf_core::format::artifact::FilePerm;
use leaf_core::id::Rid;
use leaf_core::repo::{BadChange, FileChange, NameScope, NewCheckin, Repo, RepoError};
use serde_json::json;
use std::path::Path;

/// Put files into a branch
#[derive(Args, Debug)]
#[command(
    after_help = "FILE is read from the file system and put under the same path; NAME=FILE puts FILE under NAME.\nFiles that are not named stay as they are in the parent.\n\nExamples:\n  leaf commit -m 'Say what this is' README.md -R project.fossil\n  leaf commit -m 'Try it' --new-branch experiment src/main.rs=/tmp/main.rs\n  leaf commit -m 'Tidy' --branch trunk --rename old.txt=new.txt --remove junk.txt"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of one command"
)]
pub(super) struct Commit {
    /// FILE or NAME=FILE
    files: Vec<String>,
    /// Why
    #[arg(short, long)]
    message: String,
    /// The branch to put them into; default: trunk
    #[arg(short, long)]
    branch: Option<String>,
    /// Start a branch of this name
    #[arg(long, value_name = "NAME")]
    new_branch: Option<String>,
    /// Take a file away; may be given several times
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,
    /// Give a file another name; may be given several times
    #[arg(long, value_name = "OLD=NEW")]
    rename: Vec<String>,
    /// A tag on the check-in; may be given several times
    #[arg(long)]
    tag: Vec<String>,
    /// Keep the check-in out of sync
    #[arg(long)]
    private: bool,
    /// Close the branch with this check-in
    #[arg(long)]
    close: bool,
    /// Go ahead where the branch would fork
    #[arg(long)]
    allow_fork: bool,
    /// Go ahead where no file changes
    #[arg(long)]
    allow_empty: bool,
    #[command(flatten)]
    who: Who,
}

impl Commit {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let mut repo = global.write()?;
        let parent = self.parent(&repo)?;
        let author = self.who.author()?;
        let mut checkin = NewCheckin::new(parent, self.changes()?, &self.message, author);
        checkin.branch.clone_from(&self.new_branch);
        checkin.tags.clone_from(&self.tag);
        checkin.private = self.private;
        checkin.close = self.close;
        checkin.allow_fork = self.allow_fork;
        checkin.allow_empty = self.allow_empty;
        let (rid, hash) = repo.write(|tx| tx.checkin(&checkin)).map_err(explain)?;
        let branch = repo.branch_of(rid)?;
        let value = json!({ "hash": hash.to_string(), "branch": branch });
        global.out().answer(&value, |out| {
            writeln!(
                out,
                "{} {} on {}",
                paint(GOOD, "committed"),
                paint(HASH, hash),
                tame(&branch)
            )
        })
    }

    /// The check-in to build on.
    fn parent(&self, repo: &Repo) -> Result<Option<Rid>, CliError> {
        match &self.branch {
            Some(branch) => resolve(repo, branch, NameScope::Checkin).map(Some),
            None => Ok(repo.main_checkin()?),
        }
    }

    fn changes(&self) -> Result<Vec<FileChange>, CliError> {
        let mut changes = Vec::new();
        for pair in &self.rename {
            let (from, to) = pair.split_once('=').ok_or_else(|| {
                CliError::usage(format!("--rename {pair} has no `=`")).next_step("write --rename OLD=NEW")
            })?;
            changes.push(FileChange::Rename {
                from: from.into(),
                to: to.into(),
            });
        }
        changes.extend(self.remove.iter().map(|path| FileChange::Remove {
            path: path.as_bytes().into(),
        }));
        for file in &self.files {
            let (name, path) = file.split_once('=').unwrap_or((file, file));
            changes.push(put(name.strip_prefix("./").unwrap_or(name), Path::new(path))?);
        }
        Ok(changes)
    }
}

/// A file of the file system as a change; symbolic links as links, executables as such.
fn put(name: &str, path: &Path) -> Result<FileChange, CliError> {
    let is_link = path.is_symlink();
    let content = if is_link {
        let target = std::fs::read_link(path);
        let target =
            target.map_err(|error| CliError::storage(format!("cannot read {}", path.display()), &error))?;
        target.into_os_string().into_encoded_bytes()
    } else {
        read_input(path)?
    };
    let perm = match () {
        () if is_link => FilePerm::Symlink,
        () if is_executable(path) => FilePerm::Executable,
        () => FilePerm::Regular,
    };
    Ok(FileChange::Put {
        path: name.as_bytes().to_vec(),
        content,
        perm,
    })
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

fn explain(error: RepoError) -> CliError {
    let step = match &error {
        RepoError::Change(BadChange::WouldFork) => "pull first, or go ahead with --allow-fork",
        RepoError::Change(BadChange::ClosedLeaf) => "start a branch with --new-branch NAME",
        RepoError::Change(BadChange::NothingChanged) => {
            "name a file that differs, or go ahead with --allow-empty"
        }
        RepoError::Change(BadChange::BranchExists) => "choose another name, or commit into it with --branch",
        RepoError::Change(BadChange::MalformedPath(_)) => {
            "name files relative to the root of the tree: NAME=FILE"
        }
        _ => return error.into(),
    };
    CliError::from(error)
        .during("nothing was committed")
        .next_step(step)
}
