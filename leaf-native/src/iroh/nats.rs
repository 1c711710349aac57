//! A connection of the NATS broker that came by key.
//!
//! A peer may do there what a client of the broker may that says as much of itself: it logs in as a user of the broker
//! or of a repository, or is `nobody`. What it may do to a repository is judged by each request, as whoever it logs in as there.
//!
//! EdgeSync's own tunnel cannot open: its calling side waits for the greeting of a server that has not yet heard of the
//! stream. A node that says something first is joined as a leaf node.
//!
//! Source: NATS client protocol (docs.nats.io, reference/nats-protocol); EdgeSync `iroh-sidecar/src/tunnel.rs`.

use super::door::Doors;
use super::wire::Source;
use super::xfer::give_up;
use iroh::EndpointId;
use iroh::endpoint::{RecvStream, SendStream};
use leaf_core::nats::broker::PeerKind;
use leaf_core::peer::NATS_PREAMBLE;

/// A client.
pub(super) async fn client(doors: &Doors, id: EndpointId, send: SendStream, receive: RecvStream) {
    let mut source = Source::new(receive, doors.silence_max());
    match source.byte().await {
        Ok(NATS_PREAMBLE) => attach(doors, id, send, source.into_stream(), PeerKind::Client),
        Ok(version) => tracing::info!(peer = %id, version, "speaks NATS by key in a way of its own"),
        Err(error) => give_up(id, send, &error),
    }
}

/// Another server.
pub(super) fn leafnode(doors: &Doors, id: EndpointId, send: SendStream, receive: RecvStream) {
    attach(doors, id, send, receive, PeerKind::Spoke);
}

fn attach(doors: &Doors, id: EndpointId, send: SendStream, receive: RecvStream, kind: PeerKind) {
    let stream = Box::new(tokio::io::join(receive, send));
    doors.broker.attach(stream, kind, format!("iroh:{id}"), None);
}
