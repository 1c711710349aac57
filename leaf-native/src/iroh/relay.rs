//! A relay in this process: it carries the packets of peers that cannot reach each other, encrypted from end to end.
//!
//! Only who is on a list may use it, and, while somebody is invited, strangers: who comes by a relay is to find the
//! door for tickets.
//!
//! Source: iroh-relay 1.4, `server::Server`.

use super::guests::Guests;
use crate::error::{CliError, Exit};
use iroh::{EndpointId, RelayUrl};
use iroh_relay::server::{self, AccessControl, ClientRequest, RelayConfig, Server, ServerConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long clients may take to leave.
const CLOSE_MAX: Duration = Duration::from_secs(3);

/// Who may use the relay.
#[derive(Debug)]
pub(super) struct Access {
    guests: Guests,
    own: EndpointId,
}

impl Access {
    pub(super) fn new(guests: Guests, own: EndpointId) -> Self {
        Self { guests, own }
    }
}

impl AccessControl for Access {
    async fn on_connect(&self, request: &ClientRequest) -> server::Access {
        let id = request.endpoint_id();
        if id == self.own || !self.guests.places(id).await.is_empty() || self.guests.are_awaited().await {
            return server::Access::Allow;
        }
        tracing::info!(peer = %id, "may not use the relay: not on the list of peers");
        server::Access::Deny {
            reason: Some("not on the list of peers".to_owned()),
        }
    }
}

/// A running relay.
#[derive(Debug)]
pub(super) struct Relay {
    server: Server,
    address: SocketAddr,
}

impl Relay {
    pub(super) async fn open(address: SocketAddr, access: Access) -> Result<Self, CliError> {
        let mut relay = RelayConfig::new(address);
        relay.access = Arc::new(access);
        let mut config = ServerConfig::default();
        config.relay = Some(relay);
        let server = Server::spawn(config).await.map_err(|error| {
            CliError::new(Exit::Usage, format!("cannot open a relay at {address}"))
                .because(&error)
                .next_step("choose another address, or port 0 for any free port")
        })?;
        let address = server.http_addr().unwrap_or(address);
        Ok(Self { server, address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it is called from where it listens.
    pub(super) fn url(&self) -> Result<RelayUrl, CliError> {
        format!("http://{}", self.address)
            .parse()
            .map_err(|_| CliError::usage("the relay has no URL").next_step("say it with --relay-url URL"))
    }

    pub(super) async fn close(self) {
        // Clients that do not leave are left.
        timeout(CLOSE_MAX, self.server.shutdown()).await.ok();
    }
}
