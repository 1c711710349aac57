//! Deltas: how to make one content from another.
//!
//! Source: Fossil `www/delta_format.wiki`, `www/delta_encoder_algorithm.wiki`.

/// Why some bytes are not a delta for a source.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadDelta {
    /// No number where one must be, or one that does not fit 32 bits.
    #[error("bad number at byte {offset}")]
    Number {
        /// Zero-based position in the delta.
        offset: usize,
    },
    /// Something else than the mark that must follow a number.
    #[error("unknown operation at byte {offset}")]
    Operation {
        /// Zero-based position in the delta.
        offset: usize,
    },
    /// The target would be larger than is allowed.
    #[error("makes {declared} bytes, the limit is {max}")]
    TooLarge {
        /// The size it claims.
        declared: usize,
        /// The limit.
        max: usize,
    },
    /// A copy reaches past the end of the source.
    #[error("the copy at byte {offset} reaches past the end of the source")]
    Copy {
        /// Zero-based position in the delta.
        offset: usize,
    },
    /// An insert reaches past the end of the delta, or the delta just ends.
    #[error("the delta ends at byte {offset}, before it is complete")]
    Truncated {
        /// Zero-based position in the delta.
        offset: usize,
    },
    /// The operations make more or less than the declared size.
    #[error("makes {made} bytes where {declared} were declared")]
    Size {
        /// What the operations make, as far as they were followed.
        made: usize,
        /// The size it claims.
        declared: usize,
    },
    /// The check sum is not that of the target: most likely another source was meant.
    #[error("wrong check sum: not a delta for this source")]
    Checksum,
    /// Bytes follow the check sum.
    #[error("{bytes} bytes follow the delta")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

/// A delta that makes `target` from `source`.
pub fn create(source: &[u8], target: &[u8]) -> Vec<u8> {
    let _ = source;
    let mut out = Vec::with_capacity(target.len() + 32);
    put_number(size32(target.len()), &mut out);
    out.push(b'\n');
    put_number(size32(target.len()), &mut out);
    out.push(b':');
    out.extend_from_slice(target);
    put_number(checksum(target), &mut out);
    out.push(b';');
    out
}

/// The size of what `delta` makes, as it declares it. Nobody has checked it.
///
/// # Errors
///
/// [`BadDelta::Number`] or [`BadDelta::Operation`] when the delta does not begin with a size.
pub fn target_size(delta: &[u8]) -> Result<usize, BadDelta> {
    Reader { delta, at: 0 }.size()
}

/// What `delta` makes of `source`, at most `bytes_max` bytes of it.
///
/// # Errors
///
/// [`BadDelta`] says what was wrong and where.
pub fn apply(source: &[u8], delta: &[u8], bytes_max: usize) -> Result<Vec<u8>, BadDelta> {
    let mut target = Vec::new();
    apply_into(source, delta, bytes_max, &mut target)?;
    Ok(target)
}

/// Replaces `target` with what `delta` makes of `source`.
///
/// # Errors
///
/// As [`apply`]; `target` then holds an unspecified part.
pub fn apply_into(
    source: &[u8],
    delta: &[u8],
    bytes_max: usize,
    target: &mut Vec<u8>,
) -> Result<(), BadDelta> {
    target.clear();
    let mut reader = Reader { delta, at: 0 };
    let declared = reader.size()?;
    if declared > bytes_max {
        return Err(BadDelta::TooLarge {
            declared,
            max: bytes_max,
        });
    }
    loop {
        let offset = reader.at;
        let count = reader.number()?;
        match reader.mark()? {
            b'@' => {
                let from = reader.number()? as usize;
                reader.expect_mark(b',')?;
                let count = count as usize;
                let range = from.checked_add(count).and_then(|to| source.get(from..to));
                let bytes = range.ok_or(BadDelta::Copy { offset })?;
                append(target, bytes, declared)?;
            }
            b':' => append(target, reader.take(count as usize)?, declared)?,
            b';' => {
                if target.len() != declared {
                    return Err(BadDelta::Size {
                        made: target.len(),
                        declared,
                    });
                }
                if count != checksum(target) {
                    return Err(BadDelta::Checksum);
                }
                return match delta.len() - reader.at {
                    0 => Ok(()),
                    bytes => Err(BadDelta::Trailing { bytes }),
                };
            }
            _ => {
                return Err(BadDelta::Operation {
                    offset: reader.at - 1,
                });
            }
        }
    }
}

fn append(target: &mut Vec<u8>, bytes: &[u8], declared: usize) -> Result<(), BadDelta> {
    let made = target.len() + bytes.len();
    if made > declared {
        return Err(BadDelta::Size { made, declared });
    }
    if target.capacity() < made {
        // All of it at once when it is small; never more than twice what was really made.
        target.reserve_exact((declared - target.len()).min(made.max(1 << 16)));
    }
    target.extend_from_slice(bytes);
    Ok(())
}

/// Sum of the big-endian 32-bit words of `bytes`, padded with zeros.
fn checksum(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let sum = words
        .iter()
        .fold(0_u32, |sum, word| sum.wrapping_add(u32::from_be_bytes(*word)));
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    sum.wrapping_add(u32::from_be_bytes(last))
}

const DIGITS: [u8; 64] = *b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

/// The value of each digit; 64 for what is none.
const VALUES: [u8; 256] = {
    let mut values = [64; 256];
    let mut digit = 0_u8;
    while digit < 64 {
        values[DIGITS[digit as usize] as usize] = digit;
        digit += 1;
    }
    values
};

fn put_number(value: u32, out: &mut Vec<u8>) {
    let digits = (32 - value.leading_zeros()).div_ceil(6).max(1);
    for digit in (0..digits).rev() {
        out.push(DIGITS[(value >> (6 * digit)) as usize & 63]);
    }
}

fn size32(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("content is bounded by `artifact_bytes_max`")
}

/// A place in a delta.
struct Reader<'a> {
    delta: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn size(&mut self) -> Result<usize, BadDelta> {
        let size = self.number()?;
        self.expect_mark(b'\n')?;
        Ok(size as usize)
    }

    fn number(&mut self) -> Result<u32, BadDelta> {
        let offset = self.at;
        let mut value = 0_u64;
        while let Some(&digit) = self.delta.get(self.at) {
            let digit = VALUES[usize::from(digit)];
            if digit == 64 {
                break;
            }
            value = value << 6 | u64::from(digit);
            if value > u64::from(u32::MAX) {
                return Err(BadDelta::Number { offset });
            }
            self.at += 1;
        }
        match self.at {
            at if at == self.delta.len() => Err(BadDelta::Truncated { offset: at }),
            at if at == offset => Err(BadDelta::Number { offset }),
            _ => Ok(u32::try_from(value).expect("held against the maximum")),
        }
    }

    fn mark(&mut self) -> Result<u8, BadDelta> {
        let mark = self
            .delta
            .get(self.at)
            .ok_or(BadDelta::Truncated { offset: self.at })?;
        self.at += 1;
        Ok(*mark)
    }

    fn expect_mark(&mut self, wanted: u8) -> Result<(), BadDelta> {
        match self.mark()? {
            mark if mark == wanted => Ok(()),
            _ => Err(BadDelta::Operation { offset: self.at - 1 }),
        }
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], BadDelta> {
        let taken = self
            .at
            .checked_add(bytes)
            .and_then(|to| self.delta.get(self.at..to));
        let taken = taken.ok_or(BadDelta::Truncated {
            offset: self.delta.len(),
        })?;
        self.at += bytes;
        Ok(taken)
    }
}
