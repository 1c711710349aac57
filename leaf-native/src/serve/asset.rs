//! The page that is built into the program: its files, and the headers under which a browser may run them.
//!
//! What the page is lives in `web/`; what may be done in it is said here. Files whose names hold a hash of their
//! content never change, the others are asked for anew each time.
//!
//! Source: Content Security Policy 3; Trusted Types; RFC 9110 section 13.1.2; RFC 8246.

use super::answer::{Answer, has_already};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName};

/// One file of the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asset {
    /// The path in a URL, without the slash in front.
    pub(super) path: &'static str,
    pub(super) plain: &'static [u8],
    /// The same compressed.
    pub(super) brotli: Option<&'static [u8]>,
    /// Differs when the content does.
    pub(super) tag: &'static str,
}

/// The files of `web/dist` when this program was built; empty when there were none.
pub(super) static BUILT_IN: &[Asset] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The file that a browser gets for the place of a repository.
const INDEX: &str = "index.html";
/// The page runs what comes from here and nothing else, and writes no markup but by its own hands. It talks to servers
/// and relays that people name; a relay in the same house has no certificate, and what goes by it is encrypted anyway.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' blob: data:; font-src 'self'; connect-src 'self' https: http: wss: ws:; worker-src 'self'; \
     manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types edgesync-leaf leaf-page dompurify";
/// A worker does not inherit what holds for its page.
const SCRIPT_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
     connect-src 'self' https: http: wss: ws:; worker-src 'self'; frame-ancestors 'none'";
/// Pictures and the like run nothing, also when they are looked at alone.
const OTHER_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";
const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The answer of `assets` to a `GET` of `path`; `None` when they have nothing there.
///
/// `is_place`: whether the path is that of a repository, of which browsers are shown the page. It may read a
/// directory, and is asked only when the answer hangs on it.
pub(super) fn answer(
    assets: &[Asset],
    path: &str,
    is_place: impl FnOnce() -> bool,
    headers: &HeaderMap,
) -> Option<Answer> {
    let find = |wanted: &str| assets.iter().find(|asset| asset.path == wanted);
    let asset = match path.strip_prefix('/')? {
        "" => find(INDEX),
        path => find(path).or_else(|| {
            let is_browser = accepts(headers, header::ACCEPT, "text/html");
            find(INDEX).filter(|_| is_browser && is_place())
        }),
    }?;
    let brotli = asset
        .brotli
        .filter(|_| accepts(headers, header::ACCEPT_ENCODING, "br"));
    // Two forms, two tags.
    let tag = match brotli {
        Some(_) => format!("\"{}-br\"", asset.tag),
        None => format!("\"{}\"", asset.tag),
    };
    let content_type = content_type(asset.path);
    let mut answer = match has_already(headers, &tag) {
        true => Answer::not_modified(),
        false => {
            let body = Bytes::from_static(brotli.unwrap_or(asset.plain));
            Answer::new(StatusCode::OK, content_type, body)
        }
    };
    if brotli.is_some() {
        answer = answer.says(header::CONTENT_ENCODING, "br");
    }
    let policy = match content_type.split(';').next() {
        Some("text/html") => PAGE_POLICY,
        Some("text/javascript") => SCRIPT_POLICY,
        _ => OTHER_POLICY,
    };
    let keep = match is_final(asset.path) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let answer = answer
        .says_of_itself(header::ETAG, &tag)
        .says(header::CACHE_CONTROL, keep)
        .says(header::VARY, "Accept-Encoding")
        .says(header::CONTENT_SECURITY_POLICY, policy)
        .says(CROSS_ORIGIN_OPENER_POLICY, "same-origin");
    Some(answer)
}

/// Whether `wanted` is listed in the header `name`, and not as refused.
fn accepts(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_wanted = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        is_wanted && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

/// Whether the name holds a hash of the content: `assets/NAME-HASH.ENDING`, the hash of eight.
///
/// A word of eight small letters is taken for a word: what is asked for once too often does no harm.
fn is_final(path: &str) -> bool {
    let name = path
        .strip_prefix("assets/")
        .and_then(|name| name.split('.').next());
    let hash = name.and_then(|name| {
        let (before, hash) = name.split_at_checked(name.len().checked_sub(8)?)?;
        before.ends_with('-').then_some(hash)
    });
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    hash.is_some_and(|hash| {
        hash.bytes().all(is_part)
            && hash
                .bytes()
                .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webp") => "image/webp",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
