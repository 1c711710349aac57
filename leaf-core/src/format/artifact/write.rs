//! Cards to bytes.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.

use super::{Tag, TagKind, TagTarget, Text};
use crate::format::{fossilize, hash};
use crate::id::ArtifactHash;
use crate::time::Timestamp;

/// Collects the cards of one artifact. Callers keep the order of the letters.
#[derive(Default)]
pub(super) struct CardWriter {
    bytes: Vec<u8>,
}

impl CardWriter {
    /// Begins a card. [`end`](Self::end) closes it.
    pub(super) fn begin(&mut self, letter: u8) -> &mut Self {
        self.bytes.push(letter);
        self
    }

    /// An argument that needs no escaping.
    pub(super) fn plain(&mut self, argument: &[u8]) -> &mut Self {
        self.bytes.push(b' ');
        self.bytes.extend_from_slice(argument);
        self
    }

    /// An argument, escaped.
    pub(super) fn text(&mut self, text: &Text) -> &mut Self {
        self.bytes.push(b' ');
        fossilize::encode_into(text.as_bytes(), &mut self.bytes);
        self
    }

    /// A hash.
    pub(super) fn hash(&mut self, hash: &ArtifactHash) -> &mut Self {
        self.plain(hash.hex().as_bytes())
    }

    /// Closes a card.
    pub(super) fn end(&mut self) {
        self.bytes.push(b'\n');
    }

    /// A card with one text, where there is one.
    pub(super) fn optional_text(&mut self, letter: u8, text: Option<&Text>) {
        if let Some(text) = text {
            self.begin(letter).text(text).end();
        }
    }

    /// A card with one hash, where there is one.
    pub(super) fn optional_hash(&mut self, letter: u8, hash: Option<&ArtifactHash>) {
        if let Some(hash) = hash {
            self.begin(letter).hash(hash).end();
        }
    }

    /// The `D` card.
    pub(super) fn date(&mut self, date: Timestamp) {
        self.begin(b'D').plain(date.iso_ms().as_bytes()).end();
    }

    /// The `P` card, where there are parents.
    pub(super) fn parents(&mut self, parents: &[ArtifactHash]) {
        if parents.is_empty() {
            return;
        }
        self.begin(b'P');
        for parent in parents {
            self.hash(parent);
        }
        self.end();
    }

    /// The `T` cards.
    pub(super) fn tags(&mut self, tags: &[Tag]) {
        for tag in tags {
            let kind = match tag.kind {
                TagKind::Propagate => b'*',
                TagKind::Add => b'+',
                TagKind::Cancel => b'-',
            };
            self.begin(b'T').plain(&[kind]);
            fossilize::encode_into(tag.name.as_bytes(), &mut self.bytes);
            match &tag.target {
                TagTarget::SelfArtifact => self.plain(b"*"),
                TagTarget::Hash(hash) => self.hash(hash),
            };
            if let Some(value) = &tag.value {
                self.text(value);
            }
            self.end();
        }
    }

    /// The `W` card with its text.
    pub(super) fn block(&mut self, text: &Text) {
        self.begin(b'W')
            .plain(text.as_bytes().len().to_string().as_bytes())
            .end();
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(b'\n');
    }

    /// Adds the `Z` card and gives the artifact away.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let checksum = hash::md5_hex(&self.bytes);
        self.begin(b'Z').plain(checksum.as_bytes()).end();
        self.bytes
    }
}
