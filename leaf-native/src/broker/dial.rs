//! Links that this broker makes: to other leaves of its mesh, and to a hub as a leaf node.
//!
//! A link that ends is made again, later each time; one that would lead in a circle, or that is there already
//! because the other side dialled, is left alone for half a minute.

use super::shared::Shared;
use super::tcp;
use crate::error::CliError;
use crate::world;
use leaf_core::nats::broker::{Close, PeerKind, Visitor};
use leaf_core::nats::info::Connect;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

/// How long the other side may take to accept.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// First and longest wait before a link is made again.
const WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// A link that lasted so long was a good one: the next wait is the first again.
const GOOD: Duration = Duration::from_secs(10);

/// Another broker that is to be dialled.
#[derive(Clone, Debug)]
pub struct Peer {
    kind: PeerKind,
    /// `host:port`; what is shown in logs.
    address: String,
    connect: Connect,
}

impl Peer {
    /// A leaf of the mesh: `nats://[user:password@]host[:port]`, or a token in the place of the user.
    ///
    /// # Errors
    ///
    /// When it is no such URL.
    pub fn mesh(url: &str) -> Result<Self, CliError> {
        Self::parse(url, "nats", 4222, PeerKind::Mesh { is_ours: true })
    }

    /// A hub: `nats-leaf://[user:password@]host[:port]`.
    ///
    /// # Errors
    ///
    /// When it is no such URL.
    pub fn hub(url: &str) -> Result<Self, CliError> {
        Self::parse(url, "nats-leaf", 7422, PeerKind::Hub)
    }

    fn parse(text: &str, scheme: &str, port: u16, kind: PeerKind) -> Result<Self, CliError> {
        let bad = || {
            CliError::usage(format!("not a place to link: write {scheme}://HOST:PORT"))
                .next_step("credentials go before the host: USER:PASSWORD@ or TOKEN@")
        };
        let url = Url::parse(text).map_err(|_| bad())?;
        let host = url
            .host_str()
            .filter(|_| url.scheme() == scheme)
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
            address: format!("{host}:{}", url.port().unwrap_or(port)),
            connect,
        })
    }
}

/// Keeps a link to `peer` for as long as the broker runs.
pub(super) async fn keep(shared: Rc<Shared>, peer: Peer) {
    let mut wait = WAIT.0;
    loop {
        let begin = Instant::now();
        let why = once(&shared, &peer).await;
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

async fn once(shared: &Rc<Shared>, peer: &Peer) -> Close {
    match timeout(CONNECT_MAX, TcpStream::connect(peer.address.as_str())).await {
        Ok(Ok(stream)) => {
            let visitor = Visitor {
                address: peer.address.clone(),
                ..Visitor::default()
            };
            tcp::serve(shared, stream, peer.kind, visitor, Some(peer.connect.clone())).await
        }
        Ok(Err(error)) => Close::Peer(error.to_string()),
        Err(_) => Close::Peer("it does not accept the connection".into()),
    }
}
