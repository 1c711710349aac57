//! The NATS mesh in a tab: a connection whose bytes the worker's script moves, and syncs that go over it.
//!
//! ```text
//!   command::drive ── Call ──▶ Link ◀── Mesh ◀── bytes, timers ── npm/src/mesh.ts ── WebSocket
//!                     rounds   NatsClient  Pace
//! ```
//!
//! A [`Mesh`] is either made for one command whose URL is a NATS server, or takes part: it hears what is new
//! elsewhere, says when to fetch it and from whom, and announces what it sent to a leaf as that leaf's. Unlike a native
//! leaf it answers no sync: a tab comes and goes. It does say that it is there.

mod call;
mod link;

pub(crate) use call::Call;
pub(crate) use link::Link;

use crate::command::DEFAULT_USER;
use crate::engine::{Engine, Leaf, to_js};
use crate::failure::Failed;
use crate::host::{now, seed};
use crate::protocol::{Code, Connect, MeshState, MeshStatus};
use js_sys::Function;
use leaf_core::id::ArtifactHash;
use leaf_core::mesh::{Card, Hint, PREFIX, Pace, Subjects, Whom};
use leaf_core::nats::client::{Arrival, NatsError};
use leaf_core::time::Timestamp;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// How often everybody is asked when nothing was announced. Units: milliseconds.
const EVERY_MS: i64 = 60_000;
/// How URLs begin that mean the mesh that the leaf takes part in: `nats:PEER`, or whoever answers.
pub(crate) const OWN: &str = "nats:";
/// Whoever answers.
const ANYBODY: &str = "anybody";

/// A connection, for the script that moves its bytes.
///
/// After each call here, and whenever `wake` was called, there may be something to transmit, another deadline,
/// another status, and something to fetch.
#[wasm_bindgen]
pub struct Mesh {
    leaf: Rc<Leaf>,
    link: Rc<Link>,
    member: Option<RefCell<Member>>,
}

/// What a leaf needs that takes part.
struct Member {
    own: String,
    subjects: Subjects,
    news: u64,
    who: u64,
    pace: Pace,
    asked: Option<Whom>,
    was_ready: bool,
}

#[wasm_bindgen]
impl Engine {
    /// A connection to be made: for commands that name `options.nats` as their URL, or to take part.
    ///
    /// # Errors
    ///
    /// A failure as `Failure` says.
    pub fn mesh(&self, options: JsValue, takes_part: bool, wake: Function) -> Result<Mesh, JsValue> {
        let options: Connect = serde_wasm_bindgen::from_value(options)
            .map_err(|error| Failed::new(Code::BadArguments, error.to_string()).into_js())?;
        Mesh::new(self.leaf(), &options, takes_part, wake).map_err(Failed::into_js)
    }
}

impl Mesh {
    fn new(leaf: Rc<Leaf>, options: &Connect, takes_part: bool, wake: Function) -> Result<Self, Failed> {
        let link = Rc::new(Link::new(options, takes_part, wake));
        let member = match takes_part {
            false => None,
            true => {
                let (project, own) = leaf.read(|repo| Ok((repo.project_code()?, repo.server_code()?)))?;
                let prefix = options.prefix.as_deref().unwrap_or(PREFIX);
                let subjects = Subjects::new(prefix, &project);
                Some(RefCell::new(Member {
                    own: own.to_string(),
                    news: link.subscribe(&subjects.commit()),
                    who: link.subscribe(&Subjects::who(prefix)),
                    subjects,
                    // A tab does one sync at a time.
                    pace: Pace::new(EVERY_MS, 1, seed(), now()),
                    asked: None,
                    was_ready: false,
                }))
            }
        };
        leaf.links.borrow_mut().push(Rc::clone(&link));
        Ok(Self { leaf, link, member })
    }

    /// Hands out what came.
    fn deliver(&self) {
        let messages = self.link.deliver();
        let Some(member) = &self.member else { return };
        let mut member = member.borrow_mut();
        for message in messages {
            match message.sid == member.who {
                true => self.tell(&member, &message),
                false => self.hear(&mut member, &message),
            }
        }
        let is_ready = self.link.is_ready();
        if is_ready && !member.was_ready {
            member.pace.hurry(now());
        }
        member.was_ready = is_ready;
    }

    /// Says who this is.
    fn tell(&self, member: &Member, question: &Arrival) {
        let reply = question.reply.as_deref().map(std::str::from_utf8);
        let name = self.leaf.read(|repo| {
            let name = repo.config("project-name")?;
            Ok((
                name.unwrap_or_default(),
                repo.config(DEFAULT_USER)?.unwrap_or_default(),
            ))
        });
        if let (Some(Ok(reply)), Ok((project_name, user))) = (reply, name) {
            let card = Card {
                peer_id: member.own.clone(),
                project_code: member.subjects.project().to_owned(),
                project_name,
                leaf: user,
                kind: Card::TAB.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                ..Card::default()
            };
            // One that cannot be sent is one that nobody waits for.
            self.link.publish(reply, None, &card.write()).ok();
        }
    }

    /// Somebody has something new. What is here already is no reason to ask.
    fn hear(&self, member: &mut Member, message: &Arrival) {
        let Some(hint) =
            Hint::read(&message.body).filter(|hint| message.sid == member.news && hint.peer_id != member.own)
        else {
            return;
        };
        if self
            .leaf
            .read(|repo| Ok(hint.is_known(repo)?))
            .is_ok_and(|is_known| !is_known)
        {
            member.pace.want(&hint.peer_id, now());
        }
    }
}

#[wasm_bindgen]
impl Mesh {
    /// When to open a stream; `undefined` while there is one.
    #[wasm_bindgen(js_name = dialDue)]
    pub fn dial_due(&self) -> Option<f64> {
        self.link.client().poll_dial().map(ms)
    }

    /// Whether the stream is to be closed.
    #[wasm_bindgen(js_name = isAway)]
    pub fn is_away(&self) -> bool {
        self.link.client().is_away()
    }

    /// A stream is open.
    #[wasm_bindgen(js_name = handleConnected)]
    pub fn handle_connected(&self) {
        self.link.client().handle_connected(now());
    }

    /// The stream is gone, or could not be opened.
    #[wasm_bindgen(js_name = handleDisconnected)]
    pub fn handle_disconnected(&self) {
        self.link.client().handle_disconnected(now());
        self.deliver();
    }

    /// Takes what the stream gave.
    #[wasm_bindgen(js_name = handleBytes)]
    pub fn handle_bytes(&self, bytes: &[u8]) {
        self.link.client().handle_bytes(bytes, now());
        self.deliver();
    }

    /// Takes what is to be written to the stream.
    pub fn transmit(&self) -> Option<Vec<u8>> {
        self.link.client().poll_transmit()
    }

    /// When to call [`handleTimeout`](Self::handle_timeout).
    pub fn due(&self) -> Option<f64> {
        let member = self.member.as_ref().filter(|_| self.link.is_ready());
        let pace = member.and_then(|member| member.borrow().pace.due(now()));
        self.link.due().into_iter().chain(pace).min().map(ms)
    }

    /// Acts on deadlines.
    #[wasm_bindgen(js_name = handleTimeout)]
    pub fn handle_timeout(&self) {
        self.link.handle_timeout(now());
        self.deliver();
    }

    /// Somebody knows that the network is back, or that time has passed unseen: a connection that is away is made
    /// at once, and one that is there has to give a sign of life.
    pub fn probe(&self) {
        let mut client = self.link.client();
        client.dial_now(now());
        client.probe(now());
    }

    /// How it is, as `MeshStatus` says.
    pub fn status(&self) -> JsValue {
        let status = match (self.link.is_ready(), self.link.lost()) {
            (true, _) => MeshStatus {
                state: MeshState::Ready,
                error: None,
            },
            (false, None) => MeshStatus {
                state: MeshState::Connecting,
                error: None,
            },
            (false, Some(why)) => MeshStatus {
                state: match why {
                    NatsError::Denied(_) => MeshState::Denied,
                    _ => MeshState::Away,
                },
                error: Some(Failed::from(why).0),
            },
        };
        to_js(&status).unwrap_or_default()
    }

    /// The URL to fetch from now, if any; [`fetched`](Self::fetched) must follow.
    pub fn begin(&self) -> Option<String> {
        let member = self.member.as_ref().filter(|_| self.link.is_ready())?;
        let mut member = member.borrow_mut();
        let whom = member.pace.begin(now())?;
        let url = match &whom {
            Whom::Anybody => format!("{OWN}{ANYBODY}"),
            Whom::Peer(peer) => format!("{OWN}{peer}"),
        };
        member.asked = Some(whom);
        Some(url)
    }

    /// It was fetched, or not.
    pub fn fetched(&self, is_good: bool) {
        let Some(member) = &self.member else { return };
        let mut member = member.borrow_mut();
        if let Some(whom) = member.asked.take() {
            member.pace.done(&whom, is_good, now());
        }
    }

    /// Says that whoever answered last has this artifact now, for it was sent there: others need not wait until it
    /// is noticed. What is private is not spoken of.
    pub fn announce(&self, hash: &str) {
        let (Some(member), Some(peer), Ok(hash)) = (
            &self.member,
            self.link.peer(),
            ArtifactHash::parse(hash.as_bytes()),
        ) else {
            return;
        };
        let public = self.leaf.read(|repo| match repo.rid_of(&hash)? {
            Some(rid) if !repo.is_private(rid)? => Ok(Some(rid)),
            _ => Ok(None),
        });
        if let Ok(Some(rid)) = public {
            let hint = Hint {
                rid: rid.0,
                uuid: hash.to_string(),
                peer_id: peer,
            };
            // One that is lost costs a moment.
            let subject = member.borrow().subjects.commit();
            drop(self.link.publish(&subject, None, &hint.write()));
        }
    }

    /// Ends it: whoever waits for something of it fails.
    pub fn close(&self) {
        self.link.close();
        self.leaf
            .links
            .borrow_mut()
            .retain(|link| !Rc::ptr_eq(link, &self.link));
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
fn ms(time: Timestamp) -> f64 {
    time.0 as f64
}
