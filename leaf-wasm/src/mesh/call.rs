//! One sync over NATS: its rounds, each as one request or as several.

use super::link::{Link, Reply};
use crate::engine::Leaf;
use crate::failure::Failed;
use crate::host::{Carried, seed};
use crate::protocol::{Code, LeafState};
use leaf_core::limits::Limits;
use leaf_core::mesh::{Caller, Card, MeshError, Next, Subjects, Unplaced, is_peer, place};
use leaf_core::nats::client::NatsError;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::AbortSignal;

/// The asking side of a sync.
pub(crate) struct Call {
    link: Rc<Link>,
    caller: Caller,
}

impl Call {
    /// Calls whom `url` means; `None` when that is no NATS server.
    pub(crate) async fn to(leaf: &Leaf, url: &str, limits: &Limits) -> Result<Option<Self>, Failed> {
        let scheme = url.split(':').next().unwrap_or_default();
        if !matches!(scheme, "ws" | "wss" | "nats") {
            return Ok(None);
        }
        let link = leaf.links.borrow().iter().find(|link| link.is_at(url)).cloned();
        let link =
            link.ok_or_else(|| Failed::new(Code::Network, "there is no connection to NATS; connect first"))?;
        link.ready().await?;
        let own = leaf.with_any(|repo| Ok(repo.server_code()?))?;
        let (project, other) = match leaf.state() {
            LeafState::Ready => (leaf.read(|repo| Ok(repo.project_code()?))?, None),
            // Which project a clone is for is known from its first reply on.
            _ => {
                let cards = link.who().await?;
                let begun = leaf.with_any(|repo| Ok(repo.clone_source()?))?;
                place(
                    &cards,
                    url.split_once('#').map(|(_, name)| name),
                    begun.as_deref(),
                )
                .map_err(|why| unplaced(why, &cards))?
            }
        };
        let peer = url
            .strip_prefix(super::OWN)
            .filter(|peer| *peer != super::ANYBODY && is_peer(peer));
        let caller = Caller::new(
            Subjects::new(link.prefix(), &project),
            own.to_string(),
            peer.map(str::to_owned).or(other),
            limits.message_bytes_max,
            seed(),
        );
        Ok(Some(Self { link, caller }))
    }

    /// Carries one round. `on_bytes` hears how much of the reply is there.
    pub(crate) async fn carry(
        &mut self,
        message: Vec<u8>,
        signal: Option<&AbortSignal>,
        mut on_bytes: Box<dyn FnMut(f64)>,
    ) -> Result<Carried, Failed> {
        let payload_max = self.link.ready().await?;
        let mut ask = self.caller.ask(message, payload_max);
        let mut received = 0;
        loop {
            let slot = self.link.request(&ask);
            let reply = given_up(&slot, signal).await?;
            received += reply.as_ref().map_or(0, |arrival| arrival.body.len());
            #[expect(clippy::cast_precision_loss, reason = "a count of bytes")]
            on_bytes(received as f64);
            match self.caller.hear(reply)? {
                Next::Ask(next) => ask = next,
                Next::Done { body, content_type } => {
                    self.link.met(self.caller.peer());
                    return Ok(Carried { content_type, body });
                }
            }
        }
    }
}

/// Waits for a reply, unless the caller gives up before.
async fn given_up(
    slot: &Reply,
    signal: Option<&AbortSignal>,
) -> Result<Result<leaf_core::nats::client::Arrival, NatsError>, Failed> {
    let Some(signal) = signal else {
        return Ok(Link::reply(slot).await);
    };
    let end = slot.clone();
    let closure = Closure::<dyn Fn()>::new(move || end.fill(Err(NatsError::Away)));
    signal.set_onabort(Some(closure.as_ref().unchecked_ref()));
    let reply = Link::reply(slot).await;
    signal.set_onabort(None);
    match signal.aborted() {
        true => Err(Failed::new(Code::Aborted, "given up; what has arrived is kept")),
        false => Ok(reply),
    }
}

/// What is said where nobody can tell which project is meant.
fn unplaced(why: Unplaced, cards: &[Card]) -> Failed {
    match why {
        Unplaced::BadProject => Failed::new(Code::BadPeer, "a leaf there names a project that is none"),
        Unplaced::Nobody => Failed::new(
            Code::Network,
            "no leaf answers there; start one: leaf serve FILE --nats URL",
        ),
        Unplaced::Several | Unplaced::Unknown => {
            let mut names: Vec<&str> = cards.iter().map(|card| card.repository.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            names.truncate(10);
            let names = names.join(", ");
            Failed::new(
                Code::NotFound,
                format!("write the project behind the URL, as in wss://HOST/nats#NAME; there are: {names}"),
            )
        }
    }
}

impl From<MeshError> for Failed {
    fn from(error: MeshError) -> Self {
        let step = match error {
            MeshError::Nats(error) => return error.into(),
            MeshError::PeerTakesNoParts { .. } => "; raise max_payload of the NATS server, or sync by HTTP",
            MeshError::PeerFailed | MeshError::PeerSays(_) => "; look into the log of the leaf that answers",
            _ => "",
        };
        Self::new(Code::BadPeer, format!("{error}{step}"))
    }
}
