//! As whom to call a server, and how the server is remembered.
//!
//! A password comes from the URL, from `$LEAF_PASSWORD`, from the repository, or from the person at the terminal,
//! in this order. It is kept only when that is asked for, in the form in which stock Fossil keeps it.
//!
//! Source: Fossil `src/url.c` `url_parse_local()`, `url_remember()`.

use super::key::NodeArgs;
use crate::error::CliError;
use crate::iroh::NodeOptions;
use crate::mesh::{NatsKey, NatsUrl};
use crate::remote::{
    HttpOptions, HttpRemote, IrohRemote, NatsRemote, NatsSession, Remote, RemoteUrl, Secret, obscure,
    unobscure,
};
use crate::tls::Trust;
use crate::world;
use clap::Args;
use leaf_core::repo::{Repo, RepoError};
use leaf_core::sync::Credentials;
use leaf_iroh::IrohUrl;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

const URL: &str = "last-sync-url";
const PASSWORD: &str = "last-sync-pw";

/// Options of every command that calls a server.
#[derive(Args, Debug)]
pub(super) struct RemoteArgs {
    /// Keep the password in the repository, as readable as stock Fossil keeps it
    #[arg(long)]
    save_password: bool,
    /// Do not remember the URL
    #[arg(long)]
    once: bool,
    /// Trust the certificates in this PEM file, too
    #[arg(long, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Sign in to a NATS server with the key in this file: credentials (.creds), or a user's seed (SU...)
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// Give up after a silence of so long
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
    #[command(flatten)]
    node: NodeArgs,
}

/// A server and as whom it is called.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) url: RemoteUrl,
    user: Option<(String, Secret)>,
}

impl RemoteArgs {
    /// How servers are called by HTTP.
    pub(super) fn options(&self) -> HttpOptions {
        HttpOptions {
            silence_max: Duration::from_secs(self.timeout.max(1)),
            ca_cert: self.ca_cert.clone(),
            ..HttpOptions::default()
        }
    }

    /// The way to the server, for a repository that is there.
    pub(super) fn connect(&self, login: &Login, repo: &Repo) -> Result<Remote, CliError> {
        if !login.url.is_nats() {
            return self.without_nats(login);
        }
        let session = self.by_nats(login)?;
        let own = repo.server_code()?.as_str().to_owned();
        let remote = NatsRemote::new(
            session,
            &repo.project_code()?,
            own,
            None,
            self.options().silence_max,
        );
        Ok(Remote::Nats(Box::new(remote)))
    }

    /// The way to an HTTP server, or to a leaf by its key.
    pub(super) fn without_nats(&self, login: &Login) -> Result<Remote, CliError> {
        if login.url.is_iroh() {
            let place = IrohUrl::parse(&login.url.target())?;
            let remote = IrohRemote::open(place, &self.node()?, self.silence_max())?;
            return Ok(Remote::Iroh(Box::new(remote)));
        }
        let remote = HttpRemote::new(login.url.clone(), login.user.clone(), self.options())?;
        Ok(Remote::Http(Box::new(remote)))
    }

    /// What an endpoint is told that calls a leaf by its key.
    pub(super) fn node(&self) -> Result<NodeOptions, CliError> {
        self.node.options(self.ca_cert.as_deref())
    }

    /// A connection to a NATS server.
    pub(super) fn by_nats(&self, login: &Login) -> Result<NatsSession, CliError> {
        let token = std::env::var("LEAF_NATS_TOKEN").ok().map(Secret::new);
        let door = NatsUrl::new(
            login.url.clone(),
            login.user.clone(),
            token,
            Trust::new(self.ca_cert.as_deref())?,
        );
        let key = self.creds.as_deref().map(NatsKey::read).transpose()?;
        NatsSession::open(&login.url, door.with_key(key))
    }

    /// How long a silence may be.
    pub(super) fn silence_max(&self) -> Duration {
        self.options().silence_max
    }

    /// Keeps the URL, and the password if that was asked for, for the next sync.
    pub(super) fn remember(&self, repo: &mut Repo, remote: &Remote, login: &Login) -> Result<(), CliError> {
        if self.once {
            return Ok(());
        }
        let url = remote.moved_to().unwrap_or(&login.url).canonical();
        let kept = repo.config(URL)?;
        let secret = login
            .user
            .as_ref()
            .map(|(_, secret)| secret)
            .filter(|_| self.save_password);
        repo.write(|tx| {
            let now = world::now();
            if kept.as_deref() != Some(&url) {
                tx.set_config(URL, &url, now)?;
                // The password of another server is of no use, and not this server's business.
                tx.unset_config(PASSWORD)?;
            }
            if let Some(secret) = secret {
                let [salt, ..] = world::entropy();
                tx.set_config(PASSWORD, &obscure(secret, salt), now)?;
            }
            Ok::<_, RepoError>(())
        })?;
        Ok(())
    }
}

impl Login {
    /// For a URL that was given.
    pub(super) fn to(text: &str) -> Result<Self, CliError> {
        Self::with(text, None)
    }

    /// For the URL of a NATS server.
    pub(super) fn to_nats(text: &str) -> Result<Self, CliError> {
        let login = Self::to(text)?;
        match login.url.is_nats() {
            true => Ok(login),
            false => Err(CliError::usage("not the URL of a NATS server")
                .next_step("write it like nats://USER@HOST:PORT; also tls://, ws://, wss://")),
        }
    }

    /// For the URL that was given, or the one that `repo` remembers.
    pub(super) fn to_or_remembered(text: Option<&str>, repo: &Repo) -> Result<Self, CliError> {
        let remembered = repo.config(URL)?;
        let Some(text) = text.filter(|text| *text != "default").or(remembered.as_deref()) else {
            return Err(CliError::usage("no server is remembered in this repository")
                .next_step("name one: leaf sync http://HOST/ -R FILE"));
        };
        let stored = repo.config(PASSWORD)?.map(|stored| unobscure(&stored));
        let is_same = RemoteUrl::parse(text).is_ok_and(|(url, _)| Some(url.canonical()) == remembered);
        Self::with(text, stored.filter(|_| is_same))
    }

    fn with(text: &str, stored: Option<Secret>) -> Result<Self, CliError> {
        let (url, given) = RemoteUrl::parse(text).map_err(|bad| {
            CliError::usage(bad.to_string()).next_step("write it like http://USER@HOST:PORT/NAME")
        })?;
        let Some(user) = url.user() else {
            return Ok(Self { url, user: None });
        };
        let from_environment = || std::env::var("LEAF_PASSWORD").ok().map(Secret::new);
        let secret = match given.or_else(from_environment).or(stored) {
            Some(secret) => secret,
            None => ask(&user)?,
        };
        Ok(Self {
            url,
            user: Some((user, secret)),
        })
    }

    /// What the sync protocol needs to log in.
    pub(super) fn credentials(&self) -> Option<Credentials> {
        let (user, secret) = self.user.as_ref()?;
        Some(Credentials {
            user: user.clone(),
            password: secret.reveal().to_owned(),
        })
    }
}

/// Asks the person at the terminal.
fn ask(user: &str) -> Result<Secret, CliError> {
    let missing = || {
        CliError::usage(format!("no password is known for {user}"))
            .next_step("set LEAF_PASSWORD, or keep it once with --save-password")
    };
    if !std::io::stdin().is_terminal() {
        return Err(missing());
    }
    let terminal = console::Term::stderr();
    terminal.write_str(&format!("password for {user}: "))?;
    let typed = terminal.read_secure_line()?;
    if typed.is_empty() {
        Err(missing())
    } else {
        Ok(Secret::new(typed))
    }
}

/// Asks for a new password twice, or reads one line when standard input is no terminal.
pub(super) fn new_password(user: &str) -> Result<Secret, CliError> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        let typed = line.trim_end_matches(['\r', '\n']);
        if typed.is_empty() {
            return Err(CliError::usage("no password came from standard input"));
        }
        return Ok(Secret::new(typed.to_owned()));
    }
    let terminal = console::Term::stderr();
    terminal.write_str(&format!("new password for {user}: "))?;
    let first = terminal.read_secure_line()?;
    terminal.write_str("again: ")?;
    let second = terminal.read_secure_line()?;
    if first != second || first.is_empty() {
        return Err(CliError::usage("the two passwords are not the same, or empty").next_step("try again"));
    }
    Ok(Secret::new(first))
}
