//! `leaf config`: named values of the repository, and exchanging them with a server.

use super::global::Global;
use super::login::{Login, RemoteArgs};
use crate::drive::drive;
use crate::error::{CliError, Exit};
use crate::output::{DIM, GOOD, count, paint, tame};
use crate::world;
use clap::{Args, Subcommand};
use leaf_core::repo::ConfigGroup;
use leaf_core::sync::{Goal, SyncOptions};
use serde_json::{Map, Value, json};

/// Values that are passwords or as good as one.
const SECRETS: [&str; 5] = [
    "last-sync-pw",
    "parent-project-pw",
    "captcha-secret",
    "http-auth",
    "sync-pw",
];

/// Show and change values of the repository
#[derive(Args, Debug)]
#[command(
    after_help = "Areas: all project skin css shun ticket user email xfer alias subscriber interwiki.\n\nExamples:\n  leaf config -R project.fossil\n  leaf config get project-name\n  leaf config set project-name 'My project'\n  leaf config pull project http://localhost:8080/"
)]
pub(super) struct Config {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all values; passwords are not shown
    List,
    /// Print a value
    Get {
        /// Its name
        name: String,
    },
    /// Set a value
    Set {
        /// Its name
        name: String,
        /// What it becomes
        value: String,
    },
    /// Remove a value
    Unset {
        /// Its name
        name: String,
    },
    /// Fetch an area of the configuration from a server
    Pull(Exchange),
    /// Send an area of the configuration to a server
    Push(Exchange),
}

#[derive(Args, Debug)]
struct Exchange {
    /// Which area
    area: String,
    /// The server; default: the one of the last sync
    url: Option<String>,
    #[command(flatten)]
    remote: RemoteArgs,
}

impl Config {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        match &self.action {
            None | Some(Action::List) => list(global),
            Some(Action::Get { name }) => get(global, name),
            Some(Action::Set { name, value }) => {
                let mut repo = global.write()?;
                repo.write(|tx| tx.set_config(name, value, world::now()))?;
                done(global, name, "set")
            }
            Some(Action::Unset { name }) => {
                let mut repo = global.write()?;
                if repo.write(|tx| tx.unset_config(name))? {
                    done(global, name, "removed")
                } else {
                    Err(absent(name))
                }
            }
            Some(Action::Pull(exchange)) => exchange.run(global, true),
            Some(Action::Push(exchange)) => exchange.run(global, false),
        }
    }
}

impl Exchange {
    fn run(&self, global: &Global, pull: bool) -> Result<(), CliError> {
        let mut repo = global.write()?;
        let groups = ConfigGroup::matching(&format!("/{}", self.area.trim_start_matches('/')));
        if groups.is_empty() {
            return Err(CliError::usage(format!("there is no area called {}", self.area))
                .next_step("`leaf config --help` lists the areas"));
        }
        let login = Login::to_or_remembered(self.url.as_deref(), &repo)?;
        let mut remote = self.remote.connect(&login, &repo)?;
        let mut options = SyncOptions::new(Goal::NoArtifacts, login.url.canonical());
        options.login = login.credentials();
        if pull {
            options.config_pull = groups;
        } else {
            options.config_push = groups;
        }
        let driven = drive(
            &mut repo,
            &mut remote,
            options,
            "exchanging configuration",
            global.out(),
        )?;
        self.remote.remember(&mut repo, &remote, &login)?;
        let received = driven.stats.config_received;
        let value = json!({ "received": received, "rounds": driven.stats.rounds, "remarks": driven.remarks });
        global.out().answer(&value, |out| {
            let what = if pull {
                count(received, "card") + " received"
            } else {
                "sent".to_owned()
            };
            writeln!(out, "{} {what}", paint(GOOD, "configuration"))?;
            driven
                .remarks
                .iter()
                .try_for_each(|remark| writeln!(out, "note: {remark}"))
        })
    }
}

fn list(global: &Global) -> Result<(), CliError> {
    let values = global.read()?.config_all()?;
    let shown = |name: &str, value: &str| {
        if is_secret(name) {
            "(not shown)".to_owned()
        } else {
            value.to_owned()
        }
    };
    let object: Map<String, Value> = values
        .iter()
        .map(|(name, value)| (name.clone(), Value::String(shown(name, value))))
        .collect();
    global.out().answer(&Value::Object(object), |out| {
        for (name, value) in &values {
            let value = tame(&shown(name, value)).replace('\n', "\\n");
            let short: String = value.chars().take(100).collect();
            writeln!(out, "{} {short}", paint(DIM, format!("{:<24}", tame(name))))?;
        }
        Ok(())
    })
}

fn get(global: &Global, name: &str) -> Result<(), CliError> {
    let value = global.read()?.config(name)?.ok_or_else(|| absent(name))?;
    global
        .out()
        .answer(&json!({ "name": name, "value": value }), |out| {
            writeln!(out, "{value}")
        })
}

fn done(global: &Global, name: &str, what: &str) -> Result<(), CliError> {
    global
        .out()
        .answer(&json!({ "name": name, "done": what }), |out| {
            writeln!(out, "{} {name}", paint(GOOD, what))
        })
}

fn absent(name: &str) -> CliError {
    CliError::new(Exit::No, format!("there is no value called {name}")).next_step("`leaf config` lists them")
}

fn is_secret(name: &str) -> bool {
    SECRETS.iter().any(|secret| name.starts_with(secret))
}
