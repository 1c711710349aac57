//! The one line in front of each message: written and read.
//!
//! ```text
//!   sync PLACE TYPE BYTES        a request; PLACE is a project code, a name, or `-` for the only one there is
//!   ok TYPE BYTES                a reply
//!   here PLACE URL               a leaf that is there to stay says where it can be called; no answer follows
//!   join INVITE SIGNATURE NAME   a stranger proves that it was invited, and says what to call it
//!   joined PROJECT CAPABILITIES  it is one of us now
//!   error TEXT                   why not, instead of either
//! ```
//!
//! The bytes are counted in advance, because a stream that breaks looks like one that ends. Words are escaped as in
//! Fossil's cards.
//!
//! Source: ours; escapes: Fossil `src/encode.c` `fossilize()`.

use super::Key;
use crate::format::fossilize;
use crate::id::{ProjectCode, decode, to_hex};
use crate::xfer::ContentType;

/// Characters of an error that are passed on.
const ERROR_CHARS_MAX: usize = 200;
/// Characters of a name that are kept.
const NAME_CHARS_MAX: usize = 64;

/// A line that is none of those expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the other side does not speak as a leaf does")]
pub struct BadLine;

/// What stands in front of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ask {
    /// Which repository: a project code, or a name; `None` for the only one that the caller may use.
    pub place: Option<String>,
    /// How the message is packed.
    pub content_type: ContentType,
    /// How long it is.
    pub bytes: usize,
}

/// Where whoever calls can be called, for the one of our repositories that it has, too.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Here {
    /// Which repository, as in [`Ask`].
    pub place: Option<String>,
    /// Where.
    pub url: String,
}

/// What stands in front of a reply, or instead of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// A message follows.
    Message {
        /// How it is packed.
        content_type: ContentType,
        /// How long it is.
        bytes: usize,
    },
    /// Nothing follows.
    Refused(String),
}

/// A stranger asks to become a peer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JoinAsk {
    /// The public half of the invitation.
    pub invite: Key,
    /// Made with the other half, of [`join_text`](super::join_text).
    pub signature: [u8; 64],
    /// What it calls itself.
    pub name: String,
}

/// What it is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum JoinAnswer {
    /// It is a peer now.
    Joined {
        /// Of this project.
        project: ProjectCode,
        /// With these letters.
        capabilities: String,
    },
    /// It is not.
    Refused(String),
}

impl Ask {
    /// The line, its end included.
    pub fn write(&self) -> Vec<u8> {
        let place = self.place.as_deref().map_or_else(|| "-".to_owned(), escape);
        line(&[
            "sync",
            &place,
            self.content_type.as_str(),
            &self.bytes.to_string(),
        ])
    }

    /// Reads a line without its end.
    ///
    /// # Errors
    ///
    /// [`BadLine`].
    pub fn parse(line: &[u8]) -> Result<Self, BadLine> {
        let ["sync", place, content_type, bytes] = words(line)?[..] else {
            return Err(BadLine);
        };
        Ok(Self {
            place: (place != "-").then(|| unescape(place)),
            content_type: ContentType::parse(content_type).ok_or(BadLine)?,
            bytes: bytes.parse().map_err(|_| BadLine)?,
        })
    }
}

impl Here {
    /// The line, its end included.
    pub fn write(&self) -> Vec<u8> {
        let place = self.place.as_deref().map_or_else(|| "-".to_owned(), escape);
        line(&["here", &place, &escape(&self.url)])
    }

    /// Reads a line without its end.
    ///
    /// # Errors
    ///
    /// [`BadLine`].
    pub fn parse(line: &[u8]) -> Result<Self, BadLine> {
        let ["here", place, url] = words(line)?[..] else {
            return Err(BadLine);
        };
        Ok(Self {
            place: (place != "-").then(|| unescape(place)),
            url: unescape(url),
        })
    }
}

impl Answer {
    /// The line, its end included.
    pub fn write(&self) -> Vec<u8> {
        match self {
            Self::Message { content_type, bytes } => line(&["ok", content_type.as_str(), &bytes.to_string()]),
            Self::Refused(why) => refused(why),
        }
    }

    /// Reads a line without its end.
    ///
    /// # Errors
    ///
    /// [`BadLine`].
    pub fn parse(line: &[u8]) -> Result<Self, BadLine> {
        match words(line)?[..] {
            ["ok", content_type, bytes] => Ok(Self::Message {
                content_type: ContentType::parse(content_type).ok_or(BadLine)?,
                bytes: bytes.parse().map_err(|_| BadLine)?,
            }),
            ["error", why] => Ok(Self::Refused(shorten(&unescape(why), ERROR_CHARS_MAX))),
            _ => Err(BadLine),
        }
    }
}

impl JoinAsk {
    /// The line, its end included.
    pub fn write(&self) -> Vec<u8> {
        let name = escape(&shorten(&self.name, NAME_CHARS_MAX));
        line(&["join", &to_hex(&self.invite), &to_hex(&self.signature), &name])
    }

    /// Reads a line without its end. A name that is not fit to be shown is made fit.
    ///
    /// # Errors
    ///
    /// [`BadLine`].
    pub fn parse(line: &[u8]) -> Result<Self, BadLine> {
        let ["join", invite, signature, name] = words(line)?[..] else {
            return Err(BadLine);
        };
        if signature.len() != 128 {
            return Err(BadLine);
        }
        let name: String = unescape(name).chars().filter(|c| !c.is_control()).collect();
        Ok(Self {
            invite: super::key(invite).ok_or(BadLine)?,
            signature: decode(signature.as_bytes()).map_err(|_| BadLine)?,
            name: shorten(name.trim(), NAME_CHARS_MAX),
        })
    }
}

impl JoinAnswer {
    /// The line, its end included.
    pub fn write(&self) -> Vec<u8> {
        match self {
            Self::Joined {
                project,
                capabilities,
            } => line(&["joined", project.as_str(), &escape(capabilities)]),
            Self::Refused(why) => refused(why),
        }
    }

    /// Reads a line without its end.
    ///
    /// # Errors
    ///
    /// [`BadLine`].
    pub fn parse(line: &[u8]) -> Result<Self, BadLine> {
        match words(line)?[..] {
            ["joined", project, capabilities] => Ok(Self::Joined {
                project: ProjectCode::parse(project.as_bytes()).map_err(|_| BadLine)?,
                capabilities: unescape(capabilities),
            }),
            ["error", why] => Ok(Self::Refused(shorten(&unescape(why), ERROR_CHARS_MAX))),
            _ => Err(BadLine),
        }
    }
}

fn refused(why: &str) -> Vec<u8> {
    line(&["error", &escape(&shorten(why, ERROR_CHARS_MAX))])
}

fn line(words: &[&str]) -> Vec<u8> {
    let mut line = words.join(" ").into_bytes();
    line.push(b'\n');
    line
}

fn words(line: &[u8]) -> Result<Vec<&str>, BadLine> {
    let text = core::str::from_utf8(line).map_err(|_| BadLine)?;
    Ok(text.split(' ').collect())
}

fn shorten(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

fn escape(text: &str) -> String {
    String::from_utf8_lossy(&fossilize::encode(text.as_bytes())).into_owned()
}

fn unescape(word: &str) -> String {
    String::from_utf8_lossy(&fossilize::decode(word.as_bytes())).into_owned()
}
