//! Sockets: bound before anything is promised, drained before the program ends.

use super::asset::{Asset, BUILT_IN};
use super::cors::{AllowOrigin, CorsRule};
use super::host::{HostName, HostRule};
use super::http::{Held, Service};
use super::route::Repositories;
use super::stall::Stall;
use crate::broker::Broker;
use crate::error::{CliError, Exit};
use crate::iroh::Relay;
use crate::tls::TlsFiles;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use leaf_core::limits::Limits;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// Time for the head of a request, and for a TLS handshake.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// Time in which a client must take some of what it is sent.
const WRITE_SILENCE_MAX: Duration = Duration::from_secs(30);
/// Time for a whole connection: one request and its reply over a slow line.
const CONNECTION_MAX: Duration = Duration::from_mins(15);
/// Time that requests under way have to end once the server is told to.
const DRAIN_MAX: Duration = Duration::from_secs(30);

/// What a server is told at its start.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where to listen; port 0 lets the system choose.
    pub addresses: Vec<String>,
    /// To encrypt.
    pub tls: Option<TlsFiles>,
    /// Bytes of one request.
    pub request_bytes_max: usize,
    /// Requests that are worked on at a time.
    pub requests_max: usize,
    /// Connections at a time.
    pub connections_max: usize,
    /// Where clients reach this server, for answers that name it.
    pub base_url: Option<String>,
    /// Web pages from elsewhere that may use this server.
    pub allow_origins: Vec<AllowOrigin>,
    /// Names by which clients may call this server.
    pub allow_hosts: Vec<HostName>,
    /// Bounds of the protocol.
    pub limits: Limits,
    /// The NATS broker that web pages reach at `/nats`.
    pub broker: Option<Broker>,
    /// The relay for leaves that call by key.
    pub relay: Option<Relay>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            addresses: vec!["127.0.0.1:8080".to_owned()],
            tls: None,
            request_bytes_max: 256 << 20,
            requests_max: 32,
            connections_max: 512,
            base_url: None,
            allow_origins: Vec::new(),
            allow_hosts: Vec::new(),
            limits: Limits::default(),
            broker: None,
            relay: None,
        }
    }
}

/// A server whose sockets are bound.
pub struct Server {
    listeners: Vec<(TcpListener, IpAddr)>,
    bound: Bound,
    tls: Option<TlsAcceptor>,
    service: Arc<Service>,
    connections: Arc<Semaphore>,
}

/// Where a server listens.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The sockets.
    pub addresses: Vec<SocketAddr>,
    /// The first of them as a URL.
    pub url: String,
    /// Some socket is reachable from other machines, and what it carries is not encrypted.
    pub is_exposed: bool,
}

impl Server {
    /// Binds the sockets. Clients may connect from now on and are answered once [`run`](Self::run) runs.
    ///
    /// # Errors
    ///
    /// When an address is taken or no address, or the certificate is not usable.
    pub async fn bind(repositories: Arc<Repositories>, options: &ServerOptions) -> Result<Self, CliError> {
        Self::bind_with(repositories, options, BUILT_IN).await
    }

    /// The same with another page for browsers.
    pub(super) async fn bind_with(
        repositories: Arc<Repositories>,
        options: &ServerOptions,
        assets: &'static [Asset],
    ) -> Result<Self, CliError> {
        let tls = options
            .tls
            .as_ref()
            .map(|files| files.acceptor(&["http/1.1"]))
            .transpose()?;
        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        for address in &options.addresses {
            let taken = |error: io::Error| {
                CliError::new(Exit::Usage, format!("cannot listen on {address}"))
                    .because(&error)
                    .next_step("choose another address, or port 0 for any free port")
            };
            let listener = TcpListener::bind(address.as_str()).await.map_err(taken)?;
            let address = listener.local_addr()?;
            addresses.push(address);
            listeners.push((listener, address.ip()));
        }
        let scheme = if tls.is_some() { "https" } else { "http" };
        let first = addresses
            .first()
            .ok_or_else(|| CliError::usage("no address to listen on"))?;
        let is_exposed = tls.is_none() && addresses.iter().any(|address| !address.ip().is_loopback());
        let bound = Bound {
            url: format!("{scheme}://{first}/"),
            addresses,
            is_exposed,
        };
        let body_bytes = options.request_bytes_max.saturating_mul(2);
        let service = Service {
            repositories,
            assets,
            request_bytes_max: options.request_bytes_max,
            permits: Arc::new(Semaphore::new(options.requests_max)),
            body_pieces: Arc::new(Semaphore::new(Service::pieces(body_bytes))),
            scheme,
            base_url: options.base_url.clone(),
            host_rule: HostRule::new(&options.allow_hosts, options.base_url.as_deref()),
            cors_rule: CorsRule::new(&options.allow_origins, options.base_url.as_deref()),
            limits: options.limits,
            broker: options.broker.clone(),
            relay: options.relay.clone(),
        };
        let connections = Arc::new(Semaphore::new(options.connections_max));
        Ok(Self {
            listeners,
            bound,
            tls,
            service: Arc::new(service),
            connections,
        })
    }

    /// Where it listens.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// Serves until `stop` is done, then lets requests under way end, for `DRAIN_MAX` at most.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let mut accepting = JoinSet::new();
        for (listener, bound) in self.listeners {
            let (tls, service) = (self.tls.clone(), Arc::clone(&self.service));
            let (connections, stopped) = (Arc::clone(&self.connections), stopped.clone());
            accepting.spawn(accept(listener, bound, tls, service, connections, stopped));
        }
        drop(stopped);
        stop.await;
        // Without a receiver there is nobody to stop.
        stopping.send(true).ok();
        let drained = async { while accepting.join_next().await.is_some() {} };
        if timeout(DRAIN_MAX, drained).await.is_err() {
            tracing::warn!("requests were still under way when time was up");
        }
    }
}

/// Accepts connections until told to stop, then waits for those that are open.
async fn accept(
    listener: TcpListener,
    bound: IpAddr,
    tls: Option<TlsAcceptor>,
    service: Arc<Service>,
    connections: Arc<Semaphore>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut open = JoinSet::new();
    loop {
        // Connections beyond the bound wait in the system's queue.
        let accepted = async {
            let permit = Arc::clone(&connections)
                .acquire_owned()
                .await
                .map_err(io::Error::other)?;
            Ok::<_, io::Error>((listener.accept().await?, permit))
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            _ = stopped.changed() => break,
        };
        let ((stream, peer), permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: they come back as connections end.
                tracing::warn!(%error, "cannot accept");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (tls, service, stopped) = (tls.clone(), Arc::clone(&service), stopped.clone());
        open.spawn(async move {
            let work = connection(stream, (peer, bound), tls, service, stopped);
            if timeout(CONNECTION_MAX, work).await.is_err() {
                tracing::debug!(%peer, "connection took too long");
            }
            drop(permit);
        });
        while open.try_join_next().is_some() {}
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    ends: (SocketAddr, IpAddr),
    tls: Option<TlsAcceptor>,
    service: Arc<Service>,
    stopped: watch::Receiver<bool>,
) {
    // A reply is written whole; waiting to fill a packet would only delay its end.
    stream.set_nodelay(true).ok();
    let Some(tls) = tls else {
        return converse(stream, ends, service, stopped).await;
    };
    if let Ok(Ok(stream)) = timeout(HEAD_MAX, tls.accept(stream)).await {
        converse(stream, ends, service, stopped).await;
    } else {
        tracing::debug!(peer = %ends.0, "no TLS handshake");
    }
}

/// Takes one request from a connection and answers it.
async fn converse<S>(
    stream: S,
    (peer, bound): (SocketAddr, IpAddr),
    service: Arc<Service>,
    mut stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let held = Held::default();
    let answer = service_fn(|request| {
        let (service, held) = (Arc::clone(&service), Arc::clone(&held));
        async move { Ok::<_, Infallible>(service.answer(request, peer, bound, held).await) }
    });
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        // Every answer says that it ends its connection. If hyper were to say so, it would of an upgrade, too.
        .keep_alive(true)
        .serve_connection(TokioIo::new(Stall::new(stream, WRITE_SILENCE_MAX)), answer)
        .with_upgrades();
    tokio::pin!(conversation);
    let ended = tokio::select! {
        ended = conversation.as_mut() => ended,
        _ = async { stopped.wait_for(|stop| *stop).await.is_ok() } => {
            conversation.as_mut().graceful_shutdown();
            conversation.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}
