//! Whoever calls: taken if it is welcome, answered by the script, each within its bounds.
//!
//! Source: threat list 3 to 8; `leaf-native/src/iroh/door.rs` is the same of a native leaf.

use crate::host::{field, text};
use crate::node::{LIMITS, SILENCE_MAX, Shared};
use iroh::EndpointId;
use iroh::endpoint::{Connection, Incoming, SendStream};
use js_sys::Uint8Array;
use leaf_core::id::{ProjectCode, to_hex};
use leaf_core::peer::{Answer, Ask, JOIN, JoinAnswer, short_code};
use leaf_core::xfer::ContentType;
use leaf_iroh::{LEAVING, NOT_LISTED, Source, Stop, TOO_MANY, give_up, reply, shown};
use n0_future::time::timeout;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

/// Time for a handshake, and for the script to say whether whoever calls is welcome.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Time for a stranger to show its ticket.
const JOIN_MAX: Duration = Duration::from_secs(30);

/// Takes connections until the endpoint is closed.
pub(crate) async fn open(shared: Rc<Shared>) {
    while let Some(incoming) = shared.endpoint.accept().await {
        spawn_local(take(Rc::clone(&shared), incoming));
    }
}

async fn take(shared: Rc<Shared>, incoming: Incoming) {
    let Ok(Ok(connection)) = timeout(HANDSHAKE_MAX, incoming.into_future()).await else {
        return;
    };
    let is_full = {
        let mut visits = shared.visits.borrow_mut();
        visits.retain(|visit| visit.close_reason().is_none());
        visits.push(connection.clone());
        visits.len() > LIMITS.connections_max
    };
    if is_full {
        return connection.close(TOO_MANY, b"too many connections");
    }
    let (peer, joins) = (connection.remote_id().to_string(), connection.alpn() == JOIN);
    let question = [
        ("kind", "welcome".into()),
        ("peer", peer.into()),
        ("joins", joins.into()),
    ];
    let is_welcome = timeout(HANDSHAKE_MAX, shared.host.ask(&question)).await;
    if !matches!(is_welcome, Ok(Ok(answer)) if answer.is_truthy()) {
        return connection.close(NOT_LISTED, b"not on the list of peers");
    }
    match joins {
        // Nobody stays at the door for tickets.
        true => drop(timeout(JOIN_MAX, stay(&shared, &connection)).await),
        false => stay(&shared, &connection).await,
    }
    connection.close(LEAVING, b"");
}

/// Answers the streams of a connection until it ends. There are as many at a time as the transport lets in.
async fn stay(shared: &Rc<Shared>, connection: &Connection) {
    while let Ok((send, receive)) = connection.accept_bi().await {
        let (shared, id) = (Rc::clone(shared), connection.remote_id());
        let joins = connection.alpn() == JOIN;
        spawn_local(async move {
            let source = Source::new(receive, SILENCE_MAX);
            match joins {
                true => join(&shared, id, send, source).await,
                false => leaf(&shared, id, send, source).await,
            }
        });
    }
}

/// The memory of one request.
struct Held<'a>(&'a Shared, usize);

impl Held<'_> {
    fn grow(&mut self, bytes: usize) -> bool {
        let held = self.0.held.get() + bytes.saturating_sub(self.1);
        if held > LIMITS.requests_bytes_max {
            return false;
        }
        self.0.held.set(held);
        self.1 = self.1.max(bytes);
        true
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.held.set(self.0.held.get().saturating_sub(self.1));
    }
}

/// A round with a leaf.
async fn leaf(shared: &Shared, id: EndpointId, send: SendStream, mut source: Source) {
    let round = async {
        let line = source.line(LIMITS.line_bytes_max).await?;
        let ask = Ask::parse(&line).map_err(|bad| Stop::Refused(bad.to_string()))?;
        if ask.bytes > LIMITS.request_bytes_max {
            return Err(Stop::Refused("the request is too large".to_owned()));
        }
        let mut held = Held(shared, 0);
        let body = source.body(ask.bytes, &mut |bytes| held.grow(bytes)).await?;
        sync(shared, id, ask.place, &body, ask.content_type).await
    };
    let (line, body) = match round.await {
        Ok((content_type, body)) => {
            let bytes = body.len();
            (Answer::Message { content_type, bytes }, body)
        }
        Err(Stop::Refused(why)) => (Answer::Refused(why), Vec::new()),
        Err(Stop::Gone(_)) => return give_up(send),
    };
    // Who takes no answer asks again.
    reply(send, &mut [line.write().into(), body.into()], SILENCE_MAX)
        .await
        .ok();
}

/// What the repository answers.
async fn sync(
    shared: &Shared,
    id: EndpointId,
    place: Option<String>,
    body: &[u8],
    content_type: ContentType,
) -> Result<(ContentType, Vec<u8>), Stop> {
    let question = [
        ("kind", "sync".into()),
        ("peer", id.to_string().into()),
        ("place", place.map_or(JsValue::NULL, JsValue::from)),
        ("contentType", content_type.as_str().into()),
        ("body", Uint8Array::from(body).into()),
    ];
    let answer = shared.host.ask(&question).await.map_err(Stop::Refused)?;
    let content_type = text(&answer, "contentType").and_then(|name| ContentType::parse(&name));
    let body = Uint8Array::new(&field(&answer, "body")).to_vec();
    Ok((content_type.unwrap_or(ContentType::Compressed), body))
}

/// One who comes with a ticket.
async fn join(shared: &Shared, id: EndpointId, send: SendStream, mut source: Source) {
    let answer = match source.line(LIMITS.line_bytes_max).await {
        Ok(line) => admit(shared, id, &line).await.unwrap_or_else(JoinAnswer::Refused),
        Err(_) => return give_up(send),
    };
    // Who takes no answer asks again, and hears that the ticket was used.
    reply(send, &mut [answer.write().into()], SILENCE_MAX).await.ok();
}

async fn admit(shared: &Shared, id: EndpointId, line: &[u8]) -> Result<JoinAnswer, String> {
    let own = shared.endpoint.id();
    let ask = shown(line, own, id)?;
    let question = [
        ("kind", "join".into()),
        ("peer", id.to_string().into()),
        ("invite", to_hex(&ask.invite).into()),
        ("name", ask.name.into()),
        (
            "code",
            short_code(own.as_bytes(), id.as_bytes(), &ask.invite).into(),
        ),
    ];
    let joined = shared.host.ask(&question).await?;
    let project = text(&joined, "project").unwrap_or_default();
    Ok(JoinAnswer::Joined {
        project: ProjectCode::parse(project.as_bytes()).map_err(|_| "internal error".to_owned())?,
        capabilities: text(&joined, "capabilities").unwrap_or_default(),
    })
}
