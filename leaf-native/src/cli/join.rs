//! `leaf join`: shows a ticket, then fetches what it is for.

use super::clone::Fetch;
use super::global::{Global, Who};
use super::login::RemoteArgs;
use crate::disk::{self, Access};
use crate::error::CliError;
use crate::output::{GOOD, STRONG, paint};
use crate::remote;
use crate::world;
use clap::Args;
use leaf_core::peer::Ticket;
use leaf_core::repo::{Guest, Repo};
use leaf_iroh::{IrohUrl, Joined};
use std::path::PathBuf;

/// Join a project by a ticket, and clone it
#[derive(Args, Debug)]
#[command(
    after_help = "Both sides show six digits: they are the same when nobody else used the ticket.\nA repository of that project that is there already is kept, and syncs with the other leaf from now on. Each may call the\nother: leaf peers list shows it.\n\nExamples:\n  leaf join leaf1abc... project.fossil"
)]
pub(super) struct Join {
    /// What `leaf invite` printed; `-`: one line of standard input, where others of this machine do not see it
    ticket: String,
    /// The file to make
    file: PathBuf,
    /// What to call this leaf over there
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(flatten)]
    who: Who,
}

impl Join {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let ticket = self.ticket()?;
        self.check_file(&ticket)?;
        let joined = remote::join(&ticket, &self.name, &self.remote.node()?)?;
        let out = global.out();
        out.note(format!(
            "{}, with capabilities {}; the other leaf shows the same code: {}",
            paint(GOOD, "joined"),
            joined.capabilities,
            paint(STRONG, &joined.code)
        ));
        let place = IrohUrl::of_ticket(&ticket)?;
        let url = place.to_string();
        if self.file.exists() {
            let mut repo = disk::open(&self.file, Access::Write)?;
            repo.write(|tx| tx.set_config("last-sync-url", &url, world::now()))?;
            list(&mut repo, place, &joined)?;
            out.note(format!("next: leaf sync -R {}", self.file.display()));
            return Ok(());
        }
        let fetch = Fetch {
            url: &url,
            file: &self.file,
            unversioned: true,
            private: false,
            remote: &self.remote,
            who: &self.who,
        };
        fetch.run(global)?;
        list(&mut disk::open(&self.file, Access::Write)?, place, &joined)
    }

    fn ticket(&self) -> Result<Ticket, CliError> {
        let mut line = String::new();
        let text = match self.ticket.as_str() {
            "-" => {
                std::io::stdin().read_line(&mut line)?;
                line.as_str()
            }
            given => given,
        };
        Ticket::parse(text).map_err(|bad| {
            CliError::usage(bad.to_string()).next_step("copy all of what `leaf invite` printed")
        })
    }

    /// A ticket is good for one: what would fail later is found out before it is shown.
    fn check_file(&self, ticket: &Ticket) -> Result<(), CliError> {
        if !self.file.exists() {
            return Ok(());
        }
        let repo = disk::open(&self.file, Access::Read)?;
        match repo.project_code()? == ticket.project {
            true => Ok(()),
            false => Err(
                CliError::usage(format!("{} is of another project", self.file.display()))
                    .next_step("choose another file"),
            ),
        }
    }
}

/// Puts who invited on the list: each may do at the other what the other may do at it, so that both keep in step.
fn list(repo: &mut Repo, place: IrohUrl, joined: &Joined) -> Result<(), CliError> {
    let (id, now) = (place.id.to_string(), world::now());
    let place = IrohUrl {
        project: None,
        ..place
    };
    let known = repo.guest(&id)?.unwrap_or_else(|| Guest {
        id,
        capabilities: joined.capabilities.clone(),
        added: now,
        ..Guest::default()
    });
    let guest = Guest {
        place: place.to_string(),
        ..known
    };
    Ok(repo.write(|tx| tx.set_guest(&guest, now))?)
}
