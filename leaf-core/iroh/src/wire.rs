//! Lines and bodies on a stream: each within its bound, and none waited for longer than it may be silent.
//!
//! Source: RFC 9000 section 2; threat list 3 to 8.

use crate::FAILED;
use bytes::Bytes;
use iroh::endpoint::{RecvStream, SendStream, WriteError};
use n0_future::future::poll_once;
use n0_future::time::timeout;
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

/// What one read may bring. A packet holds little more than a kilobyte: those that have come are taken together.
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
    Read(#[from] io::Error),
    /// The same, while writing.
    #[error("the connection was lost")]
    Write(#[from] WriteError),
}

/// Waits at most `silence_max`. A timer is dear, most of all in a browser: what is there already needs none.
async fn patient<T>(silence_max: Duration, work: impl Future<Output = T>) -> Result<T, WireError> {
    let mut work = pin!(work);
    if let Some(done) = poll_once(&mut work).await {
        return Ok(done);
    }
    timeout(silence_max, work)
        .await
        .map_err(|_| WireError::Hang(silence_max))
}

/// A stream that is read.
#[derive(Debug)]
pub struct Source {
    stream: BufReader<RecvStream>,
    silence_max: Duration,
}

impl Source {
    /// Begins to read; waits for each piece at most `silence_max`.
    pub fn new(stream: RecvStream, silence_max: Duration) -> Self {
        Self {
            stream: BufReader::with_capacity(PIECE_BYTES, stream),
            silence_max,
        }
    }

    /// What comes next, until it is consumed; nothing at the end.
    async fn piece(&mut self) -> Result<&[u8], WireError> {
        Ok(patient(self.silence_max, self.stream.fill_buf()).await??)
    }

    /// One line, without its end.
    ///
    /// # Errors
    ///
    /// [`WireError`].
    pub async fn line(&mut self, bytes_max: usize) -> Result<Vec<u8>, WireError> {
        let mut line = Vec::new();
        loop {
            let mut parts = self.piece().await?.splitn(2, |byte| *byte == b'\n');
            let part = parts.next().unwrap_or_default();
            let (bytes, is_whole) = (part.len(), parts.next().is_some());
            if line.len() + bytes > bytes_max || (bytes == 0 && !is_whole) {
                return Err(WireError::NoLine);
            }
            line.extend_from_slice(part);
            self.stream.consume(bytes + usize::from(is_whole));
            if is_whole {
                return Ok(line);
            }
        }
    }

    /// The first byte.
    ///
    /// # Errors
    ///
    /// [`WireError`].
    pub async fn byte(&mut self) -> Result<u8, WireError> {
        let read = patient(self.silence_max, self.stream.read_u8()).await?;
        read.map_err(|_| WireError::NoLine)
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
        self.append(&mut body, announced, room).await?;
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
        self.append(&mut body, bytes_max, room).await?;
        Ok(body)
    }

    async fn append(
        &mut self,
        body: &mut Vec<u8>,
        bytes_max: usize,
        room: &mut impl FnMut(usize) -> bool,
    ) -> Result<(), WireError> {
        loop {
            let piece = self.piece().await?;
            let bytes = piece.len();
            if bytes == 0 {
                return Ok(());
            }
            let received = body.len() + bytes;
            if received > bytes_max || !room(received) {
                return Err(WireError::TooLarge { max: bytes_max });
            }
            body.extend_from_slice(piece);
            self.stream.consume(bytes);
        }
    }

    /// What is still to be read, for another protocol.
    pub fn into_stream(self) -> BufReader<RecvStream> {
        self.stream
    }
}

/// Writes, as fast as it is taken.
///
/// # Errors
///
/// [`WireError`].
pub(crate) async fn write(
    stream: &mut SendStream,
    bytes: &[u8],
    silence_max: Duration,
) -> Result<(), WireError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let taken = patient(silence_max, stream.write(rest)).await??;
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(())
}

/// Writes an answer without a copy of it, and waits until it has arrived: who ends the program waits for that.
///
/// # Errors
///
/// [`WireError`]; the stream is given up then.
pub async fn reply(
    mut stream: SendStream,
    parts: &mut [Bytes],
    silence_max: Duration,
) -> Result<(), WireError> {
    let mut rest = parts;
    while !rest.is_empty() {
        let written = patient(silence_max, stream.write_many_chunks(&mut rest)).await;
        if let Err(error) = written.and_then(|written| Ok(written?)) {
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
