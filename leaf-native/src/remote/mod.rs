//! Carrying one round to a server, by HTTP, by NATS or by iroh. Which server, and as whom, is a [`RemoteUrl`].

mod http;
mod iroh;
mod nats;
mod obscure;
mod url;

pub use http::{HttpError, HttpOptions, HttpRemote, HttpReply, RoundRequest};
pub(crate) use iroh::next_step;
pub use iroh::{IrohRemote, join};
use leaf_iroh::IrohError;
pub use nats::{NatsRemote, NatsRemoteError, NatsSession};
pub use obscure::{obscure, unobscure};
pub use url::{BadUrl, RemoteUrl, Secret};

/// Whom a command syncs with.
#[derive(Debug)]
pub enum Remote {
    /// A server that is called by HTTP.
    Http(Box<HttpRemote>),
    /// Leaves that are called by NATS.
    Nats(Box<NatsRemote>),
    /// A leaf that is called by its key.
    Iroh(Box<IrohRemote>),
}

/// Why a round was not carried.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// By HTTP.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// By NATS.
    #[error(transparent)]
    Nats(#[from] NatsRemoteError),
    /// By key.
    #[error(transparent)]
    Iroh(#[from] IrohError),
}

impl RemoteError {
    /// Whether the same request may well succeed when sent again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Http(error) => error.is_transient(),
            Self::Nats(error) => error.is_transient(),
            Self::Iroh(error) => error.is_transient(),
        }
    }
}

impl Remote {
    /// Carries one round. `progress` hears how many bytes of the reply have come.
    ///
    /// # Errors
    ///
    /// [`RemoteError`].
    pub fn round_trip(
        &mut self,
        request: RoundRequest<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<HttpReply, RemoteError> {
        match self {
            Self::Http(remote) => Ok(remote.round_trip(request, &mut |bytes, _| progress(bytes))?),
            Self::Nats(remote) => {
                let (body, content_type) = remote.round_trip(request.body.to_vec(), progress)?;
                Ok(HttpReply { body, content_type })
            }
            Self::Iroh(remote) => {
                let (body, content_type) = remote.round_trip(request, progress)?;
                Ok(HttpReply { body, content_type })
            }
        }
    }

    /// Where the server is now, and whether it said to remember that.
    pub fn moved_to(&self) -> Option<&RemoteUrl> {
        match self {
            Self::Http(remote) => remote.moved_to(),
            Self::Nats(_) | Self::Iroh(_) => None,
        }
    }
}
