//! Rounds carried to a leaf that is called by its key, for a command that waits for them on its own thread.
//!
//! Source: `leaf_iroh`.

use super::RoundRequest;
use crate::error::CliError;
use crate::iroh::{Node, NodeOptions};
use ::iroh::endpoint::Connection;
use leaf_core::limits::PeerLimits;
use leaf_core::peer::{JOIN, Ticket, XFER};
use leaf_core::xfer::ContentType;
use leaf_iroh::{IrohError, IrohUrl, Joined, LEAVING, connect, judge, round};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Time that the other side has to hear that we leave. It has answered all that it was asked, and the endpoint would wait
/// for a relay, too, that it only began to ask where it is.
const LEAVE_MAX: Duration = Duration::from_millis(100);

/// A leaf that is called by its key.
#[derive(Debug)]
pub struct IrohRemote {
    runtime: Runtime,
    node: Node,
    connection: Connection,
    place: IrohUrl,
    silence_max: Duration,
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
        let connection = runtime.block_on(connect(node.endpoint(), &place, XFER))?;
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
        let round = async {
            if connection.close_reason().is_some() {
                *connection = connect(node.endpoint(), place, XFER).await?;
            }
            let mut room = |received: usize| {
                progress(received as u64);
                true
            };
            let (project, limits) = (place.project.as_deref(), PeerLimits::default());
            let request = (request.content_type, request.body);
            round(connection, project, request, &limits, *silence_max, &mut room).await
        };
        let done = runtime.block_on(round);
        done.map_err(|error| judge(error, &self.connection, self.node.id()))
    }
}

impl Drop for IrohRemote {
    fn drop(&mut self) {
        self.connection.close(LEAVING, b"");
        self.runtime.block_on(self.node.close(LEAVE_MAX));
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
    let connection = runtime.block_on(connect(node.endpoint(), &place, JOIN))?;
    let joined = runtime.block_on(leaf_iroh::join(&connection, node.id(), ticket, name));
    connection.close(LEAVING, b"");
    runtime.block_on(node.close(LEAVE_MAX));
    Ok(joined?)
}

/// What the user may try.
pub(crate) fn next_step(error: &IrohError) -> String {
    match error {
        IrohError::Connect { .. } => {
            "check that it runs (leaf serve --iroh), and where: iroh://ID?addr=IP:PORT&relay=URL".to_owned()
        }
        IrohError::NotListed { own } => {
            format!("ask its owner for a ticket (leaf invite), or to run: leaf peers allow {own}")
        }
        IrohError::Refused(_) => "ask the owner of the other leaf".to_owned(),
        IrohError::Line(_) => "check the key: something else than a leaf answers".to_owned(),
        IrohError::Wire(_) => "run the same command again: what has arrived is kept".to_owned(),
    }
}

fn runtime() -> Result<Runtime, CliError> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?)
}

fn with_relays(options: &NodeOptions, place: &IrohUrl) -> NodeOptions {
    let mut options = options.clone();
    options.relays.extend(place.relays.iter().cloned());
    options
}
