//! The NATS broker that every leaf carries: one thread, all of its sockets, one machine of the core.
//!
//! ```text
//!   Broker ── commands ──▶ thread: tcp, stream ──▶ shared ──▶ leaf_core::nats::broker
//!   handle                 one task a connection    who is written to
//! ```
//!
//! One thread is enough: a message is parsed, matched and copied, and nothing waits. Connections that are no TCP
//! sockets of its own (those of the HTTP server, the leaf itself) are handed to it as streams.

mod dial;
mod fossil;
mod gate;
mod greet;
mod shared;
mod stream;
mod tcp;

pub use dial::Peer;
pub use fossil::FossilUsers;
pub use gate::{Accounts, BadAccount, User};
pub(crate) use greet::{Greeting, greet};

use crate::error::{CliError, Exit};
use crate::tls::{TlsFiles, Trust};
use crate::world;
use leaf_core::limits::NatsLimits;
use leaf_core::nats::broker::{BrokerConfig, BrokerStat, ConnStat, Known, PeerKind, Visitor};
use leaf_core::time::Timestamp;
use shared::Shared;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;

/// A stream that is no socket of the broker's own.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Bytes that may be on their way between the leaf and its own broker.
const OWN_BYTES: usize = 256 << 10;
/// Time that clients have to leave once they are told that the broker stops.
const LAME_DUCK_MAX: Duration = Duration::from_secs(2);

/// What a broker is told at its start.
#[derive(Debug, Default)]
pub struct BrokerOptions {
    /// Where clients connect; port 0 lets the system choose.
    pub addresses: Vec<String>,
    /// Where leaf nodes connect.
    pub leafnode_addresses: Vec<String>,
    /// Other brokers that it links itself to.
    pub peers: Vec<Peer>,
    /// What it calls itself.
    pub name: String,
    /// Who may do what; nobody known: everybody may do everything.
    pub accounts: Accounts,
    /// Bounds of the protocol.
    pub limits: NatsLimits,
    /// Encrypts what comes in by TCP; absent: it is not encrypted.
    pub tls: Option<TlsFiles>,
    /// Who may vouch for the brokers that it links itself to.
    pub trust: Trust,
}

/// Where a broker listens.
#[derive(Clone, Debug, Default)]
pub struct BrokerBound {
    /// For clients.
    pub clients: Vec<SocketAddr>,
    /// For leaf nodes.
    pub leafnodes: Vec<SocketAddr>,
}

/// A stream of frames, its handshake done.
pub type WebSocket = WebSocketStream<Box<dyn Stream>>;

impl BrokerOptions {
    /// Whether a broker could be started, as far as that can be said without binding anything.
    ///
    /// # Errors
    ///
    /// When an address is none, or open to other machines and to everybody, or a certificate cannot be used.
    pub fn check(&self) -> Result<(), CliError> {
        for address in self.addresses.iter().chain(&self.leafnode_addresses) {
            let parsed: SocketAddr = address.parse().map_err(|_| {
                CliError::usage(format!(
                    "{address} is no address to listen on: write 127.0.0.1:4222"
                ))
            })?;
            if !parsed.ip().is_loopback() && self.accounts.is_empty() {
                return Err(exposed(address));
            }
        }
        self.acceptor().map(drop)
    }

    fn acceptor(&self) -> Result<Option<TlsAcceptor>, CliError> {
        self.tls.as_ref().map(|files| files.acceptor(&[])).transpose()
    }
}

enum Command {
    AttachWeb(Box<WebSocket>, PeerKind, Visitor),
    Attach(Box<dyn Stream>, PeerKind, Visitor),
    Report(oneshot::Sender<Report>),
    Stop(oneshot::Sender<()>),
}

/// What goes on in a broker.
#[derive(Clone, Debug)]
pub struct Report {
    /// In all.
    pub stat: BrokerStat,
    /// Each connection.
    pub conns: Vec<ConnStat>,
}

/// The way to a running broker. The broker ends when the last of these is gone.
#[derive(Clone, Debug)]
pub struct Broker {
    commands: mpsc::UnboundedSender<Command>,
    bound: BrokerBound,
    is_guarded: bool,
    is_encrypted: bool,
    id: Arc<str>,
    name: Arc<str>,
    limits: NatsLimits,
    since: Timestamp,
}

impl Broker {
    /// Binds the sockets and starts the thread.
    ///
    /// # Errors
    ///
    /// When an address is taken or no address, when it can be reached from other machines and nobody would have to
    /// say who they are, or when the certificate cannot be used.
    pub fn start(options: BrokerOptions) -> Result<Self, CliError> {
        let tls = options.acceptor()?;
        let clients = bind(&options.addresses, &options.accounts)?;
        let leafnodes = bind(&options.leafnode_addresses, &options.accounts)?;
        let addresses = |bound: &[std::net::TcpListener]| {
            bound
                .iter()
                .map(std::net::TcpListener::local_addr)
                .collect::<Result<Vec<_>, _>>()
        };
        let bound = BrokerBound {
            clients: addresses(&clients)?,
            leafnodes: addresses(&leafnodes)?,
        };
        let (commands, orders) = mpsc::unbounded_channel();
        let config = config(&options, &bound);
        let (is_guarded, is_encrypted) = (!options.accounts.is_empty(), tls.is_some());
        let (id, name, limits) = (
            config.server_id.as_str().into(),
            config.server_name.as_str().into(),
            options.limits,
        );
        std::thread::Builder::new()
            .name("broker".into())
            .spawn(move || run(config, options, [clients, leafnodes], tls, orders))?;
        Ok(Self {
            commands,
            bound,
            is_guarded,
            is_encrypted,
            id,
            name,
            limits,
            since: world::now(),
        })
    }

    /// Where it listens.
    pub fn bound(&self) -> &BrokerBound {
        &self.bound
    }

    /// Hands a stream over; `address` is where it comes from, for logs and monitoring, and `known` who it is.
    pub fn attach(&self, stream: Box<dyn Stream>, kind: PeerKind, address: String, known: Known) {
        let visitor = Visitor {
            address,
            nonce: world::nonce(),
            known,
            is_encrypted: false,
        };
        // A broker that has stopped drops the stream, which its other end sees.
        self.commands.send(Command::Attach(stream, kind, visitor)).ok();
    }

    /// Hands a `WebSocket` over.
    pub fn attach_web(&self, socket: WebSocket, kind: PeerKind, address: String) {
        let visitor = Visitor {
            address,
            nonce: world::nonce(),
            ..Visitor::default()
        };
        self.commands
            .send(Command::AttachWeb(Box::new(socket), kind, visitor))
            .ok();
    }

    /// Whether clients have to say who they are.
    pub fn is_guarded(&self) -> bool {
        self.is_guarded
    }

    /// Whether clients by TCP have to speak TLS.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// What it calls itself to programs.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it calls itself to people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bounds it keeps.
    pub fn limits(&self) -> &NatsLimits {
        &self.limits
    }

    /// When it was started.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// A connection of the leaf itself, without a socket.
    pub fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(OWN_BYTES);
        self.attach(Box::new(far), PeerKind::Client, "inside".into(), Known::Itself);
        near
    }

    /// What goes on; `None` once the broker has stopped.
    pub async fn report(&self) -> Option<Report> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Report(reply)).ok()?;
        answer.await.ok()
    }

    /// Tells clients to leave, gives them a moment, ends all connections.
    pub async fn stop(&self) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Stop(reply)).is_ok() {
            answer.await.ok();
        }
    }
}

fn bind(addresses: &[String], accounts: &Accounts) -> Result<Vec<std::net::TcpListener>, CliError> {
    let mut listeners = Vec::new();
    for address in addresses {
        let taken = |error: std::io::Error| {
            CliError::new(Exit::Usage, format!("cannot listen on {address}"))
                .because(&error)
                .next_step("choose another address, or port 0 for any free port")
        };
        let listener = std::net::TcpListener::bind(address.as_str()).map_err(taken)?;
        listener.set_nonblocking(true)?;
        if !listener.local_addr()?.ip().is_loopback() && accounts.is_empty() {
            return Err(exposed(address));
        }
        listeners.push(listener);
    }
    Ok(listeners)
}

fn exposed(address: &str) -> CliError {
    CliError::usage(format!(
        "{address} can be reached from other machines and nobody would have to say who they are"
    ))
    .next_step(
        "drop `fossil-users = false`, name users or a token in the configuration, or listen on 127.0.0.1",
    )
}

fn config(options: &BrokerOptions, bound: &BrokerBound) -> BrokerConfig {
    let first = bound.clients.first();
    BrokerConfig {
        server_id: world::server_id(),
        server_name: options.name.clone(),
        host: first.map(|address| address.ip().to_string()).unwrap_or_default(),
        port: first.map(SocketAddr::port).unwrap_or_default(),
        leafnode_url: bound
            .leafnodes
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
        mesh: "leaf".into(),
        // Clients look at the version to know what a server understands; this is whose manners are ours.
        version: "2.10.0".into(),
        seed: world::seed(),
    }
}

/// The thread.
fn run(
    config: BrokerConfig,
    options: BrokerOptions,
    [clients, leafnodes]: [Vec<std::net::TcpListener>; 2],
    tls: Option<TlsAcceptor>,
    orders: mpsc::UnboundedReceiver<Command>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the broker cannot start");
            return;
        }
    };
    let shared = Rc::new(Shared::new(config, options.limits, options.accounts));
    LocalSet::new().block_on(&runtime, async move {
        for (listeners, kind) in [(clients, PeerKind::Client), (leafnodes, PeerKind::Spoke)] {
            for listener in listeners {
                match TcpListener::from_std(listener) {
                    Ok(listener) => {
                        let accept = tcp::accept(Rc::clone(&shared), listener, tls.clone(), kind);
                        tokio::task::spawn_local(accept);
                    }
                    Err(error) => tracing::error!(%error, "the broker cannot listen"),
                }
            }
        }
        for peer in options.peers {
            tokio::task::spawn_local(dial::keep(Rc::clone(&shared), peer, options.trust.clone()));
        }
        tokio::task::spawn_local(tick(Rc::clone(&shared)));
        obey(&shared, orders).await;
    });
}

async fn obey(shared: &Rc<Shared>, mut orders: mpsc::UnboundedReceiver<Command>) {
    while let Some(order) = orders.recv().await {
        match order {
            Command::Attach(stream, kind, visitor) => {
                tokio::task::spawn_local(stream::serve(Rc::clone(shared), stream, kind, visitor));
            }
            Command::AttachWeb(socket, kind, visitor) => {
                let shared = Rc::clone(shared);
                tokio::task::spawn_local(stream::serve_web(shared, *socket, kind, visitor));
            }
            Command::Report(reply) => {
                let machine = shared.machine.borrow();
                let report = Report {
                    stat: machine.stat(),
                    conns: machine.conn_stats(),
                };
                // Whoever asked may be gone.
                reply.send(report).ok();
            }
            Command::Stop(reply) => {
                shared.machine.borrow_mut().lame_duck();
                shared.flush();
                let emptied = async {
                    while shared.machine.borrow().stat().connections > 0 {
                        sleep(Duration::from_millis(20)).await;
                    }
                };
                timeout(LAME_DUCK_MAX, emptied).await.ok();
                shared.machine.borrow_mut().shutdown();
                shared.flush();
                tokio::task::yield_now().await;
                reply.send(()).ok();
                return;
            }
        }
    }
}

/// Keeps the machine's deadlines.
async fn tick(shared: Rc<Shared>) {
    // Its deadlines are seconds apart; one that is a little late harms nobody, and a broker without
    // connections has none.
    const STEP: Duration = Duration::from_millis(200);
    loop {
        sleep(STEP).await;
        let now = world::now();
        let is_due = shared
            .machine
            .borrow()
            .poll_timeout()
            .is_some_and(|due| due <= now);
        if is_due {
            shared.machine.borrow_mut().handle_timeout(now);
            shared.flush();
        }
    }
}
