//! The words of timeline entries: shortened hashes, escaped for HTML, put together as upstream does.
//!
//! Source: Fossil `src/printf.c` (`%h`, `%S`, `%!S`), `src/encode.c` `htmlize`.

use super::super::{Repo, RepoError};

/// How many digits of a hash people are shown, and links hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashDigits {
    shown: usize,
    linked: usize,
}

impl HashDigits {
    /// As config `hash-digits` has it.
    pub(super) fn of(repo: &Repo) -> Result<Self, RepoError> {
        let digits = repo.config("hash-digits")?.and_then(|digits| digits.parse().ok());
        let shown = usize::clamp(digits.unwrap_or(10), 6, 64);
        Ok(Self {
            shown,
            linked: usize::clamp(shown + 6, 16, 64),
        })
    }

    /// `LINKED|SHOWN` of a hash, the inside of a link.
    pub(super) fn link(self, hash: &[u8]) -> Vec<u8> {
        [self.linked(hash), b"|", head(hash, self.shown)].concat()
    }

    /// As many digits as a link holds.
    pub(super) fn linked(self, hash: &[u8]) -> &[u8] {
        head(hash, self.linked)
    }
}

fn head(text: &[u8], bytes: usize) -> &[u8] {
    text.get(..bytes).unwrap_or(text)
}

/// Text with what HTML gives a meaning taken out.
pub(super) fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text.iter().take_while(|byte| **byte != 0) {
        match byte {
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            other => out.push(*other),
        }
    }
    out
}
