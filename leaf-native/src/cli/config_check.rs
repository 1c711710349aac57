//! `leaf config-check`: whether a configuration file says what it is meant to.

use super::global::Global;
use crate::broker::FossilUsers;
use crate::config::Config;
use crate::error::CliError;
use crate::output::{GOOD, paint};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

/// Check a configuration file of `leaf serve`, and start nothing
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  leaf config-check leaf.toml\n  leaf config-check leaf.toml --json")]
pub(super) struct ConfigCheck {
    /// The file
    file: PathBuf,
}

impl ConfigCheck {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let Config {
            http,
            mut nats,
            iroh,
            sync,
        } = Config::read(&self.file)?;
        http.check()?;
        iroh.check(iroh.listen.is_some())?;
        nats.take_tls_of(&http);
        nats.doors()?;
        let (listen, users) = (nats.listen.clone(), nats.users.len());
        let has_token = nats.token.is_some();
        let fossil_users = nats.wants_fossil_users(&http.listen, iroh.listen.is_some());
        let mut options = nats.options()?;
        if fossil_users {
            // Whose they are is said on the command line of `leaf serve`.
            options.accounts.fossil = Some(FossilUsers::new(Arc::new(Vec::new)));
        }
        options.check()?;
        let (links, is_encrypted) = (options.peers.len(), options.tls.is_some());
        let value = json!({
            "file": self.file,
            "http": { "listen": http.listen, "tls": http.tls_cert.is_some() },
            "nats": { "listen": listen, "users": users, "fossil_users": fossil_users, "token": has_token, "links": links, "tls": is_encrypted },
            "iroh": { "listen": iroh.listen, "relay": iroh.relay },
            "sync": { "user": sync.user },
        });
        global.out().answer(&value, |out| {
            writeln!(out, "{} {}", paint(GOOD, "good:"), self.file.display())?;
            let places = match listen.is_empty() {
                true => "by WebSocket only".to_owned(),
                false if is_encrypted => format!("by WebSocket and by TLS at {}", listen.join(", ")),
                false => format!("by WebSocket and at {}", listen.join(", ")),
            };
            let who = [
                (users > 0).then(|| crate::output::count(users as u64, "user")),
                has_token.then(|| "whoever knows the token".to_owned()),
                fossil_users.then(|| "the users of the repositories".to_owned()),
            ];
            let who: Vec<String> = who.into_iter().flatten().collect();
            let who = match who.is_empty() {
                true => "everybody on this machine".to_owned(),
                false => who.join(", "),
            };
            writeln!(out, "NATS clients {places}: {who}")?;
            match links {
                0 => Ok(()),
                links => writeln!(
                    out,
                    "links to {}",
                    crate::output::count(links as u64, "other broker")
                ),
            }
        })
    }
}
