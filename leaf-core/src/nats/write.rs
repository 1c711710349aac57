//! Writing operations: appended to a buffer, never through `format!`, for each message passes here.
//!
//! Source: NATS client protocol (docs.nats.io, reference/nats-protocol).

use super::op::Message;

/// Appends a number in decimal.
pub(crate) fn decimal(out: &mut Vec<u8>, number: usize) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at = at.saturating_sub(1);
        if let (Some(place), Ok(digit)) = (digits.get_mut(at), u8::try_from(rest % 10)) {
            *place = digit.wrapping_add(b'0');
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// Appends a line of words with its end.
pub(crate) fn line(out: &mut Vec<u8>, words: &[&[u8]]) {
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends `-ERR 'text'`.
pub(crate) fn error(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"-ERR '");
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"'\r\n");
}

/// The end of a delivery, the same for all who get the message: the sizes and the payload.
fn payload(out: &mut Vec<u8>, message: &Message<'_>, with_header: bool) {
    if message.header_bytes > 0 && with_header {
        decimal(out, message.header_bytes);
        out.push(b' ');
        decimal(out, message.payload.len());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(message.payload);
    } else {
        let body = message.body();
        decimal(out, body.len());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends `MSG` or `HMSG`; who cannot read headers gets the body alone.
pub(crate) fn delivery(out: &mut Vec<u8>, message: &Message<'_>, sid: &[u8], with_header: bool) {
    let verb: &[u8] = match message.header_bytes > 0 && with_header {
        true => b"HMSG ",
        false => b"MSG ",
    };
    let reply = message.reply.unwrap_or_default();
    // Room for the whole at once: what is appended below is some 50 bytes longer than its words.
    out.reserve(
        message
            .payload
            .len()
            .saturating_add(message.subject.len())
            .saturating_add(sid.len())
            .saturating_add(reply.len())
            .saturating_add(64),
    );
    out.extend_from_slice(verb);
    out.extend_from_slice(message.subject);
    out.push(b' ');
    out.extend_from_slice(sid);
    out.push(b' ');
    if message.reply.is_some() {
        out.extend_from_slice(reply);
        out.push(b' ');
    }
    payload(out, message, with_header);
}

/// Appends `LMSG` or `HMSG` for a link; `queues` are the groups whose turn it is there.
pub(crate) fn link_delivery(
    out: &mut Vec<u8>,
    message: &Message<'_>,
    queues: &[&[u8]],
    is_plain: bool,
    with_header: bool,
) {
    let verb: &[u8] = match message.header_bytes > 0 && with_header {
        true => b"HMSG ",
        false => b"LMSG ",
    };
    out.extend_from_slice(verb);
    out.extend_from_slice(message.subject);
    out.push(b' ');
    match (message.reply, queues.is_empty()) {
        (None, true) => {}
        (Some(reply), true) => {
            out.extend_from_slice(reply);
            out.push(b' ');
        }
        (None, false) => out.extend_from_slice(b"| "),
        (Some(reply), false) => {
            out.extend_from_slice(b"+ ");
            out.extend_from_slice(reply);
            out.push(b' ');
        }
    }
    debug_assert!(is_plain || !queues.is_empty(), "somebody there wants it");
    for queue in queues {
        out.extend_from_slice(queue);
        out.push(b' ');
    }
    payload(out, message, with_header);
}

/// Appends `PUB` or `HPUB`.
pub(crate) fn publish(out: &mut Vec<u8>, message: &Message<'_>) {
    let verb: &[u8] = match message.header_bytes > 0 {
        true => b"HPUB ",
        false => b"PUB ",
    };
    out.extend_from_slice(verb);
    out.extend_from_slice(message.subject);
    out.push(b' ');
    if let Some(reply) = message.reply {
        out.extend_from_slice(reply);
        out.push(b' ');
    }
    payload(out, message, true);
}
