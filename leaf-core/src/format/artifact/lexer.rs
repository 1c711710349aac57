//! From bytes to cards and their arguments.
//!
//! A card is one line: a letter, then arguments with one space before each. Two spaces in a row hold an empty
//! argument. A NUL divides like a space: upstream reads C strings, and what it accepts is accepted here.
//!
//! Source: Fossil `src/manifest.c` `next_card()`, `next_token()`, `remove_pgp_signature()`, `verify_z_card()`.

use super::BadArtifact;
use crate::format::{fossilize, hash};
use crate::id::{ArtifactHash, to_hex};
use std::borrow::Cow;

/// The length of `Z`, a space, 32 digits and a newline.
const Z_CARD_BYTES: usize = 35;

/// The checksum of what looks like an artifact. Nobody has checked it.
#[derive(Clone, Copy, Debug)]
pub struct ZCard<'a> {
    /// The artifact without its wrapper, this card and all.
    artifact: &'a [u8],
    /// Where the card begins in it.
    at: usize,
}

impl<'a> ZCard<'a> {
    /// Finds the card, cheaply: most content is a file and fails at its first bytes.
    ///
    /// # Errors
    ///
    /// [`BadArtifact::NotStructural`] or [`BadArtifact::Missing`].
    pub fn find(content: &'a [u8]) -> Result<Self, BadArtifact> {
        if content.last() != Some(&b'\n') {
            return Err(BadArtifact::NotStructural);
        }
        let artifact = unwrap_signed(content);
        if artifact.len() < 10 || !matches!(artifact, [b'A'..=b'Z', b' ', ..]) {
            return Err(BadArtifact::NotStructural);
        }
        let at = artifact.len().saturating_sub(Z_CARD_BYTES);
        let card = Self { artifact, at };
        card.digits().ok_or(BadArtifact::Missing { card: 'Z' })?;
        Ok(card)
    }

    /// The bytes whose MD5 it is.
    pub fn covers(&self) -> &'a [u8] {
        self.artifact.get(..self.at).unwrap_or_default()
    }

    /// Whether it says this MD5.
    pub fn says(&self, md5: [u8; 16]) -> bool {
        self.digits() == Some(to_hex(&md5).as_bytes())
    }

    fn digits(&self) -> Option<&'a [u8]> {
        let card = self.artifact.get(self.at..)?;
        let digits = card.strip_prefix(b"Z ")?.strip_suffix(b"\n")?;
        (digits.len() == 32 && is_lower_hex(digits)).then_some(digits)
    }
}

/// The cards of `content`, once its wrapper is off and its checksum found right. `z_right` is whether it is, if
/// that is known.
pub(super) fn open(content: &[u8], z_right: Option<bool>) -> Result<Cards<'_>, BadArtifact> {
    let z_card = ZCard::find(content)?;
    if !z_right.unwrap_or_else(|| z_card.says(hash::md5(z_card.covers()))) {
        return Err(BadArtifact::WrongChecksum { offset: z_card.at });
    }
    Ok(Cards {
        content: z_card.artifact,
        at: 0,
        line_ended: true,
    })
}

/// Takes a clear-signed wrapper off. What has none, or a broken one, is returned as it is.
fn unwrap_signed(content: &[u8]) -> &[u8] {
    let signature: &[u8] = match content {
        _ if content.starts_with(b"-----BEGIN PGP SIGNED MESSAGE-----") => b"\n-----BEGIN PGP SIGNATURE",
        _ if content.starts_with(b"-----BEGIN SSH SIGNED MESSAGE-----") => b"\n-----BEGIN SSH SIGNATURE",
        _ => return content,
    };
    let is_after_blank = |at: &usize| {
        let before = content.get(..*at).unwrap_or_default();
        before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n")
    };
    let Some(start) = (34..content.len()).find(is_after_blank) else {
        return content;
    };
    let inner = content.get(start..).unwrap_or_default();
    match inner
        .windows(signature.len())
        .rposition(|window| window == signature)
    {
        Some(newline) => inner.get(..=newline).unwrap_or(inner),
        None => inner,
    }
}

/// Reads cards one after the other.
pub(super) struct Cards<'a> {
    content: &'a [u8],
    at: usize,
    line_ended: bool,
}

impl<'a> Cards<'a> {
    /// The letter of the next card, or `None` at the end. Arguments that were not read are an error.
    pub(super) fn next_card(&mut self) -> Result<Option<u8>, BadArtifact> {
        let offset = self.at;
        let rest = self.content.get(offset..).unwrap_or_default();
        if !self.line_ended {
            return Err(BadArtifact::ExtraArgument { offset });
        }
        let letter = match rest {
            [] => return Ok(None),
            [letter @ b'A'..=b'Z', b' ' | b'\n', ..] => *letter,
            _ => return Err(BadArtifact::NotACard { offset }),
        };
        self.line_ended = rest.get(1) == Some(&b'\n');
        self.at += 2;
        Ok(Some(letter))
    }

    /// Where the next argument begins.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// The next argument of this card as it is written, if there is one.
    pub(super) fn argument(&mut self) -> Option<&'a [u8]> {
        if self.line_ended {
            return None;
        }
        let rest = self.content.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b' ' | b'\n' | 0))?;
        self.line_ended = rest.get(length) == Some(&b'\n');
        self.at += length + 1;
        rest.get(..length)
    }

    /// The next argument if it is an artifact hash in hex; else nothing is taken.
    ///
    /// Nearly all of a manifest is hashes: this looks at their two possible ends, not at each byte for one.
    pub(super) fn hash_hex(&mut self) -> Option<&'a [u8]> {
        let rest = self.content.get(self.at..).filter(|_| !self.line_ended)?;
        let of_length = |length: usize| {
            let ended = matches!(rest.get(length), Some(b' ' | b'\n' | 0));
            rest.get(..length).filter(|hex| ended && is_lower_hex(hex))
        };
        let hex = of_length(64).or_else(|| of_length(40))?;
        self.line_ended = rest.get(hex.len()) == Some(&b'\n');
        self.at += hex.len() + 1;
        Some(hex)
    }

    /// Whether the card has no more arguments.
    pub(super) fn line_ended(&self) -> bool {
        self.line_ended
    }

    /// The next argument, unescaped.
    pub(super) fn text(&mut self) -> Option<Cow<'a, [u8]>> {
        self.argument().map(unescape)
    }

    /// The bytes of the content from `start` to the end of the line last read.
    pub(super) fn line_from(&self, start: usize) -> &'a [u8] {
        let end = self.at.saturating_sub(1);
        self.content.get(start..end).unwrap_or_default()
    }

    /// Takes `bytes` bytes and the newline after them, both before the end of the last line.
    pub(super) fn block(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let rest = self.content.get(self.at..)?;
        let after = bytes.checked_add(1).filter(|&after| after < rest.len())?;
        if rest.get(bytes) != Some(&b'\n') || !self.line_ended {
            return None;
        }
        self.at += after;
        rest.get(..bytes)
    }
}

/// The meaning of an argument. It ends before the first NUL, as it does upstream.
pub(super) fn unescape(argument: &[u8]) -> Cow<'_, [u8]> {
    if !argument.contains(&b'\\') {
        return Cow::Borrowed(argument);
    }
    let mut text = fossilize::decode(argument);
    if let Some(end) = text.iter().position(|&byte| byte == 0) {
        text.truncate(end);
    }
    Cow::Owned(text)
}

/// An artifact hash, which upstream would take in capitals too; but no artifact has such a name.
pub(super) fn hash_argument(argument: Option<&[u8]>) -> Option<ArtifactHash> {
    ArtifactHash::parse(argument?).ok()
}

/// Whether all are lower-case hex digits. Free of branches, so that it runs on many bytes at a time.
pub(super) fn is_lower_hex(bytes: &[u8]) -> bool {
    let digit = |byte: u8| byte.wrapping_sub(b'0') < 10 || byte.wrapping_sub(b'a') < 6;
    bytes.iter().fold(true, |good, &byte| good & digit(byte))
}
