//! `leaf serve`: repositories over HTTP, until told to stop.

use super::global::Global;
use super::key::NodeArgs;
use crate::broker::{Broker, BrokerBound, FossilUsers};
use crate::config::{Config, Iroh};
use crate::error::CliError;
use crate::iroh::{IrohServer, IrohServerOptions, Outside, Relay};
use crate::mesh::{Door, Line, Mesh};
use crate::output::{BAD, GOOD, Out, STRONG, paint};
use crate::serve::{AllowOrigin, Bound, HostName, Repositories, Server, ServerOptions};
use crate::world;
use clap::Args;
use leaf_core::limits::{PeerLimits, RelayLimits};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

/// Serve repositories over HTTP or HTTPS
#[derive(Args, Debug)]
#[command(
    after_help = "A single file is served at every path. Of several files, or of a directory, the first segment of the path\nnames one: http://HOST/NAME serves NAME.fossil.\n\nA browser is shown the page that was built into this program. GET /leaf.json lists the repositories, and GET\n/NAME/raw/HASH?name=FILE gives an artifact, if user nobody may read (capability o).\n\nEnds on SIGINT or SIGTERM once requests under way are answered; a second signal ends it at once.\n\nExamples:\n  leaf serve project.fossil\n  leaf serve --http 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem repositories/\n  leaf serve project.fossil --http 127.0.0.1:0 --ready-file ready.json\n  leaf serve project.fossil --allow-origin https://app.example.org\n  leaf serve project.fossil --allow-host leaf.example.org\n  leaf serve project.fossil --nats 127.0.0.1:4222 --peer nats://other.example:4222\n  leaf serve project.fossil --nats nats://nats.example:4222\n  leaf serve project.fossil --leafnode nats-leaf://hub.example:7422\n  leaf serve project.fossil --http 0.0.0.0:8080 --iroh=0.0.0.0:4433 --relay"
)]
pub(super) struct Serve {
    /// Repository files, or one directory of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Where to listen; may be given several times; port 0: any free port; default: 127.0.0.1:8080
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Vec<String>,
    /// Write the bound addresses to this file, as JSON, once clients may connect
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Certificate chain, PEM: encrypts HTTP, and NATS unless the configuration names another one
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Trust the certificates in this PEM file, too, when NATS servers and other leaves are called
    #[arg(long, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// How clients reach this server, when it is behind another; name and origin of it count as its own
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Let web pages of this origin sync, too; may be given several times; `*`: all pages, without cookies
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<AllowOrigin>,
    /// Answer to this name, too; may be given several times. On loopback other names than localhost are refused,
    /// elsewhere all are answered until one is given
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<HostName>,
    /// Let NATS clients reach the leaf's own broker here (port 0: any free port); or, with a URL
    /// (nats://, tls://, ws://, wss://), be a client of that server, too; may be given several times
    #[arg(long, value_name = "ADDRESS:PORT|URL")]
    nats: Vec<String>,
    /// Let NATS leaf nodes join here
    #[arg(long, value_name = "ADDRESS:PORT")]
    nats_leafnodes: Vec<String>,
    /// Link another leaf's NATS broker; may be given several times: nats://HOST:PORT, or tls:// for
    /// nothing less than TLS
    #[arg(long, value_name = "URL")]
    peer: Vec<String>,
    /// Join a NATS server as a leaf node: nats-leaf://HOST:PORT, or tls:// for nothing less than TLS
    #[arg(long, value_name = "URL")]
    leafnode: Vec<String>,
    /// Let leaves call by key that are on the list of a repository (leaf peers, leaf invite); port 0, or no address:
    /// any free port
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "not at all, somewhere, or there")]
    iroh: Option<Option<SocketAddr>>,
    /// Be a relay for those leaves, too, on the port of HTTP: it carries what cannot go directly, and cannot read it. It is
    /// called as the server is (--base-url), or as --relay-url says
    #[arg(long)]
    relay: bool,
    #[command(flatten)]
    node: NodeArgs,
    /// Settings from a TOML file: all that is said here, users of the broker, its limits. What is said here counts
    /// more, or besides
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Largest request; default: 256. Units: MiB
    #[arg(long, value_name = "MIB")]
    request_max: Option<usize>,
    /// Requests that are worked on at a time; default: 32
    #[arg(long, value_name = "COUNT")]
    concurrent: Option<usize>,
}

impl Serve {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        start_log(global.out());
        world::raise_open_files();
        let repositories = Arc::new(Repositories::new(&self.paths)?);
        let config = self.config()?;
        let mut doors = config.nats.doors()?;
        let name = config.nats.name.clone().unwrap_or_else(|| "leaf".to_owned());
        let mut options = config.sync.options(&name);
        let ca_cert = config.nats.ca_cert.as_deref();
        let by_key = self.by_key(&repositories, config.iroh, ca_cert, options.every_ms)?;
        let wants_fossil_users = config
            .nats
            .wants_fossil_users(&config.http.listen, by_key.is_some());
        let mut broker = config.nats.options()?;
        if wants_fossil_users {
            let served = Arc::clone(&repositories);
            let files = Arc::new(move || served.files().into_iter().map(|(_, file)| file).collect());
            broker.accounts.fossil = Some(FossilUsers::new(files));
        }
        let broker = Broker::start(broker)?;
        // Whoever serves web pages alone leaves no trace in the files.
        let bound = broker.bound();
        if !(doors.is_empty() && bound.clients.is_empty() && bound.leafnodes.is_empty()) {
            options.transports = Some("serve-http,serve-nats,pull".to_owned());
        }
        doors.insert(0, Door::Own(broker.clone()));
        let mut http = config.http.options(broker.clone())?;
        http.relay = by_key.as_ref().and_then(|by_key| by_key.relay.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let lines: Vec<Line> = doors.into_iter().map(Line::open).collect();
            let members = repositories.members();
            for line in &lines {
                let mesh = Mesh::new(line.clone(), options.clone());
                for (name, file, pool) in members.clone() {
                    mesh.join(name, file, pool);
                }
            }
            self.serve(repositories, &http, &broker, by_key, global.out())
                .await?;
            lines.iter().for_each(Line::close);
            broker.stop().await;
            global.out().note("stopped");
            Ok(())
        })
    }

    async fn serve(
        &self,
        repositories: Arc<Repositories>,
        options: &ServerOptions,
        broker: &Broker,
        by_key: Option<IrohServerOptions>,
        out: Out,
    ) -> Result<(), CliError> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        let names = repositories.names();
        let server = Server::bind(Arc::clone(&repositories), options).await?;
        let bound = server.bound().clone();
        let (tell, told) = watch::channel(false);
        let mut stop = told.clone();
        // Kept to the end.
        let _outside = match &by_key {
            Some(by_key) if by_key.relay.is_some() => {
                let limits = RelayLimits::default();
                Some(Outside::open(&bound.addresses, options.tls.as_ref(), limits)?)
            }
            _ => None,
        };
        // From now on: an endpoint waits for its relay, which is a part of this server.
        let by_http = tokio::spawn(server.run(async move {
            // Nobody who could say so is left: that is the end, too.
            stop.wait_for(|stop| *stop).await.ok();
        }));
        let iroh = match by_key {
            None => None,
            Some(mut by_key) => {
                if by_key.relay.is_some() && by_key.node.relays.is_empty() {
                    by_key.node.relays = Relay::urls(&bound, options.base_url.as_deref())?;
                }
                Some(IrohServer::open(by_key, repositories, broker.clone()).await?)
            }
        };
        if let Some(file) = &self.ready_file {
            write_ready(file, &bound, broker.bound(), iroh.as_ref())?;
        }
        announce(out, &bound, names.as_deref());
        for address in &broker.bound().clients {
            let scheme = if broker.is_encrypted() { "tls" } else { "nats" };
            out.note(format!("NATS at {scheme}://{address}"));
        }
        if let Some(iroh) = &iroh {
            out.note(format!("by key at {}", iroh.place()));
        }
        let watching = async {
            until_told(interrupt, terminate, out).await;
            tell.send_replace(true);
        };
        let by_key = async {
            if let Some(iroh) = iroh {
                iroh.run(told).await;
            }
        };
        let ((), served, ()) = tokio::join!(watching, by_http, by_key);
        served.map_err(|error| CliError::from(std::io::Error::other(error)))
    }

    /// What the door for leaves that call by key is told, if there is to be one.
    fn by_key(
        &self,
        repositories: &Arc<Repositories>,
        mut file: Iroh,
        ca_cert: Option<&Path>,
        every_ms: i64,
    ) -> Result<Option<IrohServerOptions>, CliError> {
        let is_open = self.iroh.is_some() || file.listen.is_some();
        file.relay |= self.relay;
        file.check(is_open)?;
        if !is_open {
            return Ok(None);
        }
        let mut node = self.node.options_beside(&file, ca_cert)?;
        node.listen = self.iroh.flatten().or(node.listen);
        let own = node.key.id();
        let relay = file
            .relay
            .then(|| Relay::new(Arc::clone(repositories), own, RelayLimits::default()));
        Ok(Some(IrohServerOptions {
            node,
            relay,
            limits: PeerLimits::default(),
            every_ms,
        }))
    }

    /// What the file says, and what the command line adds.
    fn config(&self) -> Result<Config, CliError> {
        let mut config = match &self.config {
            Some(file) => Config::read(file)?,
            None => Config::default(),
        };
        let nats = &mut config.nats;
        let (servers, listen): (Vec<_>, Vec<_>) =
            self.nats.iter().cloned().partition(|place| place.contains("://"));
        nats.listen.extend(listen);
        nats.servers.extend(servers);
        nats.leafnode_listen.extend(self.nats_leafnodes.iter().cloned());
        nats.peers.extend(self.peer.iter().cloned());
        nats.hubs.extend(self.leafnode.iter().cloned());
        nats.ca_cert = self.ca_cert.clone().or(nats.ca_cert.take());
        let http = &mut config.http;
        if !self.http.is_empty() {
            http.listen.clone_from(&self.http);
        }
        if self.tls_cert.is_some() {
            (http.tls_cert, http.tls_key) = (self.tls_cert.clone(), self.tls_key.clone());
        }
        nats.take_tls_of(http);
        http.base_url = self.base_url.clone().or(http.base_url.take());
        http.allow_origins.extend(self.allow_origin.iter().cloned());
        http.allow_hosts.extend(self.allow_host.iter().cloned());
        http.request_max_mib = self.request_max.or(http.request_max_mib);
        http.concurrent = self.concurrent.or(http.concurrent);
        Ok(config)
    }
}

/// Done at the first signal. The second ends the process.
async fn until_told(mut interrupt: Signal, mut terminate: Signal, out: Out) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    out.note("stopping: requests under way are answered first; once more to stop at once");
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // SQLite rolls back what was under way when the file is opened next.
        std::process::exit(130);
    });
}

/// Puts the addresses where a script waits for them: all at once, or not at all.
fn write_ready(
    file: &Path,
    bound: &Bound,
    nats: &BrokerBound,
    iroh: Option<&IrohServer>,
) -> Result<(), CliError> {
    let addresses: Vec<String> = bound.addresses.iter().map(ToString::to_string).collect();
    let mut ready = json!({ "http": addresses, "url": bound.url, "pid": std::process::id() });
    ready["nats"] = json!(nats.clients);
    ready["nats_leafnodes"] = json!(nats.leafnodes);
    if let Some(iroh) = iroh {
        ready["iroh"] = json!(iroh.place().to_string());
        ready["relay"] = json!(iroh.relay());
    }
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".part");
    let written =
        std::fs::write(&unfinished, format!("{ready}\n")).and_then(|()| std::fs::rename(&unfinished, file));
    written.map_err(|error| CliError::storage(format!("cannot write {}", file.display()), &error))
}

fn announce(out: Out, bound: &Bound, names: Option<&[String]>) {
    let what = match names {
        None => String::new(),
        Some(names) => format!(
            " ({})",
            crate::output::count(names.len() as u64, "repository").replace("ys", "ies")
        ),
    };
    out.note(format!(
        "{} at {}{what}; Ctrl-C stops",
        paint(GOOD, "serving"),
        paint(STRONG, &bound.url)
    ));
    if bound.is_exposed {
        out.note(format!(
            "{} other machines can connect and nothing is encrypted; consider --tls-cert and --tls-key",
            paint(BAD, "warning:")
        ));
    }
}

/// One line for each request, to standard error.
pub(super) fn start_log(out: Out) {
    let level = if out.quiet { "warn" } else { "info" };
    // What iroh does on the way is of no use to whoever runs a leaf, unless it goes wrong; that it ends, or a peer does,
    // is no error.
    let usual = [
        level,
        "iroh=warn",
        "iroh::socket::transports::relay=off",
        "iroh::socket::transports::relay::actor=warn",
        "iroh_relay=error",
        "iroh_dns=warn",
        "netwatch=warn",
        "noq=warn",
        "noq_proto=error",
    ];
    let filter = EnvFilter::try_from_env("LEAF_LOG").unwrap_or_else(|_| EnvFilter::new(usual.join(",")));
    let colours = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false)
        .init();
}
