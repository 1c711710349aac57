//! `leaf peers`: which leaves are on a NATS server, and what they have; or which hold the project of a repository,
//! by the registry in it.

use super::global::Global;
use super::login::{Login, RemoteArgs};
use crate::disk::{self, Access};
use crate::error::CliError;
use crate::mesh::cards;
use crate::output::{DIM, STRONG, count, paint, tame};
use crate::world;
use clap::Args;
use leaf_core::mesh::PREFIX;
use serde_json::{Value, json};
use std::path::Path;

/// List the leaves on a NATS server and their repositories, or those that a repository knows of
#[derive(Args, Debug)]
#[command(
    after_help = "A repository knows the leaves that have served its project in the last 30 days.\n\nExamples:\n  leaf peers nats://localhost:4222\n  leaf peers wss://leaf.example.org/nats --json\n  leaf peers project.fossil"
)]
pub(super) struct Peers {
    /// nats://, tls://, ws:// or wss://[user[:password]@]host[:port], or a repository, instead of -R
    #[arg(value_name = "URL|FILE")]
    place: Option<String>,
    #[command(flatten)]
    remote: RemoteArgs,
}

impl Peers {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        match &self.place {
            Some(url) if url.contains("://") => self.ask(url, global),
            file => known(global.file(file.as_deref().map(Path::new))?, global),
        }
    }

    /// Who is there now.
    fn ask(&self, url: &str, global: &Global) -> Result<(), CliError> {
        let session = self.remote.by_nats(&Login::to_nats(url)?)?;
        let cards = session.runtime.block_on(cards(&session.line, PREFIX));
        let value = serde_json::to_value(&cards).unwrap_or_default();
        global.out().answer(&value, |out| {
            let mut project = None;
            for card in &cards {
                if project != Some(&card.project_code) {
                    project = Some(&card.project_code);
                    let name = match card.project_name.is_empty() {
                        true => "a project without a name".to_owned(),
                        false => tame(&card.project_name),
                    };
                    writeln!(out, "{} {}", paint(STRONG, name), paint(DIM, &card.project_code))?;
                }
                let peer: String = card.peer_id.chars().take(10).collect();
                let place = [&card.leaf, &card.repository].map(|text| tame(text)).join("/");
                writeln!(
                    out,
                    "  {peer}  {place:<32}  {:<6}  {}",
                    tame(&card.kind),
                    tame(&card.version)
                )?;
            }
            writeln!(
                out,
                "{}",
                count(cards.len() as u64, "repository").replace("ys", "ies")
            )
        })
    }
}

/// Whom the repository knows.
fn known(file: &Path, global: &Global) -> Result<(), CliError> {
    let repo = disk::open(file, Access::Read)?;
    let peers = repo.peers(world::now())?;
    let own = repo.server_code()?;
    let one = |peer: &leaf_core::repo::Peer| {
        json!({
            "peer_id": peer.peer_id,
            "is_this": peer.peer_id == own.as_str(),
            "leaf": peer.name,
            "kind": peer.kind,
            "repository": peer.repository,
            "version": peer.version,
            "platform": peer.platform,
            "transports": peer.transports.split(',').filter(|name| !name.is_empty()).collect::<Vec<_>>(),
            "nats_subject": peer.nats_subject,
            "address": peer.addr,
            "last_seen": peer.seen.iso_ms(),
        })
    };
    let value: Value = peers.iter().map(one).collect();
    global.out().answer(&value, |out| {
        for peer in &peers {
            let id: String = peer.peer_id.chars().take(10).collect();
            let place = [&peer.name, &peer.repository].map(|text| tame(text)).join("/");
            writeln!(
                out,
                "{}  {place:<32}  {:<6}  {:<8}  {:<26}  {}",
                tame(&id),
                tame(&peer.kind),
                tame(&peer.version),
                tame(&peer.transports),
                paint(DIM, peer.seen)
            )?;
        }
        writeln!(
            out,
            "{}",
            count(peers.len() as u64, "leaf").replace("leafs", "leaves")
        )
    })
}
