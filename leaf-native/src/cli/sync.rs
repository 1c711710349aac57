//! `leaf sync`, `leaf pull`, `leaf push`.

use super::global::Global;
use super::login::{Login, RemoteArgs};
use crate::drive::{Driven, drive};
use crate::error::CliError;
use crate::output::{GOOD, count, paint};
use crate::progress::traffic;
use clap::Args;
use leaf_core::sync::{Goal, SyncOptions};
use serde_json::json;

#[derive(Args, Debug)]
struct Common {
    /// The server; default: the one of the last sync
    url: Option<String>,
    /// Unversioned files, too
    #[arg(short, long)]
    unversioned: bool,
    /// Private branches, too; the server must grant it
    #[arg(long)]
    private: bool,
    /// Compare everything, not only what is new
    #[arg(long)]
    verily: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Send and fetch what the other side lacks
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  leaf sync -R project.fossil\n  leaf sync http://alice@localhost:8080/ -R project.fossil\n  leaf sync nats://localhost:4222 -R project.fossil\n  leaf sync iroh://ENDPOINT-ID?addr=192.0.2.7:4433 -R project.fossil\n  leaf sync --unversioned"
)]
pub(super) struct Sync {
    /// Ask for other repositories of the project, and keep where they are
    #[arg(long)]
    share_links: bool,
    #[command(flatten)]
    common: Common,
}

/// Fetch what is lacking here
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  leaf pull -R project.fossil\n  leaf pull --once http://other.example.org/ -R project.fossil"
)]
pub(super) struct Pull {
    /// Ask for other repositories of the project, and keep where they are
    #[arg(long)]
    share_links: bool,
    #[command(flatten)]
    common: Common,
}

/// Send what is lacking there
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  leaf push -R project.fossil\n  LEAF_PASSWORD=.. leaf push http://alice@localhost:8080/ -R project.fossil"
)]
pub(super) struct Push {
    #[command(flatten)]
    common: Common,
}

impl Sync {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        self.common.run(global, Goal::Sync, self.share_links)
    }
}

impl Pull {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        self.common.run(global, Goal::Pull, self.share_links)
    }
}

impl Push {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        self.common.run(global, Goal::Push, false)
    }
}

impl Common {
    fn run(&self, global: &Global, goal: Goal, share_links: bool) -> Result<(), CliError> {
        let stage = match goal {
            Goal::Pull => "pulling",
            Goal::Push => "pushing",
            _ => "syncing",
        };
        let mut repo = global.write()?;
        let login = Login::to_or_remembered(self.url.as_deref(), &repo)?;
        let mut remote = self.remote.connect(&login, &repo)?;
        let options = SyncOptions {
            login: login.credentials(),
            private: self.private,
            unversioned: self.unversioned,
            verily: self.verily,
            share_links,
            ..SyncOptions::new(goal, login.url.marked())
        };
        let during = |error: CliError| error.during(format!("{stage} with {} failed", login.url));
        let driven = drive(&mut repo, &mut remote, options, stage, global.out()).map_err(during)?;
        self.remote.remember(&mut repo, &remote, &login)?;
        report(global, &login, &driven)
    }
}

fn report(global: &Global, login: &Login, driven: &Driven) -> Result<(), CliError> {
    let stats = &driven.stats;
    let value = json!({
        "url": login.url.canonical(),
        "rounds": stats.rounds,
        "received": stats.artifacts_received,
        "sent": stats.artifacts_sent,
        "unversioned_received": stats.uv_received,
        "unversioned_sent": stats.uv_sent,
        "bytes_received": driven.bytes_received,
        "bytes_sent": driven.bytes_sent,
        "remarks": driven.remarks,
    });
    global.out().answer(&value, |out| {
        if global.out().quiet {
            return Ok(());
        }
        writeln!(out, "{} with {}", paint(GOOD, "in sync"), login.url)?;
        let (received, sent) = (stats.artifacts_received, stats.artifacts_sent);
        write!(
            out,
            "{} received, {} sent",
            count(received, "artifact"),
            count(sent, "artifact")
        )?;
        if stats.uv_received + stats.uv_sent > 0 {
            let (received, sent) = (stats.uv_received, stats.uv_sent);
            write!(
                out,
                "; {} received, {} sent",
                count(received, "unversioned file"),
                sent
            )?;
        }
        let wire = traffic(
            stats.rounds,
            driven.bytes_received,
            driven.bytes_sent,
            driven.elapsed,
        );
        writeln!(out, "; {wire}")?;
        driven
            .remarks
            .iter()
            .try_for_each(|remark| writeln!(out, "note: {remark}"))
    })
}
