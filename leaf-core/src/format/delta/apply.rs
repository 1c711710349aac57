//! From a source and a delta to the target.
//!
//! Stricter than stock, which ignores the check sum and what follows it, wraps numbers at 32 bits and takes a
//! missing number as zero: no encoder writes any of these, and each is how a damaged delta looks.
//!
//! Source: Fossil `www/delta_format.wiki`.

use super::BadDelta;
use super::checksum::checksum;
use super::number::value_of;

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
        let mut value = 0_u32;
        while let Some(digit) = self.delta.get(self.at).and_then(|&byte| value_of(byte)) {
            if value >> 26 != 0 {
                return Err(BadDelta::Number { offset });
            }
            value = value << 6 | digit;
            self.at += 1;
        }
        match self.at {
            at if at == self.delta.len() => Err(BadDelta::Truncated { offset: at }),
            at if at == offset => Err(BadDelta::Number { offset }),
            _ => Ok(value),
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
