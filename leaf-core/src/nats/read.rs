//! Reading operations off the front of what a connection gave.
//!
//! A reader takes one operation at a time and says how many bytes it was, or how many bytes in all it has to see
//! before it can say more. Nothing is copied. What is wrong is one of four things, because a server answers
//! them differently: arguments close without a word, the rest with an `-ERR`.
//!
//! Source: NATS client protocol; what nats-server 2.9.10 and 2.15.1 answer (`tests/nats`).

use super::op::{ClientOp, LeafOp, Message, ServerOp};
use crate::limits::NatsLimits;

/// Why some bytes are no operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadOp {
    /// A known verb with too few, too many or impossible arguments.
    #[error("a verb with arguments that it cannot have")]
    Arguments,
    /// A control line longer than [`NatsLimits::line_bytes_max`].
    #[error("maximum control line exceeded")]
    Line,
    /// A payload longer than [`NatsLimits::payload_bytes_max`].
    #[error("a payload of {bytes} bytes")]
    Payload {
        /// What the control line says.
        bytes: u64,
    },
    /// No verb of the protocol, or no line end behind a payload.
    #[error("unknown protocol operation")]
    Verb,
}

/// What the front of some bytes holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scan<T> {
    /// Nothing whole; at least so many bytes are needed in all.
    More(usize),
    /// An operation, and the bytes it took.
    Op(T, usize),
}

/// A control line without its end, where it ends, and its words.
struct Line<'a> {
    text: &'a [u8],
    verb: Verb,
    end: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verb {
    Connect,
    Error,
    HeaderMessage,
    HeaderPublish,
    Info,
    LeafMessage,
    LeafSubscribe,
    LeafUnsubscribe,
    Message,
    Ok,
    Ping,
    Pong,
    Publish,
    Subscribe,
    Unsubscribe,
}

/// Most words of a control line behind its verb that is not a leaf node's.
const WORDS_MAX: usize = 5;

/// The words behind a verb.
struct Words<'a> {
    words: [&'a [u8]; WORDS_MAX],
    count: usize,
}

impl<'a> Words<'a> {
    fn get(&self) -> &[&'a [u8]] {
        self.words.get(..self.count).unwrap_or_default()
    }
}

/// What a client said.
///
/// # Errors
///
/// [`BadOp`]; the connection is of no more use.
pub fn scan_client<'a>(input: &'a [u8], limits: &NatsLimits) -> Result<Scan<ClientOp<'a>>, BadOp> {
    const VERBS: &[(&[u8], Verb)] = &[
        (b"PUB", Verb::Publish),
        (b"HPUB", Verb::HeaderPublish),
        (b"PING", Verb::Ping),
        (b"PONG", Verb::Pong),
        (b"SUB", Verb::Subscribe),
        (b"UNSUB", Verb::Unsubscribe),
        (b"CONNECT", Verb::Connect),
        (b"INFO", Verb::Info),
        (b"+OK", Verb::Ok),
        (b"-ERR", Verb::Error),
    ];
    let line = match line(input, VERBS, limits.line_bytes_max)? {
        Scan::More(bytes) => return Ok(Scan::More(bytes)),
        Scan::Op(line, _) => line,
    };
    let op = match line.verb {
        Verb::Publish | Verb::HeaderPublish => {
            let words = words(line.text)?;
            let (subject, reply, sizes) = match (line.verb, words.get()) {
                (Verb::Publish, [subject, size]) => (*subject, None, (None, *size)),
                (Verb::Publish, [subject, reply, size]) => (*subject, Some(*reply), (None, *size)),
                (Verb::HeaderPublish, [subject, header, size]) => (*subject, None, (Some(*header), *size)),
                (Verb::HeaderPublish, [subject, reply, header, size]) => {
                    (*subject, Some(*reply), (Some(*header), *size))
                }
                _ => return Err(BadOp::Arguments),
            };
            return Ok(match message(input, line.end, subject, reply, sizes, limits)? {
                Scan::More(bytes) => Scan::More(bytes),
                Scan::Op(message, end) => Scan::Op(ClientOp::Publish(message), end),
            });
        }
        Verb::Subscribe => match words(line.text)?.get() {
            [subject, sid] => ClientOp::Subscribe {
                subject,
                queue: None,
                sid,
            },
            [subject, queue, sid] => ClientOp::Subscribe {
                subject,
                queue: Some(queue),
                sid,
            },
            _ => return Err(BadOp::Arguments),
        },
        Verb::Unsubscribe => match words(line.text)?.get() {
            [sid] => ClientOp::Unsubscribe { sid, max: None },
            // The reference reads what is no number as "now".
            [sid, max] => ClientOp::Unsubscribe {
                sid,
                max: number(max).ok().filter(|max| *max > 0),
            },
            _ => return Err(BadOp::Arguments),
        },
        Verb::Connect => ClientOp::Connect(line.text.trim_ascii()),
        Verb::Info => ClientOp::Info(line.text.trim_ascii()),
        Verb::Error => ClientOp::Error(line.text.trim_ascii()),
        Verb::Ok => ClientOp::Ok,
        Verb::Ping => ClientOp::Ping,
        Verb::Pong => ClientOp::Pong,
        _ => return Err(BadOp::Verb),
    };
    Ok(Scan::Op(op, line.end))
}

/// What a server said to a client.
///
/// # Errors
///
/// [`BadOp`]; the connection is of no more use.
pub fn scan_server<'a>(input: &'a [u8], limits: &NatsLimits) -> Result<Scan<ServerOp<'a>>, BadOp> {
    const VERBS: &[(&[u8], Verb)] = &[
        (b"MSG", Verb::Message),
        (b"HMSG", Verb::HeaderMessage),
        (b"PING", Verb::Ping),
        (b"PONG", Verb::Pong),
        (b"INFO", Verb::Info),
        (b"+OK", Verb::Ok),
        (b"-ERR", Verb::Error),
    ];
    let line = match line(input, VERBS, limits.info_bytes_max)? {
        Scan::More(bytes) => return Ok(Scan::More(bytes)),
        Scan::Op(line, _) => line,
    };
    let op = match line.verb {
        Verb::Message | Verb::HeaderMessage => {
            let words = words(line.text)?;
            let (subject, sid, reply, sizes) = match (line.verb, words.get()) {
                (Verb::Message, [subject, sid, size]) => (*subject, *sid, None, (None, *size)),
                (Verb::Message, [subject, sid, reply, size]) => (*subject, *sid, Some(*reply), (None, *size)),
                (Verb::HeaderMessage, [subject, sid, header, size]) => {
                    (*subject, *sid, None, (Some(*header), *size))
                }
                (Verb::HeaderMessage, [subject, sid, reply, header, size]) => {
                    (*subject, *sid, Some(*reply), (Some(*header), *size))
                }
                _ => return Err(BadOp::Arguments),
            };
            return Ok(match message(input, line.end, subject, reply, sizes, limits)? {
                Scan::More(bytes) => Scan::More(bytes),
                Scan::Op(message, end) => Scan::Op(ServerOp::Message { sid, message }, end),
            });
        }
        Verb::Info => ServerOp::Info(line.text.trim_ascii()),
        Verb::Error => ServerOp::Error(unquoted(line.text.trim_ascii())),
        Verb::Ok => ServerOp::Ok,
        Verb::Ping => ServerOp::Ping,
        Verb::Pong => ServerOp::Pong,
        _ => return Err(BadOp::Verb),
    };
    Ok(Scan::Op(op, line.end))
}

/// What another broker said on a link.
///
/// # Errors
///
/// [`BadOp`]; the link is of no more use.
pub fn scan_leaf<'a>(input: &'a [u8], limits: &NatsLimits) -> Result<Scan<LeafOp<'a>>, BadOp> {
    const VERBS: &[(&[u8], Verb)] = &[
        (b"LMSG", Verb::LeafMessage),
        (b"HMSG", Verb::HeaderMessage),
        (b"LS+", Verb::LeafSubscribe),
        (b"LS-", Verb::LeafUnsubscribe),
        (b"PING", Verb::Ping),
        (b"PONG", Verb::Pong),
        (b"CONNECT", Verb::Connect),
        (b"INFO", Verb::Info),
        (b"+OK", Verb::Ok),
        (b"-ERR", Verb::Error),
    ];
    let line = match line(input, VERBS, limits.info_bytes_max)? {
        Scan::More(bytes) => return Ok(Scan::More(bytes)),
        Scan::Op(line, _) => line,
    };
    let op = match line.verb {
        Verb::LeafMessage | Verb::HeaderMessage => return leaf_message(input, &line, limits),
        Verb::LeafSubscribe => match words(line.text)?.get() {
            [subject] => LeafOp::Subscribe { subject, queue: None },
            [subject, queue, weight] => {
                let weight = u32::try_from(number(weight)?).map_err(|_| BadOp::Arguments)?;
                LeafOp::Subscribe {
                    subject,
                    queue: Some((queue, weight)),
                }
            }
            _ => return Err(BadOp::Arguments),
        },
        Verb::LeafUnsubscribe => match words(line.text)?.get() {
            [subject] => LeafOp::Unsubscribe { subject, queue: None },
            [subject, queue] => LeafOp::Unsubscribe {
                subject,
                queue: Some(queue),
            },
            _ => return Err(BadOp::Arguments),
        },
        Verb::Connect => LeafOp::Connect(line.text.trim_ascii()),
        Verb::Info => LeafOp::Info(line.text.trim_ascii()),
        Verb::Error => LeafOp::Error(unquoted(line.text.trim_ascii())),
        Verb::Ok => LeafOp::Ok,
        Verb::Ping => LeafOp::Ping,
        Verb::Pong => LeafOp::Pong,
        _ => return Err(BadOp::Verb),
    };
    Ok(Scan::Op(op, line.end))
}

/// `LMSG subject size`, `LMSG subject reply size`, `LMSG subject | queues size`, `LMSG subject + reply queues
/// size`; an `HMSG` has the bytes of its header before the size.
fn leaf_message<'a>(
    input: &'a [u8],
    line: &Line<'a>,
    limits: &NatsLimits,
) -> Result<Scan<LeafOp<'a>>, BadOp> {
    let text = line.text.trim_ascii();
    let (subject, rest) = first_word(text);
    let (rest, size) = last_word(rest);
    let (rest, header) = match line.verb {
        Verb::HeaderMessage => {
            let (rest, header) = last_word(rest);
            (rest, Some(header))
        }
        _ => (rest, None),
    };
    let (mark, behind) = first_word(rest);
    let (reply, queues) = match mark {
        b"" => (None, &b""[..]),
        b"|" if !behind.is_empty() => (None, behind),
        b"+" => {
            let (reply, queues) = first_word(behind);
            if queues.is_empty() {
                return Err(BadOp::Arguments);
            }
            (Some(reply), queues)
        }
        reply if behind.is_empty() => (Some(reply), &b""[..]),
        _ => return Err(BadOp::Arguments),
    };
    if subject.is_empty() || size.is_empty() || header.is_some_and(<[u8]>::is_empty) {
        return Err(BadOp::Arguments);
    }
    Ok(
        match message(input, line.end, subject, reply, (header, size), limits)? {
            Scan::More(bytes) => Scan::More(bytes),
            Scan::Op(message, end) => Scan::Op(LeafOp::Message { message, queues }, end),
        },
    )
}

/// The payload behind a control line that ends at `start`.
fn message<'a>(
    input: &'a [u8],
    start: usize,
    subject: &'a [u8],
    reply: Option<&'a [u8]>,
    (header, size): (Option<&[u8]>, &[u8]),
    limits: &NatsLimits,
) -> Result<Scan<Message<'a>>, BadOp> {
    let bytes = number(size)?;
    let header_bytes = match header {
        None => 0,
        Some(header) => number(header)?,
    };
    if header_bytes > bytes {
        return Err(BadOp::Arguments);
    }
    let (Ok(size), Ok(header_bytes)) = (usize::try_from(bytes), usize::try_from(header_bytes)) else {
        return Err(BadOp::Payload { bytes });
    };
    if size > limits.payload_bytes_max {
        return Err(BadOp::Payload { bytes });
    }
    let rest = input.get(start..).unwrap_or_default();
    let end = start.saturating_add(size).saturating_add(2);
    let Some(payload) = rest.get(..size) else {
        return Ok(Scan::More(end));
    };
    match rest.get(size..).unwrap_or_default() {
        [b'\r', b'\n', ..] => Ok(Scan::Op(
            Message {
                subject,
                reply,
                header_bytes,
                payload,
            },
            end,
        )),
        [] | [b'\r'] => Ok(Scan::More(end)),
        _ => Err(BadOp::Verb),
    }
}

/// Cuts the control line off and tells its verb. A verb that cannot become one is refused before its line ends.
fn line<'a>(
    input: &'a [u8],
    verbs: &[(&'static [u8], Verb)],
    bytes_max: usize,
) -> Result<Scan<Line<'a>>, BadOp> {
    let end = input.iter().position(|byte| *byte == b'\n');
    let Some(end) = end else {
        let could_be = verbs.iter().any(|(name, _)| match input.get(..name.len()) {
            Some(front) => front.eq_ignore_ascii_case(name),
            None => name
                .get(..input.len())
                .is_some_and(|front| front.eq_ignore_ascii_case(input)),
        });
        // What counts is what follows the verb and its blank.
        let is_long = |(name, _): &(&[u8], Verb)| {
            let front = input.get(..name.len());
            front.is_some_and(|front| front.eq_ignore_ascii_case(name))
                && input.len() > bytes_max.saturating_add(name.len()).saturating_add(2)
        };
        return match could_be {
            false => Err(BadOp::Verb),
            true if verbs.iter().any(is_long) => Err(BadOp::Line),
            true => Ok(Scan::More(input.len().saturating_add(1))),
        };
    };
    let text = input.get(..end).unwrap_or_default();
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let found = verbs.iter().find_map(|(name, verb)| {
        let (front, rest) = text.split_at_checked(name.len())?;
        front.eq_ignore_ascii_case(name).then_some((*verb, rest))
    });
    let Some((verb, rest)) = found else {
        return Err(BadOp::Verb);
    };
    // More blanks than one count, as where the end is not there yet: else they would have to be kept for ever.
    if rest.len() > bytes_max.saturating_add(1) {
        return Err(BadOp::Line);
    }
    // What follows a `PING` does not matter, and JSON shows where it begins; `SUBX` is no verb.
    let is_free = matches!(
        verb,
        Verb::Ping | Verb::Pong | Verb::Ok | Verb::Connect | Verb::Info | Verb::Error
    );
    if !is_free && !matches!(rest.first(), Some(b' ' | b'\t')) {
        return Err(BadOp::Verb);
    }
    let end = end.saturating_add(1);
    Ok(Scan::Op(
        Line {
            text: rest,
            verb,
            end,
        },
        end,
    ))
}

fn words(text: &[u8]) -> Result<Words<'_>, BadOp> {
    let mut found = Words {
        words: [b""; WORDS_MAX],
        count: 0,
    };
    for word in text
        .split(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .filter(|word| !word.is_empty())
    {
        *found.words.get_mut(found.count).ok_or(BadOp::Arguments)? = word;
        found.count = found.count.saturating_add(1);
    }
    Ok(found)
}

fn first_word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let end = text
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t'))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, b""));
    (word, rest.trim_ascii_start())
}

fn last_word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_end();
    let start = text
        .iter()
        .rposition(|byte| matches!(byte, b' ' | b'\t'))
        .map_or(0, |at| at.saturating_add(1));
    let (rest, word) = text.split_at_checked(start).unwrap_or((b"", text));
    (rest.trim_ascii_end(), word)
}

/// At most nine digits, as the reference reads a size.
fn number(digits: &[u8]) -> Result<u64, BadOp> {
    if digits.is_empty() || digits.len() > 9 {
        return Err(BadOp::Arguments);
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| {
                number
                    .wrapping_mul(10)
                    .wrapping_add(u64::from(digit.wrapping_sub(b'0')))
            })
            .ok_or(BadOp::Arguments)
    })
}

fn unquoted(text: &[u8]) -> &[u8] {
    let inner = text.strip_prefix(b"'").and_then(|text| text.strip_suffix(b"'"));
    inner.unwrap_or(text)
}
