//! A leaf is called: one connection for all rounds, one stream for each.
//!
//! The transport proves who answers: it is the leaf whose key was named, or nobody.
//!
//! Source: `leaf_core::peer` for the lines; iroh 1.4.

use crate::place::IrohUrl;
use crate::wire::{Source, WireError, write};
use crate::{NOT_LISTED, REVOKED};
use iroh::endpoint::{Connection, ConnectionError, ReadError, SendStream, VarInt, WriteError};
use iroh::{Endpoint, EndpointId, SecretKey};
use leaf_core::limits::PeerLimits;
use leaf_core::peer::{
    Answer, Ask, BadLine, Here, JoinAnswer, JoinAsk, Ticket, invite_seed, join_text, short_code,
};
use leaf_core::xfer::ContentType;
use n0_future::time::timeout;
use std::time::Duration;

/// How long a leaf may take to let us in.
pub const CONNECT_MAX: Duration = Duration::from_secs(10);

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
}

/// What became of a ticket.
#[derive(Debug)]
pub struct Joined {
    /// What we may do there.
    pub capabilities: String,
    /// What both sides show.
    pub code: String,
}

/// Calls the leaf at `place`.
///
/// # Errors
///
/// [`IrohError::Connect`].
pub async fn connect(endpoint: &Endpoint, place: &IrohUrl, protocol: &[u8]) -> Result<Connection, IrohError> {
    let failed = |cause: String| IrohError::Connect { id: place.id, cause };
    match timeout(CONNECT_MAX, endpoint.connect(place.address(), protocol)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed("it does not answer".to_owned())),
    }
}

/// Carries one round. `room` hears how many bytes of the reply have come, and says whether they may be kept.
///
/// # Errors
///
/// [`IrohError`], which [`judge`] may know better.
pub async fn round(
    connection: &Connection,
    project: Option<&str>,
    (content_type, body): (ContentType, &[u8]),
    limits: &PeerLimits,
    silence_max: Duration,
    room: &mut impl FnMut(usize) -> bool,
) -> Result<(Vec<u8>, ContentType), IrohError> {
    let ask = Ask {
        place: project.map(str::to_owned),
        content_type,
        bytes: body.len(),
    };
    let opened = timeout(silence_max, connection.open_bi()).await;
    let (mut send, receive) = opened.map_err(|_| WireError::Hang(silence_max))?.map_err(lost)?;
    let mut source = Source::new(receive, silence_max);
    say(&mut send, &[&ask.write(), body], silence_max).await?;
    let line = source.line(limits.line_bytes_max).await?;
    match Answer::parse(&line)? {
        Answer::Refused(why) => Err(IrohError::Refused(why)),
        Answer::Message { bytes, .. } if bytes > limits.reply_bytes_max => Err(WireError::TooLarge {
            max: limits.reply_bytes_max,
        }
        .into()),
        Answer::Message { content_type, bytes } => Ok((source.body(bytes, room).await?, content_type)),
    }
}

/// Says where we can be called, as far as `project` goes.
///
/// # Errors
///
/// When the connection breaks.
pub async fn say_where(
    connection: &Connection,
    project: &str,
    own: &IrohUrl,
    silence_max: Duration,
) -> Result<(), IrohError> {
    let here = Here {
        place: Some(project.to_owned()),
        url: own.to_string(),
    };
    let opened = timeout(silence_max, connection.open_bi()).await;
    let (mut send, _) = opened.map_err(|_| WireError::Hang(silence_max))?.map_err(lost)?;
    Ok(say(&mut send, &[&here.write()], silence_max).await?)
}

/// Shows a ticket at the leaf that made it, on a connection for that; `name` is what to call us there.
///
/// # Errors
///
/// When that leaf refuses.
pub async fn join(
    connection: &Connection,
    own: EndpointId,
    ticket: &Ticket,
    name: &str,
) -> Result<Joined, IrohError> {
    ask_in(connection, own, ticket, name)
        .await
        .map_err(|error| match judge(error, connection, own) {
            // Whoever has invited nobody does not open that door.
            IrohError::NotListed { .. } => IrohError::Refused("it has invited nobody".to_owned()),
            error => error,
        })
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

/// Says all of it. Who wants no more has answered already.
async fn say(send: &mut SendStream, parts: &[&[u8]], silence_max: Duration) -> Result<(), WireError> {
    for part in parts {
        match write(send, part, silence_max).await {
            Err(WireError::Write(WriteError::Stopped(_))) => return Ok(()),
            written => written?,
        }
    }
    // One that is stopped needs no end.
    send.finish().ok();
    Ok(())
}

fn lost(error: ConnectionError) -> WireError {
    WireError::Read(ReadError::from(error).into())
}

/// What a broken connection means, when the other side said why it ended it.
pub fn judge(error: IrohError, connection: &Connection, own: EndpointId) -> IrohError {
    let said: Option<VarInt> = match connection.close_reason() {
        Some(ConnectionError::ApplicationClosed(close)) => Some(close.error_code),
        _ => None,
    };
    match said {
        Some(code) if code == NOT_LISTED || code == REVOKED => IrohError::NotListed { own },
        _ => error,
    }
}
