//! A client machine that commands wait at.

use crate::failure::Failed;
use crate::host::{now, seed, sleep};
use crate::protocol::{Code, Connect as Options};
use js_sys::Function;
use leaf_core::limits::NatsLimits;
use leaf_core::mesh::{Ask, Card, PREFIX, Subjects};
use leaf_core::nats::client::{Arrival, NatsClient, NatsError, NatsEvent};
use leaf_core::nats::info::Connect;
use leaf_core::nats::op::Message;
use leaf_core::time::Timestamp;
use std::cell::{Cell, RefCell, RefMut};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use wasm_bindgen::JsValue;

/// How long another leaf may take for one reply.
const REPLY_MS_MAX: i64 = 60_000;
/// How long a connection that ended is waited for.
const READY_MS_MAX: i64 = 20_000;
/// Between two looks whether an answer came to the question who is there. Units: milliseconds.
const WHO_MS: i32 = 50;
/// How many of them: before the first answer, and after the latest.
const WHO_LOOKS: (u32, u32) = (40, 6);

/// What somebody waits for.
#[derive(Debug)]
pub(super) struct Slot<T>(Rc<RefCell<(Option<T>, Option<Waker>)>>);

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Slot<T> {
    fn new() -> Self {
        Self(Rc::new(RefCell::new((None, None))))
    }

    /// Ends the wait.
    pub(super) fn fill(&self, value: T) {
        let mut slot = self.0.borrow_mut();
        slot.0 = Some(value);
        if let Some(waker) = slot.1.take() {
            waker.wake();
        }
    }

    async fn filled(&self) -> T {
        poll_fn(|context| {
            let mut slot = self.0.borrow_mut();
            match slot.0.take() {
                Some(value) => Poll::Ready(value),
                None => {
                    slot.1 = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// The reply to a request.
pub(super) type Reply = Slot<Result<Arrival, NatsError>>;

/// A connection.
pub(crate) struct Link {
    url: String,
    prefix: String,
    takes_part: bool,
    wake: Function,
    client: RefCell<NatsClient>,
    replies: RefCell<Vec<(u64, Reply)>>,
    /// Those who wait until it is ready, and until when.
    waiting: RefCell<Vec<(Timestamp, Slot<()>)>>,
    /// Why it ended last.
    lost: RefCell<Option<NatsError>>,
    /// Questions who is there, each with its answers so far.
    asked: RefCell<Vec<(u64, Vec<Arrival>)>>,
    /// Who answered last.
    peer: RefCell<Option<String>>,
    is_closed: Cell<bool>,
}

impl Link {
    pub(super) fn new(options: &Options, takes_part: bool, wake: Function) -> Self {
        let connect = Connect {
            user: options.user.clone(),
            pass: options.password.clone(),
            auth_token: options.token.clone(),
            name: "tab".to_owned(),
            // Nobody hears himself.
            echo: false,
            ..Connect::default()
        };
        Self {
            url: options.nats.clone(),
            prefix: options.prefix.clone().unwrap_or_else(|| PREFIX.to_owned()),
            takes_part,
            wake,
            client: RefCell::new(NatsClient::new(
                connect,
                None,
                NatsLimits::default(),
                seed(),
                now(),
            )),
            replies: RefCell::default(),
            waiting: RefCell::default(),
            lost: RefCell::default(),
            asked: RefCell::default(),
            peer: RefCell::default(),
            is_closed: Cell::new(false),
        }
    }

    /// Whether a command with this URL means it.
    pub(crate) fn is_at(&self, url: &str) -> bool {
        self.url == url || (self.takes_part && url.starts_with(super::OWN))
    }

    /// It is the one by which the leaf takes part.
    pub(crate) fn takes_part(&self) -> bool {
        self.takes_part
    }

    /// What subjects begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn client(&self) -> RefMut<'_, NatsClient> {
        self.client.borrow_mut()
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.client().is_ready()
    }

    /// Why it ended last, or `None` since it is there again.
    pub(super) fn lost(&self) -> Option<NatsError> {
        self.lost.borrow().clone()
    }

    /// Notes who answered.
    pub(super) fn met(&self, peer: Option<&str>) {
        self.peer.replace(peer.map(str::to_owned));
    }

    /// Who answered last.
    pub(super) fn peer(&self) -> Option<String> {
        self.peer.borrow().clone()
    }

    /// Publishes a message; while there is no connection it is lost.
    pub(super) fn publish(&self, subject: &str, reply: Option<&str>, body: &[u8]) -> Result<(), NatsError> {
        self.client().publish(&Message {
            subject: subject.as_bytes(),
            reply: reply.map(str::as_bytes),
            header_bytes: 0,
            payload: body,
        })?;
        self.wake();
        Ok(())
    }

    pub(super) fn subscribe(&self, subject: &str) -> u64 {
        self.client().subscribe(subject.as_bytes(), None)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(super) fn due(&self) -> Option<Timestamp> {
        let waiting = self.waiting.borrow().iter().map(|(until, _)| *until).min();
        self.client().poll_timeout().into_iter().chain(waiting).min()
    }

    pub(super) fn handle_timeout(&self, now: Timestamp) {
        self.client().handle_timeout(now);
        self.release(|until| until <= now);
    }

    /// Lets those go on who wait for a connection; they look whether there is one.
    fn release(&self, is_meant: impl Fn(Timestamp) -> bool) {
        self.waiting.borrow_mut().retain(|(until, slot)| {
            let stays = !is_meant(*until);
            if !stays {
                slot.fill(());
            }
            stays
        });
    }

    /// Hands replies out to those who wait for them; the rest is given back.
    pub(super) fn deliver(&self) -> Vec<Arrival> {
        let mut messages = Vec::new();
        let next = || self.client().poll_event();
        while let Some(event) = next() {
            match event {
                NatsEvent::Message(arrival) => {
                    let mut asked = self.asked.borrow_mut();
                    match asked.iter_mut().find(|(sid, _)| *sid == arrival.sid) {
                        Some((_, answers)) => answers.push(arrival),
                        None => messages.push(arrival),
                    }
                }
                NatsEvent::Reply { request, reply } => {
                    let mut replies = self.replies.borrow_mut();
                    let place = replies.iter().position(|(number, _)| *number == request);
                    if let Some(place) = place {
                        replies.swap_remove(place).1.fill(reply);
                    }
                }
                NatsEvent::Ready { .. } => {
                    self.lost.replace(None);
                    self.release(|_| true);
                }
                NatsEvent::Lost(why) => {
                    let is_hopeless = why.is_lasting();
                    self.lost.replace(Some(why));
                    self.release(|_| is_hopeless);
                }
                _ => {}
            }
        }
        messages
    }

    /// Tells the script that there is something to do.
    fn wake(&self) {
        // It throws nothing.
        drop(self.wake.call0(&JsValue::UNDEFINED));
    }

    /// Waits until messages can be published. Units of the result: bytes of one message.
    pub(super) async fn ready(&self) -> Result<usize, Failed> {
        if !self.is_ready()
            && !self.is_closed.get()
            && !self.lost().as_ref().is_some_and(NatsError::is_lasting)
        {
            let slot = Slot::new();
            let until = Timestamp(now().0 + READY_MS_MAX);
            self.waiting.borrow_mut().push((until, slot.clone()));
            self.wake();
            slot.filled().await;
        }
        match (self.is_ready(), self.lost()) {
            (true, _) => Ok(self.client().payload_max()),
            (false, why) => Err(why.unwrap_or(NatsError::Away).into()),
        }
    }

    /// Publishes a message; its reply comes into the result.
    pub(super) fn request(&self, ask: &Ask) -> Reply {
        let slot = Slot::new();
        let deadline = Timestamp(now().0 + REPLY_MS_MAX);
        let asked = self
            .client()
            .request(ask.subject.as_bytes(), &ask.header, &ask.body, deadline);
        match asked {
            Ok(request) => self.replies.borrow_mut().push((request, slot.clone())),
            Err(error) => slot.fill(Err(error)),
        }
        self.wake();
        slot
    }

    /// Waits for what comes into it.
    pub(super) async fn reply(slot: &Reply) -> Result<Arrival, NatsError> {
        slot.filled().await
    }

    /// Asks who is there, and waits a moment for those who are slow.
    pub(crate) async fn who(&self) -> Result<Vec<Card>, Failed> {
        let inbox = format!("_INBOX.{:016x}", seed());
        let sid = self.subscribe(&inbox);
        self.asked.borrow_mut().push((sid, Vec::new()));
        self.publish(&Subjects::who(&self.prefix), Some(&inbox), &[])?;
        let count = |asked: &[(u64, Vec<Arrival>)]| {
            let own = asked.iter().find(|(question, _)| *question == sid);
            own.map_or(0, |(_, answers)| answers.len())
        };
        let (mut looks, mut known) = (WHO_LOOKS.0, 0);
        while looks > 0 {
            sleep(WHO_MS).await;
            let answered = count(&self.asked.borrow());
            looks = match answered > known {
                true => WHO_LOOKS.1,
                false => looks - 1,
            };
            known = answered;
        }
        self.client().unsubscribe(sid);
        self.wake();
        let mut asked = self.asked.borrow_mut();
        let own = asked.iter().position(|(question, _)| *question == sid);
        let answers = own.map(|at| asked.swap_remove(at).1).unwrap_or_default();
        Ok(answers
            .iter()
            .filter_map(|answer| Card::read(&answer.body))
            .collect())
    }

    pub(super) fn close(&self) {
        self.is_closed.set(true);
        let lost = self.lost();
        self.client().handle_disconnected(now());
        self.deliver();
        self.lost.replace(lost);
        self.release(|_| true);
    }
}

impl From<NatsError> for Failed {
    fn from(error: NatsError) -> Self {
        let (code, step) = match &error {
            NatsError::Denied(_) => (Code::Denied, "check user, password or token of the NATS server"),
            NatsError::WrongPort | NatsError::PeerProtocol(_) => (
                Code::NotFossil,
                "check the URL: wss://HOST/nats where leaf serve runs",
            ),
            NatsError::NoResponders => (
                Code::Network,
                "no leaf there has this project now; one that has joins by leaf serve",
            ),
            NatsError::PayloadTooLarge { .. } => (Code::BadPeer, "raise max_payload of the NATS server"),
            _ => (Code::Network, "it is tried again by itself"),
        };
        Self::new(code, format!("{error}; {step}"))
    }
}
