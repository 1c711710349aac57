//! Which address a leaf has outside its router: a relay of ours sees it, and says so (QUIC address discovery).
//!
//! Without that, two leaves behind routers never find a direct way. It is said by UDP, on the port of the same number as
//! that of HTTP; behind port 443 on 7842, as other relays have it. What is called by plain HTTP proves nothing about who
//! answers, and it need not here, where it makes itself a certificate: whoever lies sends packets astray, which stay
//! unreadable. Anybody may ask, within bounds.
//!
//! Source: iroh-relay 1.4 `quic`; draft-ietf-quic-address-discovery-00.

use super::seats::Seats;
use crate::error::{CliError, Exit};
use crate::tls::TlsFiles;
use iroh::tls::CaTlsConfig;
use iroh::{RelayConfig, RelayMap, RelayUrl};
use iroh_relay::RelayQuicConfig;
use iroh_relay::defaults::DEFAULT_RELAY_QUIC_PORT;
use iroh_relay::quic::{ALPN_QUIC_ADDR_DISC, QUIC_ADDR_DISC_CLOSE_CODE, QUIC_ADDR_DISC_CLOSE_REASON};
use leaf_core::limits::RelayLimits;
use noq::crypto::rustls::QuicServerConfig;
use noq::{Endpoint, VarInt};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{DigitallySignedStruct, Error, ServerConfig, SignatureScheme};

/// Connections of one address at a time: leaves behind one router share one.
const OF_ADDRESS_MAX: usize = 64;
/// How long one may say nothing; leaves give a sign of life every 25 seconds.
const IDLE_MS_MAX: VarInt = VarInt::from_u32(60_000);

/// Relays, and where each says what it sees.
pub(super) fn map(relays: &[RelayUrl]) -> RelayMap {
    let relays = relays.iter().map(|url| {
        let port = url.port_or_known_default().map(port);
        RelayConfig::new(url.clone(), port.map(RelayQuicConfig::new))
    });
    relays.collect()
}

/// Who is believed: whoever `others` believes, and relays by plain HTTP as they are.
pub(super) fn trust(others: CaTlsConfig, relays: &[RelayUrl]) -> CaTlsConfig {
    let hosts = |plain: bool| -> BTreeSet<String> {
        let relays = relays.iter().filter(|url| is_plain(url) == plain);
        relays.filter_map(|url| name(url.host_str()?)).collect()
    };
    // One that can prove itself has to.
    let plain = Arc::new(&hosts(true) - &hosts(false));
    CaTlsConfig::custom_server_cert_verifier(Arc::new(move |provider| {
        let others = others.server_cert_verifier(provider)?;
        let plain = Arc::clone(&plain);
        Ok(Arc::new(Verifier { others, plain }))
    }))
}

/// What says which address somebody has, until it is dropped.
#[derive(Debug)]
pub struct Outside(Vec<Endpoint>);

impl Outside {
    /// Answers beside an HTTP server at `addresses`, with its certificate if it has one.
    ///
    /// # Errors
    ///
    /// When the certificate cannot be used.
    pub fn open(
        addresses: &[SocketAddr],
        tls: Option<&TlsFiles>,
        limits: RelayLimits,
    ) -> Result<Self, CliError> {
        let tls = match tls {
            Some(files) => ServerConfig::clone(files.acceptor(&[])?.config()),
            None => unproved()?,
        };
        let config = config(tls)?;
        let mut endpoints = Vec::new();
        for address in addresses {
            let address = SocketAddr::new(address.ip(), port(address.port()));
            match Endpoint::server(config.clone(), address) {
                Ok(endpoint) => {
                    tokio::spawn(answer(endpoint.clone(), limits));
                    endpoints.push(endpoint);
                }
                Err(error) => tracing::warn!(
                    %address,
                    %error,
                    "leaves behind routers find no direct way to each other: no UDP"
                ),
            }
        }
        Ok(Self(endpoints))
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        for endpoint in &self.0 {
            endpoint.close(QUIC_ADDR_DISC_CLOSE_CODE, QUIC_ADDR_DISC_CLOSE_REASON);
        }
    }
}

/// Answers whoever connects: the transport itself says which address it sees.
async fn answer(endpoint: Endpoint, limits: RelayLimits) {
    let seats = Arc::new(Semaphore::new(limits.connections_max));
    let open = Arc::new(Seats::new(OF_ADDRESS_MAX));
    let time = Duration::from_millis(limits.handshake_ms_max.into());
    while let Some(incoming) = endpoint.accept().await {
        // An address that is only claimed takes nobody's place.
        if !incoming.remote_address_validated() {
            incoming.retry().ok();
            continue;
        }
        let permit = Arc::clone(&seats).try_acquire_owned();
        let seat = open.seat(incoming.remote_address().ip().to_canonical());
        let (Ok(permit), Some(seat)) = (permit, seat) else {
            incoming.refuse();
            continue;
        };
        tokio::spawn(async move {
            if let Ok(Ok(connection)) = timeout(time, incoming.into_future()).await {
                connection.closed().await;
            }
            drop((seat, permit));
        });
    }
}

fn config(mut tls: ServerConfig) -> Result<noq::ServerConfig, CliError> {
    tls.alpn_protocols = vec![ALPN_QUIC_ADDR_DISC.to_vec()];
    let tls = QuicServerConfig::try_from(tls).map_err(|error| {
        CliError::new(Exit::Usage, "the certificate is of no use to QUIC").because(&error)
    })?;
    let mut transport = noq::TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(IDLE_MS_MAX.into()))
        .send_observed_address_reports(true);
    let mut config = noq::ServerConfig::with_crypto(Arc::new(tls));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// A certificate that proves nothing.
fn unproved() -> Result<ServerConfig, CliError> {
    let failed = |error: &dyn std::error::Error| {
        CliError::new(Exit::Usage, "the relay cannot make itself a certificate").because(error)
    };
    let own = rcgen::generate_simple_self_signed(["relay.invalid".to_owned()]);
    let own = own.map_err(|error| failed(&error))?;
    let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![own.cert.der().clone()], key);
    config.map_err(|error| failed(&error))
}

/// The port of UDP that belongs to one of HTTP.
fn port(http: u16) -> u16 {
    match http {
        443 => DEFAULT_RELAY_QUIC_PORT,
        other => other,
    }
}

fn is_plain(url: &RelayUrl) -> bool {
    url.scheme() == "http"
}

/// A host as it is called in a handshake.
fn name(host: &str) -> Option<String> {
    let host = host.trim_matches(['[', ']']).to_owned();
    Some(ServerName::try_from(host).ok()?.to_str().into_owned())
}

#[derive(Debug)]
struct Verifier {
    others: Arc<dyn ServerCertVerifier>,
    plain: Arc<BTreeSet<String>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.plain.contains(&*name.to_str()) {
            true => Ok(ServerCertVerified::assertion()),
            false => self.others.verify_server_cert(own, others, name, stapled, now),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.others.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.others.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.others.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use iroh_relay::quic::QuicClient;
    use noq::Connection;

    /// A leaf that believes in a relay called by `scheme`, and where one answers on loopback.
    fn asks(scheme: &str) -> (Outside, Endpoint, impl AsyncFn() -> Result<Connection, String>) {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let outside = Outside::open(&[loopback], None, RelayLimits::default()).expect("a certificate");
        let address = outside.0[0].local_addr().expect("bound");
        let relay: RelayUrl = format!("{scheme}://{address}").parse().expect("a URL");
        let trust = trust(CaTlsConfig::embedded(), &[relay]);
        let tls = trust.client_config(iroh::tls::default_provider()).expect("TLS");
        let own = Endpoint::client(loopback).expect("a port");
        let client = QuicClient::new(own.clone(), tls);
        let connect = async move || {
            let connected = client.create_conn(address, "127.0.0.1").await;
            connected.map_err(|error| error.to_string())
        };
        (outside, own, connect)
    }

    #[tokio::test]
    async fn whoever_asks_is_told_its_address() {
        let (_outside, own, connect) = asks("http");
        let connection = connect().await.expect("an answer");
        let told = connection.observed_external_addr().next().await;
        assert_eq!(told, own.local_addr().ok());
    }

    #[tokio::test]
    async fn one_address_has_few_connections() {
        let (_outside, _, connect) = asks("http");
        let mut open = Vec::new();
        for _ in 0..OF_ADDRESS_MAX {
            open.push(connect().await.expect("room"));
        }
        assert!(connect().await.is_err());
        open.clear();
        let room = async {
            while connect().await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_mins(1), room).await.expect("room again");
    }

    #[tokio::test]
    async fn a_relay_that_can_prove_itself_has_to() {
        let (_outside, _, connect) = asks("https");
        let refused = connect().await.expect_err("a certificate of its own making");
        assert!(refused.contains("certificate"), "{refused}");
    }
}
