//! Who is there, and what is new.
//!
//! Source: the announcement of EdgeSync `hub/`, JSON `{"rid","uuid","peer_id"}`; cards are ours.

use crate::id::{ArtifactHash, ProjectCode};
use crate::json::{self, Value, Writer};
use crate::repo::{Repo, RepoError};
use serde::Serialize;

/// Something new in a repository: who does not hold it fetches it from there.
///
/// An EdgeSync node that hears of unversioned files fetches, too, for the name means nothing to it; no harm is done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hint {
    /// The row, where it was made; means nothing elsewhere, but that 0 is no artifact's.
    pub rid: i64,
    /// The artifact, or the catalogue of unversioned files: [`Repo::uv_hash`].
    pub uuid: String,
    /// Who has it, and answers at `.sync.<peer_id>`; empty from a hub of EdgeSync 0.0.20, which answers everybody.
    pub peer_id: String,
}

impl Hint {
    /// Reads an announcement; `None` when it says nothing that can be used.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut hint = Self::default();
        for (key, value) in json::read(body)? {
            match (key.as_str(), value) {
                ("rid", Value::Number(rid)) => hint.rid = rid,
                ("uuid", Value::Text(uuid)) => hint.uuid = uuid,
                ("peer_id", Value::Text(peer)) => hint.peer_id = peer,
                _ => {}
            }
        }
        let is_good = hint.peer_id.is_empty() || super::is_peer(&hint.peer_id);
        (is_good && hint.hash().is_some()).then_some(hint)
    }

    /// The announcement.
    pub fn write(&self) -> Vec<u8> {
        let mut json = Writer::default();
        json.number("rid", self.rid);
        json.text("uuid", &self.uuid);
        json.text("peer_id", &self.peer_id);
        json.end()
    }

    /// The news is of unversioned files.
    pub fn is_unversioned(&self) -> bool {
        self.rid == 0
    }

    /// What is new is here already, and no reason to ask for it.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn is_known(&self, repo: &Repo) -> Result<bool, RepoError> {
        match self.hash() {
            _ if self.is_unversioned() => Ok(repo.uv_hash()? == self.uuid),
            Some(hash) => repo.has(&hash),
            None => Ok(true),
        }
    }

    fn hash(&self) -> Option<ArtifactHash> {
        ArtifactHash::parse(self.uuid.as_bytes()).ok()
    }
}

/// What a leaf says of one repository that it holds.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Card {
    /// Answers at `.sync.<peer_id>`.
    pub peer_id: String,
    /// The project.
    pub project_code: String,
    /// What its people call it.
    pub project_name: String,
    /// What the leaf calls the repository.
    pub repository: String,
    /// What the leaf calls itself.
    pub leaf: String,
    /// `native` or `tab`.
    pub kind: String,
    /// Of the program.
    pub version: String,
}

impl Card {
    /// The kind of one that asks, and answers nobody.
    pub const TAB: &str = "tab";

    /// Reads a card; `None` when it is none.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut card = Self::default();
        for (key, value) in json::read(body)? {
            let Value::Text(text) = value else { continue };
            if let Some((_, place)) = card.texts().into_iter().find(|(name, _)| *name == key) {
                *place = text;
            }
        }
        super::is_peer(&card.peer_id).then_some(card)
    }

    /// The card.
    pub fn write(&self) -> Vec<u8> {
        let mut json = Writer::default();
        for (name, text) in self.clone().texts() {
            json.text(name, text);
        }
        json.end()
    }

    fn texts(&mut self) -> [(&'static str, &mut String); 7] {
        [
            ("peer_id", &mut self.peer_id),
            ("project_code", &mut self.project_code),
            ("project_name", &mut self.project_name),
            ("repository", &mut self.repository),
            ("leaf", &mut self.leaf),
            ("kind", &mut self.kind),
            ("version", &mut self.version),
        ]
    }
}

/// Why it cannot be said which project is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unplaced {
    /// A leaf names one that is none.
    BadProject,
    /// No leaf is there.
    Nobody,
    /// Several could be meant.
    Several,
    /// No leaf that is there has it.
    Unknown,
}

/// Which project is meant, and who has it: the one that `wanted` names (by its name, that of a repository, or how its
/// code begins), else the only one there is. Nodes that are no leaves do not say who they are: a whole code is enough.
/// Of several that have it, `begun` goes first: whom an unfinished clone comes from.
///
/// # Errors
///
/// [`Unplaced`].
pub fn place(
    cards: &[Card],
    wanted: Option<&str>,
    begun: Option<&str>,
) -> Result<(ProjectCode, Option<String>), Unplaced> {
    let code = |text: &str| ProjectCode::parse(text.as_bytes()).ok();
    let is_meant = |card: &&Card| {
        wanted.is_none_or(|wanted| {
            card.project_name == wanted || card.repository == wanted || card.project_code.starts_with(wanted)
        })
    };
    let answers = cards.iter().filter(|card| card.kind != Card::TAB);
    let mut found: Vec<&Card> = answers.filter(is_meant).collect();
    let is_other = |card: &Card| begun != Some(card.peer_id.as_str());
    found.sort_by(|one, other| {
        (&one.project_code, is_other(one)).cmp(&(&other.project_code, is_other(other)))
    });
    found.dedup_by(|one, other| one.project_code == other.project_code);
    match (found.as_slice(), wanted.and_then(code)) {
        ([only], _) => code(&only.project_code)
            .map(|project| (project, Some(only.peer_id.clone())))
            .ok_or(Unplaced::BadProject),
        ([], Some(project)) => Ok((project, None)),
        ([], None) if cards.is_empty() => Err(Unplaced::Nobody),
        ([], None) => Err(Unplaced::Unknown),
        _ => Err(Unplaced::Several),
    }
}
