//! A key of a NATS user: the public key as it is written, and signatures of nonces.
//!
//! Written apart from the broker's own, so that both cannot be wrong in the same way; the servers tell who is right.
//!
//! Source: <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth>; crate
//! `nkeys`, `crc.go` and `strkey.go` of github.com/nats-io/nkeys.

use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// The kind of key, in the upper five bits.
const USER: u8 = 20 << 3;

/// A user's key pair.
pub(crate) struct Nkey {
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl Nkey {
    /// The one that comes of these 32 bytes.
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes");
        Self { seed, pair }
    }

    /// `U` and 55 more letters: kind, key and check sum in base 32.
    pub(crate) fn public(&self) -> String {
        let mut bytes = vec![USER];
        bytes.extend(self.pair.public_key().as_ref());
        written(bytes)
    }

    /// `SU` and 56 more letters: what a client keeps to itself. The kind of the key has five bits behind those that
    /// say that it is a seed.
    pub(crate) fn seed(&self) -> String {
        const SEED: u8 = 18 << 3;
        let mut bytes = vec![SEED | USER >> 5, (USER & 31) << 3];
        bytes.extend(self.seed);
        written(bytes)
    }

    /// The signature of a nonce as clients send it.
    pub(crate) fn sign(&self, nonce: &str) -> String {
        BASE64URL_NOPAD.encode(self.pair.sign(nonce.as_bytes()).as_ref())
    }

    /// The same in the base 64 of mail, which some clients send.
    pub(crate) fn sign_padded(&self, nonce: &str) -> String {
        BASE64.encode(self.pair.sign(nonce.as_bytes()).as_ref())
    }
}

fn written(mut bytes: Vec<u8>) -> String {
    bytes.extend(crc16(&bytes).to_le_bytes());
    BASE32_NOPAD.encode(&bytes)
}

/// CRC-16 of XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| match crc & 0x8000 {
            0 => crc << 1,
            _ => (crc << 1) ^ 0x1021,
        })
    })
}
