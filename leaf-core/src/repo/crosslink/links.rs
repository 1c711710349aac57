//! Link targets in Fossil's own markup.
//!
//! Source: Fossil `src/wikiformat.c`, `wiki_extract_links`.

/// What `[target]` and `[target|text]` refer to, in order. `only_html`: all other markup is plain text.
pub(super) fn targets(text: &[u8], only_html: bool) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut wiki = true;
    let mut verbatim: Option<Verbatim<'_>> = None;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        match rest.first() {
            Some(b'<') if !only_html => {
                let Some(length) = tag_length(rest) else {
                    at += 1;
                    continue;
                };
                let tag = rest.get(..length).unwrap_or(rest);
                at += length;
                match &verbatim {
                    Some(open) if open.ends_with(tag) => {
                        wiki = open.wiki;
                        verbatim = None;
                    }
                    Some(_) => at = at - length + 1,
                    None if is_tag(tag, b"nowiki") => wiki = false,
                    None if is_tag(tag, b"/nowiki") => wiki = true,
                    None if is_tag(tag, b"verbatim") => {
                        verbatim = Some(Verbatim {
                            id: attribute_id(tag),
                            wiki,
                        });
                        wiki = false;
                    }
                    None => {}
                }
            }
            Some(b'[') if wiki => match rest.iter().position(|byte| *byte == b']') {
                Some(end) => {
                    found.push(target(rest.get(1..end).unwrap_or_default()));
                    at += end + 1;
                }
                None => at += 1,
            },
            _ => at += 1,
        }
    }
    found
}

/// Text that is shown as it is.
struct Verbatim<'a> {
    id: Option<&'a [u8]>,
    /// Whether markup counted before it.
    wiki: bool,
}

impl Verbatim<'_> {
    fn ends_with(&self, tag: &[u8]) -> bool {
        is_tag(tag, b"/verbatim") && attribute_id(tag) == self.id
    }
}

/// What stands before `|`, without spaces after it.
fn target(link: &[u8]) -> &[u8] {
    let end = link.iter().position(|byte| *byte == b'|').unwrap_or(link.len());
    let mut target = link.get(..end).unwrap_or(link);
    while let [head @ .., b' '] = target
        && !head.is_empty()
    {
        target = head;
    }
    target
}

/// The length of the HTML tag that `text` begins with.
fn tag_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    let byte = |at: usize| text.get(at).copied().unwrap_or(0);
    if byte(at) == b'/' {
        at += 1;
    }
    if !byte(at).is_ascii_alphabetic() {
        return None;
    }
    while byte(at).is_ascii_alphanumeric() || byte(at) == b'-' {
        at += 1;
    }
    if byte(at) == b'/' && byte(at + 1) == b'>' {
        return Some(at + 2);
    }
    if byte(at) != b'>' && !matches!(byte(at), b' ' | b'\t'..=b'\r') {
        return None;
    }
    let mut quote = 0;
    while byte(at) != 0 && (byte(at) != b'>' || quote != 0) {
        if byte(at) == quote {
            quote = 0;
        } else if quote == 0 && matches!(byte(at), b'"' | b'\'') {
            quote = byte(at);
        }
        at += 1;
    }
    (byte(at) == b'>').then_some(at + 1)
}

fn is_tag(tag: &[u8], name: &[u8]) -> bool {
    let Some(inside) = tag.strip_prefix(b"<") else {
        return false;
    };
    inside
        .get(..name.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(name))
        && !inside
            .get(name.len())
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// The value of `id=`, quoted or not.
fn attribute_id(tag: &[u8]) -> Option<&[u8]> {
    let start = tag.windows(4).position(|part| {
        part.first().is_some_and(u8::is_ascii_whitespace)
            && part.get(1..).is_some_and(|id| id.eq_ignore_ascii_case(b"id="))
    })?;
    let value = tag.get(start + 4..)?;
    let (value, ends): (&[u8], &[u8]) = match value.split_first() {
        Some((b'"', rest)) => (rest, b"\""),
        Some((b'\'', rest)) => (rest, b"'"),
        _ => (value, b" \t\r\n/>"),
    };
    let end = value.iter().position(|byte| ends.contains(byte))?;
    value.get(..end)
}
