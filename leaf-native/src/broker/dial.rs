//! Links that this broker makes: to other leaves of its mesh, and to a hub as a leaf node.
//!
//! A link that ends is made again, later each time; one that would lead in a circle, or that is there already
//! because the other side dialled, is left alone for half a minute.

use super::greet::{Greeting, greet};
use super::shared::{Dialled, Shared};
use super::{stream, tcp};
use crate::error::CliError;
use crate::tls::Trust;
use crate::world;
use leaf_core::nats::broker::{Close, PeerKind, Visitor};
use leaf_core::nats::info::Connect;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

/// How long the other side may take to accept and to greet, TLS included.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// First and longest wait before a link is made again.
const WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// A link that lasted so long was a good one: the next wait is the first again.
const GOOD: Duration = Duration::from_secs(10);

/// Another broker that is to be dialled.
#[derive(Clone, Debug)]
pub struct Peer {
    kind: PeerKind,
    /// The name that its certificate has to bear.
    host: String,
    /// `host:port`; what is shown in logs.
    address: String,
    /// It is encrypted, whether it wants that or not.
    is_encrypted: bool,
    connect: Connect,
}

impl Peer {
    /// A leaf of the mesh: `nats://[user:password@]host[:port]`, or a token in the place of the user; by `tls://` only
    /// encrypted.
    ///
    /// # Errors
    ///
    /// When it is no such URL.
    pub fn mesh(url: &str) -> Result<Self, CliError> {
        Self::parse(url, &["nats", "tls"], 4222, PeerKind::Mesh { is_ours: true })
    }

    /// A hub: `nats-leaf://[user:password@]host[:port]`; by `tls://` only encrypted.
    ///
    /// # Errors
    ///
    /// When it is no such URL.
    pub fn hub(url: &str) -> Result<Self, CliError> {
        Self::parse(url, &["nats-leaf", "tls"], 7422, PeerKind::Hub)
    }

    fn parse(text: &str, schemes: &[&str], port: u16, kind: PeerKind) -> Result<Self, CliError> {
        let bad = || {
            CliError::usage(format!(
                "not a place to link: write {}://HOST:PORT",
                schemes.join(":// or ")
            ))
            .next_step("credentials go before the host: USER:PASSWORD@ or TOKEN@")
        };
        let url = Url::parse(text).map_err(|_| bad())?;
        let host = url
            .host_str()
            .filter(|_| schemes.contains(&url.scheme()))
            .ok_or_else(bad)?;
        let plain = |part: &str| {
            percent_encoding::percent_decode_str(part)
                .decode_utf8_lossy()
                .into_owned()
        };
        let user = Some(plain(url.username())).filter(|user| !user.is_empty());
        let pass = url.password().map(plain);
        let connect = match (user, pass) {
            (token, None) => Connect {
                auth_token: token,
                ..Connect::default()
            },
            (user, pass) => Connect {
                user,
                pass,
                ..Connect::default()
            },
        };
        Ok(Self {
            kind,
            host: host.to_owned(),
            is_encrypted: url.scheme() == "tls",
            address: format!("{host}:{}", url.port().unwrap_or(port)),
            connect,
        })
    }
}

/// Keeps a link to `peer` for as long as the broker runs.
pub(super) async fn keep(shared: Rc<Shared>, peer: Peer, trust: Trust) {
    let mut wait = WAIT.0;
    loop {
        let begin = Instant::now();
        let why = once(&shared, &peer, &trust).await;
        tracing::info!(peer = peer.address, %why, "no link");
        if begin.elapsed() >= GOOD {
            wait = WAIT.0;
        }
        let is_futile = matches!(why, Close::Loop | Close::Duplicate)
            || matches!(&why, Close::Peer(text) if text.contains("oop detected") || text.contains("uplicate"));
        if is_futile {
            wait = WAIT.1;
        }
        // Not all that lost the same peer come back at the same moment.
        let share = u32::from(world::entropy()[0]);
        sleep(wait / 2 + wait * share / 512).await;
        wait = (wait * 2).min(WAIT.1);
    }
}

async fn once(shared: &Rc<Shared>, peer: &Peer, trust: &Trust) -> Close {
    let open = async {
        let stream = TcpStream::connect(peer.address.as_str()).await?;
        stream.set_nodelay(true)?;
        greet(stream, &peer.host, peer.is_encrypted, trust).await
    };
    let greeted = match timeout(CONNECT_MAX, open).await {
        Ok(Ok(greeted)) => greeted,
        Ok(Err(error)) => return Close::Peer(error.to_string()),
        Err(_) => return Close::Peer("it does not accept the connection, or says nothing".into()),
    };
    let dialled = Dialled {
        connect: peer.connect.clone(),
        greeting: greeted.line,
    };
    let visitor = Visitor {
        address: peer.address.clone(),
        is_encrypted: matches!(greeted.stream, Greeting::Encrypted(_)),
        ..Visitor::default()
    };
    match greeted.stream {
        Greeting::Plain(stream) => tcp::serve(shared, stream, peer.kind, visitor, Some(dialled)).await,
        Greeting::Encrypted(stream) => {
            stream::serve_link(Rc::clone(shared), stream, peer.kind, visitor, dialled).await
        }
    }
}
