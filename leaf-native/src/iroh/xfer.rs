//! One round: a sync message comes, its answer goes.
//!
//! From a leaf with a line in front of each; from an EdgeSync node bare, compressed, with nothing to say why there is
//! no answer: its stream is reset then, where the reference would send an error page as if it were a message.
//!
//! Source: `leaf_core::peer`; EdgeSync `iroh-sidecar/src/acceptor.rs`.

use super::door::Doors;
use super::guests::Place;
use crate::world;
use bytes::Bytes;
use iroh::EndpointId;
use iroh::endpoint::{RecvStream, SendStream};
use leaf_core::id::ProjectCode;
use leaf_core::peer::{Answer, Ask, Here};
use leaf_core::repo::Repo;
use leaf_core::sync::{self, Reply, SeenLogins, ServeContext};
use leaf_core::xfer::ContentType;
use leaf_iroh::{IrohUrl, Source, Stop, WireError, give_up};
use std::sync::Arc;

/// A round with a leaf.
pub(super) async fn leaf(doors: &Doors, id: EndpointId, send: SendStream, receive: RecvStream) {
    let mut source = Source::new(receive, doors.silence_max());
    let (line, body) = match round(doors, id, &mut source).await {
        Ok(None) => return,
        Ok(Some(reply)) => {
            let line = Answer::Message {
                content_type: reply.content_type,
                bytes: reply.body.len(),
            };
            (line, reply.body)
        }
        Err(Stop::Refused(why)) => {
            tracing::info!(peer = %id, error = why, "request by key refused");
            (Answer::Refused(why), Vec::new())
        }
        Err(Stop::Gone(error)) => return ended(id, send, &error),
    };
    reply(doors, id, send, &mut [line.write().into(), body.into()]).await;
}

/// The answer; `None` to what needs none.
async fn round(doors: &Doors, id: EndpointId, source: &mut Source) -> Result<Option<Reply>, Stop> {
    let line = source.line(doors.limits.line_bytes_max).await?;
    if let Ok(here) = Here::parse(&line) {
        return note_where(doors, id, here).await.map(|()| None);
    }
    let ask = Ask::parse(&line).map_err(|bad| Stop::Refused(bad.to_string()))?;
    if ask.bytes > doors.limits.request_bytes_max {
        return Err(Stop::Refused("the request is too large".to_owned()));
    }
    let place = doors.guests.place(id, ask.place.as_deref()).await;
    let place = place.map_err(Stop::Refused)?;
    let mut held = doors.held();
    let body = source.body(ask.bytes, &mut |bytes| held.grow(bytes)).await?;
    work(doors, id, place, body, ask.content_type).await.map(Some)
}

/// Keeps where a peer can be called itself.
async fn note_where(doors: &Doors, id: EndpointId, here: Here) -> Result<(), Stop> {
    let place = doors.guests.place(id, here.place.as_deref()).await;
    let place = place.map_err(Stop::Refused)?;
    let url = IrohUrl::parse(&here.url).ok().filter(|url| url.id == id);
    let Some(url) = url else {
        return Err(Stop::Refused("that is no place of yours".to_owned()));
    };
    let (id, url) = (id.to_string(), url.to_string());
    let noted = place.pool.run(move |repo, _| match repo.guest(&id)? {
        Some(guest) if guest.place != url => repo.write(|tx| tx.note_guest_place(&id, &url, world::now())),
        _ => Ok(()),
    });
    if let Ok(Err(error)) = noted.await {
        tracing::warn!(name = place.name, %error, "the repository takes no note of where a peer is");
    }
    Ok(())
}

/// A round with an EdgeSync node.
pub(super) async fn edgesync(doors: &Doors, id: EndpointId, send: SendStream, receive: RecvStream) {
    let mut source = Source::new(receive, doors.silence_max());
    let mut held = doors.held();
    let round = async {
        let room = &mut |bytes| held.grow(bytes);
        let body = source.all(doors.limits.request_bytes_max, room).await?;
        let project = sync::project_of(&body, ContentType::Compressed, &doors.sync_limits);
        let wanted = project.as_ref().map(ProjectCode::as_str);
        let place = doors.guests.place(id, wanted).await.map_err(Stop::Refused)?;
        work(doors, id, place, body, ContentType::Compressed).await
    };
    match round.await {
        Ok(answer) => reply(doors, id, send, &mut [answer.body.into()]).await,
        Err(Stop::Refused(why)) => {
            tracing::info!(peer = %id, error = why, "request by key refused");
            give_up(send);
        }
        Err(Stop::Gone(error)) => ended(id, send, &error),
    }
}

/// What the repository answers.
async fn work(
    doors: &Doors,
    id: EndpointId,
    place: Place,
    body: Vec<u8>,
    content_type: ContentType,
) -> Result<Reply, Stop> {
    let internal = || Stop::Refused("internal error".to_owned());
    let _permit = Arc::clone(&doors.permits)
        .acquire_owned()
        .await
        .map_err(|_| internal())?;
    let now = world::now();
    let guest = place.guest.clone();
    let context = ServeContext {
        now,
        peer_address: format!("iroh:{id}"),
        guest: Some(place.guest),
        base_url: None,
        limits: doors.sync_limits,
    };
    let served = place.pool.serve(body, content_type, None, context).await;
    if guest.is_seen_again(now) {
        let note =
            move |repo: &mut Repo, _: &mut SeenLogins| repo.write(|tx| tx.note_guest_seen(&guest.id, now));
        // A list that is an hour behind is no reason to fail.
        place.pool.run(note).await.ok();
    }
    let reply = match served {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => {
            tracing::error!(%error, "sync failed");
            return Err(Stop::Refused(
                "the repository cannot be read or written".to_owned(),
            ));
        }
        Err(_) => return Err(internal()),
    };
    let served = &reply.served;
    tracing::info!(
        peer = %id,
        repository = place.name,
        bytes = reply.body.len(),
        user = served.user.as_deref().unwrap_or("nobody"),
        sent = served.sent + served.uv_sent,
        received = served.received + served.uv_received,
        error = served.error.as_deref().unwrap_or_default(),
        "request by key"
    );
    Ok(reply)
}

/// Writes an answer, as far as it is taken.
pub(super) async fn reply(doors: &Doors, id: EndpointId, send: SendStream, parts: &mut [Bytes]) {
    if let Err(error) = leaf_iroh::reply(send, parts, doors.silence_max()).await {
        tracing::debug!(peer = %id, %error, "an answer was not taken");
    }
}

pub(super) fn ended(id: EndpointId, send: SendStream, error: &WireError) {
    tracing::debug!(peer = %id, %error, "a round ended early");
    give_up(send);
}
