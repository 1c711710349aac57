//! The compressed form of content: 4 bytes of expanded size, big-endian, then a zlib stream.
//!
//! This is what `blob.content`, compressed unversioned files, `cfile` payloads and compressed messages are
//! made of. Expanding trusts nothing: the stream must end where the bytes end, and give exactly the
//! declared size.
//!
//! Source: Fossil `src/blob.c`, `blob_compress` and `blob_uncompress`; RFC 1950.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Bytes of the size that precedes the zlib stream.
const HEADER_BYTES: usize = 4;
/// A zlib stream expands to at most about this many times its size (RFC 1951: 258 bytes for 2 bits).
const RATIO_MAX: usize = 1032;

/// Why some bytes are not a zblob.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadZblob {
    /// Shorter than its size field.
    #[error("{bytes} bytes are too few for a compressed blob")]
    Header {
        /// How many bytes there were.
        bytes: usize,
    },
    /// Claims to expand to more than is allowed.
    #[error("claims {declared} bytes, the limit is {max}")]
    TooLarge {
        /// The size it claims.
        declared: usize,
        /// The limit.
        max: usize,
    },
    /// Not a zlib stream, or one with a wrong check sum.
    #[error("corrupt zlib stream near byte {offset}")]
    Corrupt {
        /// Bytes of the stored form read so far.
        offset: usize,
    },
    /// The stream ends before the declared size, or is cut off.
    #[error("expands to {expanded} bytes where {declared} were declared")]
    Short {
        /// What came out.
        expanded: usize,
        /// The size it claims.
        declared: usize,
    },
    /// The stream holds more than the declared size.
    #[error("expands to more than the declared {declared} bytes")]
    Long {
        /// The size it claims.
        declared: usize,
    },
    /// Bytes follow the stream.
    #[error("{bytes} bytes follow the zlib stream")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

/// `content` compressed as stock Fossil does it (zlib level 6).
pub fn compress(content: &[u8]) -> Vec<u8> {
    deflate(content, Compression::new(6))
}

/// `content` compressed quickly (zlib level 1), for messages that live for one round.
pub fn compress_fast(content: &[u8]) -> Vec<u8> {
    deflate(content, Compression::fast())
}

/// The size that `stored` claims to expand to. Nobody has checked it.
///
/// # Errors
///
/// [`BadZblob::Header`] when there are fewer than four bytes.
pub fn declared_size(stored: &[u8]) -> Result<usize, BadZblob> {
    let header = stored
        .first_chunk::<HEADER_BYTES>()
        .ok_or(BadZblob::Header { bytes: stored.len() })?;
    // 32 bits fit a usize on every target that SQLite runs on.
    Ok(u32::from_be_bytes(*header) as usize)
}

/// The content whose stored form is `stored`, at most `bytes_max` bytes of it.
///
/// # Errors
///
/// [`BadZblob`]: the stored form is not exactly one zlib stream of the declared size.
pub fn expand(stored: &[u8], bytes_max: usize) -> Result<Vec<u8>, BadZblob> {
    let mut content = Vec::new();
    Inflater::new().expand_into(stored, bytes_max, &mut content)?;
    Ok(content)
}

/// Expands one blob after the other without setting zlib up anew.
pub struct Inflater {
    zlib: Decompress,
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Inflater {
    /// A fresh inflater.
    pub fn new() -> Self {
        Self {
            zlib: Decompress::new(true),
        }
    }

    /// Replaces `content` with the content whose stored form is `stored`.
    ///
    /// # Errors
    ///
    /// As [`expand`]; `content` then holds an unspecified part. The inflater can be used again.
    pub fn expand_into(
        &mut self,
        stored: &[u8],
        bytes_max: usize,
        content: &mut Vec<u8>,
    ) -> Result<(), BadZblob> {
        content.clear();
        let declared = declared_size(stored)?;
        if declared > bytes_max {
            return Err(BadZblob::TooLarge {
                declared,
                max: bytes_max,
            });
        }
        let stream = &stored[HEADER_BYTES..];
        // A lying size costs no more memory than the stream could really need.
        content.reserve_exact(declared.min(stream.len().saturating_mul(RATIO_MAX)) + 1);
        self.zlib.reset(true);
        let status = self.zlib.decompress_vec(stream, content, FlushDecompress::Finish);
        let read = usize::try_from(self.zlib.total_in()).unwrap_or(usize::MAX);
        match status {
            _ if content.len() > declared => Err(BadZblob::Long { declared }),
            Err(_) => Err(BadZblob::Corrupt {
                offset: HEADER_BYTES + read,
            }),
            Ok(Status::StreamEnd) if content.len() < declared => Err(BadZblob::Short {
                expanded: content.len(),
                declared,
            }),
            Ok(Status::StreamEnd) if read < stream.len() => Err(BadZblob::Trailing {
                bytes: stream.len() - read,
            }),
            Ok(Status::StreamEnd) => Ok(()),
            Ok(_) => Err(BadZblob::Short {
                expanded: content.len(),
                declared,
            }),
        }
    }
}

fn deflate(content: &[u8], level: Compression) -> Vec<u8> {
    let mut stored = Vec::with_capacity(content.len() / 2 + 64);
    let size = u32::try_from(content.len()).expect("content is bounded by `artifact_bytes_max`");
    stored.extend_from_slice(&size.to_be_bytes());
    let mut zlib = Compress::new(level, true);
    loop {
        let read = usize::try_from(zlib.total_in()).expect("no more than the content");
        let status = zlib
            .compress_vec(&content[read..], &mut stored, FlushCompress::Finish)
            .expect("deflate fails on a wrong state only, and this one is new");
        if status == Status::StreamEnd {
            return stored;
        }
        stored.reserve(stored.capacity());
    }
}
