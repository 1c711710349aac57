//! Lines and bodies on a stream: each within its bound, and none waited for longer than it may be silent.
//!
//! Source: RFC 9000 section 2; threat list 3 to 8.

use crate::FAILED;
use iroh::endpoint::{ReadError, RecvStream, SendStream, WriteError};
use n0_future::time::timeout;
use std::time::Duration;

/// What one read may bring, and one write takes.
const PIECE_BYTES: usize = 64 << 10;
/// Bytes that are set aside because the other side announces them.
const RESERVED_MAX: usize = 8 << 20;

/// Why a stream is given up.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// It ended before its time.
    #[error("the stream was cut after {received} of {announced} bytes")]
    Cut {
        /// Bytes that came.
        received: usize,
        /// Bytes that were to come.
        announced: usize,
    },
    /// Nothing came, or nothing was taken.
    #[error("the other side hangs: nothing went on for {} seconds", .0.as_secs_f32())]
    Hang(Duration),
    /// A line without an end.
    #[error("the other side does not say what it wants")]
    NoLine,
    /// More than was announced, or than is taken.
    #[error("larger than {max} bytes")]
    TooLarge {
        /// The bound.
        max: usize,
    },
    /// The connection is gone, or the other side wants no more.
    #[error("the connection was lost")]
    Read(#[from] ReadError),
    /// The same, while writing.
    #[error("the connection was lost")]
    Write(#[from] WriteError),
}

/// A stream that is read.
#[derive(Debug)]
pub struct Source {
    stream: RecvStream,
    /// What came behind a line.
    held: Vec<u8>,
    silence_max: Duration,
}

impl Source {
    /// Begins to read; waits for each piece at most `silence_max`.
    pub fn new(stream: RecvStream, silence_max: Duration) -> Self {
        Self {
            stream,
            held: Vec::new(),
            silence_max,
        }
    }

    /// What comes next; `None` at the end.
    async fn piece(&mut self) -> Result<Option<Vec<u8>>, WireError> {
        if !self.held.is_empty() {
            return Ok(Some(std::mem::take(&mut self.held)));
        }
        let read = timeout(self.silence_max, self.stream.read_chunk(PIECE_BYTES)).await;
        let piece = read.map_err(|_| WireError::Hang(self.silence_max))??;
        Ok(piece.map(|piece| piece.to_vec()))
    }

    /// One line, without its end.
    ///
    /// # Errors
    ///
    /// [`WireError`].
    pub async fn line(&mut self, bytes_max: usize) -> Result<Vec<u8>, WireError> {
        let mut line = Vec::new();
        while let Some(piece) = self.piece().await? {
            let end = piece.iter().position(|byte| *byte == b'\n');
            let (part, rest) = piece.split_at(end.unwrap_or(piece.len()));
            if line.len() + part.len() > bytes_max {
                return Err(WireError::NoLine);
            }
            line.extend_from_slice(part);
            if end.is_some() {
                self.held = rest.get(1..).unwrap_or_default().to_vec();
                return Ok(line);
            }
        }
        Err(WireError::NoLine)
    }

    /// The first byte.
    ///
    /// # Errors
    ///
    /// [`WireError`].
    pub async fn byte(&mut self) -> Result<u8, WireError> {
        let mut byte = [0];
        let read = timeout(self.silence_max, self.stream.read_exact(&mut byte)).await;
        match read.map_err(|_| WireError::Hang(self.silence_max))? {
            Ok(()) => Ok(byte[0]),
            Err(_) => Err(WireError::NoLine),
        }
    }

    /// The body that was announced, and nothing behind it. `room` is told how much has come, before it is kept.
    ///
    /// # Errors
    ///
    /// [`WireError`].
    pub async fn body(
        &mut self,
        announced: usize,
        room: &mut impl FnMut(usize) -> bool,
    ) -> Result<Vec<u8>, WireError> {
        let mut body = Vec::with_capacity(announced.min(RESERVED_MAX));
        while let Some(piece) = self.piece().await? {
            let received = body.len() + piece.len();
            if received > announced || !room(received) {
                return Err(WireError::TooLarge { max: announced });
            }
            body.extend_from_slice(&piece);
        }
        match body.len() {
            received if received < announced => Err(WireError::Cut { received, announced }),
            _ => Ok(body),
        }
    }

    /// Whatever comes, to the end.
    ///
    /// # Errors
    ///
    /// [`WireError`].
    pub async fn all(
        &mut self,
        bytes_max: usize,
        room: &mut impl FnMut(usize) -> bool,
    ) -> Result<Vec<u8>, WireError> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            let received = body.len() + piece.len();
            if received > bytes_max || !room(received) {
                return Err(WireError::TooLarge { max: bytes_max });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The stream as it is, for another protocol. Only before a line was read.
    pub fn into_stream(self) -> RecvStream {
        self.stream
    }
}

/// Writes, piece by piece, as fast as it is taken.
///
/// # Errors
///
/// [`WireError`].
pub async fn write(stream: &mut SendStream, bytes: &[u8], silence_max: Duration) -> Result<(), WireError> {
    for piece in bytes.chunks(PIECE_BYTES) {
        let written = timeout(silence_max, stream.write_all(piece)).await;
        written.map_err(|_| WireError::Hang(silence_max))??;
    }
    Ok(())
}

/// Writes an answer, and waits until it has arrived: who ends the program waits for that.
///
/// # Errors
///
/// [`WireError`]; the stream is given up then.
pub async fn reply(mut stream: SendStream, parts: &[&[u8]], silence_max: Duration) -> Result<(), WireError> {
    for part in parts {
        if let Err(error) = write(&mut stream, part, silence_max).await {
            give_up(stream);
            return Err(error);
        }
    }
    if stream.finish().is_ok() {
        timeout(silence_max, stream.stopped()).await.ok();
    }
    Ok(())
}

/// Ends a stream for good: one that is dropped looks as if it were whole.
pub fn give_up(mut stream: SendStream) {
    // One that is closed already needs none.
    stream.reset(FAILED).ok();
}
