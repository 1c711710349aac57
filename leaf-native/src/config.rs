//! The configuration file of `leaf serve`: what does not fit on a command line.
//!
//! ```toml
//! [http]
//! listen = ["127.0.0.1:8080"]
//! tls-cert = "cert.pem"              # with tls-key: https
//! tls-key = "key.pem"
//! base-url = "https://leaf.example.org/"
//! allow-origins = ["https://app.example.org"]
//! allow-hosts = ["leaf.example.org"]
//! request-max-mib = 256
//! concurrent = 32
//!
//! [nats]
//! listen = ["127.0.0.1:4222"]        # clients
//! leafnode-listen = ["127.0.0.1:7422"]
//! peers = ["nats://other.example:4222"]          # leaves to link; tls:// insists on TLS
//! hubs = ["nats-leaf://hub.example:7422"]        # servers to join as a leaf node
//! servers = ["tls://nats.example:4222"]          # servers to be a client of
//! creds = "user.creds"               # signs in to these servers: credentials, or a seed (SU...)
//! name = "kitchen"
//! token = "..."                      # enough by itself, allows everything
//! fossil-users = true                # the users of the repositories, with their rights; absent: if nobody else is
//!                                    # named and other machines can connect
//! tls-cert = "cert.pem"              # encrypts what comes in; absent: as under [http]
//! tls-key = "key.pem"
//! ca-cert = "ca.pem"                 # who, too, may vouch for peers, hubs and servers
//!
//! [[nats.user]]
//! name = "ann"
//! password = "$2b$12$..."            # bcrypt, or as it is
//! publish = { allow = ["fossil.>"], deny = ["fossil.secret.>"] }
//! subscribe = { allow = ["fossil.>", "_INBOX.>"] }
//!
//! [[nats.user]]
//! nkey = "U..."                      # a public key
//!
//! [nats.limits]
//! payload-bytes = 1048576
//! pending-bytes = 8388608
//!
//! [iroh]                             # leaves that call by key
//! listen = "0.0.0.0:4433"
//! key = "leaf.key"                   # absent: the usual one
//! relay = true                       # be a relay for them, too, on the port of HTTP
//! relay-urls = ["https://leaf.example.org"]  # relays by which this leaf is reached
//! relay-only = false                 # nothing goes directly
//! discovery = "none"                 # or "local", or "n0"
//!
//! [sync]
//! user = "ann"                       # as whom other leaves are asked; nobody, if absent
//! password = "..."
//! every-s = 60                       # how often, when nothing was announced
//! ```

use crate::broker::{Accounts, Broker, BrokerOptions, Peer, User};
use crate::error::{CliError, Exit};
use crate::iroh::Discovery;
use crate::mesh::{Door, MeshOptions, NatsKey, NatsUrl};
use crate::remote::{RemoteUrl, Secret};
use crate::serve::{AllowOrigin, HostName, ServerOptions};
use crate::tls::{TlsFiles, Trust};
use iroh::RelayUrl;
use leaf_core::limits::NatsLimits;
use leaf_core::sync::Credentials;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The HTTP server.
    pub http: Http,
    /// The NATS broker; absent: none but for what the command line says.
    pub nats: Nats,
    /// Leaves that call by key.
    pub iroh: Iroh,
    /// What is fetched from other leaves.
    pub sync: Sync,
}

/// The part about leaves that call by key.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Iroh {
    /// Where they call; absent: nowhere, but for what the command line says.
    pub listen: Option<SocketAddr>,
    /// The file of the key; absent: the usual one.
    pub key: Option<PathBuf>,
    /// Be a relay, too, on the port of HTTP.
    pub relay: bool,
    /// Relays by which this leaf is reached.
    pub relay_urls: Vec<RelayUrl>,
    /// Nothing goes directly.
    pub relay_only: bool,
    /// Who is told where this leaf is.
    pub discovery: Discovery,
}

/// The part about the HTTP server; what is absent is as usual.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Http {
    /// Where it listens.
    pub listen: Vec<String>,
    /// Certificate chain, PEM.
    pub tls_cert: Option<PathBuf>,
    /// Private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// How clients reach it, when it is behind another.
    pub base_url: Option<String>,
    /// Web pages from elsewhere that may use it.
    pub allow_origins: Vec<AllowOrigin>,
    /// Names by which clients may call it.
    pub allow_hosts: Vec<HostName>,
    /// Largest request. Units: MiB.
    pub request_max_mib: Option<usize>,
    /// Requests that are worked on at a time.
    pub concurrent: Option<usize>,
}

/// The part about other leaves.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sync {
    /// As whom they are asked; absent: as Fossil's `nobody`.
    pub user: Option<String>,
    /// The password there.
    pub password: Option<String>,
    /// How often they are asked when nothing was announced. Units: seconds.
    pub every_s: Option<u32>,
}

/// The part about the NATS broker.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Nats {
    /// Where clients connect.
    pub listen: Vec<String>,
    /// Where leaf nodes connect.
    pub leafnode_listen: Vec<String>,
    /// Other leaves to link, `nats://HOST:PORT`, or `tls://` for nothing less than TLS.
    pub peers: Vec<String>,
    /// Hubs to join as a leaf node, `nats-leaf://HOST:PORT`.
    pub hubs: Vec<String>,
    /// Servers to be a client of: `nats://`, `tls://`, `ws://`, `wss://`.
    pub servers: Vec<String>,
    /// File of the key to sign in to them with: credentials, or a seed.
    pub creds: Option<PathBuf>,
    /// What the broker calls itself.
    pub name: Option<String>,
    /// A secret that is enough by itself, and allows everything.
    pub token: Option<String>,
    /// The users of the served repositories may sign in, and whoever does not is `nobody`. Absent: if there is
    /// neither token nor user, and other machines can connect.
    pub fossil_users: Option<bool>,
    /// Users. With neither token, users nor Fossil's users nobody has to say who they are.
    #[serde(rename = "user")]
    pub users: Vec<User>,
    /// Certificate chain, PEM, that encrypts what comes in by TCP; absent: that of the HTTP server, if any.
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// Certificates, PEM, that vouch for peers, hubs and servers, too.
    pub ca_cert: Option<PathBuf>,
    /// Bounds other than the usual ones.
    pub limits: Bounds,
}

/// Bounds of the broker; what is absent is as usual.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bounds {
    /// Header and body of one message.
    pub payload_bytes: Option<usize>,
    /// One control line.
    pub line_bytes: Option<usize>,
    /// What may wait for one connection.
    pub pending_bytes: Option<usize>,
    /// Connections at a time.
    pub connections: Option<usize>,
    /// Subscriptions of one client.
    pub subscriptions: Option<usize>,
    /// How long a connection may be silent. Units: milliseconds.
    pub ping_interval_ms: Option<i64>,
    /// How long a connection may take nothing of what is sent to it. Units: milliseconds.
    pub write_ms: Option<i64>,
    /// How long a connection may take to say who it is. Units: milliseconds.
    pub connect_ms: Option<i64>,
    /// Questions without an answer.
    pub pings_out: Option<u32>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read or says something that has no meaning; the message says where.
    pub fn read(file: &Path) -> Result<Self, CliError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| CliError::storage(format!("cannot read {}", file.display()), &error))?;
        let config: Self = toml::from_str(&text).map_err(|error| {
            CliError::new(Exit::Usage, format!("{}: {error}", file.display()))
                .next_step("leaf serve --help shows the settings")
        })?;
        config
            .nats
            .accounts()
            .check()
            .map_err(|error| CliError::usage(format!("{}: {error}", file.display())))?;
        Ok(config)
    }
}

impl Iroh {
    /// Whether it makes sense, where leaves may call or not.
    ///
    /// # Errors
    ///
    /// When there would be a relay for nobody.
    pub fn check(&self, is_open: bool) -> Result<(), CliError> {
        if self.relay && !is_open {
            return Err(
                CliError::usage("a relay is for leaves that call by key, and none may")
                    .next_step("add --iroh, or `listen` under [iroh]"),
            );
        }
        Ok(())
    }
}

impl Http {
    /// Whether a server could be started, as far as that can be said without binding anything.
    ///
    /// # Errors
    ///
    /// When a certificate comes without its key, or the other way round, or cannot be used.
    pub fn check(&self) -> Result<(), CliError> {
        match self.tls()? {
            Some(files) => files.acceptor(&[]).map(drop),
            None => Ok(()),
        }
    }

    fn tls(&self) -> Result<Option<TlsFiles>, CliError> {
        tls("http", self.tls_cert.as_ref(), self.tls_key.as_ref())
    }

    /// What the server is told; `broker` is reached at its port.
    ///
    /// # Errors
    ///
    /// When a certificate comes without its key, or the other way round.
    pub fn options(self, broker: Broker) -> Result<ServerOptions, CliError> {
        let usual = ServerOptions::default();
        let tls = self.tls()?;
        Ok(ServerOptions {
            addresses: match self.listen.is_empty() {
                true => usual.addresses,
                false => self.listen,
            },
            tls,
            request_bytes_max: self
                .request_max_mib
                .map_or(usual.request_bytes_max, |mib| mib.max(1).saturating_mul(1 << 20)),
            requests_max: self.concurrent.map_or(usual.requests_max, |count| count.max(1)),
            base_url: self.base_url,
            allow_origins: self.allow_origins,
            allow_hosts: self.allow_hosts,
            broker: Some(broker),
            ..usual
        })
    }
}

impl Sync {
    /// How the leaf that calls itself `leaf` takes part.
    pub fn options(&self, leaf: &str) -> MeshOptions {
        let usual = MeshOptions::default();
        let password = self.password.clone().unwrap_or_default();
        MeshOptions {
            leaf: leaf.to_owned(),
            login: self.user.clone().map(|user| Credentials { user, password }),
            every_ms: self
                .every_s
                .map_or(usual.every_ms, |seconds| i64::from(seconds.max(1)) * 1_000),
            ..usual
        }
    }
}

impl Nats {
    /// Who may connect.
    pub fn accounts(&self) -> Accounts {
        Accounts {
            fossil: None,
            token: self.token.clone(),
            users: self.users.clone(),
        }
    }

    /// Whether the users of the repositories may sign in. `http` are the addresses of the pages, which lead to the
    /// broker, too; so does being called by key.
    pub fn wants_fossil_users(&self, http: &[String], is_called_by_key: bool) -> bool {
        let is_exposed = |address: &String| match address.parse::<SocketAddr>() {
            Ok(address) => !address.ip().is_loopback(),
            Err(_) => !address.starts_with("localhost:"),
        };
        let mut addresses = self.listen.iter().chain(&self.leafnode_listen).chain(http);
        self.fossil_users
            .unwrap_or_else(|| self.accounts().is_empty() && (is_called_by_key || addresses.any(is_exposed)))
    }

    /// The servers to be a client of. A user's password may be in the URL, or in `$LEAF_PASSWORD`; a token is in
    /// `$LEAF_NATS_TOKEN`.
    ///
    /// # Errors
    ///
    /// When a URL is none of a NATS server, `ca-cert` no file of certificates, or `creds` none of a key.
    pub fn doors(&self) -> Result<Vec<Door>, CliError> {
        let trust = self.trust()?;
        let key = self.creds.as_deref().map(NatsKey::read).transpose()?;
        let variable = |name: &str| std::env::var(name).ok().map(Secret::new);
        let door = |text: &String| {
            let (url, secret) = match RemoteUrl::parse(text) {
                Ok((url, secret)) if url.is_nats() => (url, secret),
                _ => {
                    return Err(CliError::usage("not the URL of a NATS server")
                        .next_step("write it like nats://USER@HOST:PORT; also tls://, ws://, wss://"));
                }
            };
            let secret = secret.or_else(|| variable("LEAF_PASSWORD"));
            let user = url
                .user()
                .map(|user| (user, secret.unwrap_or_else(|| Secret::new(String::new()))));
            let url = NatsUrl::new(url, user, variable("LEAF_NATS_TOKEN"), trust.clone());
            Ok(Door::Url(url.with_key(key.clone())))
        };
        self.servers.iter().map(door).collect()
    }

    fn trust(&self) -> Result<Trust, CliError> {
        Trust::new(self.ca_cert.as_deref())
    }

    fn tls(&self) -> Result<Option<TlsFiles>, CliError> {
        tls("nats", self.tls_cert.as_ref(), self.tls_key.as_ref())
    }

    /// The certificate of the pages serves here, too, unless this part names its own.
    pub fn take_tls_of(&mut self, http: &Http) {
        if self.tls_cert.is_none() && self.tls_key.is_none() {
            self.tls_cert.clone_from(&http.tls_cert);
            self.tls_key.clone_from(&http.tls_key);
        }
    }

    /// What the broker is told.
    ///
    /// # Errors
    ///
    /// When a place to link is none, or a file is missing that TLS needs.
    pub fn options(self) -> Result<BrokerOptions, CliError> {
        let peers = self.peers.iter().map(|url| Peer::mesh(url));
        let hubs = self.hubs.iter().map(|url| Peer::hub(url));
        let peers = peers.chain(hubs).collect::<Result<Vec<_>, _>>()?;
        let accounts = self.accounts();
        let (tls, trust) = (self.tls()?, self.trust()?);
        let usual = NatsLimits::default();
        let bounds = self.limits;
        Ok(BrokerOptions {
            peers,
            addresses: self.listen,
            leafnode_addresses: self.leafnode_listen,
            name: self.name.unwrap_or_else(|| "leaf".into()),
            accounts,
            tls,
            trust,
            limits: NatsLimits {
                payload_bytes_max: bounds.payload_bytes.unwrap_or(usual.payload_bytes_max),
                line_bytes_max: bounds.line_bytes.unwrap_or(usual.line_bytes_max),
                pending_bytes_max: bounds.pending_bytes.unwrap_or(usual.pending_bytes_max),
                connections_max: bounds.connections.unwrap_or(usual.connections_max),
                subscriptions_max: bounds.subscriptions.unwrap_or(usual.subscriptions_max),
                ping_interval_ms: bounds.ping_interval_ms.unwrap_or(usual.ping_interval_ms),
                first_ping_ms: bounds
                    .ping_interval_ms
                    .map_or(usual.first_ping_ms, |ms| ms.min(usual.first_ping_ms)),
                pings_out_max: bounds.pings_out.unwrap_or(usual.pings_out_max),
                write_ms_max: bounds.write_ms.unwrap_or(usual.write_ms_max),
                connect_ms_max: bounds.connect_ms.unwrap_or(usual.connect_ms_max),
                ..usual
            },
        })
    }
}

fn tls(part: &str, cert: Option<&PathBuf>, key: Option<&PathBuf>) -> Result<Option<TlsFiles>, CliError> {
    match (cert.cloned(), key.cloned()) {
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
        (None, None) => Ok(None),
        _ => Err(CliError::usage("a certificate and its key belong together")
            .next_step(format!("write both tls-cert and tls-key under [{part}]"))),
    }
}
