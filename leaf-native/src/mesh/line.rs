//! One NATS connection that outlives its streams: a task that moves bytes between a stream and a client machine.

use super::dial::{Door, Pipe};
use crate::world;
use futures_util::{SinkExt, StreamExt};
use leaf_core::mesh::Ask;
use leaf_core::nats::client::{Arrival, NatsClient, NatsError, NatsEvent};
use leaf_core::nats::op::Message;
use leaf_core::time::Timestamp;
use std::collections::HashMap;
use std::io;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

/// How long a server may take nothing of what is sent to it.
const WRITE_MAX: Duration = Duration::from_secs(10);
/// Messages that may wait for whoever subscribed; what comes then is dropped, and its sender asks again.
const WAITING_MAX: usize = 1024;
/// The longest sleep of the task.
const NAP_MAX: Duration = Duration::from_mins(1);

/// The way to a connection. It ends when the last of these is gone.
#[derive(Clone, Debug)]
pub struct Line {
    orders: mpsc::UnboundedSender<Order>,
    state: watch::Receiver<LineState>,
}

/// How a connection is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LineState {
    /// Messages can be published.
    pub is_ready: bool,
    /// What the server takes. Units: bytes of header and body.
    pub payload_max: usize,
    /// Why it ended last.
    pub lost: Option<NatsError>,
    /// How the system calls that.
    pub cause: Option<String>,
    /// The server cannot prove to be who it should be: waiting does not help.
    pub is_untrusted: bool,
}

/// Messages on a subject.
#[derive(Debug)]
pub struct Subscription {
    arrivals: mpsc::Receiver<Arrival>,
}

impl Subscription {
    /// The next one; `None` once the connection is given up.
    pub async fn next(&mut self) -> Option<Arrival> {
        self.arrivals.recv().await
    }
}

enum Order {
    Request(Ask, Timestamp, oneshot::Sender<Result<Arrival, NatsError>>),
    Publish {
        subject: String,
        reply: Option<String>,
        header: Vec<u8>,
        body: Vec<u8>,
    },
    Subscribe(String, Option<String>, mpsc::Sender<Arrival>),
    Close,
}

impl Line {
    /// Opens a connection, and opens it again whenever it ends. Call it inside of a runtime.
    pub fn open(door: Door) -> Self {
        let (orders, taken) = mpsc::unbounded_channel();
        let (say, state) = watch::channel(LineState::default());
        let client = NatsClient::new(
            door.connect(),
            door.signer(),
            door.limits(),
            world::seed(),
            world::now(),
        );
        tokio::spawn(
            Worker {
                door,
                client,
                orders: taken,
                say,
                requests: HashMap::new(),
                subscriptions: HashMap::new(),
            }
            .work(),
        );
        Self { orders, state }
    }

    /// Ends it, once what was published before is written.
    pub fn close(&self) {
        // It may have ended.
        self.orders.send(Order::Close).ok();
    }

    /// How it is now.
    pub fn state(&self) -> LineState {
        self.state.borrow().clone()
    }

    /// Waits for a change of it; `false` once there will be none.
    pub async fn changed(&mut self) -> bool {
        self.state.changed().await.is_ok()
    }

    /// Waits until messages can be published.
    ///
    /// # Errors
    ///
    /// Why they cannot: after `patience`, or at once when waiting will not help.
    pub async fn ready(&self, patience: Duration) -> Result<LineState, LineState> {
        let mut state = self.state.clone();
        let is_known = |state: &LineState| {
            let is_hopeless = state.lost.as_ref().is_some_and(NatsError::is_lasting);
            state.is_ready || is_hopeless || state.is_untrusted
        };
        let settled = timeout(patience, state.wait_for(is_known)).await;
        let settled = match settled {
            Ok(Ok(settled)) => settled.clone(),
            _ => self.state(),
        };
        match settled.is_ready {
            true => Ok(settled),
            false => Err(settled),
        }
    }

    /// Publishes a message and waits for its reply.
    ///
    /// # Errors
    ///
    /// [`NatsError`].
    pub async fn request(&self, ask: Ask, patience: Duration) -> Result<Arrival, NatsError> {
        let (reply, answer) = oneshot::channel();
        let patience = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
        let deadline = Timestamp(world::now().0.saturating_add(patience));
        self.orders
            .send(Order::Request(ask, deadline, reply))
            .map_err(|_| NatsError::Away)?;
        answer.await.unwrap_or(Err(NatsError::Away))
    }

    /// Publishes a message; while there is no connection it is lost.
    pub fn publish(&self, subject: &str, reply: Option<&str>, header: Vec<u8>, body: Vec<u8>) {
        let order = Order::Publish {
            subject: subject.to_owned(),
            reply: reply.map(str::to_owned),
            header,
            body,
        };
        // A connection that is given up publishes nothing.
        self.orders.send(order).ok();
    }

    /// Asks for a subject, until the result is dropped.
    pub fn subscribe(&self, subject: &str, queue: Option<&str>) -> Subscription {
        let (sender, arrivals) = mpsc::channel(WAITING_MAX);
        let order = Order::Subscribe(subject.to_owned(), queue.map(str::to_owned), sender);
        self.orders.send(order).ok();
        Subscription { arrivals }
    }
}

struct Worker {
    door: Door,
    client: NatsClient,
    orders: mpsc::UnboundedReceiver<Order>,
    say: watch::Sender<LineState>,
    requests: HashMap<u64, oneshot::Sender<Result<Arrival, NatsError>>>,
    subscriptions: HashMap<u64, mpsc::Sender<Arrival>>,
}

impl Worker {
    async fn work(mut self) {
        let mut pipe: Option<Pipe> = None;
        let mut is_closing = false;
        loop {
            if self.client.is_away() {
                pipe = None;
            }
            if pipe.is_none() && self.client.poll_dial().is_some_and(|due| due <= world::now()) {
                match self.door.open().await {
                    Ok(opened) => {
                        self.client.handle_connected(world::now());
                        pipe = Some(opened);
                    }
                    Err(error) => {
                        self.client.handle_disconnected(world::now());
                        self.tell(Some(&error));
                    }
                }
            }
            if let Some(bytes) = self.client.poll_transmit()
                && let Some(open) = &mut pipe
                && !matches!(timeout(WRITE_MAX, open.sink.send(bytes)).await, Ok(Ok(())))
            {
                self.client.handle_disconnected(world::now());
                pipe = None;
            }
            self.tell(None);
            if is_closing {
                return;
            }
            let due = [self.client.poll_timeout(), self.client.poll_dial()];
            let due = due.into_iter().flatten().min().map_or(NAP_MAX, until);
            let read = async {
                match &mut pipe {
                    Some(pipe) => pipe.source.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => {
                        is_closing |= self.obey(order);
                        // What is ordered at the same moment goes out in one write.
                        while let Ok(order) = self.orders.try_recv() {
                            is_closing |= self.obey(order);
                        }
                    }
                    None => return,
                },
                read = read => match read {
                    Some(Ok(bytes)) => self.client.handle_bytes(&bytes, world::now()),
                    Some(Err(_)) | None => self.client.handle_disconnected(world::now()),
                },
                () = sleep(due.min(NAP_MAX)) => self.client.handle_timeout(world::now()),
            }
        }
    }

    /// Does what is ordered; `true` means that it was the last.
    fn obey(&mut self, order: Order) -> bool {
        match order {
            Order::Close => return true,
            Order::Request(ask, deadline, reply) => {
                match self
                    .client
                    .request(ask.subject.as_bytes(), &ask.header, &ask.body, deadline)
                {
                    Ok(request) => drop(self.requests.insert(request, reply)),
                    Err(error) => drop(reply.send(Err(error))),
                }
            }
            Order::Publish {
                subject,
                reply,
                header,
                body,
            } => {
                let message = Message {
                    subject: subject.as_bytes(),
                    reply: reply.as_deref().map(str::as_bytes),
                    header_bytes: header.len(),
                    payload: &[header.as_slice(), &body].concat(),
                };
                if let Err(error) = self.client.publish(&message) {
                    tracing::debug!(%error, "not published");
                }
            }
            Order::Subscribe(subject, queue, sender) => {
                let sid = self
                    .client
                    .subscribe(subject.as_bytes(), queue.as_deref().map(str::as_bytes));
                self.subscriptions.insert(sid, sender);
            }
        }
        false
    }

    /// Hands out what came, and says how the connection is.
    fn tell(&mut self, cause: Option<&io::Error>) {
        let mut state = self.say.borrow().clone();
        while let Some(event) = self.client.poll_event() {
            match event {
                NatsEvent::Message(arrival) => self.deliver(arrival),
                NatsEvent::Reply { request, reply } => {
                    if let Some(waiting) = self.requests.remove(&request) {
                        // Whoever asked may be gone.
                        waiting.send(reply).ok();
                    }
                }
                NatsEvent::Lost(why) => {
                    (state.lost, state.cause) = (Some(why), cause.map(io::Error::to_string));
                    state.is_untrusted =
                        cause.is_some_and(|cause| cause.kind() == io::ErrorKind::InvalidData);
                }
                NatsEvent::Complaint(text) => {
                    tracing::warn!(server = self.door.name(), text, "the NATS server complains");
                }
                NatsEvent::Ready { .. } => {
                    (state.lost, state.cause, state.is_untrusted) = (None, None, false);
                }
                _ => {}
            }
        }
        state.is_ready = self.client.is_ready();
        state.payload_max = self.client.payload_max();
        self.say.send_if_modified(|known| {
            let is_new = *known != state;
            *known = state;
            is_new
        });
    }

    fn deliver(&mut self, arrival: Arrival) {
        let sid = arrival.sid;
        let Some(sender) = self.subscriptions.get(&sid) else {
            return;
        };
        match sender.try_send(arrival) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                tracing::warn!("more messages come than can be worked on: one is dropped");
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                self.subscriptions.remove(&sid);
                self.client.unsubscribe(sid);
            }
        }
    }
}

fn until(due: Timestamp) -> Duration {
    let left = due.0.saturating_sub(world::now().0);
    // A millisecond more: a deadline is met when it is over.
    Duration::from_millis(u64::try_from(left).unwrap_or_default().saturating_add(1))
}
