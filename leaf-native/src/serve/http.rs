//! One HTTP request: what kind it is, whether it is allowed, what the repository answers.
//!
//! Sync messages are known by their content type, whatever the path; the path only selects the repository. A
//! reply always has a Content-Length and ends its connection, because stock clients wait for the socket to close.
//!
//! Source: Fossil `src/cgi.c`, `src/xfer.c` `page_xfer()`.

use super::answer::{Answer, TEXT};
use super::asset::{self, Asset};
use super::cors::{CorsRule, Granted};
use super::host::HostRule;
use super::monitor;
use super::page::page;
use super::peers;
use super::raw;
use super::relay;
use super::route::{Repositories, Routed};
use super::websocket;
use crate::broker::Broker;
use crate::iroh::Relay;
use crate::repo_pool::RepoPool;
use crate::world;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Method, Request, Response, StatusCode};
use leaf_core::Blame;
use leaf_core::limits::Limits;
use leaf_core::sync::{Reply, ServeContext, SyncError};
use leaf_core::xfer::ContentType;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a client may be silent while it sends its request, and how long it waits for a permit.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long what is left of a refused request is swallowed, so that the client reads the answer.
const DRAIN_MAX: Duration = Duration::from_secs(3);
/// Memory for request bodies is counted in pieces of this size.
const PIECE_BYTES: usize = 64 << 10;
/// The cookie in which newer clients log in.
const LOGIN_COOKIE: &str = "x-f-l-c";
/// Where a watchdog asks whether the server lives.
const HEALTH: &str = "/healthz";
/// Where a page asks which repositories there are.
const LIST: &str = "/leaf.json";
/// Where it asks which leaves may call by key.
const PEERS: &str = "/peers.json";
/// What may be asked for.
const METHODS: &str = "GET, HEAD, OPTIONS, POST";

/// What all requests share.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) repositories: Arc<Repositories>,
    /// The page for browsers, if it was built.
    pub(super) assets: &'static [Asset],
    /// Bytes of one request.
    pub(super) request_bytes_max: usize,
    /// Requests that are worked on, or whose replies are not yet taken, at a time.
    pub(super) permits: Arc<Semaphore>,
    /// Pieces of memory for the bodies of requests that are on their way.
    pub(super) body_pieces: Arc<Semaphore>,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
    /// Where clients reach this server, if it was told.
    pub(super) base_url: Option<String>,
    pub(super) host_rule: HostRule,
    pub(super) cors_rule: CorsRule,
    pub(super) limits: Limits,
    /// The leaf's own NATS broker.
    pub(super) broker: Option<Broker>,
    /// The relay for leaves that call by key.
    pub(super) relay: Option<Relay>,
}

/// What a request holds until its connection ends: its permit and the memory of its body.
pub(super) type Held = Arc<Mutex<Vec<OwnedSemaphorePermit>>>;

impl Service {
    /// How many request bodies' memory `bytes` allow.
    pub(super) fn pieces(bytes: usize) -> usize {
        bytes.div_ceil(PIECE_BYTES)
    }

    /// Answers one request that came to a socket bound to `bound`, and logs it. Whatever `held` takes is kept
    /// until the connection ends.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
        bound: IpAddr,
        held: Held,
    ) -> Response<Full<Bytes>> {
        let begin = Instant::now();
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let asked = request.headers().clone();
        let granted = self.admit(&request, bound);
        let answer = match &granted {
            Err(refusal) => {
                drain(&mut request.into_body()).await;
                Answer::forbidden(refusal)
            }
            Ok(granted) if method == Method::OPTIONS => options(*granted, &asked),
            Ok(_) if let Some(relay) = self.relay_at(&path) => relay::answer(relay, request),
            Ok(_) if websocket::is_wanted(&request) => {
                websocket::upgrade(self.broker.as_ref(), request, peer, bound)
            }
            Ok(_) => self.dispatch(request, &path, peer, &held).await,
        };
        let served = &answer.served;
        tracing::info!(
            peer = %peer.ip(),
            %method,
            path = shown(&path),
            status = answer.status.as_u16(),
            bytes = answer.body.len(),
            ms = begin.elapsed().as_millis(),
            user = served.user.as_deref().unwrap_or("nobody"),
            sent = served.sent + served.uv_sent,
            received = served.received + served.uv_received,
            error = served.error.as_deref().unwrap_or_default(),
            "request"
        );
        let mut response = Response::new(Full::new(answer.body.clone()));
        *response.status_mut() = answer.status;
        answer.write_headers(response.headers_mut());
        let granted = granted.unwrap_or(Granted::AtHome);
        granted.tell(&asked, response.headers_mut());
        response
    }

    /// What whoever sends `request` may do; else the refusal. Whether the server lives may be asked by any name.
    fn admit(&self, request: &Request<Incoming>, bound: IpAddr) -> Result<Granted, String> {
        if request.uri().path() != HEALTH {
            self.host_rule.check(request, bound)?;
        }
        match self.relay_at(request.uri().path()) {
            Some(_) => Ok(Granted::Any),
            None => self.cors_rule.check(request.headers(), self.scheme),
        }
    }

    /// The relay, if there is one at `path`.
    fn relay_at(&self, path: &str) -> Option<&Relay> {
        self.relay.as_ref().filter(|_| relay::is_wanted(path))
    }

    async fn dispatch(
        self: &Arc<Self>,
        request: Request<Incoming>,
        path: &str,
        peer: SocketAddr,
        held: &Held,
    ) -> Answer {
        match *request.method() {
            Method::GET | Method::HEAD => {
                let (head, _) = request.into_parts();
                match self.get(path, head.uri.query(), &head.headers, peer, held).await {
                    Ok(answer) | Err(answer) => answer,
                }
            }
            Method::POST => match self.post(request, path, peer, held).await {
                Ok(answer) | Err(answer) => answer,
            },
            _ => Answer::text(StatusCode::METHOD_NOT_ALLOWED, "GET or POST").says(header::ALLOW, METHODS),
        }
    }

    async fn get(
        self: &Arc<Self>,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
        peer: SocketAddr,
        held: &Held,
    ) -> Result<Answer, Answer> {
        match path {
            HEALTH => return Ok(self.health()),
            LIST => return Ok(self.list()),
            PEERS if self.is_home(peer) => return Ok(peers::answer(Arc::clone(&self.repositories)).await),
            PEERS => {
                return Err(Answer::forbidden(
                    "only the machine of the server is told who its peers are",
                ));
            }
            path if monitor::is_wanted(path) => return Ok(self.monitor(path, query, peer).await),
            _ => {}
        }
        if let Some(wanted) = raw::wanted(path) {
            return self.raw(wanted, query, headers, held).await;
        }
        let name = path.trim_matches('/');
        let is_place = || match self.repositories.names() {
            None => !name.contains('/'),
            Some(names) => name.is_empty() || names.iter().any(|known| known == name),
        };
        if let Some(answer) = asset::answer(self.assets, path, is_place, headers) {
            return Ok(answer);
        }
        if !self.assets.is_empty() {
            return Err(Answer::text(StatusCode::NOT_FOUND, "there is nothing here"));
        }
        let host = header_text(headers, header::HOST).unwrap_or("localhost");
        let page = page(self.scheme, host, self.repositories.names().as_deref());
        Ok(Answer::new(StatusCode::OK, "text/html; charset=utf-8", page))
    }

    fn health(&self) -> Answer {
        let repositories = self.repositories.names().map_or(1, |names| names.len());
        let health = serde_json::json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
            "repositories": repositories,
            "requests_free": self.permits.available_permits(),
        });
        Answer::new(StatusCode::OK, "application/json", format!("{health}\n"))
    }

    /// Whether this machine asks; behind another server nobody can tell.
    fn is_home(&self, peer: SocketAddr) -> bool {
        peer.ip().is_loopback() && self.base_url.is_none()
    }

    /// What goes on in the broker, for this machine alone.
    async fn monitor(&self, path: &str, query: Option<&str>, peer: SocketAddr) -> Answer {
        match &self.broker {
            Some(broker) if self.is_home(peer) => monitor::answer(broker, path, query).await,
            Some(_) => Answer::forbidden("only the machine of the server is told what goes on in its broker"),
            None => Answer::text(StatusCode::NOT_FOUND, "this server carries no NATS broker"),
        }
    }

    /// What a page must know to find its way: the repositories and their places.
    fn list(&self) -> Answer {
        let places = self.repositories.places().into_iter();
        let places = places.map(|(name, path)| serde_json::json!({ "name": name, "path": path }));
        let list = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "repositories": places.collect::<Vec<_>>(),
        });
        Answer::new(StatusCode::OK, "application/json", format!("{list}\n"))
    }

    async fn post(
        self: &Arc<Self>,
        request: Request<Incoming>,
        path: &str,
        peer: SocketAddr,
        held: &Held,
    ) -> Result<Answer, Answer> {
        let (head, mut body) = request.into_parts();
        let content_type = header_text(&head.headers, header::CONTENT_TYPE).and_then(ContentType::parse);
        let Some(content_type) = content_type else {
            drain(&mut body).await;
            return Err(Answer::text(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "only Fossil sync messages are taken here",
            ));
        };
        let pool = match self.find(path).await {
            Ok(pool) => pool,
            Err(answer) => {
                drain(&mut body).await;
                return Err(answer);
            }
        };
        let cookie = login_cookie(&head.headers);
        let context = self.context(&head.headers, path, peer);
        let body = self.read_body(&head.headers, body, held).await?;
        self.take_permit(held).await?;
        self.sync(&pool, body, content_type, cookie, context).await
    }

    /// The repository at `path`; opening one may touch the disk.
    pub(super) async fn find(self: &Arc<Self>, path: &str) -> Result<Arc<RepoPool>, Answer> {
        let (service, wanted) = (Arc::clone(self), path.to_owned());
        match tokio::task::spawn_blocking(move || service.repositories.route(&wanted)).await {
            Ok(Routed::Repository(pool)) => Ok(pool),
            Ok(Routed::Nowhere) => Err(Answer::text(
                StatusCode::NOT_FOUND,
                "no repository of that name is served here",
            )),
            Ok(Routed::Broken(error)) => {
                tracing::error!(
                    path = shown(path),
                    cause = error.lines().join(": "),
                    "repository cannot be opened"
                );
                Err(Answer::text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the repository cannot be opened",
                ))
            }
            Err(_) => Err(Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")),
        }
    }

    /// Reads the body as it comes, counting: what a header announces is not believed.
    async fn read_body(
        &self,
        headers: &HeaderMap,
        mut body: Incoming,
        held: &Held,
    ) -> Result<Vec<u8>, Answer> {
        let too_large = || Answer::text(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large");
        let announced =
            header_text(headers, header::CONTENT_LENGTH).and_then(|text| text.parse::<usize>().ok());
        if announced.is_some_and(|bytes| bytes > self.request_bytes_max) {
            drain(&mut body).await;
            return Err(too_large());
        }
        let mut message = Vec::new();
        let mut pieces = 0;
        loop {
            let frame = timeout(SILENCE_MAX, body.frame()).await;
            let frame =
                frame.map_err(|_| Answer::text(StatusCode::REQUEST_TIMEOUT, "the request does not go on"))?;
            let Some(frame) = frame else { return Ok(message) };
            let frame =
                frame.map_err(|_| Answer::text(StatusCode::BAD_REQUEST, "the request was cut off"))?;
            let Ok(data) = frame.into_data() else { continue };
            if message.len() + data.len() > self.request_bytes_max {
                drain(&mut body).await;
                return Err(too_large());
            }
            let wanted = Self::pieces(message.len() + data.len());
            if wanted > pieces {
                let more = u32::try_from(wanted - pieces).unwrap_or(u32::MAX);
                let Ok(permit) = Arc::clone(&self.body_pieces).try_acquire_many_owned(more) else {
                    drain(&mut body).await;
                    return Err(Answer::text(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "the server is busy; try again",
                    ));
                };
                hold(held, permit);
                pieces = wanted;
            }
            message.extend_from_slice(&data);
        }
    }

    pub(super) async fn take_permit(&self, held: &Held) -> Result<(), Answer> {
        match timeout(SILENCE_MAX, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => {
                hold(held, permit);
                Ok(())
            }
            _ => Err(Answer::text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the server is busy; try again",
            )),
        }
    }

    /// Where we are is what we were told, else what the client calls us; it alone is told that again.
    fn context(&self, headers: &HeaderMap, path: &str, peer: SocketAddr) -> ServeContext {
        let called = || {
            let path = path.strip_suffix("/xfer").unwrap_or(path).trim_end_matches('/');
            let host = header_text(headers, header::HOST)?;
            Some(format!("{}://{host}{path}", self.scheme))
        };
        ServeContext {
            now: world::now(),
            peer_address: peer.ip().to_string(),
            guest: None,
            base_url: self.base_url.clone().or_else(called),
            limits: self.limits,
        }
    }

    async fn sync(
        &self,
        pool: &RepoPool,
        body: Vec<u8>,
        content_type: ContentType,
        cookie: Option<String>,
        context: ServeContext,
    ) -> Result<Answer, Answer> {
        match pool.serve(body, content_type, cookie, context).await {
            Ok(Ok(Reply {
                body,
                content_type,
                served,
                ..
            })) => Ok(Answer {
                served,
                ..Answer::new(StatusCode::OK, content_type.as_str(), body)
            }),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")),
        }
    }
}

/// What may be done here, and what of it by pages from elsewhere.
fn options(granted: Granted, asked: &HeaderMap) -> Answer {
    let mut answer = Answer::new(StatusCode::NO_CONTENT, TEXT, "");
    answer.headers = granted.preflight(asked);
    answer.says(header::ALLOW, METHODS)
}

/// What a client is told of our own failure: who has to act, not where our files are.
fn failed(error: &SyncError) -> Answer {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let causes = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    tracing::error!(cause = causes, "sync failed");
    match error.blame() {
        Blame::Peer => Answer::text(StatusCode::BAD_REQUEST, &error.to_string()),
        Blame::Storage => Answer::text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the repository cannot be read or written",
        ),
        _ => Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
    }
}

/// Swallows what is left of a request that was refused.
async fn drain(body: &mut Incoming) {
    let swallow = async { while let Some(Ok(_)) = body.frame().await {} };
    // Whoever sends longer than that gets a reset instead of an answer.
    timeout(DRAIN_MAX, swallow).await.ok();
}

fn hold(held: &Held, permit: OwnedSemaphorePermit) {
    held.lock().unwrap_or_else(PoisonError::into_inner).push(permit);
}

fn header_text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The value of the login cookie, as it came.
fn login_cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let pairs = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .into_iter()
        .find(|(name, _)| *name == LOGIN_COOKIE)
        .map(|(_, value)| value.to_owned())
}

/// A path for the log: short.
fn shown(path: &str) -> String {
    path.chars().take(200).collect()
}
