//! Link targets in Markdown.
//!
//! Inline links `[text](target)` and links by reference, whose targets stand on lines of their own; images
//! and code have none. That is what backlinks need of Markdown, and all there is of it here.
//!
//! Source: Fossil `src/markdown.c`, `char_link`, `get_link_inline`, `is_ref`.

use std::collections::BTreeMap;

/// Where the links lead, in order.
pub(super) fn targets(text: &[u8]) -> Vec<Vec<u8>> {
    let (body, references) = split_references(text);
    let mut found = Vec::new();
    scan(&body, &references, &mut found);
    found
}

type References = BTreeMap<Vec<u8>, Vec<u8>>;

/// Takes out code blocks and `[id]: target` lines.
fn split_references(text: &[u8]) -> (Vec<u8>, References) {
    let mut body = Vec::with_capacity(text.len());
    let mut references = References::new();
    let mut fence: Option<Vec<u8>> = None;
    let mut after_blank = true;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let trimmed = line.trim_ascii();
        if let Some(open) = &fence {
            if trimmed.starts_with(open) && trimmed.iter().all(|byte| open.contains(byte)) {
                fence = None;
            }
            continue;
        }
        let marks = trimmed
            .iter()
            .take_while(|byte| matches!(byte, b'`' | b'~'))
            .count();
        if marks >= 3 {
            fence = trimmed.get(..marks).map(<[u8]>::to_vec);
            continue;
        }
        let is_code = after_blank && (line.starts_with(b"    ") || line.starts_with(b"\t"));
        if trimmed.is_empty() || !is_code {
            after_blank = trimmed.is_empty();
        }
        if is_code {
            continue;
        }
        match reference(line) {
            Some((id, target)) => {
                references.entry(id).or_insert(target);
            }
            None => body.extend_from_slice(line),
        }
    }
    (body, references)
}

/// `[id]: target "title"` with at most three spaces before it.
fn reference(line: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let spaces = line.iter().take_while(|byte| **byte == b' ').count();
    let rest = line.get(spaces..).filter(|_| spaces < 4)?.strip_prefix(b"[")?;
    let end = rest.iter().position(|byte| matches!(byte, b']' | b'\n'))?;
    let (id, rest) = rest.split_at(end);
    let rest = rest.strip_prefix(b"]:")?.trim_ascii_start();
    let target = rest.split(u8::is_ascii_whitespace).next()?;
    let target = target.strip_prefix(b"<").unwrap_or(target);
    let target = target.strip_suffix(b">").unwrap_or(target);
    (!id.is_empty() && !id.starts_with(b"^")).then(|| (canonical(id), target.to_vec()))
}

/// Reference ids are compared without case and with spaces run together.
fn canonical(id: &[u8]) -> Vec<u8> {
    let words = id.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ').to_ascii_lowercase()
}

fn scan(text: &[u8], references: &References, found: &mut Vec<Vec<u8>>) {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'`' => at += code_length(text.get(at..).unwrap_or_default()),
            b'[' => {
                let is_image = at > 0 && text.get(at - 1) == Some(&b'!');
                match link(text.get(at..).unwrap_or_default(), references) {
                    Some(link) => {
                        if !is_image {
                            scan(link.text, references, found);
                            found.push(link.target);
                        }
                        at += link.length;
                    }
                    None => at += 1,
                }
            }
            _ => at += 1,
        }
    }
}

/// Bytes of the code span at the start of `text`, or of its opening marks when nothing closes it.
fn code_length(text: &[u8]) -> usize {
    let marks = text.iter().take_while(|byte| **byte == b'`').count();
    let mut run = 0;
    for (at, byte) in text.iter().enumerate().skip(marks) {
        if *byte == b'`' {
            run += 1;
        } else {
            run = 0;
        }
        if run == marks {
            return at + 1;
        }
    }
    marks
}

struct Link<'a> {
    text: &'a [u8],
    target: Vec<u8>,
    length: usize,
}

/// The link at the start of `text`, which begins with a bracket.
fn link<'a>(text: &'a [u8], references: &References) -> Option<Link<'a>> {
    if text.get(1) == Some(&b'^') {
        return None;
    }
    let close = matching_bracket(text)?;
    let inside = text.get(1..close)?;
    let rest = text.get(close + 1..)?;
    let spaces = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
        .count();
    let after = rest.get(spaces..)?;
    let length = close + 1 + spaces;
    match after.first() {
        Some(b'(') => {
            let end = (1..after.len())
                .find(|at| after.get(*at) == Some(&b')') && after.get(at - 1) != Some(&b'\\'))?;
            Some(Link {
                text: inside,
                target: inline_target(after.get(1..end)?),
                length: length + end + 1,
            })
        }
        Some(b'[') => {
            let end = after.iter().position(|byte| *byte == b']')?;
            let id = after.get(1..end).filter(|id| !id.is_empty()).unwrap_or(inside);
            Some(Link {
                text: inside,
                target: references.get(&canonical(id))?.clone(),
                length: length + end + 1,
            })
        }
        _ => Some(Link {
            text: inside,
            target: references.get(&canonical(inside))?.clone(),
            length: close + 1,
        }),
    }
}

fn matching_bracket(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => depth += 1,
            b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            b'`' => at += code_length(text.get(at..).unwrap_or_default()) - 1,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The target inside parentheses, without a title, angle brackets and backslashes.
fn inline_target(inside: &[u8]) -> Vec<u8> {
    let end = inside
        .iter()
        .position(|byte| matches!(byte, b'\'' | b'"'))
        .unwrap_or(inside.len());
    let target = inside.get(..end).unwrap_or(inside).trim_ascii();
    let target = target.strip_prefix(b"<").unwrap_or(target);
    let target = target.strip_suffix(b">").unwrap_or(target);
    target.iter().copied().filter(|byte| *byte != b'\\').collect()
}
