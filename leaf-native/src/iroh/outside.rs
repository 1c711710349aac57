//! Which address a leaf has outside its router: a relay of ours sees it, and says so (QUIC address discovery).
//!
//! Without that, two leaves behind routers never find a direct way. It is said by UDP, on the port of the same number as
//! that of HTTP; behind port 443 on 7842, as other relays have it. What is called by plain HTTP proves nothing about who
//! answers, and it need not here, where it makes itself a certificate: whoever lies sends packets astray, which stay
//! unreadable.
//!
//! Source: iroh-relay 1.4 `server::QuicConfig`; draft-ietf-quic-address-discovery-00.

use crate::error::{CliError, Exit};
use crate::tls::TlsFiles;
use iroh::tls::CaTlsConfig;
use iroh::{RelayConfig, RelayMap, RelayUrl};
use iroh_relay::RelayQuicConfig;
use iroh_relay::defaults::DEFAULT_RELAY_QUIC_PORT;
use iroh_relay::server::{QuicConfig, Server, ServerConfig as RelayServerConfig};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{DigitallySignedStruct, Error, ServerConfig, SignatureScheme};

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
pub struct Outside(#[expect(dead_code, reason = "they answer as long as they are here")] Vec<Server>);

impl Outside {
    /// Answers beside an HTTP server at `addresses`, with its certificate if it has one.
    ///
    /// # Errors
    ///
    /// When the certificate cannot be used.
    pub async fn open(addresses: &[SocketAddr], tls: Option<&TlsFiles>) -> Result<Self, CliError> {
        let tls = match tls {
            Some(files) => ServerConfig::clone(files.acceptor(&[])?.config()),
            None => unproved()?,
        };
        let mut servers = Vec::new();
        for address in addresses {
            let address = SocketAddr::new(address.ip(), port(address.port()));
            let mut quic = QuicConfig::new(address);
            quic.server_config = Some(tls.clone());
            let mut config = RelayServerConfig::default();
            config.quic = Some(quic);
            match Server::spawn(config).await {
                Ok(server) => servers.push(server),
                Err(error) => tracing::warn!(
                    %address,
                    %error,
                    "leaves behind routers find no direct way to each other: no UDP"
                ),
            }
        }
        Ok(Self(servers))
    }
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
