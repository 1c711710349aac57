//! TCP sockets of the broker: one task for each, which reads; whoever has something for it writes.

use super::shared::{Dialled, Shared, Sink};
use super::stream;
use crate::world;
use leaf_core::nats::broker::{Close, ConnId, Known, NatsBroker, PeerKind, Visitor};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

/// What one read may bring. One buffer serves all sockets: an idle connection has none.
const READ_BYTES: usize = 64 << 10;
/// Reads in a row before the others have their turn.
const READS_MAX: usize = 8;
/// How long one who writes faster than others read has to wait before it is read again.
const STALL: Duration = Duration::from_millis(2);
/// How long the last words to a connection may take.
const LAST_WORDS_MAX: Duration = Duration::from_secs(2);

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

pub(super) async fn accept(
    shared: Rc<Shared>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    kind: PeerKind,
) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let shared = Rc::clone(&shared);
                let visitor = Visitor {
                    address: peer.to_string(),
                    nonce: world::nonce(),
                    known: Known::Stranger,
                    is_encrypted: tls.is_some(),
                };
                match tls.clone() {
                    None => tokio::task::spawn_local(async move {
                        serve(&shared, stream, kind, visitor, None).await;
                    }),
                    Some(tls) => {
                        tokio::task::spawn_local(stream::serve_encrypted(shared, stream, tls, kind, visitor))
                    }
                };
            }
            Err(error) => {
                // Out of file descriptors, most likely: they come back as connections end.
                tracing::warn!(%error, "cannot accept");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Serves a socket until it ends, and says why it did. `dialled` is of a broker that we dialled.
pub(super) async fn serve(
    shared: &Rc<Shared>,
    stream: TcpStream,
    kind: PeerKind,
    visitor: Visitor,
    dialled: Option<Dialled>,
) -> Close {
    // Whatever is written is a whole batch of messages.
    stream.set_nodelay(true).ok();
    let socket = Rc::new(stream);
    let wake = Rc::new(Notify::new());
    let (connect, greeting) = dialled.map(|dialled| (dialled.connect, dialled.greeting)).unzip();
    let id = shared
        .machine
        .borrow_mut()
        .connect(kind, visitor, connect, world::now());
    shared.add(
        id,
        Sink {
            socket: Some(Rc::clone(&socket)),
            wake: Rc::clone(&wake),
        },
    );
    shared.hear(id, &greeting.unwrap_or_default());
    let mut stuck = Stuck::default();
    loop {
        let (is_blocked, is_closed) = {
            let machine = shared.machine.borrow();
            stuck.look(&machine, id);
            (!machine.transmit(id).is_empty(), machine.closed(id).is_some())
        };
        if is_closed {
            if is_blocked && !shared.write(id, &socket) {
                timeout(LAST_WORDS_MAX, async {
                    while !shared.write(id, &socket) && socket.writable().await.is_ok() {}
                })
                .await
                .ok();
            }
            break;
        }
        let interest = match is_blocked {
            true => Interest::READABLE | Interest::WRITABLE,
            false => Interest::READABLE,
        };
        let ready = tokio::select! {
            ready = socket.ready(interest) => ready,
            () = wake.notified() => continue,
            () = stuck.too_long() => {
                shared.machine.borrow_mut().end(id, Close::Slow);
                continue;
            }
        };
        let Ok(ready) = ready else { break };
        if ready.is_writable() {
            shared.write(id, &socket);
        }
        if ready.is_readable() || ready.is_read_closed() {
            match read(shared, id, &socket) {
                Read::Ended => break,
                Read::Pressed => sleep(STALL).await,
                Read::Again => tokio::task::yield_now().await,
                Read::Dry => {}
            }
        }
    }
    let why = shared.machine.borrow().closed(id).cloned();
    shared.remove(id);
    why.unwrap_or(Close::Gone)
}

/// Since when a socket takes nothing, and how long it may.
#[derive(Default)]
struct Stuck {
    written: u64,
    until: Option<Instant>,
}

impl Stuck {
    fn look(&mut self, machine: &NatsBroker, id: ConnId) {
        let written = machine.written(id);
        if machine.transmit(id).is_empty() {
            self.until = None;
        } else if self.until.is_none() || written != self.written {
            let ms = u64::try_from(machine.limits().write_ms_max).unwrap_or_default();
            self.until = Some(Instant::now() + Duration::from_millis(ms));
        }
        self.written = written;
    }

    async fn too_long(&self) {
        match self.until {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
    }
}

enum Read {
    Again,
    Dry,
    Ended,
    Pressed,
}

/// Reads what is there and hands it over; who gets something is written to once for each read.
fn read(shared: &Shared, id: ConnId, socket: &TcpStream) -> Read {
    BUFFER.with_borrow_mut(|buffer| {
        for _ in 0..READS_MAX {
            let count = match socket.try_read(buffer) {
                Ok(0) => return Read::Ended,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::Dry,
                Err(_) => return Read::Ended,
            };
            let is_pressed = shared.hear(id, buffer.get(..count).unwrap_or_default());
            if is_pressed {
                return Read::Pressed;
            }
            if count < READ_BYTES {
                return Read::Dry;
            }
        }
        Read::Again
    })
}
