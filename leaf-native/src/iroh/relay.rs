//! A relay in this process: it carries the packets of peers that cannot reach each other, encrypted from end to end.
//!
//! It is found on the port of the HTTP server (`serve::relay`), so that a page has it where the page itself came from.
//! Only who is on a list may use it, and, while somebody is invited, strangers: who comes by a relay is to find the
//! door for tickets. Whoever may no longer is cut off.
//!
//! Source: iroh-relay 1.4, `server::http_server::Inner::accept`.

use super::guests::Guests;
use super::seats::Seats;
use crate::broker::WebSocket;
use crate::error::CliError;
use crate::serve::{Bound, Repositories};
use futures_util::{Sink, SinkExt, Stream, StreamExt, ready};
use hyper::Request;
use hyper::body::Bytes;
use iroh::{EndpointId, RelayUrl};
use iroh_relay::http::ProtocolVersion;
use iroh_relay::protos::handshake;
use iroh_relay::protos::streams::StreamError;
use iroh_relay::server::client::Config;
use iroh_relay::server::clients::Clients;
use iroh_relay::server::streams::{Bucket, RelayedStream};
use iroh_relay::server::{self, AccessControl, ClientRequest, ConnectionId, DynAccessControl, Metrics};
use iroh_relay::{ExportKeyingMaterial, KeyCache};
use leaf_core::limits::RelayLimits;
use netwatch::ip::LocalAddresses;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, interval, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use url::Url;

/// How long clients may take to leave.
const CLOSE_MAX: Duration = Duration::from_secs(3);
/// How often the lists are asked whether those who are connected still may be.
const LOOK: Duration = Duration::from_secs(5);
/// How often what a connection may send is made up for.
const REFILL: Duration = Duration::from_millis(100);
/// What one read may bring.
const READ_BYTES: usize = 64 << 10;
/// Keys that need not be worked out again.
const KEYS_KEPT: usize = 4096;
/// Addresses of this machine that are worth naming.
const ADDRESSES_MAX: usize = 4;

/// Who may use the relay, and who does.
#[derive(Debug)]
struct Access {
    guests: Guests,
    own: EndpointId,
    open: Seats<EndpointId>,
}

impl Access {
    async fn may(&self, id: EndpointId) -> bool {
        id == self.own || self.guests.are_awaited().await || !self.guests.places(id).await.is_empty()
    }
}

impl AccessControl for Access {
    async fn on_connect(&self, request: &ClientRequest) -> server::Access {
        let id = request.endpoint_id();
        let deny = |reason: &str| {
            tracing::info!(peer = %id, reason, "may not use the relay");
            server::Access::Deny {
                reason: Some(reason.to_owned()),
            }
        };
        if !self.may(id).await {
            return deny("not on the list of peers");
        }
        match self.open.take(id) {
            true => server::Access::Allow,
            false => deny("too many connections"),
        }
    }

    fn on_disconnect(&self, id: EndpointId, _: ConnectionId) {
        self.open.leave(id);
    }
}

/// A relay.
#[derive(Clone, Debug)]
pub struct Relay {
    access: Arc<Access>,
    clients: Clients,
    metrics: Arc<Metrics>,
    keys: KeyCache,
    limits: RelayLimits,
    seats: Arc<Semaphore>,
}

impl Relay {
    /// A relay for the leaf with the key `own`, and for who is on a list of `repositories`.
    pub fn new(repositories: Arc<Repositories>, own: EndpointId, limits: RelayLimits) -> Self {
        let access = Access {
            guests: Guests::new(repositories),
            own,
            open: Seats::new(limits.of_one_max),
        };
        Self {
            access: Arc::new(access),
            clients: Clients::default(),
            metrics: Arc::default(),
            keys: KeyCache::new(KEYS_KEPT),
            limits,
            seats: Arc::new(Semaphore::new(limits.connections_max)),
        }
    }

    /// Room for one more connection; `None` when there is none.
    pub(crate) fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }

    /// How its connections are read.
    pub(crate) fn socket_config(&self) -> WebSocketConfig {
        WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .max_frame_size(Some(self.limits.frame_bytes_max))
            .max_message_size(Some(self.limits.frame_bytes_max))
    }

    /// Takes a connection, once it is one and has proved its key in time.
    pub(crate) async fn take(
        self,
        socket: impl Future<Output = hyper::Result<WebSocket>>,
        version: ProtocolVersion,
        seat: OwnedSemaphorePermit,
    ) {
        let time = Duration::from_millis(self.limits.handshake_ms_max.into());
        match timeout(time, self.admit(socket, version, seat)).await {
            Ok(Ok(client)) => self.clients.register(client, Arc::clone(&self.metrics)),
            Ok(Err(error)) => tracing::debug!(error, "no connection to the relay"),
            Err(_) => tracing::debug!("no handshake with the relay in time"),
        }
    }

    async fn admit(
        &self,
        socket: impl Future<Output = hyper::Result<WebSocket>>,
        version: ProtocolVersion,
        seat: OwnedSemaphorePermit,
    ) -> Result<Config<Frames>, String> {
        let socket = socket.await.map_err(|error| error.to_string())?;
        let (burst, second) = (self.limits.burst_bytes_max, self.limits.second_bytes_max);
        let bucket = Bucket::new(burst.into(), second.into(), REFILL).map_err(|error| error.to_string())?;
        let mut frames = Frames {
            socket,
            bucket,
            held: None,
            _seat: seat,
        };
        // What a client could say ahead of that is bound to the TLS connection, which may well end before this server.
        let proved = handshake::serverside(&mut frames, None).await;
        let proved = proved.map_err(|error| error.to_string())?;
        let (head, ()) = Request::new(()).into_parts();
        let request = ClientRequest::new(proved.client_key, version, head);
        let access: Arc<dyn DynAccessControl> = Arc::clone(&self.access) as _;
        let admitted = proved.authorize_with(&request, &access, &mut frames).await;
        let guard = admitted.map_err(|error| error.to_string())?;
        let stream = RelayedStream::new(frames, self.keys.clone());
        Ok(Config::new(guard, stream, version))
    }

    /// Cuts off whoever may no longer use it.
    pub(super) async fn watch(&self) {
        let mut look = interval(LOOK);
        loop {
            look.tick().await;
            for id in self.access.open.who() {
                if !self.access.may(id).await && self.clients.disconnect(id, None) {
                    tracing::info!(peer = %id, "may no longer use the relay");
                }
            }
        }
    }

    pub(super) async fn close(&self) {
        // Clients that do not leave are left.
        timeout(CLOSE_MAX, self.clients.shutdown()).await.ok();
    }

    /// The URLs at which a relay is that a server carries: that by which others know the server, else where it
    /// listens.
    ///
    /// # Errors
    ///
    /// When clients need a name to trust it, and it has none.
    pub fn urls(bound: &Bound, base_url: Option<&str>) -> Result<Vec<RelayUrl>, CliError> {
        let named = |url: &str| Url::parse(url).ok().map(|url| RelayUrl::from(origin(url)));
        if let Some(base_url) = base_url {
            return named(base_url)
                .map(|url| vec![url])
                .ok_or_else(|| CliError::usage("the base URL is no URL"));
        }
        if bound.url.starts_with("https") {
            return Err(
                CliError::usage("a relay behind TLS needs the name that is in the certificate")
                    .next_step("say it with --base-url or --relay-url"),
            );
        }
        let addresses = bound.addresses.iter().flat_map(|address| real(*address));
        let urls = addresses.filter_map(|address| named(&format!("http://{address}")));
        let mut urls: Vec<RelayUrl> = urls.collect();
        urls.dedup();
        urls.truncate(ADDRESSES_MAX);
        Ok(urls)
    }
}

fn origin(mut url: Url) -> Url {
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// The addresses of this machine that `address` stands for.
fn real(address: SocketAddr) -> Vec<SocketAddr> {
    if !address.ip().is_unspecified() {
        return vec![address];
    }
    let LocalAddresses { loopback, regular } = LocalAddresses::new();
    let mut own = if regular.is_empty() { loopback } else { regular };
    own.retain(|own| own.is_ipv4() || address.is_ipv6());
    own.sort_by_key(IpAddr::is_ipv6);
    let own = own.into_iter();
    own.map(|own| SocketAddr::new(own, address.port())).collect()
}

/// The frames of the relay's protocol, each one message of a `WebSocket`, and no faster than is allowed.
struct Frames {
    socket: WebSocket,
    bucket: Bucket,
    /// What came too soon, and until when it waits.
    held: Option<(Message, Pin<Box<Sleep>>)>,
    _seat: OwnedSemaphorePermit,
}

impl Frames {
    /// What came, once it may.
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, StreamError>>> {
        if self.held.is_none() {
            let message = match ready!(self.socket.poll_next_unpin(cx)) {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Poll::Ready(Some(Err(StreamError::from_std(error)))),
                None => return Poll::Ready(None),
            };
            match self.bucket.consume(message.len()) {
                Ok(()) => return Poll::Ready(Some(Ok(message))),
                Err(until) => self.held = Some((message, Box::pin(sleep_until(until)))),
            }
        }
        if let Some((_, wait)) = &mut self.held {
            ready!(wait.as_mut().poll(cx));
        }
        Poll::Ready(self.held.take().map(|(message, _)| Ok(message)))
    }
}

impl Stream for Frames {
    type Item = Result<Bytes, StreamError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(self.poll_message(cx)) {
                Some(Ok(Message::Binary(frame))) => return Poll::Ready(Some(Ok(frame))),
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(None),
                // Signs of life are answered below; text means nothing here.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl Sink<Bytes> for Frames {
    type Error = StreamError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.socket.poll_ready_unpin(cx).map_err(StreamError::from_std)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Bytes) -> Result<(), StreamError> {
        let sent = self.socket.start_send_unpin(Message::Binary(frame));
        sent.map_err(StreamError::from_std)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.socket.poll_flush_unpin(cx).map_err(StreamError::from_std)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.socket.poll_close_unpin(cx).map_err(StreamError::from_std)
    }
}

impl ExportKeyingMaterial for Frames {
    fn export_keying_material<T: AsMut<[u8]>>(&self, _: T, _: &[u8], _: Option<&[u8]>) -> Option<T> {
        None
    }
}
