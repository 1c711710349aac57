//! `GET [/NAME]/raw/HASH?name=FILE`: the content of one artifact, in a form that can do no harm.
//!
//! Whoever may push decides what is in an artifact, so none may run as if it were part of this server. Text and
//! four kinds of pictures are shown, anything else is to be saved; and even what is shown is shut off from the rest
//! of the origin. What is private or banned is answered in the words for what is not there.
//!
//! Source: threats 15 and 22; Fossil `src/info.c` `rawartifact_page()`; RFC 6266 and RFC 8187 for file names.

use super::answer::{Answer, TEXT, has_already};
use super::http::{Held, Service};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap};
use leaf_core::id::ArtifactHash;
use leaf_core::repo::{Cap, Repo, RepoError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use std::sync::Arc;

/// What is shown runs nothing, loads nothing, and belongs to no origin.
const POLICY: &str = "sandbox; default-src 'none'";
/// What browsers would show as more than text, by the ending of the name.
const ACTIVE_ENDINGS: [&str; 12] = [
    "htm", "html", "mht", "mhtml", "pdf", "shtml", "svg", "svgz", "xht", "xhtml", "xml", "xsl",
];
/// The same by how the content begins.
const ACTIVE_BEGINNINGS: [&str; 6] = ["<!doctype", "<?xml", "<html", "<script", "<svg", "%pdf"];
/// Of a file's name no more characters are repeated.
const NAME_CHARS_MAX: usize = 150;
/// All but the attr-char of RFC 8187.
const NAME_ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// What the repository says to one who asks for an artifact.
enum Found {
    Forbidden,
    Absent,
    /// The client has it already.
    Known,
    Content(&'static str, Arc<Vec<u8>>),
}

/// The place of the repository and the name of the artifact, if `path` asks for one.
pub(super) fn wanted(path: &str) -> Option<(&str, &str)> {
    let (place, hash) = path.rsplit_once("/raw/")?;
    let is_place = place.is_empty() || place.strip_prefix('/').is_some_and(|name| !name.contains('/'));
    is_place.then_some((place, hash))
}

impl Service {
    /// The artifact `hash` of the repository at `place`, for anybody.
    pub(super) async fn raw(
        self: &Arc<Self>,
        (place, hash): (&str, &str),
        query: Option<&str>,
        headers: &HeaderMap,
        held: &Held,
    ) -> Result<Answer, Answer> {
        let pool = self.find(place).await?;
        let hash = hash.parse::<ArtifactHash>().map_err(|_| absent())?;
        let name = file_name(query, &hash);
        let tag = format!("\"{hash}\"");
        let is_known = has_already(headers, &tag);
        self.take_permit(held).await?;
        let asked = name.clone();
        let found = pool.run(move |repo, _| repo.read(|repo| look_up(repo, &hash, &asked, is_known)));
        let found = found
            .await
            .map_err(|_| Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error"))?;
        let found = found.map_err(|error| {
            tracing::error!(cause = %error, "an artifact cannot be read");
            Answer::text(StatusCode::SERVICE_UNAVAILABLE, "the artifact cannot be read")
        })?;
        let (answer, kind) = match found {
            Found::Forbidden => {
                return Err(Answer::forbidden(
                    "nobody may read artifacts here without a login",
                ));
            }
            Found::Absent => return Err(absent()),
            Found::Known => (Answer::not_modified(), ""),
            Found::Content(kind, content) => {
                let content = Arc::unwrap_or_clone(content);
                (Answer::new(StatusCode::OK, kind, Bytes::from(content)), kind)
            }
        };
        let disposition = match kind {
            OTHER => "attachment",
            _ => "inline",
        };
        Ok(answer
            .says(header::CONTENT_SECURITY_POLICY, POLICY)
            // Rights may be taken away, and what is public now may be banned later.
            .says(header::CACHE_CONTROL, "private, no-cache")
            .says_of_itself(header::ETAG, &tag)
            .says_of_itself(
                header::CONTENT_DISPOSITION,
                &format!("{disposition}; {}", shown(&name)),
            ))
    }
}

fn absent() -> Answer {
    Answer::text(StatusCode::NOT_FOUND, "no artifact of that name is here")
}

fn look_up(repo: &Repo, hash: &ArtifactHash, name: &str, is_known: bool) -> Result<Found, RepoError> {
    if !repo.capabilities_of("nobody")?.has(Cap::Read) {
        return Ok(Found::Forbidden);
    }
    let Some(rid) = repo.rid_of(hash)? else {
        return Ok(Found::Absent);
    };
    if repo.is_private(rid)? || repo.is_shunned(hash)? {
        return Ok(Found::Absent);
    }
    if is_known && repo.is_available(rid)? {
        return Ok(Found::Known);
    }
    let content = repo.content(rid)?;
    Ok(content.map_or(Found::Absent, |content| {
        Found::Content(kind(&content, name), content)
    }))
}

/// The type of what is only to be saved.
const OTHER: &str = "application/octet-stream";

/// The type under which content may be sent that has this name.
fn kind(content: &[u8], name: &str) -> &'static str {
    let webp = content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WEBP");
    if content.starts_with(b"\x89PNG\r\n\x1a\n") {
        return "image/png";
    } else if content.starts_with(b"\xff\xd8\xff") {
        return "image/jpeg";
    } else if content.starts_with(b"GIF87a") || content.starts_with(b"GIF89a") {
        return "image/gif";
    } else if webp {
        return "image/webp";
    }
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    let text = std::str::from_utf8(content).ok().filter(|text| {
        let is_plain = |byte: u8| byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c' | b'\x1b');
        text.bytes().all(is_plain)
    });
    let is_active = |text: &str| {
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let begins = |with: &&str| {
            let start = text.get(..with.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        ACTIVE_BEGINNINGS.iter().any(begins)
            || ending.is_some_and(|ending| ACTIVE_ENDINGS.contains(&&*ending))
    };
    match text {
        Some(text) if !is_active(text) => TEXT,
        _ => OTHER,
    }
}

/// The name to save the artifact under: the last part of the one that was asked for, without what would mislead.
fn file_name(query: Option<&str>, hash: &ArtifactHash) -> String {
    let pairs = query.map(|query| url::form_urlencoded::parse(query.as_bytes()));
    let asked = pairs.and_then(|mut pairs| pairs.find(|(key, _)| key == "name"));
    let asked = asked.map(|(_, value)| value.into_owned()).unwrap_or_default();
    let last = asked.rsplit(['/', '\\']).next().unwrap_or_default();
    // What turns the direction of writing makes one ending look like another.
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let name: String = last
        .chars()
        .filter(|c| !c.is_control() && !turns(*c))
        .take(NAME_CHARS_MAX)
        .collect();
    match name.trim().trim_start_matches('.') {
        "" => hash.to_string().chars().take(16).collect(),
        _ => name,
    }
}

/// A file's name as parameters of a Content-Disposition: for old clients in ASCII, for the others as it is.
fn shown(name: &str) -> String {
    let plain = |c: char| match c {
        ' '..='~' if !matches!(c, '"' | '\\' | '%') => c,
        _ => '_',
    };
    let ascii: String = name.chars().map(plain).collect();
    let escaped = percent_encode(name.as_bytes(), NAME_ESCAPED);
    match ascii == name {
        true => format!("filename=\"{ascii}\""),
        false => format!("filename=\"{ascii}\"; filename*=UTF-8''{escaped}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_content_is_shown() {
        for (content, name, expected) in [
            (&b"plain\n"[..], "", TEXT),
            (b"fn main() {}\n", "main.rs", TEXT),
            ("Gr\u{fc}\u{df}e\n".as_bytes(), "README", TEXT),
            (b"<p align=center>Leaf</p>", "README.md", TEXT),
            (b"", "empty", TEXT),
            (b"\x89PNG\r\n\x1a\n\0\0", "x.html", "image/png"),
            (b"\xff\xd8\xff\xe0", "", "image/jpeg"),
            (b"GIF89a..", "", "image/gif"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "", "image/webp"),
            (b"RIFF\0\0\0\0WAVEfmt ", "", OTHER),
            (b"plain\n", "page.HTML", OTHER),
            (b"plain\n", "picture.svg", OTHER),
            (b" \n<!DOCTYPE html><script>", "page.txt", OTHER),
            (b"\xef\xbb\xbf<SVG onload=x>", "", OTHER),
            (b"<?xml version='1.0'?>", "", OTHER),
            (b"%PDF-1.7", "text.txt", OTHER),
            (b"a\0b", "", OTHER),
            (b"\xff\xfe", "", OTHER),
        ] {
            assert_eq!(kind(content, name), expected, "{name} {content:?}");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_quotes_nor_its_folder() {
        let hash: ArtifactHash = "a".repeat(40).parse().expect("a hash");
        for (query, expected) in [
            ("name=a.txt", "filename=\"a.txt\""),
            ("x=y&name=src%2Fmain.rs", "filename=\"main.rs\""),
            ("name=..%5C..%5Ca", "filename=\"a\""),
            (
                "name=a%22%3B+filename%3Db",
                "filename=\"a_; filename=b\"; filename*=UTF-8''a%22%3B%20filename%3Db",
            ),
            ("name=a%0D%0ASet-Cookie%3A+x", "filename=\"aSet-Cookie: x\""),
            (
                "name=Gr%C3%BC%C3%9Fe.txt",
                "filename=\"Gr__e.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt",
            ),
            ("name=fdp%E2%80%AEexe.txt", "filename=\"fdpexe.txt\""),
            ("name=..", "filename=\"aaaaaaaaaaaaaaaa\""),
            ("name=", "filename=\"aaaaaaaaaaaaaaaa\""),
            ("", "filename=\"aaaaaaaaaaaaaaaa\""),
        ] {
            assert_eq!(shown(&file_name(Some(query), &hash)), expected, "{query}");
        }
        let long = format!("name={}", "x".repeat(5000));
        assert!(file_name(Some(&long), &hash).len() <= NAME_CHARS_MAX);
    }

    #[test]
    fn a_place_is_at_most_one_name() {
        assert_eq!(wanted("/raw/abc"), Some(("", "abc")));
        assert_eq!(wanted("/project/raw/abc"), Some(("/project", "abc")));
        assert_eq!(wanted("/raw/raw/abc"), Some(("/raw", "abc")));
        for other in ["/raw", "/a/b/raw/abc", "/a/raws/abc", "/"] {
            assert_eq!(wanted(other), None, "{other}");
        }
    }
}
