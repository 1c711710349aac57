//! Where a leaf is: `iroh://ENDPOINT-ID[/PROJECT][?addr=IP:PORT&relay=URL]`, each part of the query any number of times.
//!
//! A leaf that can be called says where it is in each repository that it serves, config row `leaf-iroh-url`, so that
//! `leaf invite`, which is another process, can say it in a ticket.
//!
//! Source: ours; the form of URLs: RFC 3986.

use crate::error::CliError;
use crate::remote::RemoteUrl;
use crate::world;
use iroh::{EndpointAddr, EndpointId, RelayUrl};
use leaf_core::peer::Ticket;
use leaf_core::repo::{Repo, RepoError};
use std::fmt;
use std::net::SocketAddr;

/// Where a repository says by which key and where it can be called.
const PLACE: &str = "leaf-iroh-url";

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

impl IrohUrl {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// When it names no key, or a place that is none.
    pub fn parse(url: &RemoteUrl) -> Result<Self, CliError> {
        let usage = |what: &str| {
            CliError::usage(what).next_step("write it like iroh://ENDPOINT-ID?addr=IP:PORT&relay=URL")
        };
        let id = url
            .host()
            .parse()
            .map_err(|_| usage("the URL names no endpoint id"))?;
        let mut place = Self {
            id,
            project: url.project(),
            addresses: Vec::new(),
            relays: Vec::new(),
        };
        for (name, value) in url.query() {
            match name.as_str() {
                "addr" => {
                    let address = value
                        .parse()
                        .map_err(|_| usage("addr= in the URL is no IP:PORT"))?;
                    place.addresses.push(address);
                }
                "relay" => {
                    let relay = value.parse().map_err(|_| usage("relay= in the URL is no URL"))?;
                    place.relays.push(relay);
                }
                _ => {
                    return Err(usage(
                        "the URL says what has no meaning: only addr= and relay= have",
                    ));
                }
            }
        }
        Ok(place)
    }

    /// Where a ticket says that its maker is.
    ///
    /// # Errors
    ///
    /// When its key or a relay in it is none.
    pub fn of_ticket(ticket: &Ticket) -> Result<Self, CliError> {
        let bad = |_| CliError::usage("the ticket names a key or a relay that is none");
        let id = EndpointId::from_bytes(&ticket.endpoint).map_err(|error| bad(error.to_string()))?;
        let relays = ticket.relays.iter().map(|relay| relay.parse::<RelayUrl>());
        let relays = relays.collect::<Result<_, _>>();
        Ok(Self {
            id,
            project: Some(ticket.project.as_str().to_owned()),
            addresses: ticket.addresses.clone(),
            relays: relays.map_err(|error| bad(error.to_string()))?,
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

    /// Where `repo` was said to be served last; `None` if it never was.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn noted(repo: &Repo) -> Result<Option<Self>, CliError> {
        let text = repo.config(PLACE)?;
        let url = text.and_then(|text| RemoteUrl::parse(&text).ok());
        url.map(|(url, _)| Self::parse(&url)).transpose()
    }
}

/// Says in `repo` where it is served.
///
/// # Errors
///
/// When the repository cannot be written.
pub fn note_place(repo: &mut Repo, place: &IrohUrl) -> Result<(), RepoError> {
    let text = place.to_string();
    if repo.config(PLACE)?.as_deref() == Some(&text) {
        return Ok(());
    }
    repo.write(|tx| tx.set_config(PLACE, &text, world::now()))
}

impl fmt::Display for IrohUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "iroh://{}", self.id)?;
        if let Some(project) = &self.project {
            write!(
                f,
                "/{}",
                percent_encoding::utf8_percent_encode(project, percent_encoding::NON_ALPHANUMERIC)
            )?;
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
