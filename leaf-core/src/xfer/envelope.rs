//! What a message looks like as the body of a request or reply.
//!
//! Stock Fossil sends a 4-byte big-endian size and a zlib stream, or plain cards; the content type says which.
//! Legacy EdgeSync nodes are looser about what they call compressed, so a body that is not the stock form
//! is tried as a bare zlib stream, or as plain cards. Of a thousand bare streams one looks like the stock form at
//! first, hence that is tried to its end before it is given up.
//!
//! Source: Fossil `src/http.c` `http_exchange()`, `src/cgi.c`; EdgeSync `libfossil` 0.6 `xfer` decoder.

use crate::format::zblob::{self, BadZblob};
use flate2::{Decompress, FlushDecompress, Status};
use std::borrow::Cow;

/// Messages from this size on are compressed fast rather than well.
const FAST_FROM_BYTES: usize = 64 << 10;

/// How a message body is packed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ContentType {
    /// `application/x-fossil`: compressed.
    Compressed,
    /// `application/x-fossil-debug`: plain.
    Debug,
    /// `application/x-fossil-uncompressed`: plain, as its artifacts are compressed already.
    Uncompressed,
}

impl ContentType {
    /// Reads the value of a `Content-Type` header; parameters behind `;` are ignored.
    pub fn parse(header: &str) -> Option<Self> {
        let name = header.split(';').next().unwrap_or_default().trim();
        [Self::Compressed, Self::Debug, Self::Uncompressed]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(name))
    }

    /// The value of the `Content-Type` header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compressed => "application/x-fossil",
            Self::Debug => "application/x-fossil-debug",
            Self::Uncompressed => "application/x-fossil-uncompressed",
        }
    }
}

/// Why a body is not a message.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadEnvelope {
    /// The message is larger than allowed.
    #[error("larger than {max} bytes")]
    TooLarge {
        /// [`Limits::message_bytes_max`](crate::limits::Limits::message_bytes_max).
        max: usize,
    },
    /// A bare zlib stream ends early or is damaged.
    #[error("damaged zlib stream")]
    Zlib,
    /// The stock form is damaged.
    #[error(transparent)]
    Zblob(#[from] BadZblob),
}

/// Packs a message as `content_type` says.
pub fn pack(message: Vec<u8>, content_type: ContentType) -> Vec<u8> {
    match content_type {
        ContentType::Debug | ContentType::Uncompressed => message,
        ContentType::Compressed if message.len() < FAST_FROM_BYTES => zblob::compress(&message),
        ContentType::Compressed => zblob::compress_fast(&message),
    }
}

/// Unpacks a body; never allocates more than `bytes_max`.
///
/// # Errors
///
/// [`BadEnvelope`] when the body is damaged or expands to more than `bytes_max`.
pub fn unpack(
    body: &[u8],
    content_type: ContentType,
    bytes_max: usize,
) -> Result<Cow<'_, [u8]>, BadEnvelope> {
    match content_type {
        ContentType::Debug | ContentType::Uncompressed => plain(body, bytes_max),
        ContentType::Compressed if body.len() <= 4 => Ok(Cow::Borrowed(&[])),
        ContentType::Compressed => expand(body, bytes_max),
    }
}

fn expand(body: &[u8], bytes_max: usize) -> Result<Cow<'_, [u8]>, BadEnvelope> {
    let stock = || zblob::expand(body, bytes_max);
    match body.get(4..).is_some_and(is_zlib).then(stock) {
        Some(Ok(message)) => Ok(Cow::Owned(message)),
        _ if is_zlib(body) => inflate(body, bytes_max).map(Cow::Owned),
        Some(Err(bad)) => Err(bad.into()),
        None if matches!(body.first(), Some(b'a'..=b'z' | b'#')) => plain(body, bytes_max),
        None => Ok(Cow::Owned(stock()?)),
    }
}

fn plain(body: &[u8], bytes_max: usize) -> Result<Cow<'_, [u8]>, BadEnvelope> {
    if body.len() > bytes_max {
        return Err(BadEnvelope::TooLarge { max: bytes_max });
    }
    Ok(Cow::Borrowed(body))
}

/// Whether `bytes` begin like a zlib stream (RFC 1950 section 2.2).
pub(crate) fn is_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [cmf, flags, ..] => cmf & 0x8f == 8 && (u32::from(*cmf) << 8 | u32::from(*flags)) % 31 == 0,
        _ => false,
    }
}

/// Expands a bare zlib stream of unknown size. What it returns never holds more than `bytes_max` and one byte.
pub(crate) fn inflate(zlib: &[u8], bytes_max: usize) -> Result<Vec<u8>, BadEnvelope> {
    let mut inflater = Decompress::new(true);
    // The one byte more tells a stream that is too long from one that just fits.
    let room_max = bytes_max.saturating_add(1);
    let mut out = Vec::with_capacity(zlib.len().saturating_mul(4).max(64).min(room_max));
    loop {
        let read = usize::try_from(inflater.total_in()).map_err(|_| BadEnvelope::Zlib)?;
        let rest = zlib.get(read..).ok_or(BadEnvelope::Zlib)?;
        let before = (inflater.total_in(), inflater.total_out());
        let status = inflater.decompress_vec(rest, &mut out, FlushDecompress::Finish);
        match status.map_err(|_| BadEnvelope::Zlib)? {
            _ if out.len() > bytes_max => return Err(BadEnvelope::TooLarge { max: bytes_max }),
            Status::StreamEnd if inflater.total_in() == zlib.len() as u64 => return Ok(out),
            Status::StreamEnd => return Err(BadEnvelope::Zlib),
            Status::Ok | Status::BufError if out.len() == out.capacity() => {
                out.reserve_exact(out.len().max(64).min(room_max - out.len()));
            }
            Status::Ok | Status::BufError => {
                if before == (inflater.total_in(), inflater.total_out()) {
                    return Err(BadEnvelope::Zlib);
                }
            }
        }
    }
}

/// The payload of a `cfile` in the stored form, and whether it came in the legacy one.
///
/// Legacy EdgeSync nodes send the zlib stream without the 4-byte size in front.
///
/// # Errors
///
/// [`BadEnvelope`] when a bare stream is damaged or expands to more than `bytes_max`.
pub fn stock_form(zblob: &[u8], bytes_max: usize) -> Result<(Cow<'_, [u8]>, bool), BadEnvelope> {
    // What begins like a bare stream and yet is the stock form would expand to 128 MiB or more.
    let is_stock = || zblob.get(4..).is_some_and(is_zlib) && zblob::expand(zblob, bytes_max).is_ok();
    if !is_zlib(zblob) || is_stock() {
        return Ok((Cow::Borrowed(zblob), false));
    }
    let expanded = inflate(zblob, bytes_max)?.len();
    let size = u32::try_from(expanded).map_err(|_| BadEnvelope::TooLarge { max: bytes_max })?;
    Ok((Cow::Owned([&size.to_be_bytes(), zblob].concat()), true))
}
