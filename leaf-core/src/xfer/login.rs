//! Login cards: who sends a message, proved by a secret that is not sent.
//!
//! The nonce is the hash of the rest of the message, so a login card fits one message only; whoever wants to
//! know whether that message came before has to remember it (see [`crate::sync::SeenLogins`]).
//!
//! Source: Fossil `src/http.c` `http_build_login_card()`, `src/xfer.c` `check_login()`, `src/sha1.c`
//! `sha1_shared_secret()`.

use crate::format::fossilize;
use crate::format::hash::sha1_hex;
use crate::id::ProjectCode;

/// The nonce of a message: SHA1 of everything behind the login card, in hex.
pub fn nonce(tail: &[u8]) -> String {
    sha1_hex(tail)
}

/// What Fossil stores instead of a password.
///
/// A password that already has this form, 40 hex digits, is taken as it is.
pub fn secret(project: &ProjectCode, user: &str, password: &str) -> String {
    if is_secret(password) {
        return password.to_owned();
    }
    sha1_hex(format!("{project}/{user}/{password}").as_bytes())
}

/// Whether a stored password is a [`secret`], not clear text.
pub fn is_secret(password: &str) -> bool {
    password.len() == 40 && password.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The signature of a message.
pub fn signature(nonce: &[u8], secret: &str) -> String {
    sha1_hex(&[nonce, secret.as_bytes()].concat())
}

/// Compares in a time that depends on the lengths only.
pub fn equal(ours: &[u8], theirs: &[u8]) -> bool {
    let differences = ours.iter().zip(theirs).fold(0, |sum, (a, b)| sum | (a ^ b));
    ours.len() == theirs.len() && differences == 0
}

/// The login line for a message, without newline.
pub fn card(user: &str, secret: &str, tail: &[u8]) -> Vec<u8> {
    let nonce = nonce(tail);
    let mut line = b"login ".to_vec();
    fossilize::encode_into(user.as_bytes(), &mut line);
    line.push(b' ');
    line.extend_from_slice(nonce.as_bytes());
    line.push(b' ');
    line.extend_from_slice(signature(nonce.as_bytes(), secret).as_bytes());
    line
}

/// A login line as the value of the cookie `x-f-l-c`.
pub fn to_cookie(line: &[u8]) -> String {
    let mut value = String::with_capacity(line.len() + 16);
    for byte in line {
        match byte {
            b' ' => value.push('+'),
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                value.push(char::from(*byte));
            }
            _ => {
                value.push('%');
                value.push_str(&crate::id::to_hex(&[*byte]).to_ascii_uppercase());
            }
        }
    }
    value
}

/// The login line in the value of the cookie `x-f-l-c`; `None` when it is not URL-encoded.
pub fn from_cookie(value: &str) -> Option<Vec<u8>> {
    let mut line = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        line.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |b: Option<u8>| char::from(b?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high << 4 | low).ok()?
            }
            _ => byte,
        });
    }
    Some(line)
}
