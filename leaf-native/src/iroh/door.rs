//! The door: connections are taken, each by the protocol it names, and each within its bounds.
//!
//! A peer that hangs holds up nobody: it has few connections, few streams, and what it may keep waiting is its own. A
//! permit to work is held while the repository works, not while the answer is taken.
//!
//! Source: iroh 1.4 `Endpoint::accept`; threat list 3 to 8.

use super::calls::Calls;
use super::guests::Guests;
use super::node::{Discovery, Node, NodeOptions};
use super::place::note_place;
use super::register::Register;
use super::relay::Relay;
use super::seats::Seats;
use super::{join, nats, xfer};
use crate::broker::Broker;
use crate::error::CliError;
use crate::serve::Repositories;
use iroh::endpoint::{Connection, Incoming, RecvStream, SendStream};
use iroh::{EndpointId, RelayUrl};
use leaf_core::limits::{Limits, PeerLimits};
use leaf_core::peer::{JOIN, NATS, NATS_LEAF_EDGESYNC, XFER, XFER_EDGESYNC};
use leaf_iroh::{IrohUrl, LEAVING, REVOKED, TOO_MANY};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, timeout};

/// Time for a handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Time for a stranger to show its ticket.
const JOIN_MAX: Duration = Duration::from_secs(30);
/// Time for one round, over a slow line.
const ROUND_MAX: Duration = Duration::from_mins(15);
/// Time that the other sides have to hear that it leaves.
const LEAVE_MAX: Duration = Duration::from_secs(3);
/// Time that rounds under way have to end once the program is told to.
const DRAIN_MAX: Duration = Duration::from_secs(30);
/// How often the list is asked whether a peer is still on it.
const LOOK: Duration = Duration::from_secs(5);
/// Connections of one peer at a time.
const OF_ONE_MAX: usize = 8;
/// Memory for requests is counted in pieces of this size.
const PIECE_BYTES: usize = 64 << 10;

/// What the door is told at its start.
#[derive(Clone, Debug)]
pub struct IrohServerOptions {
    /// The endpoint.
    pub node: NodeOptions,
    /// The relay of our own, if there is one, which has to answer already; the endpoint's relays are its names.
    pub relay: Option<Relay>,
    /// Bounds of what peers do.
    pub limits: PeerLimits,
    /// How often every peer is called whose place is known. Units: milliseconds.
    pub every_ms: i64,
}

/// An endpoint that others may call.
#[derive(Debug)]
pub struct IrohServer {
    node: Node,
    relay: Option<Relay>,
    place: IrohUrl,
    doors: Arc<Doors>,
    calls: Arc<Calls>,
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Doors {
    pub(super) own: EndpointId,
    pub(super) guests: Guests,
    pub(super) broker: Broker,
    pub(super) limits: PeerLimits,
    /// Bounds of the protocol.
    pub(super) sync_limits: Limits,
    /// Rounds that are worked on at a time.
    pub(super) permits: Arc<Semaphore>,
    /// Pieces of memory for requests that are on their way.
    pieces: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    open: Arc<Seats<EndpointId>>,
    register: Arc<Register>,
}

/// The memory of one request.
pub(super) struct Held {
    pieces: Arc<Semaphore>,
    permits: Vec<OwnedSemaphorePermit>,
    count: usize,
}

impl Held {
    /// Whether there is room for so many bytes in all.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.div_ceil(PIECE_BYTES).saturating_sub(self.count);
        let Ok(number) = u32::try_from(more) else {
            return false;
        };
        match Arc::clone(&self.pieces).try_acquire_many_owned(number) {
            Ok(permit) => {
                self.permits.push(permit);
                self.count += more;
                true
            }
            Err(_) => false,
        }
    }
}

impl Doors {
    pub(super) fn silence_max(&self) -> Duration {
        Duration::from_millis(self.limits.silence_ms_max.into())
    }

    pub(super) fn held(&self) -> Held {
        Held {
            pieces: Arc::clone(&self.pieces),
            permits: Vec::new(),
            count: 0,
        }
    }

    /// Answers one stream.
    async fn answer(
        self: Arc<Self>,
        protocol: Vec<u8>,
        id: EndpointId,
        send: SendStream,
        receive: RecvStream,
    ) {
        let round = async {
            match protocol.as_slice() {
                XFER => xfer::leaf(&self, id, send, receive).await,
                XFER_EDGESYNC => xfer::edgesync(&self, id, send, receive).await,
                NATS => nats::client(&self, id, send, receive).await,
                NATS_LEAF_EDGESYNC => nats::leafnode(&self, id, send, receive).await,
                _ => join::answer(&self, id, send, receive).await,
            }
        };
        if timeout(ROUND_MAX, round).await.is_err() {
            tracing::debug!(peer = %id, "a round took too long");
        }
    }
}

impl IrohServer {
    /// Opens the endpoint. Others may call from now on and are answered once
    /// [`run`](Self::run) runs.
    ///
    /// # Errors
    ///
    /// When an address is taken or no address.
    pub async fn open(
        options: IrohServerOptions,
        repositories: Arc<Repositories>,
        broker: Broker,
    ) -> Result<Self, CliError> {
        let (guests, limits) = (Guests::new(repositories), options.limits);
        let own = options.node.key.id();
        let protocols = [XFER, XFER_EDGESYNC, NATS, NATS_LEAF_EDGESYNC, JOIN];
        let protocols = protocols.map(<[u8]>::to_vec).to_vec();
        let node = Node::open_for(&options.node, guests.clone(), protocols).await?;
        let mut place = IrohUrl::of(&node.settled(&options.node).await);
        if options.relay.is_some() {
            // By whatever name it is called, it is the relay that this endpoint is connected to.
            place.relays.clone_from(&options.node.relays);
        }
        for (name, pool) in guests.pools().await {
            let place = place.clone();
            if !matches!(
                pool.run(move |repo, _| note_place(repo, &place)).await,
                Ok(Ok(()))
            ) {
                tracing::warn!(
                    name,
                    "the repository does not take note of where it is served: `leaf invite` needs that"
                );
            }
        }
        let doors = Doors {
            own,
            guests,
            broker,
            limits,
            sync_limits: Limits::default(),
            permits: Arc::new(Semaphore::new(limits.requests_max)),
            pieces: Arc::new(Semaphore::new(limits.requests_bytes_max.div_ceil(PIECE_BYTES))),
            connections: Arc::new(Semaphore::new(limits.connections_max)),
            open: Arc::new(Seats::new(OF_ONE_MAX)),
            register: Arc::default(),
        };
        let (endpoint, register) = (node.endpoint().clone(), Arc::clone(&doors.register));
        let finds = options.node.discovery != Discovery::None;
        let calls = Calls::new(endpoint, place.clone(), register, options.every_ms, finds);
        Ok(Self {
            node,
            relay: options.relay,
            place,
            doors: Arc::new(doors),
            calls: Arc::new(calls),
        })
    }

    /// Where it can be reached.
    pub fn place(&self) -> &IrohUrl {
        &self.place
    }

    /// Where its relay is, if it has one of its own.
    pub fn relay(&self) -> &[RelayUrl] {
        match self.relay {
            Some(_) => &self.place.relays,
            None => &[],
        }
    }

    /// Answers until `stopped` says so, then lets rounds under way end, for `DRAIN_MAX` at most.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut open = JoinSet::new();
        let relay = self.relay.clone();
        let doors = Arc::clone(&self.doors);
        let watching = async {
            let relay = async {
                match &relay {
                    Some(relay) => relay.watch().await,
                    None => std::future::pending().await,
                }
            };
            let calls = Arc::clone(&self.calls).run(&doors.guests);
            tokio::join!(relay, calls, doors.register.watch(&doors.guests));
        };
        tokio::pin!(watching);
        loop {
            let incoming = tokio::select! {
                () = &mut watching => None,
                incoming = self.node.endpoint().accept() => incoming,
                _ = async { stopped.wait_for(|stop| *stop).await.is_ok() } => None,
            };
            let Some(incoming) = incoming else { break };
            match Arc::clone(&self.doors.connections).try_acquire_owned() {
                Ok(permit) => {
                    let work = take(Arc::clone(&self.doors), incoming, stopped.clone());
                    open.spawn(async move {
                        work.await;
                        drop(permit);
                    });
                }
                Err(_) => incoming.refuse(),
            }
            while open.try_join_next().is_some() {}
        }
        let drained = async { while open.join_next().await.is_some() {} };
        if timeout(DRAIN_MAX, drained).await.is_err() {
            tracing::warn!("rounds of peers were still under way when time was up");
        }
        doors.register.note(&doors.guests).await;
        self.node.close(LEAVE_MAX).await;
        if let Some(relay) = &relay {
            relay.close().await;
        }
    }
}

/// Takes one connection; whose it is, the guests have asked once this returns from the handshake.
async fn take(doors: Arc<Doors>, incoming: Incoming, stopped: watch::Receiver<bool>) {
    let connection = match timeout(HANDSHAKE_MAX, incoming.into_future()).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return tracing::debug!(%error, "no connection"),
        Err(_) => return tracing::debug!("no handshake in time"),
    };
    let id = connection.remote_id();
    let Some(seat) = doors.open.seat(id) else {
        connection.close(TOO_MANY, b"too many connections");
        return;
    };
    tracing::debug!(peer = %id, "connected");
    match connection.alpn() == JOIN {
        true => {
            // Nobody stays at the door for tickets.
            timeout(JOIN_MAX, stay(&doors, &connection, stopped)).await.ok();
        }
        false => {
            let _entry = doors.register.enter(&connection);
            stay(&doors, &connection, stopped).await;
        }
    }
    connection.close(LEAVING, b"");
    drop(seat);
}

/// Answers the streams of a connection until it ends.
async fn stay(doors: &Arc<Doors>, connection: &Connection, mut stopped: watch::Receiver<bool>) {
    let (id, protocol) = (connection.remote_id(), connection.alpn().to_vec());
    let mut streams = JoinSet::new();
    // The handshake has just looked.
    let mut look = interval_at(Instant::now() + LOOK, LOOK);
    loop {
        tokio::select! {
            stream = connection.accept_bi() => match stream {
                Ok((send, receive)) => {
                    streams.spawn(Arc::clone(doors).answer(protocol.clone(), id, send, receive));
                }
                Err(_) => break,
            },
            _ = look.tick() => {
                if protocol != JOIN && doors.guests.places(id).await.is_empty() {
                    tracing::info!(peer = %id, "was revoked");
                    connection.close(REVOKED, b"taken off the list of peers");
                    break;
                }
            }
            _ = async { stopped.wait_for(|stop| *stop).await.is_ok() } => break,
        }
        while streams.try_join_next().is_some() {}
    }
    while streams.join_next().await.is_some() {}
}
