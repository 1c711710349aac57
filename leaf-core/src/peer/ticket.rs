//! An invitation as text: who invites, where it is, which project, and the secret.
//!
//! ```text
//!   leaf1 BASE32    in small letters or in capitals, as a QR code has them
//!
//!   32 bytes  endpoint id          20 bytes  project code
//!   16 bytes  secret                n bytes  places, to the end
//!                                   4 bytes  begin of the SHA3-256 of all before: a slip of the pen shows
//!   place:  4, 4 bytes, port | 6, 16 bytes, port | length of a URL, 7 or more, URL
//! ```
//!
//! Source: ours; base32 is RFC 4648 section 6, without padding.

use super::Key;
use crate::format::hash::{HashKind, name};
use crate::id::ProjectCode;
use core::fmt;
use core::net::{IpAddr, SocketAddr};

const PREFIX: &str = "leaf1";
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Bytes that stand at the begin, and those that stand at the end.
const HEAD_BYTES: usize = 32 + 16 + 20;
const CHECK_BYTES: usize = 4;
/// Characters of a ticket; one with ten places has half of them.
const CHARS_MAX: usize = 1_024;

/// An invitation. The secret in it is not shown by `Debug`.
#[derive(Clone, Eq, PartialEq)]
pub struct Ticket {
    /// Who invites.
    pub endpoint: Key,
    /// What lets in, once.
    pub secret: [u8; 16],
    /// To which project.
    pub project: ProjectCode,
    /// Where whoever invites may be reached.
    pub addresses: Vec<SocketAddr>,
    /// Relays by which it may be reached.
    pub relays: Vec<String>,
}

/// Why a text is no ticket.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadTicket {
    /// Something else, or a part of a ticket.
    #[error("this is no ticket of a leaf: one begins with {PREFIX}")]
    Shape,
    /// A ticket with a slip in it.
    #[error("some letter of the ticket is wrong or missing")]
    Check,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}

impl Ticket {
    /// The text.
    pub fn write(&self) -> String {
        let mut bytes = [self.endpoint.as_slice(), &self.secret].concat();
        let project: [u8; 20] = crate::id::decode(self.project.as_str().as_bytes()).unwrap_or_default();
        bytes.extend(project);
        for address in &self.addresses {
            match address.ip() {
                IpAddr::V4(ip) => {
                    bytes.push(4);
                    bytes.extend(ip.octets());
                }
                IpAddr::V6(ip) => {
                    bytes.push(6);
                    bytes.extend(ip.octets());
                }
            }
            bytes.extend(address.port().to_be_bytes());
        }
        for relay in &self.relays {
            if let Some(length) = u8::try_from(relay.len()).ok().filter(|length| *length > 6) {
                bytes.push(length);
                bytes.extend(relay.as_bytes());
            }
        }
        bytes.extend(check(&bytes));
        format!("{PREFIX}{}", base32(&bytes))
    }

    /// Reads the text.
    ///
    /// # Errors
    ///
    /// [`BadTicket`], which says nothing of what is in the text.
    pub fn parse(text: &str) -> Result<Self, BadTicket> {
        let text = text.trim().to_ascii_lowercase();
        let letters = text.strip_prefix(PREFIX).ok_or(BadTicket::Shape)?;
        if letters.len() > CHARS_MAX {
            return Err(BadTicket::Shape);
        }
        let bytes = unbase32(letters.as_bytes()).ok_or(BadTicket::Check)?;
        let end = bytes.len().checked_sub(CHECK_BYTES).ok_or(BadTicket::Check)?;
        let (bytes, sum) = bytes.split_at(end);
        if sum != check(bytes) {
            return Err(BadTicket::Check);
        }
        let (head, mut places) = bytes.split_at_checked(HEAD_BYTES).ok_or(BadTicket::Shape)?;
        let (endpoint, head) = head.split_first_chunk().ok_or(BadTicket::Shape)?;
        let (secret, head) = head.split_first_chunk().ok_or(BadTicket::Shape)?;
        let (project, _) = head.split_first_chunk().ok_or(BadTicket::Shape)?;
        let mut ticket = Self {
            endpoint: *endpoint,
            secret: *secret,
            project: ProjectCode::from_random(*project),
            addresses: Vec::new(),
            relays: Vec::new(),
        };
        while let Some((kind, rest)) = places.split_first() {
            places = ticket.place(*kind, rest).ok_or(BadTicket::Shape)?;
        }
        Ok(ticket)
    }

    /// Takes one place from the begin of `bytes`; gives what is left.
    fn place<'a>(&mut self, kind: u8, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let mut address = |ip: IpAddr, rest: &'a [u8]| {
            let (port, rest) = rest.split_first_chunk()?;
            self.addresses
                .push(SocketAddr::new(ip, u16::from_be_bytes(*port)));
            Some(rest)
        };
        match kind {
            4 => {
                let (ip, rest) = bytes.split_first_chunk::<4>()?;
                address((*ip).into(), rest)
            }
            6 => {
                let (ip, rest) = bytes.split_first_chunk::<16>()?;
                address((*ip).into(), rest)
            }
            length @ 7.. => {
                let (url, rest) = bytes.split_at_checked(usize::from(length))?;
                self.relays.push(core::str::from_utf8(url).ok()?.to_owned());
                Some(rest)
            }
            _ => None,
        }
    }
}

fn check(bytes: &[u8]) -> Vec<u8> {
    let hash = name(HashKind::Sha3, bytes);
    hash.as_bytes().iter().take(CHECK_BYTES).copied().collect()
}

fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(held >> bits));
        }
    }
    if bits > 0 {
        text.push(letter(held << (5 - bits)));
    }
    text
}

fn letter(value: u32) -> char {
    char::from(ALPHABET[(value & 31) as usize])
}

/// `None` when a letter is none, or what is left at the end is not nothing.
fn unbase32(letters: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for letter in letters {
        let value = ALPHABET.iter().position(|known| known == letter)?;
        held = (held << 5 | u32::try_from(value).ok()?) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
        }
    }
    (bits < 5 && held & ((1 << bits) - 1) == 0).then_some(bytes)
}
