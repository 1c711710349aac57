//! `leaf watch`: what is new on a NATS server, line by line as it is announced.

use super::global::Global;
use super::login::{Login, RemoteArgs};
use crate::error::{CliError, Exit};
use crate::mesh::cards;
use crate::output::{DIM, STRONG, paint, tame};
use crate::world;
use clap::Args;
use leaf_core::mesh::{Card, Hint, PREFIX};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// Print what leaves announce on a NATS server, as it comes
#[derive(Args, Debug)]
#[command(
    after_help = "Ends on SIGINT, or after --count announcements.\n\nExamples:\n  leaf watch nats://localhost:4222\n  leaf watch nats://localhost:4222/my-project --json | while read -r line; do make; done"
)]
pub(super) struct Watch {
    /// nats://, tls://, ws:// or wss://[user[:password]@]host[:port][/PROJECT]
    url: String,
    /// End after so many
    #[arg(long, value_name = "COUNT")]
    count: Option<u64>,
    #[command(flatten)]
    remote: RemoteArgs,
}

impl Watch {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let login = Login::to_nats(&self.url)?;
        let session = self.remote.by_nats(&login)?;
        // A server with one project only may let us hear that one and nothing else.
        let project = match (session.place(None), login.url.project()) {
            (Ok((project, _)), _) => project.as_str().to_owned(),
            (Err(_), None) => "*".to_owned(),
            (Err(error), Some(_)) => return Err(error),
        };
        session.runtime.block_on(async {
            let line = &session.line;
            let mut news = line.subscribe(&format!("{PREFIX}.{project}.commit"), None);
            let mut known = cards(line, PREFIX).await;
            global.out().note(format!("watching {}; Ctrl-C stops", login.url));
            let mut left = self.count.unwrap_or(u64::MAX);
            while left > 0 {
                let Some(arrival) = news.next().await else {
                    return Err(CliError::new(Exit::Peer, "the connection is gone"));
                };
                let Some(hint) = Hint::read(&arrival.body) else {
                    continue;
                };
                let is_known = |card: &Card| card.peer_id == hint.peer_id;
                if !known.iter().any(is_known) {
                    // Whoever came later is asked for once, and not for long.
                    let patience = Duration::from_secs(3);
                    known = timeout(patience, cards(line, PREFIX)).await.unwrap_or_default();
                }
                let card = known.iter().find(|card| is_known(card));
                let project = String::from_utf8_lossy(&arrival.subject);
                let project = project.split('.').nth(1).unwrap_or_default();
                if !print(global, project, &hint, card)? {
                    return Ok(());
                }
                left -= 1;
            }
            Ok(())
        })
    }
}

fn print(global: &Global, project: &str, hint: &Hint, card: Option<&Card>) -> Result<bool, CliError> {
    let time = world::now().iso();
    let text = |of: fn(&Card) -> &String| card.map(of).map(|text| tame(text)).unwrap_or_default();
    // One of the two: what is new, by its name.
    let (what, words) = match hint.is_unversioned() {
        true => ("unversioned", " unversioned files,"),
        false => ("artifact", ""),
    };
    let value = json!({
        "time": time,
        "project_code": project,
        "project_name": text(|card| &card.project_name),
        what: hint.uuid,
        "peer_id": hint.peer_id,
        "leaf": text(|card| &card.leaf),
    });
    global.out().line(&value, |out| {
        let short: String = hint.uuid.chars().take(10).collect();
        writeln!(
            out,
            "{} {}{words} {} {}",
            paint(DIM, &time),
            paint(STRONG, short),
            text(|card| &card.project_name),
            paint(DIM, text(|card| &card.leaf))
        )
    })
}
