//! What the cards of one artifact said, before its kind is known.
//!
//! The kind follows from which cards there are, and each kind then forbids and demands some. All kinds are read
//! by this one loop, because a card means the same in each of them.
//!
//! Source: Fossil `src/manifest.c` `manifest_parse()`.

use super::files::FileLine;
use super::lexer::{self, Cards};
use super::{BadArtifact, Cherrypick, Tag, TagKind, TagTarget, Text, TicketField, date, is_wiki_title};
use crate::format::path;
use crate::id::ArtifactHash;
use crate::limits::Limits;
use crate::time::Timestamp;
use std::borrow::Cow;

/// The cards of an artifact.
#[derive(Default)]
pub(super) struct Draft<'a> {
    /// One bit for each letter that occurred.
    pub(super) seen: u32,
    pub(super) attachment: Option<AttachmentCard<'a>>,
    pub(super) baseline: Option<ArtifactHash>,
    pub(super) comment: Option<Cow<'a, [u8]>>,
    pub(super) date: Option<Timestamp>,
    pub(super) event: Option<(Timestamp, ArtifactHash)>,
    pub(super) files: Vec<FileLine<'a>>,
    last_name: Option<Cow<'a, [u8]>>,
    pub(super) thread_root: Option<ArtifactHash>,
    pub(super) thread_title: Option<Cow<'a, [u8]>>,
    pub(super) in_reply_to: Option<ArtifactHash>,
    pub(super) fields: Vec<TicketField>,
    pub(super) ticket: Option<&'a [u8]>,
    pub(super) wiki_title: Option<Cow<'a, [u8]>>,
    pub(super) members: Vec<ArtifactHash>,
    pub(super) mimetype: Option<Cow<'a, [u8]>>,
    pub(super) parents: Vec<ArtifactHash>,
    pub(super) cherrypicks: Vec<Cherrypick>,
    pub(super) files_md5: Option<&'a [u8]>,
    pub(super) tags: Vec<Tag>,
    pub(super) user: Option<Cow<'a, [u8]>>,
    pub(super) text: Option<&'a [u8]>,
}

/// The arguments of an `A` card.
pub(super) struct AttachmentCard<'a> {
    pub(super) filename: Cow<'a, [u8]>,
    pub(super) target: Cow<'a, [u8]>,
    pub(super) source: Option<ArtifactHash>,
}

/// One card while it is read: its letter and place are what every complaint about it needs.
struct Reader<'a, 'c> {
    cards: &'c mut Cards<'a>,
    card: char,
    offset: usize,
    limits: &'c Limits,
}

/// Reads all cards of `content`. `z_right` is whether its checksum is right, if that is known.
pub(super) fn read<'a>(
    content: &'a [u8],
    z_right: Option<bool>,
    limits: &Limits,
) -> Result<Draft<'a>, BadArtifact> {
    let mut cards = lexer::open(content, z_right)?;
    let mut draft = Draft::default();
    let mut last = b'A';
    let mut offset = 0;
    while let Some(letter) = cards.next_card()? {
        let card = char::from(letter);
        // Technotes written before 2021 have N after P.
        if letter < last && !(letter == b'N' && last == b'P' && draft.event.is_some()) {
            return Err(BadArtifact::CardOrder { card, offset });
        }
        last = letter;
        draft.seen |= 1 << (letter - b'A');
        let mut reader = Reader {
            cards: &mut cards,
            card,
            offset,
            limits,
        };
        reader.read_into(&mut draft)?;
        offset = cards.offset();
    }
    Ok(draft)
}

impl<'a> Reader<'a, '_> {
    fn read_into(&mut self, draft: &mut Draft<'a>) -> Result<(), BadArtifact> {
        match self.card {
            'A' => self.attachment(&mut draft.attachment),
            'B' => self.once(&mut draft.baseline, Self::hash),
            'C' => self.once(&mut draft.comment, Self::text),
            'D' => self.once(&mut draft.date, Self::date),
            'E' => self.once(&mut draft.event, |card| Ok((card.date()?, card.hash()?))),
            'F' => self.file(draft),
            'G' => self.once(&mut draft.thread_root, Self::hash),
            'H' => self.once(&mut draft.thread_title, Self::text),
            'I' => self.once(&mut draft.in_reply_to, Self::hash),
            'J' => self.field(&mut draft.fields),
            'K' => self.once(&mut draft.ticket, Self::ticket),
            'L' => self.once(&mut draft.wiki_title, Self::wiki_title),
            'M' => self.member(&mut draft.members),
            'N' => self.once(&mut draft.mimetype, Self::text),
            'P' => self.parents(&mut draft.parents),
            'Q' => self.cherrypick(&mut draft.cherrypicks),
            'R' => self.once(&mut draft.files_md5, Self::md5),
            'T' => self.tag(&mut draft.tags),
            'U' => self.once(&mut draft.user, Self::user),
            'W' => self.once(&mut draft.text, Self::block),
            'Z' => self.md5().map(drop),
            _ => Err(BadArtifact::NotACard { offset: self.offset }),
        }
    }

    fn malformed(&self) -> BadArtifact {
        BadArtifact::Malformed {
            card: self.card,
            offset: self.offset,
        }
    }

    fn unsorted(&self) -> BadArtifact {
        BadArtifact::Unsorted {
            card: self.card,
            offset: self.offset,
        }
    }

    /// Fills `slot` by `read`, unless an earlier card did.
    fn once<T>(
        &mut self,
        slot: &mut Option<T>,
        read: impl FnOnce(&mut Self) -> Result<T, BadArtifact>,
    ) -> Result<(), BadArtifact> {
        if slot.is_some() {
            return Err(BadArtifact::Repeated {
                card: self.card,
                offset: self.offset,
            });
        }
        *slot = Some(read(self)?);
        Ok(())
    }

    fn text(&mut self) -> Result<Cow<'a, [u8]>, BadArtifact> {
        self.cards.text().ok_or(self.malformed())
    }

    fn hash(&mut self) -> Result<ArtifactHash, BadArtifact> {
        lexer::hash_argument(self.cards.argument()).ok_or(self.malformed())
    }

    fn optional_hash(&mut self) -> Result<Option<ArtifactHash>, BadArtifact> {
        let argument = self.cards.argument();
        argument
            .map(|hex| lexer::hash_argument(Some(hex)).ok_or(self.malformed()))
            .transpose()
    }

    fn date(&mut self) -> Result<Timestamp, BadArtifact> {
        self.cards
            .argument()
            .and_then(date::parse)
            .ok_or(self.malformed())
    }

    fn path(&mut self) -> Result<Option<Cow<'a, [u8]>>, BadArtifact> {
        let Some(name) = self.cards.text() else {
            return Ok(None);
        };
        if !path::is_simple(&name) {
            return Err(self.malformed());
        }
        if name.len() > self.limits.name_bytes_max {
            return Err(BadArtifact::NameTooLong { offset: self.offset });
        }
        Ok(Some(name))
    }

    fn attachment(&mut self, slot: &mut Option<AttachmentCard<'a>>) -> Result<(), BadArtifact> {
        self.once(slot, |card| {
            let path = card.path()?.ok_or(card.malformed())?;
            let target_escaped = card.cards.argument().ok_or(card.malformed())?;
            let target = lexer::unescape(target_escaped);
            if lexer::hash_argument(Some(target_escaped)).is_none() && !is_wiki_title(&target) {
                return Err(card.malformed());
            }
            let tail = path
                .iter()
                .rposition(|&byte| byte == b'/')
                .map_or(0, |slash| slash + 1);
            let filename = match path {
                Cow::Borrowed(path) => Cow::Borrowed(path.split_at(tail).1),
                Cow::Owned(mut path) => Cow::Owned(path.split_off(tail)),
            };
            Ok(AttachmentCard {
                filename,
                target,
                source: card.optional_hash()?,
            })
        })
    }

    fn file(&mut self, draft: &mut Draft<'a>) -> Result<(), BadArtifact> {
        let start = self.cards.offset();
        let name = self.path()?.ok_or(self.malformed())?;
        let name_bytes = self.cards.offset() - 1 - start;
        let takes_away = self.cards.line_ended() && draft.baseline.is_some();
        if !takes_away && self.cards.hash_hex().is_none() {
            return Err(self.malformed());
        }
        if !self.cards.line_ended() {
            self.cards.argument();
            self.path()?;
        }
        let line = FileLine::new(self.cards.line_from(start), name_bytes);
        if draft.last_name.as_ref().is_some_and(|last| *last >= name) {
            return Err(self.unsorted());
        }
        // Names of Fossil's own files leaked into some old manifests; upstream looks past those cards.
        if path::is_reserved(&name) {
            return Ok(());
        }
        if draft.files.len() >= self.limits.manifest_files_max {
            return Err(BadArtifact::TooManyFiles {
                max: self.limits.manifest_files_max,
            });
        }
        draft.files.push(line);
        draft.last_name = Some(name);
        Ok(())
    }

    fn field(&mut self, fields: &mut Vec<TicketField>) -> Result<(), BadArtifact> {
        let name = self.cards.argument().ok_or(self.malformed())?;
        let value = self.cards.text().unwrap_or_default();
        let (append, name) = name.strip_prefix(b"+").map_or((false, name), |rest| (true, rest));
        let field = TicketField {
            append,
            name: Text::from(name),
            value: Text::new(value),
        };
        if fields
            .last()
            .is_some_and(|last| last.sort_key() >= field.sort_key())
        {
            return Err(self.unsorted());
        }
        fields.push(field);
        Ok(())
    }

    fn ticket(&mut self) -> Result<&'a [u8], BadArtifact> {
        let id = self.cards.argument().ok_or(self.malformed())?;
        let good = id.len() == 40 && id.iter().all(u8::is_ascii_hexdigit);
        good.then_some(id).ok_or(self.malformed())
    }

    fn wiki_title(&mut self) -> Result<Cow<'a, [u8]>, BadArtifact> {
        let title = self.text()?;
        if is_wiki_title(&title) {
            Ok(title)
        } else {
            Err(self.malformed())
        }
    }

    fn member(&mut self, members: &mut Vec<ArtifactHash>) -> Result<(), BadArtifact> {
        let member = self.hash()?;
        if members.last().is_some_and(|last| *last >= member) {
            return Err(self.unsorted());
        }
        members.push(member);
        Ok(())
    }

    fn parents(&mut self, parents: &mut Vec<ArtifactHash>) -> Result<(), BadArtifact> {
        while let Some(parent) = self.optional_hash()? {
            parents.push(parent);
        }
        Ok(())
    }

    fn cherrypick(&mut self, cherrypicks: &mut Vec<Cherrypick>) -> Result<(), BadArtifact> {
        let (backout, hex) = match self.cards.argument() {
            Some([b'+', hex @ ..]) => (false, hex),
            Some([b'-', hex @ ..]) => (true, hex),
            _ => return Err(self.malformed()),
        };
        let hash = lexer::hash_argument(Some(hex)).ok_or(self.malformed())?;
        cherrypicks.push(Cherrypick {
            backout,
            hash,
            base: self.optional_hash()?,
        });
        Ok(())
    }

    fn md5(&mut self) -> Result<&'a [u8], BadArtifact> {
        let digits = self.cards.argument().ok_or(self.malformed())?;
        let good = digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit);
        good.then_some(digits).ok_or(self.malformed())
    }

    fn tag(&mut self, tags: &mut Vec<Tag>) -> Result<(), BadArtifact> {
        let name = self.text()?;
        let target = match self.cards.argument() {
            Some(b"*") => TagTarget::SelfArtifact,
            hex => TagTarget::Hash(lexer::hash_argument(hex).ok_or(self.malformed())?),
        };
        let value = self.cards.text().map(Text::new);
        let (kind, name) = match *name {
            [b'*', ref name @ ..] => (TagKind::Propagate, name),
            [b'+', ref name @ ..] => (TagKind::Add, name),
            [b'-', ref name @ ..] => (TagKind::Cancel, name),
            _ => return Err(self.malformed()),
        };
        // A tag that looks like a hash could not be told from one where either is asked for.
        if name.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.malformed());
        }
        let tag = Tag {
            kind,
            name: Text::from(name),
            target,
            value,
        };
        if tags.last().is_some_and(|last| last.sort_key() >= tag.sort_key()) {
            return Err(self.unsorted());
        }
        tags.push(tag);
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "`once` takes readers that can fail")]
    fn user(&mut self) -> Result<Cow<'a, [u8]>, BadArtifact> {
        let user = self.cards.text().filter(|user| !user.is_empty());
        Ok(user.unwrap_or(Cow::Borrowed(b"anonymous")))
    }

    fn block(&mut self) -> Result<&'a [u8], BadArtifact> {
        // Upstream reads no further than the digits.
        let size = self.cards.argument().ok_or(self.malformed())?;
        let digits = size.iter().take_while(|byte| byte.is_ascii_digit());
        let bytes = digits.into_iter().try_fold(0_usize, |size, digit| {
            size.checked_mul(10)?.checked_add(usize::from(digit - b'0'))
        });
        bytes
            .and_then(|bytes| self.cards.block(bytes))
            .ok_or(self.malformed())
    }
}
