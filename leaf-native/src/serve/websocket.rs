//! From an HTTP request to a `WebSocket`: a connection of the NATS broker, at `/nats` or any other path that is not
//! the relay's.
//!
//! Whose page may do that is asked before, as for every request: a browser says `Origin`, and one from elsewhere
//! is refused unless it was allowed.
//!
//! Source: RFC 6455 section 4.2; `nats-server` takes a client at any path, a leaf node where it ends in `/leafnode`.

use super::answer::{Answer, TEXT};
use crate::broker::{Broker, Stream, WebSocket};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use leaf_core::nats::broker::PeerKind;
use std::net::{IpAddr, SocketAddr};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// By which a peer that is no browser offers to leave out the masks of its frames.
const NO_MASKING: HeaderName = HeaderName::from_static("nats-no-masking");
/// How the path of a leaf node ends.
const LEAFNODE: &str = "/leafnode";
/// One frame of a client; it may hold many messages.
const FRAME_BYTES_MAX: usize = 8 << 20;
/// What one read may bring. Each connection has a buffer of this size all the time: many pages have nothing to say.
const READ_BYTES: usize = 8 << 10;

/// Whether a request asks for a `WebSocket` of the broker.
pub(super) fn is_wanted(request: &Request<Incoming>) -> bool {
    request.method() == Method::GET && words(request.headers(), header::UPGRADE, "websocket")
}

/// Whether a header holds a word.
fn words(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|said| said.trim().eq_ignore_ascii_case(word))
}

/// Answers with the upgrade, and hands the connection to the broker once it is made.
pub(super) fn upgrade(
    broker: Option<&Broker>,
    request: Request<Incoming>,
    peer: SocketAddr,
    bound: IpAddr,
) -> Answer {
    let Some(broker) = broker else {
        return Answer::text(StatusCode::NOT_FOUND, "this server carries no NATS broker");
    };
    if !bound.is_loopback() && !broker.is_guarded() {
        return Answer::forbidden(
            "the NATS broker knows no users and this address can be reached from other machines: drop \
             `fossil-users = false` or name users or a token in the configuration (leaf serve --config)",
        );
    }
    let kind = match request.uri().path().ends_with(LEAFNODE) {
        true => PeerKind::Spoke,
        false => PeerKind::Client,
    };
    // Brokers that dial as leaf nodes save themselves the masks.
    let is_bare = words(request.headers(), NO_MASKING, "true");
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_frame_size(Some(FRAME_BYTES_MAX))
        .max_message_size(Some(FRAME_BYTES_MAX))
        .accept_unmasked_frames(is_bare);
    let (answer, socket) = match open(request, config) {
        Ok(opened) => opened,
        Err(refusal) => return *refusal,
    };
    let broker = broker.clone();
    tokio::spawn(async move {
        match socket.await {
            Ok(socket) => broker.attach_web(socket, kind, peer.to_string()),
            Err(error) => tracing::debug!(%peer, %error, "no WebSocket came of it"),
        }
    });
    match is_bare {
        true => answer.says(NO_MASKING, "true"),
        false => answer,
    }
}

/// The answer that opens a `WebSocket`, and the `WebSocket`, which is there once the answer was sent; else the refusal.
pub(super) fn open(
    request: Request<Incoming>,
    config: WebSocketConfig,
) -> Result<(Answer, impl Future<Output = hyper::Result<WebSocket>>), Box<Answer>> {
    let key = request
        .headers()
        .get(header::SEC_WEBSOCKET_KEY)
        .map(|key| derive_accept_key(key.as_bytes()));
    let is_known = request
        .headers()
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_some_and(|version| version == "13");
    let is_meant = words(request.headers(), header::CONNECTION, "upgrade");
    let (Some(key), true, true) = (key, is_known, is_meant) else {
        let refusal = Answer::text(
            StatusCode::BAD_REQUEST,
            "only WebSocket version 13 is spoken here",
        );
        return Err(Box::new(refusal.says(header::SEC_WEBSOCKET_VERSION, "13")));
    };
    let answer = Answer::new(StatusCode::SWITCHING_PROTOCOLS, TEXT, "")
        .says(header::CONNECTION, "Upgrade")
        .says(header::UPGRADE, "websocket")
        .says_of_itself(header::SEC_WEBSOCKET_ACCEPT, &key);
    let socket = async move {
        let stream: Box<dyn Stream> = Box::new(TokioIo::new(hyper::upgrade::on(request).await?));
        Ok(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await)
    };
    Ok((answer, socket))
}
