//! `leaf uv`: unversioned files, of which only the latest content is kept.

use super::files::give_content;
use super::global::{Global, read_input};
use crate::error::{CliError, Exit};
use crate::output::{DIM, GOOD, paint, tame};
use crate::world;
use clap::{Args, Subcommand};
use leaf_core::time::Timestamp;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Show and change unversioned files
#[derive(Args, Debug)]
#[command(
    after_help = "They travel with `leaf sync --unversioned`.\n\nExamples:\n  leaf uv -R project.fossil\n  leaf uv add build.zip --as downloads/build.zip\n  leaf uv cat downloads/build.zip > build.zip\n  leaf uv remove downloads/build.zip"
)]
pub(super) struct Uv {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List files
    List,
    /// Add a file, or replace what it holds
    Add {
        /// The file; `-`: standard input
        file: PathBuf,
        /// Its name in the repository; default: as on the file system
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
    },
    /// Print a file
    Cat {
        /// Its name in the repository
        name: String,
    },
    /// Remove a file
    Remove {
        /// Its name in the repository
        name: String,
    },
}

impl Uv {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        match &self.action {
            None | Some(Action::List) => list(global),
            Some(Action::Add { file, name }) => {
                let name = match name {
                    Some(name) => name.clone(),
                    None => file.to_string_lossy().trim_start_matches("./").to_owned(),
                };
                let content = read_input(file)?;
                global
                    .write()?
                    .write(|tx| tx.uv_put(&name, &content, world::now()))?;
                done(global, &name, "added")
            }
            Some(Action::Cat { name }) => {
                let stored = global.read()?.uv_stored(name)?.filter(|file| file.hash.is_some());
                let content = stored.ok_or_else(|| absent(name))?.expand()?;
                give_content(global, &content)
            }
            Some(Action::Remove { name }) => {
                if !global.write()?.write(|tx| tx.uv_delete(name, world::now()))? {
                    return Err(absent(name));
                }
                done(global, name, "removed")
            }
        }
    }
}

fn list(global: &Global) -> Result<(), CliError> {
    let files = global.read()?.uv_list()?;
    let files: Vec<_> = files.iter().filter(|file| file.hash.is_some()).collect();
    let value = files.iter().map(|file| {
        json!({
            "name": file.name,
            "bytes": file.size,
            "time": Timestamp::from_unix(file.mtime).iso(),
            "hash": file.hash.as_ref().map(ToString::to_string),
        })
    });
    global.out().answer(&Value::Array(value.collect()), |out| {
        for file in &files {
            let time = paint(DIM, Timestamp::from_unix(file.mtime));
            writeln!(out, "{time} {:>10} {}", file.size, tame(&file.name))?;
        }
        Ok(())
    })
}

fn done(global: &Global, name: &str, what: &str) -> Result<(), CliError> {
    global
        .out()
        .answer(&json!({ "name": name, "done": what }), |out| {
            writeln!(out, "{} {}", paint(GOOD, what), tame(name))
        })
}

fn absent(name: &str) -> CliError {
    CliError::new(Exit::No, format!("there is no unversioned file {name}")).next_step("`leaf uv` lists them")
}
