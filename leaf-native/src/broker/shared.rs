//! What the connections of a broker share: the machine, and the way to each one's writer.

use super::gate::{Accounts, Doorkeeper};
use crate::world;
use leaf_core::limits::NatsLimits;
use leaf_core::nats::broker::{BrokerConfig, BrokerEvent, Close, ConnId, NatsBroker};
use leaf_core::nats::info::Connect;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// How a connection is written to.
pub(super) struct Sink {
    /// A socket is written at once, by whoever has something for it: no task has to wake up.
    pub(super) socket: Option<Rc<TcpStream>>,
    /// Else, or when a socket takes no more, its own task writes.
    pub(super) wake: Rc<Notify>,
}

/// What is particular to a connection that we made.
pub(super) struct Dialled {
    /// What the other broker is told of us.
    pub(super) connect: Connect,
    /// What it said already.
    pub(super) greeting: Vec<u8>,
}

pub(super) struct Shared {
    pub(super) machine: RefCell<NatsBroker>,
    sinks: RefCell<HashMap<ConnId, Sink>>,
}

impl Shared {
    pub(super) fn new(config: BrokerConfig, limits: NatsLimits, accounts: Accounts) -> Self {
        Self {
            machine: RefCell::new(NatsBroker::new(
                config,
                limits,
                Box::new(Doorkeeper::new(accounts)),
            )),
            sinks: RefCell::new(HashMap::new()),
        }
    }

    pub(super) fn add(&self, id: ConnId, sink: Sink) {
        self.sinks.borrow_mut().insert(id, sink);
        self.flush();
    }

    /// Hands over what a connection said, and says whether its sender has to wait.
    pub(super) fn hear(&self, id: ConnId, bytes: &[u8]) -> bool {
        let is_pressed = {
            let mut machine = self.machine.borrow_mut();
            machine.handle_bytes(id, bytes, world::now());
            machine.is_pressed()
        };
        self.flush();
        is_pressed
    }

    pub(super) fn remove(&self, id: ConnId) {
        self.sinks.borrow_mut().remove(&id);
        self.machine.borrow_mut().disconnect(id);
        self.flush();
    }

    /// Writes what the machine has ready, as far as the sockets take it.
    pub(super) fn flush(&self) {
        let mut machine = self.machine.borrow_mut();
        let sinks = self.sinks.borrow();
        while let Some(id) = machine.poll_dirty() {
            let Some(sink) = sinks.get(&id) else { continue };
            let is_done = sink
                .socket
                .as_ref()
                .is_some_and(|socket| write_some(&mut machine, id, socket));
            if !is_done || machine.closed(id).is_some() {
                sink.wake.notify_one();
            }
        }
        while let Some(event) = machine.poll_event() {
            log(&event);
        }
    }

    /// Writes to one socket and says whether nothing is left.
    pub(super) fn write(&self, id: ConnId, socket: &TcpStream) -> bool {
        write_some(&mut self.machine.borrow_mut(), id, socket)
    }
}

fn write_some(machine: &mut NatsBroker, id: ConnId, socket: &TcpStream) -> bool {
    loop {
        let bytes = machine.transmit(id);
        if bytes.is_empty() {
            return true;
        }
        match socket.try_write(bytes) {
            Ok(count) => machine.sent(id, count),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return false,
            Err(_) => {
                machine.end(id, Close::Gone);
                return false;
            }
        }
    }
}

fn log(event: &BrokerEvent) {
    match event {
        BrokerEvent::Opened { id, peer: Some(peer) } => tracing::info!(id = id.number(), peer, "link open"),
        BrokerEvent::Closed {
            why: Close::Gone | Close::Shutdown,
            ..
        } => {}
        BrokerEvent::Closed { id, why } => tracing::info!(id = id.number(), %why, "connection ended"),
        _ => {}
    }
}
