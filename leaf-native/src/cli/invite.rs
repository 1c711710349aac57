//! `leaf invite`: a ticket that lets one leaf in, once.

use super::global::Global;
use super::key::KeyArgs;
use crate::disk::{self, Access};
use crate::error::CliError;
use crate::iroh::noted_place;
use crate::output::{STRONG, paint};
use crate::qr;
use crate::world;
use clap::Args;
use iroh::{RelayUrl, SecretKey};
use leaf_core::id::to_hex;
use leaf_core::peer::{Ticket, invite_seed};
use leaf_core::repo::{Invite as Invitation, Repo};
use leaf_iroh::IrohUrl;
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Make a ticket for another leaf: good for one, and for a while
#[derive(Args, Debug)]
#[command(
    after_help = "Whoever has the ticket gets in: hand it over as you would a password. The repository keeps no secret of it.\nWhere this leaf can be reached is what `leaf serve --iroh` noted in the repository; --addr and --relay-url say it\notherwise. A terminal is shown the ticket as a QR code, too.\n\nExamples:\n  leaf invite project.fossil --cap gio --name \"ann's laptop\"\n  leaf invite -R project.fossil --hours 1"
)]
pub(super) struct Invite {
    /// The repository
    file: Option<PathBuf>,
    /// What the guest may do, in Fossil's letters: g clone, o read, i write, y unversioned files, x private branches
    #[arg(long, value_name = "LETTERS", default_value = "gio")]
    cap: String,
    /// What to call the guest; default: as it calls itself
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    /// How long the ticket is good for
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    hours: u32,
    /// Where the guest can reach this leaf; may be given several times
    #[arg(long, value_name = "IP:PORT")]
    addr: Vec<SocketAddr>,
    /// By which relay it can; may be given several times
    #[arg(long, value_name = "URL")]
    relay_url: Vec<RelayUrl>,
    #[command(flatten)]
    key: KeyArgs,
}

/// Letters that mean something, or a word about the first that does not.
pub(super) fn check_letters(letters: &str) -> Result<(), CliError> {
    match letters.chars().find(|letter| !letter.is_ascii_alphanumeric()) {
        Some(letter) => Err(CliError::usage(format!("{letter:?} is no capability"))
            .next_step("capabilities are letters, as Fossil's: gio to clone, read and write")),
        None => Ok(()),
    }
}

impl Invite {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        check_letters(&self.cap)?;
        let mut repo = disk::open(global.file(self.file.as_deref())?, Access::Write)?;
        let place = self.place(&repo)?;
        let random = world::entropy();
        let (secret, _) = random.split_first_chunk().expect("twenty bytes");
        let ticket = Ticket {
            endpoint: *place.id.as_bytes(),
            secret: *secret,
            project: repo.project_code()?,
            addresses: place.addresses,
            relays: place.relays.iter().map(ToString::to_string).collect(),
        };
        let now = world::now();
        let invite = Invitation {
            key: to_hex(SecretKey::from_bytes(&invite_seed(secret)).public().as_bytes()),
            name: self.name.clone(),
            capabilities: self.cap.clone(),
            expires: now.plus_ms(i64::from(self.hours) * 3_600_000),
            used_by: None,
        };
        repo.write(|tx| tx.add_invite(&invite, now))?;
        let text = ticket.write();
        let value = json!({ "ticket": text, "expires": invite.expires.iso(), "capabilities": self.cap });
        global.out().answer(&value, |out| {
            writeln!(out, "{text}")?;
            if !global.out().quiet {
                let until = invite.expires.iso();
                writeln!(
                    out,
                    "good for one, until {until}: {}",
                    paint(STRONG, "leaf join TICKET FILE")
                )?;
                if let Some(code) = qr::on_terminal(&text) {
                    write!(out, "{code}")?;
                }
            }
            Ok(())
        })
    }

    /// Where this leaf is: as it was said here, else as it was noted when the repository was served last.
    fn place(&self, repo: &Repo) -> Result<IrohUrl, CliError> {
        let id = self.key.open()?.id();
        let noted = noted_place(repo)?;
        if self.addr.is_empty() && self.relay_url.is_empty() {
            return match noted {
                Some(place) if place.id == id => Ok(place),
                Some(_) => Err(
                    CliError::usage("this repository was served last under another key")
                        .next_step("name its file with --key, or say where this leaf is with --addr"),
                ),
                None => Err(CliError::usage("it is not known where this leaf can be reached")
                    .next_step("run `leaf serve FILE --iroh` first, or say it with --addr or --relay-url")),
            };
        }
        Ok(IrohUrl {
            id,
            project: None,
            addresses: self.addr.clone(),
            relays: self.relay_url.clone(),
        })
    }
}
