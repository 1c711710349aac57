//! The command line: one file per command, each with its arguments and what it does.

mod artifact;
mod branch;
mod bridge;
mod clone;
mod commit;
mod completions;
mod config;
mod config_check;
mod files;
mod global;
mod info;
mod invite;
mod join;
mod key;
mod login;
mod new;
mod overview;
mod peers;
mod query;
mod serve;
mod sync;
mod tag;
mod timeline;
mod user;
mod uv;
mod verify;
mod watch;
mod wiki;

use crate::error::CliError;
use crate::output::{BAD, DIM, paint};
use clap::{CommandFactory, Parser, Subcommand};
use global::Global;
use std::process::ExitCode;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the answer is no: damage was found, a name does not exist, a clone was not verified
  2  the command was not understood, or asks for what cannot be done
  3  the other side of the wire refused, failed or misbehaved
  4  disk, file or database

Environment:
  LEAF_REPOSITORY  the repository when -R is not given
  LEAF_PASSWORD    the password when the URL names a user and no password
  LEAF_KEY         the file of the key by which other leaves know this one, when --key is not given
  LEAF_NATS_TOKEN  the token of a NATS server that wants one
  LEAF_USER        who you are, when --user is not given; else FOSSIL_USER, USER, LOGNAME, USERNAME
  LEAF_LOG         what `leaf serve` logs, `info` by default (`debug`, `leaf_native=warn`)";

/// Fossil repositories: clone, sync, serve, commit and look inside.
#[derive(Debug, Parser)]
#[command(name = "leaf", version, after_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::New),
    Clone(clone::Clone),
    Sync(sync::Sync),
    Pull(sync::Pull),
    Push(sync::Push),
    Serve(Box<serve::Serve>),
    Bridge(bridge::BridgeArgs),
    Id(key::Id),
    Invite(invite::Invite),
    Join(join::Join),
    Peers(peers::Peers),
    Watch(watch::Watch),
    Commit(commit::Commit),
    Timeline(timeline::Timeline),
    Info(info::Info),
    Ls(files::Ls),
    Cat(files::Cat),
    Artifact(artifact::Artifact),
    Branch(branch::Branch),
    Tag(tag::Tag),
    Wiki(wiki::Wiki),
    Uv(uv::Uv),
    User(user::User),
    Config(config::Config),
    ConfigCheck(config_check::ConfigCheck),
    Verify(verify::Verify),
    Rebuild(verify::Rebuild),
    Query(query::Query),
    Completions(completions::Completions),
}

impl Cli {
    /// The definition of the command line, for completions and manuals.
    pub fn definition() -> clap::Command {
        Self::command()
    }

    fn run(&self) -> Result<(), CliError> {
        let global = &self.global;
        match &self.command {
            None => overview::run(global),
            Some(Command::New(command)) => command.run(global),
            Some(Command::Clone(command)) => command.run(global),
            Some(Command::Sync(command)) => command.run(global),
            Some(Command::Pull(command)) => command.run(global),
            Some(Command::Push(command)) => command.run(global),
            Some(Command::Serve(command)) => command.run(global),
            Some(Command::Bridge(command)) => command.run(global),
            Some(Command::Id(command)) => command.run(global),
            Some(Command::Invite(command)) => command.run(global),
            Some(Command::Join(command)) => command.run(global),
            Some(Command::Peers(command)) => command.run(global),
            Some(Command::Watch(command)) => command.run(global),
            Some(Command::Commit(command)) => command.run(global),
            Some(Command::Timeline(command)) => command.run(global),
            Some(Command::Info(command)) => command.run(global),
            Some(Command::Ls(command)) => command.run(global),
            Some(Command::Cat(command)) => command.run(global),
            Some(Command::Artifact(command)) => command.run(global),
            Some(Command::Branch(command)) => command.run(global),
            Some(Command::Tag(command)) => command.run(global),
            Some(Command::Wiki(command)) => command.run(global),
            Some(Command::Uv(command)) => command.run(global),
            Some(Command::User(command)) => command.run(global),
            Some(Command::Config(command)) => command.run(global),
            Some(Command::ConfigCheck(command)) => command.run(global),
            Some(Command::Verify(command)) => command.run(global),
            Some(Command::Rebuild(command)) => command.run(global),
            Some(Command::Query(command)) => command.run(global),
            Some(Command::Completions(command)) => command.run(global),
        }
    }
}

/// Runs the program and says how it went.
pub fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(error.exit() as u8)
        }
    }
}

/// One cause a line, each below what it caused; the next step last.
fn complain(error: &CliError) {
    for (depth, line) in error.lines().iter().enumerate() {
        match depth {
            0 => anstream::eprintln!("{} {line}", paint(BAD, "error:")),
            _ if line.starts_with("next: ") => anstream::eprintln!("{line}"),
            _ => anstream::eprintln!("  {} {line}", paint(DIM, "because:")),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_defined() {
        super::Cli::definition().debug_assert();
    }
}
