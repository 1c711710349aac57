//! Connections whose bytes are no messages yet: streams from elsewhere, TLS and `WebSocket`s, each one task.
//!
//! Source: RFC 6455; which close code says what: `nats-server`, `server/websocket.go`.

use super::shared::{Dialled, Shared, Sink};
use super::{Stream, WebSocket};
use crate::world;
use futures_util::{SinkExt, StreamExt};
use leaf_core::nats::broker::{Close, ConnId, PeerKind, Visitor};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

/// What one read may bring.
const READ_BYTES: usize = 16 << 10;
/// What one write, or one frame, takes.
const WRITE_BYTES: usize = 64 << 10;
/// How long one who writes faster than others read has to wait before it is read again.
const STALL: Duration = Duration::from_millis(2);

/// A connection and its place among the others; gone from there when this is dropped.
struct Seat {
    shared: Rc<Shared>,
    id: ConnId,
    wake: Rc<Notify>,
}

impl Seat {
    fn take(shared: Rc<Shared>, kind: PeerKind, visitor: Visitor, dialled: Option<Dialled>) -> Self {
        let wake = Rc::new(Notify::new());
        let (connect, greeting) = dialled.map(|dialled| (dialled.connect, dialled.greeting)).unzip();
        let id = shared
            .machine
            .borrow_mut()
            .connect(kind, visitor, connect, world::now());
        let sink = Sink {
            socket: None,
            wake: Rc::clone(&wake),
        };
        shared.add(id, sink);
        shared.hear(id, &greeting.unwrap_or_default());
        Self { shared, id, wake }
    }

    /// Hands over what was read.
    async fn hand_over(&self, bytes: &[u8]) {
        if self.shared.hear(self.id, bytes) {
            sleep(STALL).await;
        }
    }

    /// Waits for something to write; `None` once the connection has ended and nothing is left.
    async fn wanted(&self) -> Option<Vec<u8>> {
        loop {
            {
                let machine = self.shared.machine.borrow();
                let bytes = machine.transmit(self.id);
                if !bytes.is_empty() {
                    return Some(bytes.get(..WRITE_BYTES).unwrap_or(bytes).to_vec());
                }
                if machine.closed(self.id).is_some() {
                    return None;
                }
            }
            self.wake.notified().await;
        }
    }

    /// How long one may take nothing of what it is sent.
    fn write_max(&self) -> Duration {
        let ms = self.shared.machine.borrow().limits().write_ms_max;
        Duration::from_millis(u64::try_from(ms).unwrap_or_default())
    }

    /// How long one may take to say who it is.
    fn connect_max(&self) -> Duration {
        let ms = self.shared.machine.borrow().limits().connect_ms_max;
        Duration::from_millis(u64::try_from(ms).unwrap_or_default())
    }

    /// Why it ended.
    fn why(&self) -> Close {
        let why = self.shared.machine.borrow().closed(self.id).cloned();
        why.unwrap_or(Close::Gone)
    }

    fn written(&self, bytes: usize) {
        self.shared.machine.borrow_mut().sent(self.id, bytes);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.remove(self.id);
    }
}

/// Serves a byte stream until it ends.
pub(super) async fn serve(shared: Rc<Shared>, stream: Box<dyn Stream>, kind: PeerKind, visitor: Visitor) {
    let seat = Seat::take(shared, kind, visitor, None);
    carry(&seat, stream).await;
}

/// Serves a broker that we dialled and that greeted already, and says why it ended.
pub(super) async fn serve_link(
    shared: Rc<Shared>,
    stream: impl Stream,
    kind: PeerKind,
    visitor: Visitor,
    dialled: Dialled,
) -> Close {
    let seat = Seat::take(shared, kind, visitor, Some(dialled));
    carry(&seat, stream).await;
    seat.why()
}

/// Serves a socket on which TLS begins behind our greeting.
pub(super) async fn serve_encrypted(
    shared: Rc<Shared>,
    mut socket: TcpStream,
    tls: TlsAcceptor,
    kind: PeerKind,
    visitor: Visitor,
) {
    socket.set_nodelay(true).ok();
    let peer = visitor.address.clone();
    let seat = Seat::take(shared, kind, visitor, None);
    let opening = async {
        if let Some(greeting) = seat.wanted().await {
            socket.write_all(&greeting).await?;
            seat.written(greeting.len());
        }
        tls.accept(socket).await
    };
    match timeout(seat.connect_max(), opening).await {
        Ok(Ok(stream)) => carry(&seat, stream).await,
        Ok(Err(error)) => tracing::info!(peer, %error, "no TLS handshake"),
        Err(_) => tracing::info!(peer, "no TLS handshake in time"),
    }
}

/// Moves bytes both ways until one side is done.
async fn carry(seat: &Seat, stream: impl Stream) {
    let (mut source, mut sink) = tokio::io::split(stream);
    let reading = async {
        let mut buffer = vec![0; READ_BYTES];
        while let Ok(count @ 1..) = source.read(&mut buffer).await {
            seat.hand_over(buffer.get(..count).unwrap_or_default()).await;
        }
    };
    let writing = async {
        while let Some(bytes) = seat.wanted().await {
            let write = async {
                sink.write_all(&bytes).await?;
                sink.flush().await
            };
            match timeout(seat.write_max(), write).await {
                Ok(Ok(())) => seat.written(bytes.len()),
                _ => return,
            }
        }
        sink.shutdown().await.ok();
    };
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
}

/// Serves a `WebSocket` until it ends. The protocol is a stream: its operations may begin and end anywhere in
/// a frame, and a text frame is as good as a binary one.
pub(super) async fn serve_web(shared: Rc<Shared>, socket: WebSocket, kind: PeerKind, visitor: Visitor) {
    let seat = Seat::take(shared, kind, visitor, None);
    let (mut sink, mut source) = socket.split();
    let reading = async {
        loop {
            match source.next().await {
                Some(Ok(Message::Binary(bytes))) => seat.hand_over(&bytes).await,
                Some(Ok(Message::Text(text))) => seat.hand_over(text.as_bytes()).await,
                // Pings and closes are answered by the library.
                Some(Ok(_)) => {}
                Some(Err(Error::Protocol(_))) => return Some(CloseCode::Protocol),
                Some(Err(Error::Capacity(_))) => return Some(CloseCode::Size),
                Some(Err(_)) | None => return None,
            }
        }
    };
    let writing = async {
        while let Some(bytes) = seat.wanted().await {
            let count = bytes.len();
            match timeout(seat.write_max(), sink.send(Message::Binary(bytes.into()))).await {
                Ok(Ok(())) => seat.written(count),
                _ => return None,
            }
        }
        let why = seat.shared.machine.borrow().closed(seat.id).cloned();
        Some(close_code(why.as_ref()))
    };
    let code = tokio::select! {
        code = reading => code,
        code = writing => code,
    };
    if let Some(code) = code {
        let frame = CloseFrame {
            code,
            reason: "".into(),
        };
        let last_word = sink.send(Message::Close(Some(frame)));
        timeout(seat.write_max(), last_word).await.ok();
    }
}

fn close_code(why: Option<&Close>) -> CloseCode {
    match why {
        Some(
            Close::Authorization | Close::AuthTimeout | Close::Slow | Close::TooMany | Close::Permission,
        ) => CloseCode::Policy,
        Some(Close::Arguments | Close::Line | Close::Verb) => CloseCode::Protocol,
        Some(Close::Payload) => CloseCode::Size,
        Some(Close::Shutdown | Close::Stale) => CloseCode::Away,
        _ => CloseCode::Normal,
    }
}
