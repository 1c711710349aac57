//! Opening a stream to a NATS server: by TCP, TLS, WebSocket, or to the broker of this very process.
//!
//! A server that wants TLS says so in its first line, in the clear, and TLS begins behind it.
//!
//! Source: NATS client protocol (docs.nats.io, reference/nats-protocol), TLS; RFC 6455.

use crate::broker::Broker;
use crate::remote::{RemoteUrl, Secret};
use futures_util::stream::BoxStream;
use futures_util::{Sink, SinkExt, StreamExt};
use leaf_core::limits::NatsLimits;
use leaf_core::nats::info::{Connect, Info};
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
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
    ca_cert: Option<PathBuf>,
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
    pub fn new(
        url: RemoteUrl,
        user: Option<(String, Secret)>,
        token: Option<Secret>,
        ca_cert: Option<PathBuf>,
    ) -> Self {
        Self {
            url,
            user,
            token,
            ca_cert,
        }
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
        let mut stream = TcpStream::connect((host.as_str(), port)).await?;
        // A request waits for its reply: what is written is to go out.
        stream.set_nodelay(true)?;
        match self.url.scheme() {
            "ws" => self.web(stream).await,
            "wss" => self.web(self.encrypt(stream, &host).await?).await,
            scheme => {
                let line = first_line(&mut stream).await?;
                let json = line.get(4..).unwrap_or_default();
                let is_wanted = serde_json::from_slice::<Info>(json).is_ok_and(|info| info.tls_required);
                match scheme == "tls" || is_wanted {
                    true => Ok(bytes(self.encrypt(stream, &host).await?, line)),
                    false => Ok(bytes(stream, line)),
                }
            }
        }
    }

    async fn encrypt(
        &self,
        stream: TcpStream,
        host: &str,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>> {
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| io::Error::other("the name of the server cannot be in a certificate"))?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(file) = &self.ca_cert {
            let bad = |_| io::Error::other(format!("no certificates can be read from {}", file.display()));
            for cert in CertificateDer::pem_file_iter(file).map_err(bad)? {
                roots.add(cert.map_err(bad)?).map_err(io::Error::other)?;
            }
        }
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
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

/// The line with which a server begins.
async fn first_line(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        if line.len() >= NatsLimits::default().info_bytes_max {
            return Err(io::Error::other("this is no NATS server"));
        }
        // The next byte may belong to TLS already.
        line.push(stream.read_u8().await?);
        if line.len() == 4 && !line.eq_ignore_ascii_case(b"INFO") {
            return Err(io::Error::other("this is no NATS server"));
        }
    }
    Ok(line)
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
