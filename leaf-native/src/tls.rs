//! TLS of both sides: the certificate of a server of ours, and whom a client of ours trusts.

use crate::error::CliError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The two files that a server needs to encrypt.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Certificate chain, PEM, the server's own first.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads both. `protocols` are those that a client may choose from (ALPN); none: it has no choice.
    ///
    /// # Errors
    ///
    /// When one is not there or not what it should be, or they do not belong together.
    pub fn acceptor(&self, protocols: &[&str]) -> Result<TlsAcceptor, CliError> {
        let cert = format!("cannot use the certificate {}", self.cert.display());
        let chain: Vec<_> = CertificateDer::pem_file_iter(&self.cert)
            .and_then(Iterator::collect)
            .map_err(|error| CliError::storage(&cert, &error))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| {
            CliError::storage(format!("cannot use the key {}", self.key.display()), &error)
        })?;
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| CliError::storage(&cert, &error))?;
        config.alpn_protocols = protocols
            .iter()
            .map(|protocol| protocol.as_bytes().to_vec())
            .collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Whose word is taken for who a server is: the system's authorities, and those of one file.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    own: Arc<Vec<CertificateDer<'static>>>,
    /// The system's are read when the first server is called that wants TLS.
    config: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Trust {
    /// The system's authorities, and those in `file`.
    ///
    /// # Errors
    ///
    /// When the file holds no certificates.
    pub fn new(file: Option<&Path>) -> Result<Self, CliError> {
        let Some(file) = file else {
            return Ok(Self::default());
        };
        let own = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match own {
            Ok(own) if !own.is_empty() => Ok(Self {
                own: Arc::new(own),
                config: Arc::default(),
            }),
            _ => Err(
                CliError::usage(format!("no certificates can be read from {}", file.display()))
                    .next_step("give --ca-cert a PEM file"),
            ),
        }
    }

    /// Their certificates.
    pub fn authorities(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        let system = rustls_native_certs::load_native_certs().certs;
        system.into_iter().chain(self.own.iter().cloned())
    }

    fn config(&self) -> Arc<ClientConfig> {
        let read = || {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(self.authorities());
            let config = ClientConfig::builder().with_root_certificates(roots);
            Arc::new(config.with_no_client_auth())
        };
        Arc::clone(self.config.get_or_init(read))
    }

    /// Begins TLS with the server that `host` names.
    ///
    /// # Errors
    ///
    /// `InvalidData` when the server cannot prove to be that host; others when the stream ends or TLS fails.
    pub async fn encrypt(&self, stream: TcpStream, host: &str) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| io::Error::other(format!("{host} cannot be a name in a certificate")))?;
        let trust = self.clone();
        // Many files: whatever else this thread does is not to wait for them.
        let config = tokio::task::spawn_blocking(move || trust.config()).await?;
        TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|error| said(host, error))
    }
}

fn said(host: &str, error: io::Error) -> io::Error {
    let why = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
    match why {
        Some(Error::InvalidCertificate(why)) => io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the certificate of {host} is not trusted: {why}"),
        ),
        Some(why) => io::Error::other(format!("no TLS with {host}: {why}")),
        None => error,
    }
}
