//! Rounds over NATS, carried to another leaf.

use super::line::Line;
use crate::repo_pool::{Carrier, FetchError};
use leaf_core::mesh::{Caller, MeshError, Next};
use leaf_core::nats::client::NatsError;
use leaf_core::sync::Transmit;
use leaf_core::xfer::ContentType;
use std::time::Duration;

/// Nobody is there, which is no failure.
pub(super) fn is_nobody(error: &FetchError<MeshError>) -> bool {
    matches!(
        error,
        FetchError::Wire(MeshError::Nats(NatsError::NoResponders | NatsError::Away))
    )
}

/// One round: a message out, its reply back. `progress` hears how much of the reply is there.
pub(crate) async fn round_trip(
    line: &Line,
    caller: &mut Caller,
    message: Vec<u8>,
    patience: Duration,
    mut progress: impl FnMut(usize),
) -> Result<(Vec<u8>, ContentType), MeshError> {
    let mut ask = caller.ask(message, line.state().payload_max);
    let mut received = 0;
    loop {
        let reply = line.request(ask, patience).await;
        received += reply.as_ref().map_or(0, |arrival| arrival.body.len());
        progress(received);
        match caller.hear(reply)? {
            Next::Ask(next) => ask = next,
            Next::Done { body, content_type } => return Ok((body, content_type)),
        }
    }
}

/// The other leaf that `caller` calls by `line`.
pub(super) struct ByNats<'a> {
    pub(super) line: &'a Line,
    pub(super) caller: &'a mut Caller,
    pub(super) patience: Duration,
}

impl Carrier for ByNats<'_> {
    type Error = MeshError;

    async fn carry(&mut self, message: Transmit) -> Result<(Vec<u8>, ContentType), MeshError> {
        round_trip(self.line, self.caller, message.body, self.patience, |_| {}).await
    }
}
