//! From an HTTP request to a connection of the relay, at the paths where iroh looks for one.
//!
//! Pages from elsewhere may use it, too: who they are they prove by their key, and no cookie counts here. So two tabs
//! meet at the relay of either's leaf.
//!
//! Source: iroh-relay 1.4 `http` and `server::http_server`; RFC 6455 section 1.9 for subprotocols.

use super::answer::{Answer, TEXT};
use super::websocket;
use crate::iroh::Relay;
use hyper::body::Incoming;
use hyper::{Request, StatusCode, header};
use iroh_relay::http::{ProtocolVersion, RELAY_PATH, RELAY_PROBE_PATH};

/// Whether a path is the relay's.
pub(super) fn is_wanted(path: &str) -> bool {
    matches!(path, RELAY_PATH | RELAY_PROBE_PATH)
}

/// Answers a request at one of its paths.
pub(super) fn answer(relay: &Relay, request: Request<Incoming>) -> Answer {
    if request.uri().path() == RELAY_PROBE_PATH {
        // Whoever measures how far it is to here wants nothing but an answer.
        return Answer::new(StatusCode::OK, TEXT, "");
    }
    if !websocket::is_wanted(&request) {
        return Answer::text(StatusCode::BAD_REQUEST, "the relay is reached by WebSocket");
    }
    let said = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let said = said.iter().filter_map(|line| line.to_str().ok());
    let known = said.flat_map(|line| line.split(','));
    let version = known.filter_map(|version| ProtocolVersion::match_from_str(version.trim()));
    let Some(version) = version.max() else {
        let known = ProtocolVersion::all_joined();
        return Answer::text(
            StatusCode::BAD_REQUEST,
            &format!("the relay speaks {known} alone"),
        );
    };
    let Some(seat) = relay.seat() else {
        return Answer::text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the relay is full; try again later",
        );
    };
    match websocket::open(request, relay.socket_config()) {
        Err(refusal) => *refusal,
        Ok((answer, socket)) => {
            let relay = relay.clone();
            tokio::spawn(async move { relay.take(socket, version, seat).await });
            answer.says(header::SEC_WEBSOCKET_PROTOCOL, version.to_str())
        }
    }
}
