//! The endpoint: sockets, relays, and how it is found.
//!
//! Nobody is told of it unless that is asked for: no relay and no directory of others (`presets::Minimal`), but for
//! `--discovery local` and `n0`. Where a peer is, its URL or ticket says with each call; so no table of addresses is kept here.
//!
//! Source: iroh 1.4, `endpoint::Builder`.

use super::guests::Guests;
use super::key::NodeKey;
use super::outside;
use crate::error::{CliError, Exit};
use crate::tls::Trust;
use clap::ValueEnum;
use iroh::endpoint::{Builder, presets};
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMap, RelayMode, RelayUrl, Watcher};
use iroh_mdns_address_lookup::MdnsAddressLookup;
use iroh_relay::tls::CaTlsConfig;
use serde::Deserialize;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;

/// How long an endpoint may take to know where it is, before it goes without.
const SETTLE_MAX: Duration = Duration::from_secs(5);

/// Who is told where an endpoint is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Discovery {
    /// Nobody.
    #[default]
    None,
    /// Whoever is on the same network, by multicast.
    Local,
    /// The directory and the relays of n0, the makers of iroh.
    N0,
}

/// What an endpoint is told at its start.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    /// Who it is.
    pub key: NodeKey,
    /// Where it listens; absent: wherever the system lets it.
    pub listen: Option<SocketAddr>,
    /// Relays by which it can be reached.
    pub relays: Vec<RelayUrl>,
    /// Who is told where it is.
    pub discovery: Discovery,
    /// Nothing goes directly: the other side does not see our address, and must share a relay with us.
    pub relay_only: bool,
    /// By whom a relay that is called by TLS has to be vouched for.
    pub trust: Trust,
}

impl NodeOptions {
    /// An endpoint that only calls.
    pub fn caller(key: NodeKey) -> Self {
        Self {
            key,
            listen: None,
            relays: Vec::new(),
            discovery: Discovery::None,
            relay_only: false,
            trust: Trust::default(),
        }
    }
}

/// An endpoint.
#[derive(Clone, Debug)]
pub struct Node {
    endpoint: Endpoint,
}

impl Node {
    /// Binds the sockets, to call others.
    ///
    /// # Errors
    ///
    /// When the address is taken, or there would be no way out at all.
    pub async fn open(options: &NodeOptions) -> Result<Self, CliError> {
        let node = Self::bind(options, builder(options)?).await?;
        node.look_around(options, false)
    }

    /// The same, to be called by `guests`, too, by these protocols.
    pub(super) async fn open_for(
        options: &NodeOptions,
        guests: Guests,
        protocols: Vec<Vec<u8>>,
    ) -> Result<Self, CliError> {
        let mut builder = builder(options)?.alpns(protocols).hooks(guests);
        if options.relays.is_empty() && options.discovery != Discovery::N0 {
            // It has none of its own, but may call by those of its peers.
            builder = builder.relay_mode(RelayMode::Custom(RelayMap::empty()));
        }
        let node = Self::bind(options, builder).await?;
        node.look_around(options, true)
    }

    /// Asks the network around where others are, and tells it where this one is, if either is wanted.
    fn look_around(self, options: &NodeOptions, is_called: bool) -> Result<Self, CliError> {
        if options.discovery == Discovery::Local {
            let failed = |error: &dyn std::error::Error| {
                CliError::new(Exit::Usage, "cannot look for leaves on the local network")
                    .because(error)
                    .next_step("drop `--discovery local`, and say where they are")
            };
            let lookup = MdnsAddressLookup::builder().advertise(is_called);
            let lookup = lookup.build(self.endpoint.id()).map_err(|error| failed(&error))?;
            let lookups = self.endpoint.address_lookup();
            lookups.map_err(|error| failed(&error))?.add(lookup);
        }
        Ok(self)
    }

    async fn bind(options: &NodeOptions, builder: Builder) -> Result<Self, CliError> {
        let endpoint = builder.bind().await.map_err(|error| {
            let place = options
                .listen
                .map_or_else(|| "any address".to_owned(), |address| address.to_string());
            CliError::new(Exit::Usage, format!("cannot open an endpoint at {place}"))
                .because(&error)
                .next_step("choose another address, or port 0 for any free port")
        })?;
        Ok(Self { endpoint })
    }

    /// Who it is.
    pub fn id(&self) -> EndpointId {
        self.endpoint.id()
    }

    /// What takes and makes connections.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where it can be reached, as soon as it knows: with a relay, if it is to have one.
    pub async fn settled(&self, options: &NodeOptions) -> EndpointAddr {
        let settle = async {
            if options.relays.is_empty() && options.discovery != Discovery::N0 {
                let mut addresses = self.endpoint.watch_addr();
                while addresses.get().is_empty() && addresses.updated().await.is_ok() {}
            } else {
                self.endpoint.online().await;
            }
        };
        // One that is not settled can be reached by what it does know.
        timeout(SETTLE_MAX, settle).await.ok();
        self.endpoint.addr()
    }

    /// Tells the other sides that it leaves, and waits at most `patience` until they have heard it.
    pub async fn close(&self, patience: Duration) {
        // Whoever does not hear of it will notice.
        timeout(patience, self.endpoint.close()).await.ok();
    }
}

fn builder(options: &NodeOptions) -> Result<Builder, CliError> {
    let mut builder = match options.discovery {
        Discovery::None | Discovery::Local => {
            Endpoint::builder(presets::Minimal).relay_mode(RelayMode::Disabled)
        }
        Discovery::N0 => Endpoint::builder(presets::N0),
    };
    if !options.relays.is_empty() {
        builder = builder.relay_mode(RelayMode::Custom(outside::map(&options.relays)));
    } else if options.relay_only && options.discovery != Discovery::N0 {
        return Err(CliError::usage("nothing may go directly, and there is no relay")
            .next_step("name one with --relay-url URL"));
    }
    if options.relay_only {
        builder = builder.clear_ip_transports();
    } else if let Some(address) = options.listen {
        builder = builder
            .clear_ip_transports()
            .bind_addr(address)
            .map_err(|error| CliError::usage(format!("cannot listen on {address}")).because(&error))?;
    }
    let trust = CaTlsConfig::embedded().with_extra_roots(options.trust.authorities());
    Ok(builder
        .ca_tls_config(outside::trust(trust, &options.relays))
        .secret_key(options.key.secret())
        .transport_config(leaf_iroh::transport()))
}
