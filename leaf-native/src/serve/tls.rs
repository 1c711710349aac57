//! Certificates of the server.

use crate::error::CliError;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The two files that a server needs to encrypt.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Certificate chain, PEM, the server's own first.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads both.
    ///
    /// # Errors
    ///
    /// When one is not there or not what it should be, or they do not belong together.
    pub fn acceptor(&self) -> Result<TlsAcceptor, CliError> {
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
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
