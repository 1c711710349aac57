//! Reading cards off a message.
//!
//! Framing first: a line, and behind some lines a payload of a stated size. Blank lines are skipped, as every
//! Fossil client does (a `cfile` may be followed by one). What is a known card with bad arguments is an error;
//! what is no known card is [`Card::Unknown`].
//!
//! Source: Fossil `src/blob.c` `blob_line()`, `blob_tokenize()`; `src/xfer.c`.

use super::{Card, Pragma, UvBody, Version};
use crate::format::word::is_word;
use crate::id::ArtifactHash;
use crate::limits::Limits;

/// Fossil keeps so many words of a line; `uvfile` between leaves has one more.
const WORDS_MAX: usize = 7;

/// Why some bytes are not cards.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadCard {
    /// A known card has arguments that it cannot have.
    #[error("malformed card at byte {offset}")]
    Arguments {
        /// Where the card begins.
        offset: usize,
    },
    /// A payload is longer than one artifact may be.
    #[error("payload of {bytes} bytes at byte {offset}")]
    PayloadTooLarge {
        /// Where the card begins.
        offset: usize,
        /// Size that it states.
        bytes: u64,
    },
    /// The line does not end, or not within the allowed length.
    #[error("endless line at byte {offset}")]
    Line {
        /// Where the card begins.
        offset: usize,
    },
    /// More cards than one message may have.
    #[error("more than {max} cards")]
    TooMany {
        /// [`Limits::cards_max`].
        max: usize,
    },
    /// The message ends inside a payload.
    #[error("message cut short in the card at byte {offset}")]
    Truncated {
        /// Where the card begins.
        offset: usize,
    },
    /// A card that is not known. [`Cards`] never says so; a client does.
    #[error("unknown card at byte {offset}")]
    Unknown {
        /// Where the card begins.
        offset: usize,
    },
}

/// Reads cards off the front of a message until it is empty. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Cards<'a> {
    message: &'a [u8],
    at: usize,
    start: usize,
    count: usize,
    count_max: usize,
    card_bytes_max: usize,
    payload_bytes_max: usize,
    row_bytes_max: usize,
}

impl<'a> Cards<'a> {
    /// Starts at the first byte of an unpacked message.
    pub fn new(message: &'a [u8], limits: &Limits) -> Self {
        Self {
            message,
            at: 0,
            start: 0,
            count: 0,
            count_max: limits.cards_max,
            card_bytes_max: limits.card_bytes_max,
            payload_bytes_max: limits.artifact_bytes_max,
            row_bytes_max: limits.row_bytes_max,
        }
    }

    /// Where the card that was read last begins.
    pub fn offset(&self) -> usize {
        self.start
    }

    fn rest(&self) -> &'a [u8] {
        self.message.get(self.at..).unwrap_or_default()
    }

    fn skip_blank_lines(&mut self) {
        let blank = self
            .rest()
            .iter()
            .take_while(|b| matches!(b, b'\n' | b'\r'))
            .count();
        self.at = self.at.saturating_add(blank);
    }

    fn line(&mut self) -> Result<&'a [u8], BadCard> {
        let rest = self.rest();
        let window = rest.get(..self.card_bytes_max).unwrap_or(rest);
        let end = window
            .iter()
            .position(|b| *b == b'\n')
            .ok_or(BadCard::Line { offset: self.start })?;
        self.at = self.at.saturating_add(end).saturating_add(1);
        Ok(rest.get(..end).unwrap_or_default())
    }

    fn payload(&mut self, size: u64) -> Result<&'a [u8], BadCard> {
        self.payload_to(size, self.payload_bytes_max)
    }

    fn payload_to(&mut self, size: u64, max: usize) -> Result<&'a [u8], BadCard> {
        let bytes = usize::try_from(size).ok().filter(|bytes| *bytes <= max);
        let bytes = bytes.ok_or(BadCard::PayloadTooLarge {
            offset: self.start,
            bytes: size,
        })?;
        let payload = self
            .rest()
            .get(..bytes)
            .ok_or(BadCard::Truncated { offset: self.start })?;
        self.at = self.at.saturating_add(bytes);
        Ok(payload)
    }

    fn card(&mut self) -> Result<Card<'a>, BadCard> {
        let line = self.line()?;
        if let Some(text) = line.strip_prefix(b"#") {
            return Ok(match text.strip_prefix(b" timestamp ") {
                Some(time) => Card::Timestamp(time),
                None => Card::Comment(text),
            });
        }
        let words = Words::split(line);
        if let Some(card) = self.with_payload(&words)? {
            return Ok(card);
        }
        match known(line, &words) {
            Some(Ok(card)) => Ok(self.with_tail(card)),
            Some(Err(Malformed)) => Err(BadCard::Arguments { offset: self.start }),
            None => Ok(Card::Unknown(line)),
        }
    }

    /// A login signs all that follows it.
    fn with_tail(&self, card: Card<'a>) -> Card<'a> {
        match card {
            Card::Login {
                user,
                nonce,
                signature,
                ..
            } => Card::Login {
                user,
                nonce,
                signature,
                tail: self.rest(),
            },
            other => other,
        }
    }

    /// The cards that have a payload; `None` for any other.
    fn with_payload(&mut self, words: &Words<'a>) -> Result<Option<Card<'a>>, BadCard> {
        let bad = BadCard::Arguments { offset: self.start };
        let hash = |word: &[u8]| ArtifactHash::parse(word).map_err(|_| bad);
        let size = |word: &[u8]| number::<u64>(word).map_err(|_| bad);
        Ok(Some(match words.all() {
            [b"file", name, source @ .., bytes] if source.len() <= 1 => Card::File {
                hash: hash(name)?,
                source: source.first().map(|word| hash(word)).transpose()?,
                content: self.payload(size(bytes)?)?,
            },
            [b"cfile", name, source @ .., expanded, bytes] if source.len() <= 1 => Card::Cfile {
                hash: hash(name)?,
                source: source.first().map(|word| hash(word)).transpose()?,
                size: size(expanded)?,
                zblob: self.payload(size(bytes)?)?,
            },
            [b"config", name, bytes] => {
                let payload = self.payload(size(bytes)?)?;
                self.at = self.at.saturating_add(1).min(self.message.len());
                Card::Config {
                    name: text(name).map_err(|_| bad)?,
                    payload,
                }
            }
            [b"uvfile", name, mtime, digest, expanded, flags, stored @ ..] => {
                let expanded = size(expanded)?;
                let digest = digest_or_dash(digest).map_err(|_| bad)?;
                let flags = size(flags)?;
                let body = match (flags, stored) {
                    (0, []) if expanded == 0 => UvBody::Plain(&[]),
                    (0, []) => UvBody::Plain(self.payload(expanded)?),
                    (UV_STORED, [bytes]) => UvBody::Stored(self.payload(size(bytes)?)?),
                    (flags, []) if flags & UV_DELETED != 0 => UvBody::Deleted,
                    (flags, []) if flags & UV_OMITTED != 0 => UvBody::Omitted,
                    _ => return Err(bad),
                };
                if digest.is_none() && !matches!(body, UvBody::Deleted) {
                    return Err(bad);
                }
                let mtime = number(mtime).map_err(|_| bad)?;
                Card::Uvfile {
                    name: uv_name(name).map_err(|_| bad)?,
                    mtime,
                    hash: digest,
                    size: expanded,
                    body,
                }
            }
            [b"schema", table, _version, _hash, mtime, bytes] => Card::Schema {
                table: table_name(table).map_err(|_| bad)?,
                mtime: number(mtime).map_err(|_| bad)?,
                json: self.payload_to(size(bytes)?, self.row_bytes_max)?,
            },
            [card @ (b"xrow" | b"xdelete"), table, key, mtime, bytes] => Card::Row {
                table: table_name(table).map_err(|_| bad)?,
                key: row_key(key).map_err(|_| bad)?,
                mtime: number(mtime).map_err(|_| bad)?,
                json: self.payload_to(size(bytes)?, self.row_bytes_max)?,
                deleted: *card == b"xdelete",
            },
            [
                b"file" | b"cfile" | b"config" | b"uvfile" | b"schema" | b"xrow" | b"xdelete",
                ..,
            ] => return Err(bad),
            _ => return Ok(None),
        }))
    }
}

impl<'a> Iterator for Cards<'a> {
    type Item = Result<Card<'a>, BadCard>;

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_blank_lines();
        if self.rest().is_empty() {
            return None;
        }
        self.start = self.at;
        self.count = self.count.saturating_add(1);
        let card = if self.count > self.count_max {
            Err(BadCard::TooMany { max: self.count_max })
        } else {
            self.card()
        };
        if card.is_err() {
            self.at = self.message.len();
        }
        Some(card)
    }
}

/// `uvfile` flag: the file was deleted.
pub(super) const UV_DELETED: u64 = 1;
/// `uvfile` flag: the content is not sent.
pub(super) const UV_OMITTED: u64 = 4;
/// `uvfile` flag between leaves: the content is compressed as stored.
pub(super) const UV_STORED: u64 = 16;

/// The words of a line, at most [`WORDS_MAX`].
struct Words<'a> {
    words: [&'a [u8]; WORDS_MAX],
    count: usize,
}

impl<'a> Words<'a> {
    fn split(line: &'a [u8]) -> Self {
        let mut words: [&[u8]; WORDS_MAX] = [&[]; WORDS_MAX];
        let found = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let count = words
            .iter_mut()
            .zip(found)
            .map(|(slot, word)| *slot = word)
            .count();
        Self { words, count }
    }

    fn all(&self) -> &[&'a [u8]] {
        self.words.get(..self.count).unwrap_or_default()
    }
}

/// Arguments that a known card cannot have.
struct Malformed;

fn text(word: &[u8]) -> Result<&str, Malformed> {
    core::str::from_utf8(word).map_err(|_| Malformed)
}

/// A name that Fossil accepts for an unversioned file. Words have no white space already.
///
/// Source: Fossil `src/blob.c` `blob_is_filename()`.
fn uv_name(word: &[u8]) -> Result<&str, Malformed> {
    text(word)
        .ok()
        .filter(|name| name.chars().all(|c| c > ' ' && c != '\\' && c != '\u{7f}'))
        .ok_or(Malformed)
}

fn number<N: core::str::FromStr>(word: &[u8]) -> Result<N, Malformed> {
    if word.first() == Some(&b'+') {
        return Err(Malformed);
    }
    text(word)?.parse().map_err(|_| Malformed)
}

fn table_name(word: &[u8]) -> Result<&str, Malformed> {
    text(word).ok().filter(|_| is_word(word)).ok_or(Malformed)
}

/// The name of a row: always SHA1.
fn row_key(word: &[u8]) -> Result<ArtifactHash, Malformed> {
    hash(word).and_then(|key| match key {
        ArtifactHash::Sha1(_) => Ok(key),
        ArtifactHash::Sha3(_) => Err(Malformed),
    })
}

/// The sum of a row: 16 hex digits.
fn row_sum(word: &[u8]) -> Result<u64, Malformed> {
    text(word)
        .ok()
        .filter(|word| word.len() == 16)
        .and_then(|word| u64::from_str_radix(word, 16).ok())
        .ok_or(Malformed)
}

fn hash(word: &[u8]) -> Result<ArtifactHash, Malformed> {
    ArtifactHash::parse(word).map_err(|_| Malformed)
}

fn digest_or_dash(word: &[u8]) -> Result<Option<ArtifactHash>, Malformed> {
    if word == b"-" {
        Ok(None)
    } else {
        hash(word).map(Some)
    }
}

/// The cards without a payload; `None` when the first word is none of theirs.
fn known<'a>(line: &'a [u8], words: &Words<'a>) -> Option<Result<Card<'a>, Malformed>> {
    let card = || -> Result<Option<Card<'a>>, Malformed> {
        Ok(Some(match words.all() {
            [b"clone"] => Card::Clone { version: 1, seqno: 1 },
            [b"clone", version, seqno] => Card::Clone {
                version: number(version)?,
                seqno: number(seqno)?,
            },
            [b"clone_seqno", seqno] => Card::CloneSeqno(number(seqno)?),
            [b"cookie", value] => Card::Cookie(value),
            [b"error", message] => Card::Error(message),
            [b"gimme", name] => Card::Gimme(hash(name)?),
            [b"igot", name] => Card::Igot {
                hash: hash(name)?,
                private: false,
            },
            [b"igot", name, flag, ..] => Card::Igot {
                hash: hash(name)?,
                private: *flag == b"1",
            },
            [b"login", user, nonce, signature] => Card::Login {
                user,
                nonce,
                signature,
                tail: &[],
            },
            [b"message", message] => Card::Message(message),
            [b"pragma", name, arguments @ ..] => Card::Pragma(pragma(line, name, arguments)?),
            [b"private"] => Card::Private,
            [b"pull", project] => Card::Pull { server: &[], project },
            [b"pull", server, project] => Card::Pull { server, project },
            [b"push", project] => Card::Push { server: &[], project },
            [b"push", server, project] => Card::Push { server, project },
            [b"reqconfig", name] => Card::ReqConfig(text(name)?),
            [b"uvgimme", name] => Card::Uvgimme(uv_name(name)?),
            [b"uvigot", name, mtime, digest, size] => Card::Uvigot {
                name: uv_name(name)?,
                mtime: number(mtime)?,
                hash: digest_or_dash(digest)?,
                size: number(size)?,
            },
            [b"xgimme", table, key] => Card::Xgimme {
                table: table_name(table)?,
                key: row_key(key)?,
            },
            [b"xigot", table, key, mtime, sum @ ..] if sum.len() <= 1 => Card::Xigot {
                table: table_name(table)?,
                key: row_key(key)?,
                mtime: number(mtime)?,
                sum: sum.first().map(|word| row_sum(word)).transpose()?,
            },
            [
                b"clone" | b"clone_seqno" | b"gimme" | b"igot" | b"login" | b"pull" | b"push" | b"reqconfig"
                | b"uvgimme" | b"uvigot" | b"xgimme" | b"xigot",
                ..,
            ] => return Err(Malformed),
            _ => return Ok(None),
        }))
    };
    card().transpose()
}

fn pragma<'a>(line: &'a [u8], name: &[u8], arguments: &[&'a [u8]]) -> Result<Pragma<'a>, Malformed> {
    Ok(match (name, arguments) {
        (b"avoid-delta-manifests", []) => Pragma::AvoidDeltaManifests,
        (b"ci-lock", [checkin, client]) => Pragma::CiLock {
            checkin: hash(checkin)?,
            client,
        },
        (b"ci-lock-fail", [user, since]) => Pragma::CiLockFail {
            user,
            since: number(since)?,
        },
        (b"ci-unlock", [client]) => Pragma::CiUnlock(client),
        (b"client-url", [url]) => Pragma::ClientUrl(url),
        (b"client-version", [number, rest @ ..]) => Pragma::ClientVersion(version(number, rest)),
        (b"leaf-count", []) => Pragma::LeafCount(None),
        (b"leaf-count", [count]) => Pragma::LeafCount(Some(number(count)?)),
        (b"leaf-mark", [token]) => Pragma::LeafMark {
            direction: &[],
            token,
        },
        (b"leaf-mark", [direction, token]) => Pragma::LeafMark { direction, token },
        (b"leaf-mark-stale", []) => Pragma::LeafMarkStale,
        (b"leaf-tables", []) => Pragma::LeafTables,
        (b"leaf-uv-stored", []) => Pragma::LeafUvStored,
        (b"link", [url, arg, mtime]) => Pragma::Link {
            url,
            arg,
            mtime: number(mtime)?,
        },
        (b"req-clusters", []) => Pragma::ReqClusters,
        (b"req-links", []) => Pragma::ReqLinks,
        (b"send-catalog", []) => Pragma::SendCatalog,
        (b"send-private", []) => Pragma::SendPrivate,
        (b"server-version", [number, rest @ ..]) => Pragma::ServerVersion(version(number, rest)),
        (b"uv-hash", [digest]) => Pragma::UvHash(digest),
        (b"uv-pull-only", []) => Pragma::UvPullOnly,
        (b"uv-push-ok", []) => Pragma::UvPushOk,
        (b"xtable-hash", [table, hash, sum @ ..]) if sum.len() <= 1 => Pragma::XtableHash {
            table: table_name(table)?,
            hash,
            sum: sum.first().copied().unwrap_or_default(),
        },
        _ => Pragma::Unknown(line.strip_prefix(b"pragma ").unwrap_or(line)),
    })
}

/// Bad numbers count as 0, as in Fossil.
fn version(first: &[u8], rest: &[&[u8]]) -> Version {
    let part = |word: Option<&&[u8]>| word.and_then(|word| number(word).ok()).unwrap_or(0);
    Version {
        number: part(Some(&first)),
        date: part(rest.first()),
        time: part(rest.get(1)),
    }
}
