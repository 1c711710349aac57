//! How a NATS server greets: one line in the clear, and TLS behind it if that line or the caller wants it.
//!
//! Source: NATS client protocol (docs.nats.io, reference/nats-protocol), TLS.

use crate::tls::Trust;
use leaf_core::limits::NatsLimits;
use leaf_core::nats::info::Info;
use std::io;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A connection on which a server has greeted.
pub(crate) struct Greeted {
    /// What it said.
    pub(crate) line: Vec<u8>,
    /// The rest.
    pub(crate) stream: Greeting,
}

/// What comes behind the greeting.
pub(crate) enum Greeting {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// Hears the greeting of the server that `host` names. Who wants TLS (`is_wanted`) gets nothing less.
///
/// # Errors
///
/// When it is no NATS server, or TLS fails.
pub(crate) async fn greet(
    mut stream: TcpStream,
    host: &str,
    is_wanted: bool,
    trust: &Trust,
) -> io::Result<Greeted> {
    let line = first_line(&mut stream).await?;
    let json = line.get(4..).unwrap_or_default();
    let is_asked = || serde_json::from_slice::<Info>(json).is_ok_and(|info| info.tls_required);
    let stream = match is_wanted || is_asked() {
        true => Greeting::Encrypted(Box::new(trust.encrypt(stream, host).await?)),
        false => Greeting::Plain(stream),
    };
    Ok(Greeted { line, stream })
}

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
