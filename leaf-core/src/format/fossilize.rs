//! The escaping of card arguments: eight bytes that would break a card apart become two characters each.
//!
//! Arguments are bytes, not text: Fossil permits any, and what is not UTF-8 must come back as it went.
//!
//! Source: Fossil `src/encode.c`, `fossilize` and `defossilize`; `www/fileformat.wiki` section 2.

/// The escaped form of `text`.
pub fn encode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    encode_into(text, &mut out);
    out
}

/// Appends the escaped form of `text` to `out`.
pub fn encode_into(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        let mark = match byte {
            b' ' => b's',
            b'\n' => b'n',
            b'\t' => b't',
            b'\r' => b'r',
            0x0b => b'v',
            0x0c => b'f',
            0 => b'0',
            b'\\' => b'\\',
            plain => {
                out.push(plain);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', mark]);
    }
}

/// The text whose escaped form is `text`.
///
/// As in Fossil every input has a meaning: an unknown escape stands for its second byte, a backslash at the
/// end for itself.
pub fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        let plain = match byte {
            b'\\' => bytes.next().map_or(b'\\', |&mark| unescape(mark)),
            plain => plain,
        };
        out.push(plain);
    }
    out
}

/// The byte that `\` followed by `mark` stands for.
fn unescape(mark: u8) -> u8 {
    match mark {
        b's' => b' ',
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'0' => 0,
        other => other,
    }
}
