//! `leaf peers`: which leaves are on a NATS server, and what they have; which hold the project of a repository, by the
//! registry in it; and which may call it by key.

use super::global::Global;
use super::invite::check_letters;
use super::login::{Login, RemoteArgs};
use crate::disk::{self, Access};
use crate::error::CliError;
use crate::iroh::guest_json;
use crate::mesh::cards;
use crate::output::{DIM, GOOD, STRONG, count, human_bytes, paint, tame};
use crate::world;
use clap::{Args, Subcommand};
use iroh::EndpointId;
use leaf_core::mesh::PREFIX;
use leaf_core::repo::{Guest, GuestState};
use leaf_core::time::Timestamp;
use leaf_iroh::IrohUrl;
use serde_json::{Value, json};
use std::path::Path;

/// List the leaves on a NATS server, those that a repository knows of, or those that may call it by key
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "A repository knows the leaves that have served its project in the last 30 days.\n\nExamples:\n  leaf peers nats://localhost:4222\n  leaf peers wss://leaf.example.org/nats --json\n  leaf peers project.fossil\n  leaf peers list -R project.fossil\n  leaf peers allow ENDPOINT-ID --cap gio --name \"ann's laptop\" -R project.fossil\n  leaf peers revoke ENDPOINT-ID -R project.fossil"
)]
pub(super) struct Peers {
    #[command(subcommand)]
    order: Option<Order>,
    /// nats://, tls://, ws:// or wss://[user[:password]@]host[:port], or a repository, instead of -R
    #[arg(value_name = "URL|FILE")]
    place: Option<String>,
    #[command(flatten)]
    remote: RemoteArgs,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// List the leaves that may call the repository by key, and how `leaf serve` is connected with them
    List,
    /// Let a leaf call the repository by key, or change what it may do
    Allow(Allow),
    /// Take a leaf off the list: its connection ends, and it gets nothing more
    Revoke(Revoke),
}

#[derive(Args, Debug)]
struct Allow {
    /// The endpoint id, as `leaf id` shows it there
    id: EndpointId,
    /// What it may do, in Fossil's letters: g clone, o read, i write, y unversioned files, x private branches
    #[arg(long, value_name = "LETTERS", default_value = "gio")]
    cap: String,
    /// What to call it
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    /// Where it can be called, so that `leaf serve --iroh` keeps the repository in step with it; a leaf that calls says
    /// that itself
    #[arg(long, value_name = "URL")]
    at: Option<String>,
}

#[derive(Args, Debug)]
struct Revoke {
    /// The endpoint id, or its name in the list
    peer: String,
}

impl Peers {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        match (&self.order, &self.place) {
            (Some(Order::List), _) => list(global),
            (Some(Order::Allow(allow)), _) => allow.run(global),
            (Some(Order::Revoke(revoke)), _) => revoke.run(global),
            (None, Some(url)) if url.contains("://") => self.ask(url, global),
            (None, file) => known(global.file(file.as_deref().map(Path::new))?, global),
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

/// Who may call, and how it stands with them.
fn list(global: &Global) -> Result<(), CliError> {
    let (repo, now) = (global.read()?, world::now());
    let peers = repo.guests()?.into_iter();
    let peers = peers.map(|peer| Ok((repo.guest_state(&peer.id)?, peer)));
    let peers: Vec<(Option<GuestState>, Guest)> = peers.collect::<Result<_, CliError>>()?;
    let value = peers
        .iter()
        .map(|(state, peer)| guest_json(peer, state.as_ref(), now));
    global.out().answer(&value.collect(), |out| {
        for (state, peer) in &peers {
            let seen = peer
                .seen
                .map_or_else(|| "never seen".to_owned(), |seen| format!("seen {}", seen.iso()));
            let name = tame(&peer.name);
            writeln!(
                out,
                "{}  {name:<24}  {:<6}  {}",
                peer.id,
                peer.capabilities,
                paint(DIM, seen)
            )?;
            if let Some(state) = state {
                writeln!(out, "  {}", stands(state, now))?;
            }
        }
        writeln!(out, "{}", count(peers.len() as u64, "peer"))
    })
}

/// How it stands, in words.
fn stands(state: &GuestState, now: Timestamp) -> String {
    let connected = match state.is_connected(now) {
        true => {
            let way = if state.is_relayed {
                "by a relay"
            } else {
                "directly"
            };
            let ms = state.rtt_us / 1_000;
            paint(GOOD, format!("connected {way}, {ms} ms"))
        }
        false => "not connected".to_owned(),
    };
    let bytes = |bytes: i64| human_bytes(u64::try_from(bytes).unwrap_or_default());
    format!(
        "{connected}; {} sent, {} received since {}; as of {}",
        bytes(state.sent),
        bytes(state.received),
        state.since.iso(),
        state.at.iso()
    )
}

impl Allow {
    /// Where it is, if that is a place of its own.
    fn place(&self, url: &str) -> Result<String, CliError> {
        let place = IrohUrl::parse(url).map_err(|bad| CliError::usage(bad.to_string()))?;
        match place.id == self.id {
            true => Ok(place.to_string()),
            false => Err(CliError::usage("the URL is of another endpoint id")
                .next_step("write it like iroh://ENDPOINT-ID?addr=IP:PORT&relay=URL")),
        }
    }

    fn run(&self, global: &Global) -> Result<(), CliError> {
        check_letters(&self.cap)?;
        let (mut repo, now) = (global.write()?, world::now());
        let id = self.id.to_string();
        let known = repo.guest(&id)?;
        let peer = Guest {
            name: match (&known, self.name.as_str()) {
                (Some(known), "") => known.name.clone(),
                (_, name) => name.to_owned(),
            },
            capabilities: self.cap.clone(),
            added: known.as_ref().map_or(now, |known| known.added),
            seen: known.as_ref().and_then(|known| known.seen),
            place: match &self.at {
                Some(url) => self.place(url)?,
                None => known.map(|known| known.place).unwrap_or_default(),
            },
            id,
        };
        repo.write(|tx| tx.set_guest(&peer, now))?;
        global.out().note(format!("{} may call this repository", peer.id));
        Ok(())
    }
}

impl Revoke {
    fn run(&self, global: &Global) -> Result<(), CliError> {
        let mut repo = global.write()?;
        let peers = repo.guests()?;
        let mut found = peers
            .iter()
            .filter(|peer| peer.id == self.peer || peer.name == self.peer);
        let (peer, other) = (found.next(), found.next());
        let Some(peer) = peer else {
            return Err(CliError::no(format!("{} is not on the list", self.peer))
                .next_step("`leaf peers list` shows who is"));
        };
        if other.is_some() {
            return Err(CliError::usage(format!("several are called {}", self.peer))
                .next_step("give the endpoint id: `leaf peers list` shows it"));
        }
        repo.write(|tx| tx.remove_guest(&peer.id))?;
        global
            .out()
            .note(format!("{} may no longer call this repository", peer.id));
        Ok(())
    }
}
