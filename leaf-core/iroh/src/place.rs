//! Where a leaf is: `iroh://ENDPOINT-ID[/PROJECT][?addr=IP:PORT&relay=URL]`, each part of the query any number of times.
//!
//! Source: ours; the form of URLs: RFC 3986.

use iroh::{EndpointAddr, EndpointId, RelayUrl};
use leaf_core::peer::Ticket;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::fmt;
use std::net::SocketAddr;
use url::Url;

/// A key, and where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IrohUrl {
    /// Who.
    pub id: EndpointId,
    /// Which of its repositories; absent: the only one.
    pub project: Option<String>,
    /// Where it may be reached directly.
    pub addresses: Vec<SocketAddr>,
    /// By which relays.
    pub relays: Vec<RelayUrl>,
}

/// Why a text says nowhere where a leaf is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadPlace {
    /// Not one at all.
    #[error("this is no URL")]
    Url,
    /// No key in it.
    #[error("the URL names no endpoint id")]
    Id,
    /// An address that is none.
    #[error("addr= in the URL is no IP:PORT")]
    Address,
    /// A relay that is none.
    #[error("relay= in the URL is no URL")]
    Relay,
    /// Some other word.
    #[error("the URL says what has no meaning: only addr= and relay= have")]
    Word,
    /// A ticket with such a thing in it.
    #[error("the ticket names a key or a relay that is none")]
    Ticket,
}

impl IrohUrl {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// [`BadPlace`].
    pub fn parse(text: &str) -> Result<Self, BadPlace> {
        let url = Url::parse(text).map_err(|_| BadPlace::Url)?;
        let host = url.host_str().unwrap_or_default();
        let project = percent_decode_str(url.path().trim_matches('/')).decode_utf8_lossy();
        let mut place = Self {
            id: host.parse().map_err(|_| BadPlace::Id)?,
            project: Some(project.into_owned()).filter(|project| !project.is_empty()),
            addresses: Vec::new(),
            relays: Vec::new(),
        };
        for (name, value) in url.query_pairs() {
            match &*name {
                "addr" => place
                    .addresses
                    .push(value.parse().map_err(|_| BadPlace::Address)?),
                "relay" => place.relays.push(value.parse().map_err(|_| BadPlace::Relay)?),
                _ => return Err(BadPlace::Word),
            }
        }
        Ok(place)
    }

    /// Where a ticket says that its maker is.
    ///
    /// # Errors
    ///
    /// [`BadPlace::Ticket`].
    pub fn of_ticket(ticket: &Ticket) -> Result<Self, BadPlace> {
        let relays = ticket.relays.iter().map(|relay| relay.parse::<RelayUrl>());
        Ok(Self {
            id: EndpointId::from_bytes(&ticket.endpoint).map_err(|_| BadPlace::Ticket)?,
            project: Some(ticket.project.as_str().to_owned()),
            addresses: ticket.addresses.clone(),
            relays: relays.collect::<Result<_, _>>().map_err(|_| BadPlace::Ticket)?,
        })
    }

    /// Where the endpoint says it is.
    pub fn of(address: &EndpointAddr) -> Self {
        Self {
            id: address.id,
            project: None,
            addresses: address.ip_addrs().copied().collect(),
            relays: address.relay_urls().cloned().collect(),
        }
    }

    /// For the endpoint that calls.
    pub fn address(&self) -> EndpointAddr {
        let relays = self.relays.iter().cloned();
        let address = relays.fold(EndpointAddr::new(self.id), EndpointAddr::with_relay_url);
        self.addresses
            .iter()
            .fold(address, |address, direct| address.with_ip_addr(*direct))
    }
}

impl fmt::Display for IrohUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "iroh://{}", self.id)?;
        if let Some(project) = &self.project {
            write!(f, "/{}", utf8_percent_encode(project, NON_ALPHANUMERIC))?;
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for address in &self.addresses {
            query.append_pair("addr", &address.to_string());
        }
        for relay in &self.relays {
            query.append_pair("relay", relay.as_str());
        }
        match query.finish() {
            query if query.is_empty() => Ok(()),
            query => write!(f, "?{query}"),
        }
    }
}
