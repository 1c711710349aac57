//! Opening a stream to a NATS server: by TCP, TLS, WebSocket, or to the broker of this very process.
//!
//! Source: NATS client protocol (docs.nats.io, reference/nats-protocol), TLS; RFC 6455.

use super::key::NatsKey;
use crate::broker::{Broker, Greeting, greet};
use crate::remote::{RemoteUrl, Secret};
use crate::tls::Trust;
use futures_util::stream::BoxStream;
use futures_util::{Sink, SinkExt, StreamExt};
use leaf_core::limits::NatsLimits;
use leaf_core::nats::client::Signer;
use leaf_core::nats::info::Connect;
use std::io;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error as WebError, Message};

/// How long a server may take to accept, TLS and WebSocket included.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// What one read may bring.
const READ_BYTES: usize = 64 << 10;

/// Where a NATS server is, and as whom it is called.
#[derive(Clone, Debug)]
pub struct NatsUrl {
    url: RemoteUrl,
    user: Option<(String, Secret)>,
    token: Option<Secret>,
    trust: Trust,
    key: Option<NatsKey>,
}

/// The way to a NATS server.
#[derive(Clone, Debug)]
pub enum Door {
    /// The broker of this process.
    Own(Broker),
    /// Another server.
    Url(NatsUrl),
}

/// What is read, and where is written to.
pub(super) struct Pipe {
    pub(super) source: BoxStream<'static, io::Result<Vec<u8>>>,
    pub(super) sink: Pin<Box<dyn Sink<Vec<u8>, Error = io::Error> + Send>>,
}

impl NatsUrl {
    /// A server that is called as `user`, or by a token that is enough by itself.
    pub fn new(url: RemoteUrl, user: Option<(String, Secret)>, token: Option<Secret>, trust: Trust) -> Self {
        Self {
            url,
            user,
            token,
            trust,
            key: None,
        }
    }

    /// The same, called as the user whose key this is.
    #[must_use]
    pub fn with_key(self, key: Option<NatsKey>) -> Self {
        Self { key, ..self }
    }

    fn connect(&self) -> Connect {
        let (user, pass) = self
            .user
            .as_ref()
            .map(|(user, secret)| (user.clone(), secret.reveal().to_owned()))
            .unzip();
        Connect {
            user,
            pass,
            auth_token: self.token.as_ref().map(|token| token.reveal().to_owned()),
            ..Connect::default()
        }
    }

    async fn open(&self) -> io::Result<Pipe> {
        let (host, port) = (self.url.host(), self.url.port());
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        // A request waits for its reply: what is written is to go out.
        stream.set_nodelay(true)?;
        match self.url.scheme() {
            "ws" => self.web(stream).await,
            "wss" => self.web(self.trust.encrypt(stream, &host).await?).await,
            scheme => {
                let greeted = greet(stream, &host, scheme == "tls", &self.trust).await?;
                Ok(match greeted.stream {
                    Greeting::Plain(stream) => bytes(stream, greeted.line),
                    Greeting::Encrypted(stream) => bytes(stream, greeted.line),
                })
            }
        }
    }

    async fn web<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(&self, stream: S) -> io::Result<Pipe> {
        let target = self.url.target();
        let (socket, _) = tokio_tungstenite::client_async(target, stream)
            .await
            .map_err(web_error)?;
        let (sink, source) = socket.split();
        let source = source.filter_map(|message| async {
            match message {
                Ok(Message::Binary(bytes)) => Some(Ok(bytes.to_vec())),
                Ok(Message::Text(text)) => Some(Ok(text.as_bytes().to_vec())),
                Ok(_) => None,
                Err(error) => Some(Err(web_error(error))),
            }
        });
        let sink = sink
            .sink_map_err(web_error)
            .with(|bytes: Vec<u8>| async { Ok::<_, io::Error>(Message::Binary(bytes.into())) });
        Ok(Pipe {
            source: source.boxed(),
            sink: Box::pin(sink),
        })
    }
}

impl Door {
    /// What is shown of it.
    pub fn name(&self) -> String {
        match self {
            Self::Own(broker) => broker.name().to_owned(),
            Self::Url(url) => url.url.canonical(),
        }
    }

    pub(super) fn connect(&self) -> Connect {
        let connect = match self {
            Self::Own(_) => Connect::default(),
            Self::Url(url) => url.connect(),
        };
        // A leaf never answers itself.
        Connect {
            echo: false,
            name: "leaf".to_owned(),
            ..connect
        }
    }

    pub(super) fn signer(&self) -> Option<Signer> {
        match self {
            Self::Own(_) => None,
            Self::Url(url) => url.key.as_ref().map(NatsKey::signer),
        }
    }

    pub(super) fn limits(&self) -> NatsLimits {
        match self {
            Self::Own(broker) => *broker.limits(),
            Self::Url(_) => NatsLimits::default(),
        }
    }

    pub(super) async fn open(&self) -> io::Result<Pipe> {
        match self {
            Self::Own(broker) => Ok(bytes(broker.connect(), Vec::new())),
            Self::Url(url) => match timeout(CONNECT_MAX, url.open()).await {
                Ok(opened) => opened,
                Err(_) => Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the server does not accept the connection, or says nothing",
                )),
            },
        }
    }
}

/// A stream of bytes of which `read` was read already.
fn bytes<S: AsyncRead + AsyncWrite + Send + 'static>(stream: S, read: Vec<u8>) -> Pipe {
    let (source, sink) = tokio::io::split(stream);
    let rest = futures_util::stream::unfold(source, |mut source| async {
        let mut buffer = vec![0; READ_BYTES];
        match source.read(&mut buffer).await {
            Ok(0) => None,
            Ok(count) => {
                buffer.truncate(count);
                Some((Ok(buffer), source))
            }
            Err(error) => Some((Err(error), source)),
        }
    });
    let first = futures_util::stream::iter((!read.is_empty()).then_some(Ok(read)));
    let sink = futures_util::sink::unfold(sink, |mut sink, bytes: Vec<u8>| async move {
        sink.write_all(&bytes).await?;
        sink.flush().await?;
        Ok::<_, io::Error>(sink)
    });
    Pipe {
        source: first.chain(rest).boxed(),
        sink: Box::pin(sink),
    }
}

fn web_error(error: WebError) -> io::Error {
    match error {
        WebError::Io(error) => error,
        WebError::Http(reply) => io::Error::other(format!(
            "the server refuses the WebSocket with status {}",
            reply.status().as_u16()
        )),
        other => io::Error::other(other),
    }
}
