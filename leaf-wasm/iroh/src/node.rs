//! The endpoint, and calls that go out.

use crate::door;
use crate::host::{Host, failed, failure, field, object, text};
use iroh::endpoint::{Connection, presets};
use iroh::{Endpoint, EndpointId, RelayConfig, RelayMap, RelayMode, RelayUrl, SecretKey, Watcher};
use js_sys::{Array, Function, Promise, Uint8Array};
use leaf_core::id::{ProjectCode, to_hex};
use leaf_core::limits::PeerLimits;
use leaf_core::peer::{JOIN, Ticket, XFER, invite_seed};
use leaf_core::xfer::ContentType;
use leaf_iroh::{IrohError, IrohUrl, LEAVING, REVOKED, connect, judge, round};
use n0_future::FutureExt;
use n0_future::time::timeout;
use rustls::CipherSuite;
use rustls::crypto::CryptoProvider;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// How long a relay may take to let us in, before the leaf goes without.
const SETTLE_MAX: Duration = Duration::from_secs(10);

/// The bounds of a tab, which has less memory than a server.
pub(crate) const LIMITS: PeerLimits = PeerLimits {
    line_bytes_max: 1024,
    request_bytes_max: 64 << 20,
    requests_bytes_max: 128 << 20,
    reply_bytes_max: 256 << 20,
    connections_max: 32,
    streams_max: 8,
    requests_max: 8,
    silence_ms_max: 30_000,
};
pub(crate) const SILENCE_MAX: Duration = Duration::from_millis(LIMITS.silence_ms_max as u64);

/// An endpoint.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Node {
    shared: Rc<Shared>,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) endpoint: Endpoint,
    pub(crate) host: Host,
    /// Connections that were made here, by whom they are to.
    calls: RefCell<BTreeMap<EndpointId, Connection>>,
    /// Connections that others made.
    pub(crate) visits: RefCell<Vec<Connection>>,
    /// Bytes of requests that are on their way.
    pub(crate) held: Cell<usize>,
}

#[wasm_bindgen]
impl Node {
    /// An endpoint with the key that the 32 bytes of `seed` are, at these relays. Whoever calls is answered by
    /// `answer`, a function of one object `{kind, peer, ...}` that may give a promise.
    ///
    /// # Errors
    ///
    /// `{code, message}`.
    pub async fn open(seed: &[u8], relays: Vec<String>, answer: Function) -> Result<Node, JsValue> {
        let seed: [u8; 32] = seed
            .try_into()
            .map_err(|_| failure("internal", "a key has 32 bytes"))?;
        let relays = relays
            .iter()
            .map(|relay| relay_url(relay))
            .collect::<Result<Vec<_>, _>>()?;
        let endpoint = Endpoint::builder(presets::Minimal)
            .relay_mode(RelayMode::Custom(RelayMap::from_iter(relays)))
            .crypto_provider(Arc::new(ciphers()))
            .secret_key(SecretKey::from_bytes(&seed))
            .transport_config(leaf_iroh::transport())
            .alpns([XFER, JOIN].map(<[u8]>::to_vec).to_vec())
            .bind()
            .await
            .map_err(|error| failure("internal", &error.to_string()))?;
        let shared = Rc::new(Shared {
            endpoint,
            host: Host::new(answer),
            calls: RefCell::default(),
            visits: RefCell::default(),
            held: Cell::new(0),
        });
        spawn_local(door::open(Rc::clone(&shared)));
        Ok(Self { shared })
    }

    /// The key that others know it by.
    pub fn id(&self) -> String {
        self.shared.endpoint.id().to_string()
    }

    /// Goes by this relay, too, and waits until one is there. Resolves to whether one is.
    ///
    /// # Errors
    ///
    /// `{code, message}`, for no URL.
    #[wasm_bindgen(js_name = "addRelay")]
    pub async fn add_relay(&self, relay: String) -> Result<bool, JsValue> {
        let url = relay_url(&relay)?;
        self.shared.relay(url).await;
        Ok(timeout(SETTLE_MAX, self.shared.endpoint.online()).await.is_ok())
    }

    /// Where it can be reached: `iroh://ID?relay=URL`.
    pub fn url(&self) -> String {
        IrohUrl::of(&self.shared.endpoint.addr()).to_string()
    }

    /// Carries one round: takes `{url, contentType, body, stop, onBytes}` and resolves to `{contentType, body}`. `stop`
    /// is a promise that ends it early.
    ///
    /// # Errors
    ///
    /// `{code, message}`.
    pub async fn carry(&self, request: JsValue) -> Result<JsValue, JsValue> {
        let stop = field(&request, "stop").dyn_into::<Promise>();
        let stopped = async move {
            match stop {
                Ok(stop) => drop(JsFuture::from(stop).await),
                Err(_) => std::future::pending().await,
            }
            Err(failure("aborted", "given up; what has arrived is kept"))
        };
        self.shared.carry(&request).or(stopped).await
    }

    /// Shows a ticket at the leaf that made it. Resolves to `{url, project, capabilities, code}`.
    ///
    /// # Errors
    ///
    /// `{code, message}`.
    pub async fn join(&self, ticket: String, name: String) -> Result<JsValue, JsValue> {
        let ticket = Ticket::parse(&ticket).map_err(|bad| failure("badArguments", &bad.to_string()))?;
        let place = IrohUrl::of_ticket(&ticket).map_err(|bad| failure("badArguments", &bad.to_string()))?;
        if place.relays.is_empty() {
            return Err(failure(
                "badArguments",
                "the ticket names no relay, and a browser reaches a leaf by a relay alone: run leaf serve --iroh --relay, and invite anew",
            ));
        }
        let shared = &self.shared;
        shared.relays(&place).await;
        let connection = connect(&shared.endpoint, &place, JOIN).await;
        let connection = connection.map_err(|error| shared.unconnected(&error))?;
        let joined = leaf_iroh::join(&connection, shared.endpoint.id(), &ticket, &name).await;
        connection.close(LEAVING, b"");
        let joined = joined.map_err(|error| failed(&error))?;
        // A browser cannot go there directly.
        let place = IrohUrl {
            addresses: Vec::new(),
            ..place
        };
        Ok(object(&[
            ("url", place.to_string().into()),
            ("project", ticket.project.as_str().into()),
            ("capabilities", joined.capabilities.into()),
            ("code", joined.code.into()),
        ]))
    }

    /// A ticket for `project` with a secret of 16 bytes. Gives `{ticket, key}`: the repository keeps `key`.
    ///
    /// # Errors
    ///
    /// `{code, message}`.
    pub fn ticket(&self, project: &str, secret: &[u8]) -> Result<JsValue, JsValue> {
        let bad = |what: &str| failure("internal", what);
        let address = self.shared.endpoint.addr();
        let ticket = Ticket {
            endpoint: *address.id.as_bytes(),
            secret: secret.try_into().map_err(|_| bad("a secret has 16 bytes"))?,
            project: ProjectCode::parse(project.as_bytes()).map_err(|_| bad("no project code"))?,
            addresses: Vec::new(),
            relays: address.relay_urls().map(ToString::to_string).collect(),
        };
        if ticket.relays.is_empty() {
            return Err(failure(
                "network",
                "this leaf is at no relay, where others could reach it",
            ));
        }
        let key = SecretKey::from_bytes(&invite_seed(&ticket.secret)).public();
        Ok(object(&[
            ("ticket", ticket.write().into()),
            ("key", to_hex(key.as_bytes()).into()),
        ]))
    }

    /// Who is connected: `{id, path, rttMs, sent, received, isCaller}` each; units: milliseconds, bytes.
    pub fn connections(&self) -> Array {
        let (calls, visits) = (self.shared.calls.borrow(), self.shared.visits.borrow());
        let calls = calls.values().map(|connection| (connection, false));
        let all = calls.chain(visits.iter().map(|connection| (connection, true)));
        all.filter(|(connection, _)| connection.close_reason().is_none())
            .map(|(connection, is_caller)| state(connection, is_caller))
            .collect()
    }

    /// Ends all connections with `id`, which is on the list no more.
    pub fn forget(&self, id: &str) {
        let all = self.shared.visits.borrow();
        for connection in all.iter().filter(|visit| visit.remote_id().to_string() == id) {
            connection.close(REVOKED, b"taken off the list of peers");
        }
    }

    /// The network may be another now, as after a sleep.
    #[wasm_bindgen(js_name = "networkChanged")]
    pub async fn network_changed(&self) {
        self.shared.endpoint.network_change().await;
    }

    /// Takes leave of everybody.
    pub async fn close(&self) {
        self.shared.endpoint.close().await;
    }
}

impl Shared {
    async fn carry(&self, request: &JsValue) -> Result<JsValue, JsValue> {
        let url = text(request, "url").unwrap_or_default();
        let place = IrohUrl::parse(&url).map_err(|bad| failure("badArguments", &bad.to_string()))?;
        let content_type = text(request, "contentType").unwrap_or_default();
        let content_type = ContentType::parse(&content_type).unwrap_or(ContentType::Compressed);
        let body = Uint8Array::new(&field(request, "body")).to_vec();
        let told = field(request, "onBytes").dyn_into::<Function>().ok();
        let has_begun = Cell::new(false);
        let project = place.project.as_deref();
        let round = async |connection: &Connection| {
            let mut room = |bytes: usize| {
                has_begun.set(true);
                if let Some(told) = &told {
                    // A listener that throws harms nobody but itself.
                    told.call1(&JsValue::UNDEFINED, &JsValue::from(bytes)).ok();
                }
                true
            };
            let message = (content_type, body.as_slice());
            let carried = round(connection, project, message, &LIMITS, SILENCE_MAX, &mut room).await;
            carried.map_err(|error| {
                let error = judge(error, connection, self.endpoint.id());
                if error.is_transient() {
                    // The leaf may be another process by now, to which this connection means nothing.
                    connection.close(LEAVING, b"");
                }
                error
            })
        };
        let carried = match self.known(place.id) {
            None => round(&self.call(&place).await?).await,
            Some(connection) => match round(&connection).await {
                Err(error) if error.is_transient() && !has_begun.get() => {
                    round(&self.call(&place).await?).await
                }
                carried => carried,
            },
        };
        let (body, content_type) = carried.map_err(|error| failed(&error))?;
        Ok(object(&[
            ("contentType", content_type.as_str().into()),
            ("body", Uint8Array::from(body.as_slice()).into()),
        ]))
    }

    /// The connection that there is with `id`.
    fn known(&self, id: EndpointId) -> Option<Connection> {
        let known = self.calls.borrow().get(&id).cloned();
        known.filter(|connection| connection.close_reason().is_none())
    }

    /// A new connection to the leaf at `place`.
    async fn call(&self, place: &IrohUrl) -> Result<Connection, JsValue> {
        self.relays(place).await;
        let connection = connect(&self.endpoint, place, XFER).await;
        let connection = connection.map_err(|error| self.unconnected(&error))?;
        self.calls.borrow_mut().insert(place.id, connection.clone());
        Ok(connection)
    }

    /// Why there is no connection: a relay that lets nobody in who is not known to it says so, and the leaf behind it
    /// cannot be asked.
    fn unconnected(&self, error: &IrohError) -> JsValue {
        let relays = self.endpoint.home_relay_status().get();
        let denied = relays
            .iter()
            .find_map(|relay| relay.auth_denied_reason().map(|why| (relay.url(), why)));
        match denied {
            Some((url, why)) => failure(
                "denied",
                &format!(
                    "the relay {url} does not let this leaf in: {why}; a ticket that was used or has expired opens it no more, and its owner can: leaf peers allow {}",
                    self.endpoint.id()
                ),
            ),
            None => failed(error),
        }
    }

    async fn relays(&self, place: &IrohUrl) {
        for relay in &place.relays {
            self.relay(relay.clone()).await;
        }
    }

    async fn relay(&self, url: RelayUrl) {
        let config = Arc::new(RelayConfig::new(url.clone(), None));
        // It may be known already.
        drop(self.endpoint.insert_relay(url, config).await);
    }
}

/// Those of `ring`, the one first that is quick without help of the processor.
fn ciphers() -> CryptoProvider {
    let mut ring = rustls::crypto::ring::default_provider();
    ring.cipher_suites
        .sort_by_key(|cipher| cipher.suite() != CipherSuite::TLS13_CHACHA20_POLY1305_SHA256);
    ring
}

fn relay_url(text: &str) -> Result<RelayUrl, JsValue> {
    text.parse()
        .map_err(|_| failure("badArguments", &format!("{text} is no URL of a relay")))
}

fn state(connection: &Connection, is_caller: bool) -> JsValue {
    let stats = connection.stats();
    let paths = connection.paths();
    let path = paths.iter().find(iroh::endpoint::Path::is_selected);
    #[expect(clippy::cast_precision_loss, reason = "what a number of JavaScript holds")]
    object(&[
        ("id", connection.remote_id().to_string().into()),
        (
            "path",
            path.as_ref()
                .map_or("none", |path| if path.is_relay() { "relayed" } else { "direct" })
                .into(),
        ),
        (
            "rttMs",
            path.map_or(JsValue::NULL, |path| {
                JsValue::from_f64(path.rtt().as_secs_f64() * 1000.0)
            }),
        ),
        ("sent", JsValue::from_f64(stats.udp_tx.bytes as f64)),
        ("received", JsValue::from_f64(stats.udp_rx.bytes as f64)),
        ("isCaller", is_caller.into()),
    ])
}
