//! `leaf user`: who may do what.

use super::global::Global;
use super::login::new_password;
use crate::error::{CliError, Exit};
use crate::output::{GOOD, STRONG, paint, tame};
use crate::world;
use clap::{Args, Subcommand};
use leaf_core::repo::UserChange;
use serde_json::{Value, json};

/// Show and change users and their capabilities
#[derive(Args, Debug)]
#[command(
    after_help = "Capabilities are Fossil's letters: g clone, o pull, i push, y unversioned files, x private, a administer, s set up.\nPasswords are asked for, or read as one line from standard input.\n\nExamples:\n  leaf user -R project.fossil\n  printf 'secret\\n' | leaf user add bob gio\n  leaf user caps nobody g\n  leaf user password alice"
)]
pub(super) struct User {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List users
    List,
    /// Add a user with a password
    Add {
        /// Login name
        login: String,
        /// Capabilities
        #[arg(default_value = "u")]
        caps: String,
        /// Contact
        #[arg(long)]
        info: Option<String>,
    },
    /// Change what a user may do
    Caps {
        /// Login name
        login: String,
        /// Capabilities
        caps: String,
    },
    /// Change a password
    Password {
        /// Login name
        login: String,
    },
    /// Remove a user
    Remove {
        /// Login name
        login: String,
    },
}

impl User {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        match &self.action {
            None | Some(Action::List) => list(global),
            Some(Action::Add { login, caps, info }) => {
                if exists(global, login)? {
                    return Err(CliError::usage(format!("there is a user {login} already"))
                        .next_step("change it with `leaf user caps` or `leaf user password`"));
                }
                let password = new_password(login)?;
                let change = UserChange {
                    password: Some(password.reveal()),
                    capabilities: Some(caps),
                    info: info.as_deref(),
                };
                set(global, login, &change, "added")
            }
            Some(Action::Caps { login, caps }) => {
                known(global, login)?;
                let change = UserChange {
                    password: None,
                    capabilities: Some(caps),
                    info: None,
                };
                set(global, login, &change, "changed")
            }
            Some(Action::Password { login }) => {
                known(global, login)?;
                let password = new_password(login)?;
                let change = UserChange {
                    password: Some(password.reveal()),
                    capabilities: None,
                    info: None,
                };
                set(global, login, &change, "changed")
            }
            Some(Action::Remove { login }) => {
                let mut repo = global.write()?;
                if !repo.write(|tx| tx.remove_user(login))? {
                    return Err(absent(login));
                }
                done(global, login, "removed")
            }
        }
    }
}

fn list(global: &Global) -> Result<(), CliError> {
    let users = global.read()?.users()?;
    let value = users.iter().map(|user| {
        json!({
            "login": user.login,
            "capabilities": user.capabilities,
            "info": user.info,
            "has_password": user.has_password,
            "changed": user.changed.iso(),
        })
    });
    global.out().answer(&Value::Array(value.collect()), |out| {
        for user in &users {
            let login = paint(STRONG, format!("{:<16}", tame(&user.login)));
            writeln!(
                out,
                "{login} {:<12} {}",
                tame(&user.capabilities),
                tame(&user.info).replace('\n', " ")
            )?;
        }
        Ok(())
    })
}

fn exists(global: &Global, login: &str) -> Result<bool, CliError> {
    Ok(global.read()?.users()?.iter().any(|user| user.login == login))
}

fn known(global: &Global, login: &str) -> Result<(), CliError> {
    if exists(global, login)? {
        Ok(())
    } else {
        Err(absent(login))
    }
}

fn set(global: &Global, login: &str, change: &UserChange<'_>, what: &str) -> Result<(), CliError> {
    global
        .write()?
        .write(|tx| tx.set_user(login, change, world::now()))?;
    done(global, login, what)
}

fn done(global: &Global, login: &str, what: &str) -> Result<(), CliError> {
    global
        .out()
        .answer(&json!({ "login": login, "done": what }), |out| {
            writeln!(out, "{} {login}", paint(GOOD, what))
        })
}

fn absent(login: &str) -> CliError {
    CliError::new(Exit::No, format!("there is no user {login}")).next_step("`leaf user` lists them")
}
