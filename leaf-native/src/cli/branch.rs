//! `leaf branch`: lines of development.

use super::global::{Global, Who, resolve};
use crate::error::CliError;
use crate::output::{DIM, GOOD, HASH, STRONG, paint, tame};
use clap::{Args, Subcommand};
use leaf_core::repo::{NameScope, NewBranch};
use serde_json::{Value, json};

/// Show, start, close and reopen branches
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  leaf branch -R project.fossil\n  leaf branch new experiment trunk\n  leaf branch close experiment"
)]
pub(super) struct Branch {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List open branches
    List {
        /// Closed ones, too
        #[arg(short, long)]
        all: bool,
    },
    /// Start a branch
    New {
        /// Its name
        name: String,
        /// The check-in to start from
        basis: String,
        /// Keep it out of sync
        #[arg(long)]
        private: bool,
        #[command(flatten)]
        who: Who,
    },
    /// Close a branch against further check-ins
    Close {
        /// Its name
        name: String,
        #[command(flatten)]
        who: Who,
    },
    /// Open a closed branch
    Reopen {
        /// Its name
        name: String,
        #[command(flatten)]
        who: Who,
    },
}

impl Branch {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        match &self.action {
            None => list(global, false),
            Some(Action::List { all }) => list(global, *all),
            Some(Action::New {
                name,
                basis,
                private,
                who,
            }) => {
                let mut repo = global.write()?;
                let basis = resolve(&repo, basis, NameScope::Checkin)?;
                let author = who.author()?;
                let new = NewBranch {
                    name,
                    basis,
                    bgcolor: None,
                    private: *private,
                };
                let (_, hash) = repo.write(|tx| tx.branch_new(&new, &author))?;
                done(global, name, &hash.to_string(), "started")
            }
            Some(Action::Close { name, who }) => close(global, name, true, who),
            Some(Action::Reopen { name, who }) => close(global, name, false, who),
        }
    }
}

fn list(global: &Global, all: bool) -> Result<(), CliError> {
    let branches = global.read()?.branches()?;
    let shown: Vec<_> = branches
        .iter()
        .filter(|branch| all || !branch.is_closed)
        .collect();
    let value = shown.iter().map(|branch| {
        json!({
            "name": branch.name,
            "tip": branch.hash.to_string(),
            "time": branch.time.iso(),
            "checkins": branch.checkins,
            "is_closed": branch.is_closed,
            "is_private": branch.is_private,
        })
    });
    global.out().answer(&Value::Array(value.collect()), |out| {
        for branch in &shown {
            let hash: String = branch.hash.to_string().chars().take(10).collect();
            let closed = if branch.is_closed { " closed" } else { "" };
            let private = if branch.is_private { " private" } else { "" };
            let name = paint(STRONG, format!("{:<24}", tame(&branch.name)));
            let rest = paint(DIM, format!("{} check-ins{closed}{private}", branch.checkins));
            writeln!(out, "{name} {} {} {rest}", branch.time, paint(HASH, hash))?;
        }
        Ok(())
    })
}

fn close(global: &Global, name: &str, close: bool, who: &Who) -> Result<(), CliError> {
    let author = who.author()?;
    let (_, hash) = global
        .write()?
        .write(|tx| tx.branch_close(name, close, &author))?;
    done(
        global,
        name,
        &hash.to_string(),
        if close { "closed" } else { "reopened" },
    )
}

fn done(global: &Global, name: &str, hash: &str, what: &str) -> Result<(), CliError> {
    global
        .out()
        .answer(&json!({ "name": name, "hash": hash, "done": what }), |out| {
            writeln!(
                out,
                "{} {} by {}",
                paint(GOOD, what),
                tame(name),
                paint(HASH, hash)
            )
        })
}
