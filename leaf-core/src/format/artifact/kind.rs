//! The kinds of artifact, and the cards that each may and must have.
//!
//! Source: Fossil `src/manifest.c` `manifestCardTypes[]` and the checks after it in `manifest_parse()`.

use super::draft::Draft;
use super::{BadArtifact, TagKind, TagTarget};

/// What the cards of a draft make it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Manifest,
    Cluster,
    Control,
    Wiki,
    Ticket,
    Attachment,
    TechNote,
    Forum,
}

impl Kind {
    /// The kind of `draft`, once its cards were found to be those of that kind.
    pub(super) fn of(draft: &Draft<'_>) -> Result<Self, BadArtifact> {
        let kind = Self::claimed(draft);
        let (allowed, required) = kind.cards();
        if let Some(card) = first_letter(draft.seen & !mask(allowed)) {
            return Err(BadArtifact::NotAllowed { card });
        }
        if let Some(card) = first_letter(mask(required) & !draft.seen) {
            return Err(BadArtifact::Missing { card });
        }
        kind.check(draft)?;
        Ok(kind)
    }

    /// The kind that some card claims. No two kinds share such a card, so the order does not matter.
    fn claimed(draft: &Draft<'_>) -> Self {
        let has = |letters: &[u8]| draft.seen & mask(letters) != 0;
        if has(b"BQR") || !draft.files.is_empty() {
            Self::Manifest
        } else if has(b"M") {
            Self::Cluster
        } else if has(b"L") {
            Self::Wiki
        } else if has(b"JK") {
            Self::Ticket
        } else if has(b"A") {
            Self::Attachment
        } else if has(b"E") {
            Self::TechNote
        } else if has(b"GHI") {
            Self::Forum
        } else if has(b"C") || !draft.parents.is_empty() {
            Self::Manifest
        } else {
            Self::Control
        }
    }

    /// The cards that are allowed, and those that are required. Upstream would like to demand C and U of a
    /// manifest, but history forbids.
    fn cards(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Manifest => (b"BCDFNPQRTUZ", b"DZ"),
            Self::Cluster => (b"MZ", b"MZ"),
            Self::Control => (b"DTUZ", b"DTUZ"),
            Self::Wiki => (b"CDLNPUWZ", b"DLUWZ"),
            Self::Ticket => (b"DJKUZ", b"DJKUZ"),
            Self::Attachment => (b"ACDNUZ", b"ADZ"),
            Self::TechNote => (b"CDENPTUWZ", b"DEWZ"),
            Self::Forum => (b"DGHINPUWZ", b"DUWZ"),
        }
    }

    fn check(self, draft: &Draft<'_>) -> Result<(), BadArtifact> {
        let on_self = |target| target == TagTarget::SelfArtifact;
        match self {
            Self::Control if draft.tags.iter().any(|tag| on_self(tag.target)) => {
                Err(BadArtifact::TagMisplaced)
            }
            Self::TechNote
                if !draft
                    .tags
                    .iter()
                    .all(|tag| on_self(tag.target) && tag.kind == TagKind::Add) =>
            {
                Err(BadArtifact::TagMisplaced)
            }
            Self::Forum if draft.thread_title.is_some() && draft.in_reply_to.is_some() => {
                Err(BadArtifact::NotAllowed { card: 'I' })
            }
            Self::Forum if draft.parents.len() > 1 => Err(BadArtifact::TooManyParents),
            _ => Ok(()),
        }
    }
}

/// One bit for each letter.
fn mask(letters: &[u8]) -> u32 {
    letters.iter().fold(0, |mask, letter| mask | 1 << (letter - b'A'))
}

/// The first letter in a mask.
fn first_letter(mask: u32) -> Option<char> {
    (0_u8..26)
        .find(|bit| mask & (1 << bit) != 0)
        .map(|bit| char::from(b'A' + bit))
}
