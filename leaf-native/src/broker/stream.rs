//! Connections that are no sockets of the broker: read, handed over, and written by one task.

use super::Stream;
use super::shared::{Shared, Sink};
use crate::world;
use leaf_core::nats::broker::{PeerKind, Visitor};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::sleep;

/// What one read may bring.
const READ_BYTES: usize = 16 << 10;
/// What one write takes.
const WRITE_BYTES: usize = 64 << 10;
/// How long one who writes faster than others read has to wait before it is read again.
const STALL: Duration = Duration::from_millis(2);

pub(super) async fn serve(shared: Rc<Shared>, stream: Box<dyn Stream>, kind: PeerKind, visitor: Visitor) {
    let (mut source, mut sink) = tokio::io::split(stream);
    let wake = Rc::new(Notify::new());
    let id = shared
        .machine
        .borrow_mut()
        .connect(kind, visitor, None, world::now());
    shared.add(
        id,
        Sink {
            socket: None,
            wake: Rc::clone(&wake),
        },
    );
    let reading = async {
        let mut buffer = vec![0; READ_BYTES];
        while let Ok(count @ 1..) = source.read(&mut buffer).await {
            let is_pressed = {
                let mut machine = shared.machine.borrow_mut();
                machine.handle_bytes(id, buffer.get(..count).unwrap_or_default(), world::now());
                machine.is_pressed()
            };
            shared.flush();
            if is_pressed {
                sleep(STALL).await;
            }
        }
    };
    let writing = async {
        loop {
            let (bytes, is_closed) = {
                let machine = shared.machine.borrow();
                let bytes = machine.transmit(id);
                let bytes = bytes.get(..WRITE_BYTES).unwrap_or(bytes).to_vec();
                (bytes, machine.closed(id).is_some())
            };
            if bytes.is_empty() {
                if is_closed {
                    return;
                }
                wake.notified().await;
                continue;
            }
            if sink.write_all(&bytes).await.is_err() || sink.flush().await.is_err() {
                return;
            }
            shared.machine.borrow_mut().sent(id, bytes.len());
        }
    };
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
    sink.shutdown().await.ok();
    shared.remove(id);
}
