//! `leaf ls` and `leaf cat`: the files of a check-in.

use super::global::{Global, resolve};
use crate::error::{CliError, Exit};
use crate::output::{DIM, paint, tame};
use clap::Args;
use leaf_core::format::artifact::FilePerm;
use leaf_core::id::Rid;
use leaf_core::repo::{NameScope, Repo};
use serde_json::{Value, json};

/// List the files of a check-in
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  leaf ls -R project.fossil\n  leaf ls trunk\n  leaf ls --long 3f2a91")]
pub(super) struct Ls {
    /// A check-in: hash prefix, tag, branch, date; default: tip of trunk
    checkin: Option<String>,
    /// Sizes, permissions and hashes, too
    #[arg(short, long)]
    long: bool,
}

impl Ls {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let repo = global.read()?;
        let checkin = find(&repo, self.checkin.as_deref())?;
        let files = repo.files(checkin)?;
        let value = files.iter().map(|file| {
            json!({
                "name": file.name.as_str_lossy(),
                "hash": file.hash.to_string(),
                "perm": perm(file.perm),
                "bytes": file.size,
            })
        });
        global.out().answer(&Value::Array(value.collect()), |out| {
            for file in &files {
                let name = tame(&file.name.as_str_lossy());
                if !self.long {
                    writeln!(out, "{name}")?;
                    continue;
                }
                let size = file
                    .size
                    .map_or_else(|| "absent".to_owned(), |bytes| bytes.to_string());
                let mark = match file.perm {
                    FilePerm::Executable => "x",
                    FilePerm::Symlink => "l",
                    _ => "-",
                };
                let hash: String = file.hash.to_string().chars().take(10).collect();
                writeln!(out, "{mark} {size:>10} {} {name}", paint(DIM, hash))?;
            }
            Ok(())
        })
    }
}

/// Print a file of a check-in
#[derive(Args, Debug)]
#[command(
    after_help = "With --json the content is given as text when it is UTF-8, else as hex.\n\nExamples:\n  leaf cat trunk README.md -R project.fossil\n  leaf cat 3f2a91 src/main.rs > old-main.rs"
)]
pub(super) struct Cat {
    /// A check-in: hash prefix, tag, branch, date
    checkin: String,
    /// Path of the file from the root of the tree
    path: String,
}

impl Cat {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let repo = global.read()?;
        let checkin = find(&repo, Some(&self.checkin))?;
        let content = repo.file_content(checkin, self.path.as_bytes())?;
        let content = content.ok_or_else(|| {
            CliError::new(
                Exit::No,
                format!("there is no file {} in {}", self.path, self.checkin),
            )
            .next_step(format!("leaf ls {} lists what is there", self.checkin))
        })?;
        give_content(global, &content)
    }
}

/// Prints content as it is, or inside JSON.
pub(super) fn give_content(global: &Global, content: &[u8]) -> Result<(), CliError> {
    if !global.out().json {
        return global.out().bytes(content);
    }
    let value = match std::str::from_utf8(content) {
        Ok(text) => json!({ "bytes": content.len(), "text": text }),
        Err(_) => json!({ "bytes": content.len(), "hex": leaf_core::id::to_hex(content) }),
    };
    global.out().answer(&value, |_| Ok(()))
}

fn find(repo: &Repo, name: Option<&str>) -> Result<Rid, CliError> {
    match name {
        Some(name) => resolve(repo, name, NameScope::Checkin),
        None => repo
            .main_checkin()?
            .ok_or_else(|| CliError::no("there is no check-in yet")),
    }
}

fn perm(perm: FilePerm) -> &'static str {
    match perm {
        FilePerm::Executable => "executable",
        FilePerm::Symlink => "symlink",
        _ => "regular",
    }
}
