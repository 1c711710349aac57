//! Rounds carried to a leaf that is called by its key, for a command that waits for them on its own thread.
//!
//! One connection for all rounds, one stream for each. The transport proves who answers: it is the leaf whose key the
//! URL names, or nobody.
//!
//! Source: `leaf_core::peer` for the lines; iroh 1.4.

use super::RoundRequest;
use crate::error::CliError;
use crate::iroh::{IrohUrl, LEAVING, NOT_LISTED, Node, NodeOptions, REVOKED, Source, WireError, write};
use ::iroh::endpoint::{Connection, ConnectionError, SendStream, VarInt};
use ::iroh::{EndpointId, SecretKey};
use leaf_core::limits::PeerLimits;
use leaf_core::peer::{
    Answer, Ask, BadLine, JOIN, JoinAnswer, JoinAsk, Ticket, XFER, invite_seed, join_text, short_code,
};
use leaf_core::xfer::ContentType;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// How long a leaf may take to let us in.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Why a round was not carried.
#[derive(Debug, thiserror::Error)]
pub enum IrohError {
    /// Not found, or not there.
    #[error("no connection to {id}: {cause}")]
    Connect {
        /// Whom.
        id: EndpointId,
        /// In the words of the transport.
        cause: String,
    },
    /// The other side does not know us, or no longer.
    #[error("the other leaf has not listed our key, {own}")]
    NotListed {
        /// Who we are.
        own: EndpointId,
    },
    /// It said why not.
    #[error("the other leaf refuses: {0}")]
    Refused(String),
    /// It speaks in some other way.
    #[error(transparent)]
    Line(#[from] BadLine),
    /// The stream or the connection broke.
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl IrohError {
    /// Whether the same request may well succeed when sent again.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Wire(_))
    }

    /// What the user may try.
    pub fn next_step(&self) -> String {
        match self {
            Self::Connect { .. } => {
                "check that it runs (leaf serve --iroh), and where: iroh://ID?addr=IP:PORT&relay=URL"
                    .to_owned()
            }
            Self::NotListed { own } => {
                format!("ask its owner for a ticket (leaf invite), or to run: leaf peers allow {own}")
            }
            Self::Refused(_) => "ask the owner of the other leaf".to_owned(),
            Self::Line(_) => "check the key: something else than a leaf answers".to_owned(),
            Self::Wire(_) => "run the same command again: what has arrived is kept".to_owned(),
        }
    }
}

/// A leaf that is called by its key.
#[derive(Debug)]
pub struct IrohRemote {
    runtime: Runtime,
    node: Node,
    connection: Connection,
    place: IrohUrl,
    silence_max: Duration,
}

/// What became of a ticket.
#[derive(Debug)]
pub struct Joined {
    /// What we may do there.
    pub capabilities: String,
    /// What both sides show.
    pub code: String,
}

impl IrohRemote {
    /// Calls the leaf at `place`.
    ///
    /// # Errors
    ///
    /// When it is not there, or does not let us in.
    pub fn open(place: IrohUrl, options: &NodeOptions, silence_max: Duration) -> Result<Self, CliError> {
        let runtime = runtime()?;
        let node = runtime.block_on(Node::open(&with_relays(options, &place)))?;
        // An endpoint without a connection has nobody to take leave of.
        let connection = runtime.block_on(connect(&node, &place, XFER))?;
        Ok(Self {
            runtime,
            node,
            connection,
            place,
            silence_max,
        })
    }

    /// Carries one round. `progress` hears how many bytes of the reply have come.
    ///
    /// # Errors
    ///
    /// [`IrohError`].
    pub fn round_trip(
        &mut self,
        request: RoundRequest<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Vec<u8>, ContentType), IrohError> {
        let Self {
            runtime,
            node,
            connection,
            place,
            silence_max,
        } = self;
        let (told, mut heard) = tokio::sync::watch::channel(0);
        let round = async {
            if connection.close_reason().is_some() {
                *connection = connect(node, place, XFER).await?;
            }
            round(connection, place, request, *silence_max, told).await
        };
        let watched = async {
            tokio::pin!(round);
            loop {
                tokio::select! {
                    done = &mut round => return done,
                    Ok(()) = heard.changed() => progress(*heard.borrow()),
                }
            }
        };
        let done = runtime.block_on(watched);
        done.map_err(|error| judge(error, &self.connection, self.node.id()))
    }
}

impl Drop for IrohRemote {
    fn drop(&mut self) {
        self.connection.close(LEAVING, b"");
        self.runtime.block_on(self.node.close());
    }
}

/// Shows a ticket at the leaf that made it.
///
/// # Errors
///
/// When that leaf is not there, or refuses.
pub fn join(ticket: &Ticket, name: &str, options: &NodeOptions) -> Result<Joined, CliError> {
    let place = IrohUrl::of_ticket(ticket)?;
    let runtime = runtime()?;
    let node = runtime.block_on(Node::open(&with_relays(options, &place)))?;
    let connection = runtime.block_on(connect(&node, &place, JOIN))?;
    let joined = runtime.block_on(async {
        let asked = ask_in(&connection, node.id(), ticket, name).await;
        let judged = asked.map_err(|error| match judge(error, &connection, node.id()) {
            // Whoever has invited nobody does not open that door.
            IrohError::NotListed { .. } => IrohError::Refused("it has invited nobody".to_owned()),
            error => error,
        });
        connection.close(LEAVING, b"");
        judged
    });
    runtime.block_on(node.close());
    Ok(joined?)
}

async fn ask_in(
    connection: &Connection,
    own: EndpointId,
    ticket: &Ticket,
    name: &str,
) -> Result<Joined, IrohError> {
    let key = SecretKey::from_bytes(&invite_seed(&ticket.secret));
    let invite = *key.public().as_bytes();
    let ask = JoinAsk {
        invite,
        signature: key.sign(&join_text(&ticket.endpoint, own.as_bytes())).to_bytes(),
        name: name.to_owned(),
    };
    let (mut send, receive) = connection.open_bi().await.map_err(lost)?;
    let mut source = Source::new(receive, CONNECT_MAX);
    say(&mut send, &[&ask.write()], CONNECT_MAX).await?;
    let line = source.line(PeerLimits::default().line_bytes_max).await?;
    match JoinAnswer::parse(&line)? {
        JoinAnswer::Refused(why) => Err(IrohError::Refused(why)),
        JoinAnswer::Joined {
            project,
            capabilities,
        } if project == ticket.project => Ok(Joined {
            capabilities,
            code: short_code(&ticket.endpoint, own.as_bytes(), &invite),
        }),
        JoinAnswer::Joined { .. } => Err(BadLine.into()),
    }
}

async fn round(
    connection: &Connection,
    place: &IrohUrl,
    request: RoundRequest<'_>,
    silence_max: Duration,
    told: tokio::sync::watch::Sender<u64>,
) -> Result<(Vec<u8>, ContentType), IrohError> {
    let limits = PeerLimits::default();
    let ask = Ask {
        place: place.project.clone(),
        content_type: request.content_type,
        bytes: request.body.len(),
    };
    let opened = timeout(silence_max, connection.open_bi()).await;
    let (mut send, receive) = opened.map_err(|_| WireError::Hang(silence_max))?.map_err(lost)?;
    let mut source = Source::new(receive, silence_max);
    say(&mut send, &[&ask.write(), request.body], silence_max).await?;
    let line = source.line(limits.line_bytes_max).await?;
    match Answer::parse(&line)? {
        Answer::Refused(why) => Err(IrohError::Refused(why)),
        Answer::Message { bytes, .. } if bytes > limits.reply_bytes_max => Err(WireError::TooLarge {
            max: limits.reply_bytes_max,
        }
        .into()),
        Answer::Message { content_type, bytes } => {
            let mut room = |received: usize| {
                told.send_replace(received as u64);
                true
            };
            let body = source.body(bytes, &mut room).await?;
            Ok((body, content_type))
        }
    }
}

/// Says all of it. Who wants no more has answered already.
async fn say(send: &mut SendStream, parts: &[&[u8]], silence_max: Duration) -> Result<(), WireError> {
    for part in parts {
        match write(send, part, silence_max).await {
            Err(WireError::Write(::iroh::endpoint::WriteError::Stopped(_))) => return Ok(()),
            written => written?,
        }
    }
    // One that is stopped needs no end.
    send.finish().ok();
    Ok(())
}

fn lost(error: ConnectionError) -> WireError {
    WireError::Read(error.into())
}

async fn connect(node: &Node, place: &IrohUrl, protocol: &[u8]) -> Result<Connection, IrohError> {
    let failed = |cause: String| IrohError::Connect { id: place.id, cause };
    let connecting = node.endpoint().connect(place.address(), protocol);
    match timeout(CONNECT_MAX, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed("it does not answer".to_owned())),
    }
}

/// What a broken connection means, when the other side said why it ended it.
fn judge(error: IrohError, connection: &Connection, own: EndpointId) -> IrohError {
    let said: Option<VarInt> = match connection.close_reason() {
        Some(ConnectionError::ApplicationClosed(close)) => Some(close.error_code),
        _ => None,
    };
    match said {
        Some(code) if code == NOT_LISTED || code == REVOKED => IrohError::NotListed { own },
        _ => error,
    }
}

fn runtime() -> Result<Runtime, CliError> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

fn with_relays(options: &NodeOptions, place: &IrohUrl) -> NodeOptions {
    let mut options = options.clone();
    options.relays.extend(place.relays.iter().cloned());
    options
}
