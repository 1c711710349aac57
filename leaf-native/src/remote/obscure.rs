//! The form in which Fossil keeps a remote's password in the `config` table.
//!
//! It hides the password from a glance and from nobody else. Kept because stock Fossil reads and writes
//! `last-sync-pw` in the same file.
//!
//! Source: Fossil `src/encode.c` `obscure()`, `unobscure()`.

use super::Secret;
use leaf_core::id::to_hex;

/// The bytes that Fossil mixes in; part of the format.
const PATTERN: [u8; 16] = [
    0xa7, 0x21, 0x31, 0xe3, 0x2a, 0x50, 0x2c, 0x86, 0x4c, 0xa4, 0x52, 0x25, 0xff, 0x49, 0x35, 0x85,
];

/// Hides `secret` with one random byte of salt.
pub fn obscure(secret: &Secret, salt: u8) -> String {
    let mut bytes = vec![salt];
    bytes.extend(mix(secret.reveal().as_bytes(), salt));
    to_hex(&bytes)
}

/// Undoes [`obscure`]. Text that is not hex is a password that was stored as it is.
pub fn unobscure(stored: &str) -> Secret {
    let clear = decode_hex(stored).and_then(|bytes| {
        let (salt, hidden) = bytes.split_first()?;
        String::from_utf8(mix(hidden, *salt).collect()).ok()
    });
    Secret::new(clear.unwrap_or_else(|| stored.to_owned()))
}

fn mix(bytes: &[u8], salt: u8) -> impl Iterator<Item = u8> {
    bytes
        .iter()
        .zip(PATTERN.iter().cycle())
        .map(move |(byte, pattern)| byte ^ pattern ^ salt)
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() < 2 || !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pairs = digits.chunks_exact(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_stock_fossil_obscured_is_read() {
        // As `fossil test-obscure hello` printed it.
        assert_eq!(unobscure("70bf342dff35").reveal(), "hello");
        assert_eq!(
            unobscure(&obscure(&Secret::new("p\u{e9}ss w0rd".to_owned()), 0x6d)).reveal(),
            "p\u{e9}ss w0rd"
        );
    }

    #[test]
    fn a_password_that_was_stored_in_clear_is_read_as_it_is() {
        assert_eq!(unobscure("hello").reveal(), "hello");
        assert_eq!(unobscure("").reveal(), "");
    }
}
