//! The key of a NATS user, from a file: a seed alone, or a credentials file with claims and seed.
//!
//! The seed is in memory only as a key, and in no message.
//!
//! Source: credentials files and nkeys of NATS (docs.nats.io, `securing_nats/auth_intro/nkey_auth` and `jwt`).

use crate::error::CliError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leaf_core::nats::client::{Signed, Signer};
use nkeys::{KeyPair, KeyPairType};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// What a line of dashes says before the claims.
const CLAIMS: &str = "BEGIN NATS USER JWT";

/// A user's key, and the claims that somebody signed for it.
#[derive(Clone)]
pub struct NatsKey {
    pair: Arc<KeyPair>,
    claims: Option<String>,
}

impl fmt::Debug for NatsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NatsKey({})", self.pair.public_key())
    }
}

impl NatsKey {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When there is none, or no user's seed in it.
    pub fn read(file: &Path) -> Result<Self, CliError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| CliError::storage(format!("cannot read {}", file.display()), &error))?;
        Self::parse(&text).ok_or_else(|| {
            CliError::usage(format!("no seed of a NATS user is in {}", file.display()))
                .next_step("give a credentials file (.creds), or a file with a seed (SU...)")
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let claims = lines
            .clone()
            .skip_while(|line| !line.contains(CLAIMS))
            .nth(1)
            .map(str::to_owned);
        let pair = KeyPair::from_seed(lines.find(|line| line.starts_with("SU"))?).ok()?;
        (pair.key_pair_type() == KeyPairType::User).then(|| Self {
            pair: Arc::new(pair),
            claims,
        })
    }

    /// What signs for it.
    pub(super) fn signer(&self) -> Signer {
        let Self { pair, claims } = self.clone();
        Box::new(move |nonce| {
            // A key that came of a seed can sign; a server refuses no signature as it refuses a wrong one.
            let signature = pair.sign(nonce.as_bytes()).unwrap_or_default();
            Signed {
                // Who sends claims is known by them.
                nkey: claims.is_none().then(|| pair.public_key()),
                jwt: claims.clone(),
                signature: URL_SAFE_NO_PAD.encode(signature),
            }
        })
    }
}
