//! The names of things: artifacts, rows, projects and servers.
//!
//! Each is parsed once at the edge and true from then on. An [`ArtifactHash`] travels on wires, a [`Rid`]
//! never leaves its repository.
//!
//! Source: Fossil `www/fileformat.wiki` section 1.0; columns `blob.uuid`, `blob.rid`; config `project-code`.

use core::cmp::Ordering;
use core::fmt;

/// The name of an artifact: the hash of its content.
///
/// Shape: SHA1 (20 bytes) or SHA3-256 (32 bytes); as text 40 or 64 lower-case hex digits, never anything else.
/// Ordering is that of the hex text, both lengths mixed, as in `M` cards and `ORDER BY uuid`.
/// Source: Fossil `www/fileformat.wiki` section 1.0; column `blob.uuid`.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub enum ArtifactHash {
    /// SHA1 of the content.
    Sha1([u8; 20]),
    /// SHA3-256 of the content.
    Sha3([u8; 32]),
}

impl ArtifactHash {
    /// Parses the hex form.
    ///
    /// # Errors
    ///
    /// [`BadHash`] says what was wrong and where.
    pub fn parse(hex: &[u8]) -> Result<Self, BadHash> {
        match hex.len() {
            40 => decode(hex).map(Self::Sha1),
            64 => decode(hex).map(Self::Sha3),
            bytes => Err(BadHash::Length { bytes }),
        }
    }

    /// The raw bytes: 20 or 32 of them.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha1(bytes) => bytes,
            Self::Sha3(bytes) => bytes,
        }
    }

    /// The hex text, without an allocation.
    pub fn hex(&self) -> HexHash {
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.as_bytes()) {
            pair.copy_from_slice(&HEX_PAIRS[usize::from(*byte)]);
        }
        HexHash {
            text,
            len: self.as_bytes().len() * 2,
        }
    }
}

impl Ord for ArtifactHash {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for ArtifactHash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ArtifactHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.hex().as_str())
    }
}

impl fmt::Debug for ArtifactHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hex().as_str())
    }
}

impl core::str::FromStr for ArtifactHash {
    type Err = BadHash;

    fn from_str(text: &str) -> Result<Self, BadHash> {
        Self::parse(text.as_bytes())
    }
}

/// The hex text of an [`ArtifactHash`], on the stack.
#[derive(Clone, Copy)]
pub struct HexHash {
    text: [u8; 64],
    len: usize,
}

impl HexHash {
    /// The text: 40 or 64 lower-case hex digits.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).expect("hex digits are ASCII")
    }

    /// The same as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..self.len]
    }
}

/// Lower-case hex of `bytes`, for digests that are not artifact names (MD5 cards, nonces, codes).
pub fn to_hex(bytes: &[u8]) -> String {
    let pairs = bytes.iter().flat_map(|byte| HEX_PAIRS[usize::from(*byte)]);
    pairs.map(char::from).collect()
}

/// The two digits of every byte.
const HEX_PAIRS: [[u8; 2]; 256] = {
    let digits = *b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

/// The value of each byte as a hex digit; [`NO_DIGIT`] for what is none.
const DIGIT_VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit as usize] as usize] = digit;
        digit += 1;
    }
    values
};
const NO_DIGIT: u8 = 0x80;

/// A look at a table for each digit, and one verdict for all of them: names are read by the million.
pub(crate) fn decode<const N: usize>(hex: &[u8]) -> Result<[u8; N], BadHash> {
    let value = |digit: u8| DIGIT_VALUES[usize::from(digit)];
    let mut bytes = [0; N];
    let mut all = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(hex.as_chunks::<2>().0) {
        let (high, low) = (value(*high), value(*low));
        all |= high | low;
        *byte = high << 4 | low;
    }
    if all & NO_DIGIT == 0 {
        return Ok(bytes);
    }
    let offset = hex.iter().position(|digit| value(*digit) == NO_DIGIT);
    Err(BadHash::Digit {
        offset: offset.expect("one of them is no digit"),
    })
}

/// Why some bytes are not an [`ArtifactHash`] or a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadHash {
    /// Byte `offset` is not a lower-case hex digit.
    #[error("byte {offset} is not a lower-case hex digit")]
    Digit {
        /// Zero-based position in the input.
        offset: usize,
    },
    /// Neither 40 nor 64 bytes.
    #[error("{bytes} bytes long, expected 40 or 64")]
    Length {
        /// How many bytes there were.
        bytes: usize,
    },
}

/// Row id of an artifact in the `blob` table of *one* repository. Never sent to a peer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Rid(pub i64);

/// The name of a project: repositories sync only when theirs are equal.
///
/// Shape: 40 lower-case hex digits.
/// Source: Fossil config `project-code`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProjectCode(String);

/// The name of one repository file among those of its project. Fossil ignores it on receipt.
///
/// Shape: 40 lower-case hex digits.
/// Source: Fossil config `server-code`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ServerCode(String);

macro_rules! code {
    ($name:ident) => {
        impl $name {
            /// Parses 40 lower-case hex digits.
            ///
            /// # Errors
            ///
            /// [`BadHash`] says what was wrong and where.
            pub fn parse(hex: &[u8]) -> Result<Self, BadHash> {
                if hex.len() != 40 {
                    return Err(BadHash::Length { bytes: hex.len() });
                }
                let bytes: [u8; 20] = decode(hex)?;
                Ok(Self::from_random(bytes))
            }

            /// A new code from 20 random bytes of the shell.
            pub fn from_random(bytes: [u8; 20]) -> Self {
                Self(to_hex(&bytes))
            }

            /// The hex text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
code!(ProjectCode);
code!(ServerCode);
