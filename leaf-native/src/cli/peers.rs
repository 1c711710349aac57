//! `leaf peers`: which leaves are on a NATS server, and what they have.

use super::global::Global;
use super::login::{Login, RemoteArgs};
use crate::error::CliError;
use crate::mesh::cards;
use crate::output::{DIM, STRONG, count, paint, tame};
use clap::Args;
use leaf_core::mesh::PREFIX;

/// List the leaves on a NATS server and their repositories
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  leaf peers nats://localhost:4222\n  leaf peers wss://leaf.example.org/nats --json"
)]
pub(super) struct Peers {
    /// nats://, tls://, ws:// or wss://[user[:password]@]host[:port]
    url: String,
    #[command(flatten)]
    remote: RemoteArgs,
}

impl Peers {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let session = self.remote.by_nats(&Login::to_nats(&self.url)?)?;
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
