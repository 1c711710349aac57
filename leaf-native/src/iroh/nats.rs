//! A connection of the NATS broker that came by key.
//!
//! A peer may do there what its letters allow, with the subjects of the repositories whose lists it is on, as a user
//! of these repositories with the same letters may. Who links its broker with this one has to be an administrator: there is
//! no telling who is behind a link. What it may do to a repository is judged by each request.
//!
//! EdgeSync's own tunnel cannot open: its calling side waits for the greeting of a server that has not yet heard of the
//! stream. A node that says something first is joined as a leaf node.
//!
//! Source: NATS client protocol (docs.nats.io, reference/nats-protocol); EdgeSync `iroh-sidecar/src/tunnel.rs`.

use super::door::Doors;
use super::xfer::ended;
use iroh::EndpointId;
use iroh::endpoint::{RecvStream, SendStream};
use leaf_core::mesh::{MeshRights, PREFIX, Subjects};
use leaf_core::nats::broker::{Grant, Known, PeerKind};
use leaf_core::peer::NATS_PREAMBLE;
use leaf_core::repo::{Capabilities, Repo, RepoError};
use leaf_iroh::{Source, give_up};
use tokio::io::AsyncRead;

/// A client.
pub(super) async fn client(doors: &Doors, id: EndpointId, send: SendStream, receive: RecvStream) {
    let mut source = Source::new(receive, doors.silence_max());
    match source.byte().await {
        Ok(NATS_PREAMBLE) => attach(doors, id, send, source.into_stream(), PeerKind::Client).await,
        Ok(version) => tracing::info!(peer = %id, version, "speaks NATS by key in a way of its own"),
        Err(error) => ended(id, send, &error),
    }
}

/// Another server.
pub(super) async fn leafnode(doors: &Doors, id: EndpointId, send: SendStream, receive: RecvStream) {
    attach(doors, id, send, receive, PeerKind::Spoke).await;
}

async fn attach(
    doors: &Doors,
    id: EndpointId,
    send: SendStream,
    receive: impl AsyncRead + Send + Unpin + 'static,
    kind: PeerKind,
) {
    let grant = allowed(doors, id).await;
    let grant = grant.filter(|grant| kind == PeerKind::Client || grant.is_everything());
    let Some(grant) = grant else {
        tracing::info!(peer = %id, ?kind, "refused at the broker: its letters allow nothing there");
        return give_up(send);
    };
    let stream = Box::new(tokio::io::join(receive, send));
    let known = Known::Peer(Box::new(grant));
    doors.broker.attach(stream, kind, format!("iroh:{id}"), known);
}

/// What `id` may do at the broker; `None` for nothing.
async fn allowed(doors: &Doors, id: EndpointId) -> Option<Grant> {
    let mut rights = MeshRights::default();
    for (name, pool) in doors.guests.pools().await {
        let id = id.to_string();
        match pool.run(move |repo, _| in_project(repo, &id)).await {
            Ok(Ok((subjects, caps))) => rights.add(PREFIX, &subjects, caps),
            Ok(Err(error)) => tracing::error!(name, %error, "the rights of a peer cannot be read"),
            Err(_) => {}
        }
    }
    rights.grant(id.to_string())
}

fn in_project(repo: &Repo, id: &str) -> Result<(Subjects, Capabilities), RepoError> {
    let caps = match repo.guest(id)? {
        Some(guest) => repo.capabilities_of_guest(&guest)?,
        None => Capabilities::default(),
    };
    Ok((Subjects::new(PREFIX, &repo.project_code()?), caps))
}
