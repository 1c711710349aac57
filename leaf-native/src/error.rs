//! What a command ends with when it does not end well: the chain of causes, the next step, the exit code.

use crate::remote::{HttpError, NatsRemoteError, RemoteError, next_step};
use leaf_core::Blame;
use leaf_core::repo::RepoError;
use leaf_core::sync::SyncError;
use leaf_iroh::{BadPlace, IrohError};
use std::error::Error;
use std::io;

/// Exit codes of the program, as `leaf --help` and the README list them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// The answer is no: damage was found, a name does not exist.
    No = 1,
    /// The command was not understood, or asks for what cannot be done.
    Usage = 2,
    /// The other side of the wire refused, failed or misbehaved.
    Peer = 3,
    /// Disk, file or database.
    Storage = 4,
}

impl From<Blame> for Exit {
    fn from(blame: Blame) -> Self {
        match blame {
            Blame::Peer => Self::Peer,
            Blame::Storage => Self::Storage,
            _ => Self::Usage,
        }
    }
}

/// Why a command failed. Printed by [`CliError::lines`], one cause a line, the next step last.
#[derive(Debug)]
pub struct CliError {
    exit: Exit,
    /// What was being done, and below it what stood in the way.
    causes: Vec<String>,
    next_step: Option<String>,
}

impl CliError {
    /// An error without a cause below it.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            causes: vec![what.into()],
            next_step: None,
        }
    }

    /// The answer is no.
    pub fn no(what: impl Into<String>) -> Self {
        Self::new(Exit::No, what)
    }

    /// The caller asked for what cannot be done.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// A file could not be read or written.
    pub fn storage(what: impl Into<String>, source: &dyn Error) -> Self {
        Self::new(Exit::Storage, what).because(source)
    }

    /// Adds what stood in the way.
    #[must_use]
    pub fn because(mut self, source: &dyn Error) -> Self {
        self.causes.extend(chain(source));
        self
    }

    /// Puts what was being done in front of the causes.
    #[must_use]
    pub fn during(mut self, what: impl Into<String>) -> Self {
        self.causes.insert(0, what.into());
        self
    }

    /// Says what to try now.
    #[must_use]
    pub fn next_step(mut self, step: impl Into<String>) -> Self {
        self.next_step = Some(step.into());
        self
    }

    /// Ends the process with another code.
    #[must_use]
    pub fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The code that the process ends with.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What is to be printed: the error, its causes, the next step.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.causes.clone();
        lines.dedup();
        if let Some(step) = &self.next_step {
            lines.push(format!("next: {step}"));
        }
        lines
    }

    fn from_chain(exit: Exit, error: &dyn Error) -> Self {
        Self {
            exit,
            causes: chain(error),
            next_step: None,
        }
    }
}

/// An error and what caused it, outermost first.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut lines = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        lines.push(error.to_string());
        cause = error.source();
    }
    lines.dedup();
    lines
}

impl From<RepoError> for CliError {
    fn from(error: RepoError) -> Self {
        let exit = Exit::from(error.blame());
        let cli = Self::from_chain(exit, &error);
        match (&error, exit) {
            (RepoError::NotARepository { .. }, _) => cli.next_step("name a Fossil repository with -R FILE"),
            (_, Exit::Storage) => cli.next_step("`leaf verify FILE` says what is damaged"),
            _ => cli,
        }
    }
}

impl From<SyncError> for CliError {
    fn from(error: SyncError) -> Self {
        let cli = Self::from_chain(error.blame().into(), &error);
        match &error {
            SyncError::PeerSaid { message } if message.contains("login failed") => {
                cli.next_step("check the user name and password")
            }
            SyncError::PeerSaid { message } if message.contains("not authorized") => cli.next_step(
                "log in: http://USER@HOST/ and $LEAF_PASSWORD, or ask the server's owner for the capability",
            ),
            SyncError::PeerWrongProject => cli.next_step("check the URL: it leads to another project"),
            _ if cli.exit == Exit::Peer => {
                cli.next_step("check the URL; if it is right, tell the server's owner")
            }
            SyncError::Repo(_) if cli.exit == Exit::Storage => {
                cli.next_step("`leaf verify FILE` says what is damaged")
            }
            _ => cli,
        }
    }
}

impl From<HttpError> for CliError {
    fn from(error: HttpError) -> Self {
        let exit = if error.is_usage() { Exit::Usage } else { Exit::Peer };
        let step = error.next_step();
        Self::from_chain(exit, &error).next_step(step)
    }
}

impl From<NatsRemoteError> for CliError {
    fn from(error: NatsRemoteError) -> Self {
        let step = error.next_step();
        Self::from_chain(Exit::Peer, &error).next_step(step)
    }
}

impl From<IrohError> for CliError {
    fn from(error: IrohError) -> Self {
        let step = next_step(&error);
        Self::from_chain(Exit::Peer, &error).next_step(step)
    }
}

impl From<BadPlace> for CliError {
    fn from(bad: BadPlace) -> Self {
        Self::usage(bad.to_string()).next_step("write it like iroh://ENDPOINT-ID?addr=IP:PORT&relay=URL")
    }
}

impl From<RemoteError> for CliError {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Http(error) => error.into(),
            RemoteError::Nats(error) => error.into(),
            RemoteError::Iroh(error) => error.into(),
        }
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::from_chain(Exit::Storage, &error)
    }
}
