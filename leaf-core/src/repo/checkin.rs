//! Making check-ins: changes laid over the files of a parent.
//!
//! Source: Fossil `src/checkin.c` `create_manifest()`, `commit_cmd()`; `src/db.c` `db_initial_setup()`.

use super::change::{Author, BadChange};
use super::{Repo, RepoError, RepoTx};
use crate::format::artifact::{
    Artifact, Cherrypick, FileCard, FilePerm, FilesMd5, Manifest, Tag, TagKind, TagTarget, Text,
};
use crate::format::path;
use crate::id::{ArtifactHash, Rid};
use std::collections::BTreeMap;

/// A check-in to be made.
#[derive(Clone, Debug)]
pub struct NewCheckin {
    /// The check-in it follows; `None` begins a history of its own.
    pub parent: Option<Rid>,
    /// Check-ins merged in.
    pub merges: Vec<Rid>,
    /// Changes of other check-ins taken over or backed out.
    pub cherrypicks: Vec<Cherrypick>,
    /// What happens to the parent's files, in this order.
    pub changes: Vec<FileChange>,
    /// Why. Empty is written as Fossil does: `(no comment)`.
    pub comment: String,
    /// The format of the comment, if it is not Fossil's own.
    pub mimetype: Option<String>,
    /// Who and when.
    pub author: Author,
    /// Starts a branch of this name here.
    pub branch: Option<String>,
    /// Background colour: of the whole branch when one is started, else of this check-in.
    pub bgcolor: Option<String>,
    /// Symbolic tags on this check-in.
    pub tags: Vec<String>,
    /// Closes the branch with this check-in.
    pub close: bool,
    /// Keeps it out of sync. A child of a private check-in is private whatever this says.
    pub private: bool,
    /// Goes ahead where the branch would fork.
    pub allow_fork: bool,
    /// Goes ahead where no file changes.
    pub allow_empty: bool,
}

impl NewCheckin {
    /// A check-in of `changes` on `parent`, with nothing special about it.
    pub fn new(parent: Option<Rid>, changes: Vec<FileChange>, comment: &str, author: Author) -> Self {
        Self {
            parent,
            merges: Vec::new(),
            cherrypicks: Vec::new(),
            changes,
            comment: comment.to_owned(),
            mimetype: None,
            author,
            branch: None,
            bgcolor: None,
            tags: Vec::new(),
            close: false,
            private: false,
            allow_fork: false,
            allow_empty: false,
        }
    }
}

/// One change to the files of a check-in. Names are paths from the root of the tree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileChange {
    /// Adds a file, or replaces what it holds.
    Put {
        /// Where.
        path: Vec<u8>,
        /// All of it; of a symbolic link the path pointed to.
        content: Vec<u8>,
        /// How it is checked out.
        perm: FilePerm,
    },
    /// Takes a file away.
    Remove {
        /// Where.
        path: Vec<u8>,
    },
    /// Gives a file another name and keeps what it holds.
    Rename {
        /// The name in the parent.
        from: Vec<u8>,
        /// The new name.
        to: Vec<u8>,
    },
}

/// The files of a check-in in the making.
type Tree = BTreeMap<Vec<u8>, FileCard>;

impl Repo {
    /// Whether another check-in on `parent` without a new branch would fork.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn would_fork(&self, parent: Rid) -> Result<bool, RepoError> {
        let sql = "SELECT EXISTS(SELECT 1 FROM plink WHERE pid=?1
             AND coalesce((SELECT value FROM tagxref WHERE tagid=8 AND rid=plink.pid), 'trunk')
                =coalesce((SELECT value FROM tagxref WHERE tagid=8 AND rid=plink.cid), 'trunk'))";
        Ok(self.db.prepare_cached(sql)?.query_row([parent.0], |row| row.get(0))?)
    }

    /// Whether `rid` is closed against further check-ins.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn is_closed(&self, rid: Rid) -> Result<bool, RepoError> {
        let sql = "SELECT EXISTS(SELECT 1 FROM tagxref WHERE tagid=9 AND rid=?1 AND tagtype>0)";
        Ok(self.db.prepare_cached(sql)?.query_row([rid.0], |row| row.get(0))?)
    }

    /// The parent's files, without the marks of how they got their names.
    fn tree_of(&self, parent: Option<Rid>) -> Result<Tree, RepoError> {
        let cards = parent.map_or(Ok(Vec::new()), |parent| self.file_cards(parent))?;
        let plain = |mut card: FileCard| {
            card.old_name = None;
            if card.perm == FilePerm::Placeholder {
                card.perm = FilePerm::Regular;
            }
            (card.name.as_bytes().to_vec(), card)
        };
        Ok(cards.into_iter().map(plain).collect())
    }

    /// The `R` card of `tree`; `None` when not all contents are here, or `repo-cksum` is off.
    fn files_md5(&self, tree: &Tree) -> Result<Option<Text>, RepoError> {
        let setting = self.config("repo-cksum")?.unwrap_or_default();
        if matches!(setting.to_ascii_lowercase().as_str(), "0" | "off" | "no" | "false") {
            return Ok(None);
        }
        let mut sum = FilesMd5::new();
        for (name, card) in tree {
            let rid = card.hash.map(|hash| self.rid_of(&hash)).transpose()?.flatten();
            let Some(content) = rid.map(|rid| self.content(rid)).transpose()?.flatten() else {
                return Ok(None);
            };
            sum.add(name, &content);
        }
        Ok(Some(Text::from(sum.hex())))
    }

    /// Refuses a check-in that its parent does not allow.
    fn may_follow(&self, new: &NewCheckin, private: bool) -> Result<(), RepoError> {
        let Some(parent) = new.parent else { return Ok(()) };
        if new.branch.is_none() && self.is_closed(parent)? {
            return Err(BadChange::ClosedLeaf.into());
        }
        if new.branch.is_none() && !private && !new.allow_fork && self.would_fork(parent)? {
            return Err(BadChange::WouldFork.into());
        }
        match self.artifact(parent)? {
            Some(Artifact::Manifest(manifest)) if manifest.date > new.author.date => {
                Err(BadChange::OlderThanParent.into())
            }
            Some(Artifact::Manifest(_)) => Ok(()),
            _ => Err(BadChange::OtherKind.into()),
        }
    }

    /// Refuses a branch that is open already.
    pub(super) fn may_open_branch(&self, name: &str) -> Result<(), RepoError> {
        let open = self.branches()?.into_iter().any(|branch| branch.name == name && !branch.is_closed);
        if open { Err(BadChange::BranchExists.into()) } else { Ok(()) }
    }
}

impl RepoTx<'_> {
    /// Makes a check-in: stores its files and its manifest, and crosslinks it.
    ///
    /// # Errors
    ///
    /// [`BadChange`] says why not. The transaction is then to be given up: files may have been stored.
    pub fn checkin(&self, new: &NewCheckin) -> Result<(Rid, ArtifactHash), RepoError> {
        let private = new.private || new.parent.map_or(Ok(false), |parent| self.is_private(parent))?;
        self.may_follow(new, private)?;
        if let Some(branch) = &new.branch {
            self.may_open_branch(branch)?;
        }
        let before = self.tree_of(new.parent)?;
        let mut tree = before.clone();
        let mut replaced = Vec::new();
        for (index, change) in new.changes.iter().enumerate() {
            self.apply_change(change, index, private, &mut tree, &mut replaced)?;
        }
        let empty = tree == before && new.merges.is_empty() && new.branch.is_none() && new.tags.is_empty();
        if empty && !new.close && !new.allow_empty && new.parent.is_some() {
            return Err(BadChange::NothingChanged.into());
        }
        let manifest = self.compose(new, &tree, private)?;
        let (rid, hash) = self.put_artifact(&Artifact::Manifest(manifest), private)?;
        // The newer version is the one that is read: it stays whole, and the older becomes a delta of it.
        for (older, newer) in replaced {
            self.deltify(older, newer)?;
        }
        if let Some(parent) = new.parent {
            self.deltify(parent, rid)?;
        }
        Ok((rid, hash))
    }

    /// Makes the empty check-in that a new repository begins with, as `fossil init` does.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn initial_checkin(&self, author: &Author) -> Result<(Rid, ArtifactHash), RepoError> {
        let mut new = NewCheckin::new(None, Vec::new(), "initial empty check-in", author.clone());
        new.branch = Some("trunk".to_owned());
        self.checkin(&new)
    }

    fn apply_change(
        &self,
        change: &FileChange,
        index: usize,
        private: bool,
        tree: &mut Tree,
        replaced: &mut Vec<(Rid, Rid)>,
    ) -> Result<(), RepoError> {
        let (FileChange::Put { path, .. } | FileChange::Remove { path } | FileChange::Rename { to: path, .. }) =
            change;
        if !path::is_simple(path) || path::is_reserved(path) {
            return Err(BadChange::MalformedPath { index }.into());
        }
        match change {
            FileChange::Put { path, content, perm } => {
                let (rid, hash) = self.put_file(content, private)?;
                let name = Text::from(path.as_slice());
                let card = FileCard { name, hash: Some(hash), perm: *perm, old_name: None };
                let old = tree.entry(path.clone()).or_insert_with(|| card.clone());
                let older = old.hash.filter(|older| *older != hash);
                *old = FileCard { old_name: old.old_name.take(), ..card };
                if let Some(older) = older.map(|older| self.rid_of(&older)).transpose()?.flatten() {
                    replaced.push((older, rid));
                }
            }
            FileChange::Remove { path } => {
                tree.remove(path).ok_or(BadChange::NoSuchFile { index })?;
            }
            FileChange::Rename { from, to } => {
                if tree.contains_key(to) {
                    return Err(BadChange::FileExists { index }.into());
                }
                let mut card = tree.remove(from).ok_or(BadChange::NoSuchFile { index })?;
                let old_name = card.old_name.take().unwrap_or(Text::from(from.as_slice()));
                card.old_name = Some(old_name).filter(|old_name| old_name.as_bytes() != to.as_slice());
                card.name = Text::from(to.as_slice());
                tree.insert(to.clone(), card);
            }
        }
        Ok(())
    }

    fn compose(&self, new: &NewCheckin, tree: &Tree, private: bool) -> Result<Manifest, RepoError> {
        let comment = if new.comment.is_empty() { "(no comment)" } else { &new.comment };
        let mut parents = Vec::new();
        for parent in new.parent.iter().chain(&new.merges) {
            let hash = self.hash_of(*parent)?;
            if !parents.contains(&hash) {
                parents.push(hash);
            }
        }
        let mark_renamed = |card: &FileCard| {
            let mut card = card.clone();
            if card.old_name.is_some() && card.perm == FilePerm::Regular {
                card.perm = FilePerm::Placeholder;
            }
            card
        };
        Ok(Manifest {
            baseline: None,
            comment: Some(comment.into()),
            date: new.author.date,
            files: tree.values().map(mark_renamed).collect(),
            mimetype: new.mimetype.clone().map(Text::from),
            parents,
            cherrypicks: new.cherrypicks.clone(),
            files_md5: self.files_md5(tree)?,
            tags: self.compose_tags(new, private)?,
            user: Some(new.author.user.as_str().into()),
        })
    }

    fn compose_tags(&self, new: &NewCheckin, private: bool) -> Result<Vec<Tag>, RepoError> {
        let mut tags = Vec::new();
        if let Some(branch) = &new.branch {
            let bgcolor = new.bgcolor.as_deref().or(private.then_some(PRIVATE_BGCOLOR));
            tags.extend(branch_tags(branch, bgcolor));
            if let Some(parent) = new.parent {
                let own = format!("sym-{branch}");
                let others = self.inherited_tags(parent)?.into_iter().filter(|name| *name != own);
                tags.extend(others.map(|name| Tag::on_self(TagKind::Cancel, &name, None)));
            }
        } else if let Some(bgcolor) = &new.bgcolor {
            tags.push(Tag::on_self(TagKind::Add, "bgcolor", Some(bgcolor)));
        }
        if new.close {
            tags.push(Tag::on_self(TagKind::Add, "closed", None));
        }
        tags.extend(new.tags.iter().map(|name| Tag::on_self(TagKind::Add, &format!("sym-{name}"), None)));
        tags.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        tags.dedup_by(|a, b| a.sort_key() == b.sort_key());
        Ok(tags)
    }

    /// The symbolic tags that a child of `parent` would inherit.
    fn inherited_tags(&self, parent: Rid) -> Result<Vec<String>, RepoError> {
        let sql = "SELECT tagname FROM tagxref CROSS JOIN tag USING(tagid)
             WHERE rid=?1 AND tagtype=2 AND tagname GLOB 'sym-*' ORDER BY tagname";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([parent.0], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// What Fossil gives private branches for a background.
pub(super) const PRIVATE_BGCOLOR: &str = "#fec084";

/// The tags that start a branch.
pub(super) fn branch_tags(branch: &str, bgcolor: Option<&str>) -> Vec<Tag> {
    let mut tags = vec![
        Tag::on_self(TagKind::Propagate, "branch", Some(branch)),
        Tag::on_self(TagKind::Propagate, &format!("sym-{branch}"), None),
    ];
    if let Some(bgcolor) = bgcolor {
        tags.insert(0, Tag::on_self(TagKind::Propagate, "bgcolor", Some(bgcolor)));
    }
    tags
}

impl Tag {
    /// A tag on the artifact that holds it.
    pub(super) fn on_self(kind: TagKind, name: &str, value: Option<&str>) -> Self {
        Self { kind, name: name.into(), target: TagTarget::SelfArtifact, value: value.map(Text::from) }
    }
}
