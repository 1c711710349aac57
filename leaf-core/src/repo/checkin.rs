//! Making check-ins: changes laid over the files of a parent.
//!
//! Source: Fossil `src/checkin.c` `create_manifest()`, `commit_cmd()`; `src/db.c` `db_initial_setup()`.

use super::change::{Author, BadChange};
use super::tree::{FileChange, Tree};
use super::{Repo, RepoError, RepoTx};
use crate::format::artifact::{Artifact, Cherrypick, Manifest, Tag, TagKind, TagTarget, Text};
use crate::id::{ArtifactHash, Rid};

/// A check-in to be made.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, all off by default"
)]
pub struct NewCheckin {
    /// The check-in it follows; `None` begins a history of its own.
    pub parent: Option<Rid>,
    /// Check-ins merged in. A public check-in does not mention private ones.
    pub merges: Vec<Rid>,
    /// Changes of other check-ins taken over or backed out. Private ones as above.
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
    /// Keeps it out of sync, on a branch of its own, called `private` unless named. A child of a private
    /// check-in is private whatever this says.
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
        Ok(self
            .db
            .prepare_cached(sql)?
            .query_row([parent], |row| row.get(0))?)
    }

    /// Whether `rid` is closed against further check-ins.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository fails.
    pub fn is_closed(&self, rid: Rid) -> Result<bool, RepoError> {
        let sql = "SELECT EXISTS(SELECT 1 FROM tagxref WHERE tagid=9 AND rid=?1 AND tagtype>0)";
        Ok(self.db.prepare_cached(sql)?.query_row([rid], |row| row.get(0))?)
    }

    /// Refuses a check-in that its parent or its branch does not allow.
    fn may_follow(&self, plan: &Plan<'_>) -> Result<(), RepoError> {
        let new = plan.new;
        if let Some(branch) = plan.branch.filter(|branch| *branch != PRIVATE_BRANCH) {
            self.may_open_branch(branch)?;
        }
        let Some(parent) = new.parent else { return Ok(()) };
        let own_branch = self.branch_of(parent)?;
        if plan.branch.is_none_or(|branch| branch == own_branch) && self.is_closed(parent)? {
            return Err(BadChange::ClosedLeaf.into());
        }
        if plan.branch.is_none() && !plan.private && !new.allow_fork && self.would_fork(parent)? {
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
        let sql = "SELECT EXISTS(SELECT 1 FROM leaf CROSS JOIN tagxref USING(rid)
             WHERE tagid=8 AND tagtype>0 AND value=?1
               AND NOT EXISTS(SELECT 1 FROM tagxref c WHERE c.rid=leaf.rid AND c.tagid=9 AND c.tagtype>0))";
        let open: bool = self.db.prepare_cached(sql)?.query_row([name], |row| row.get(0))?;
        if open {
            Err(BadChange::BranchExists.into())
        } else {
            Ok(())
        }
    }
}

impl RepoTx<'_> {
    /// Makes a check-in: stores its files and its manifest, and crosslinks it.
    ///
    /// # Errors
    ///
    /// [`BadChange`] says why not. The transaction is then to be given up: files may have been stored.
    pub fn checkin(&self, new: &NewCheckin) -> Result<(Rid, ArtifactHash), RepoError> {
        let plan = self.plan(new)?;
        self.may_follow(&plan)?;
        let mut tree = Tree::of_parent(self, new.parent)?;
        for change in &new.changes {
            tree.apply(self, change, &new.author, plan.private)?;
        }
        let says_more = !new.merges.is_empty() || plan.branch.is_some() || !new.tags.is_empty() || new.close;
        if !tree.is_changed() && !says_more && !new.allow_empty && new.parent.is_some() {
            return Err(BadChange::NothingChanged.into());
        }
        let manifest = self.compose(&plan, &tree)?;
        let (rid, hash) = self.put_artifact(&Artifact::Manifest(manifest), &new.author, plan.private)?;
        // The newer version is the one that is read: it stays whole, and the older becomes a delta of it.
        for (older, newer) in tree.replaced {
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

    fn plan<'n>(&self, new: &'n NewCheckin) -> Result<Plan<'n>, RepoError> {
        let inherits = new.parent.map_or(Ok(false), |parent| self.is_private(parent))?;
        let begins = new.private && !inherits;
        Ok(Plan {
            new,
            private: new.private || inherits,
            branch: new.branch.as_deref().or(begins.then_some(PRIVATE_BRANCH)),
            bgcolor: new.bgcolor.as_deref().or(begins.then_some(PRIVATE_BGCOLOR)),
        })
    }

    fn compose(&self, plan: &Plan<'_>, tree: &Tree) -> Result<Manifest, RepoError> {
        let new = plan.new;
        let comment = if new.comment.is_empty() {
            "(no comment)"
        } else {
            &new.comment
        };
        let mut parents = Vec::new();
        for parent in new.parent.iter().chain(&new.merges) {
            let hash = self.hash_of(*parent)?;
            if !parents.contains(&hash) && (plan.private || !self.is_private(*parent)?) {
                parents.push(hash);
            }
        }
        let mut cherrypicks = Vec::new();
        for pick in &new.cherrypicks {
            let rid = self.rid_of(&pick.hash)?.ok_or(BadChange::NoSuchName)?;
            if plan.private || !self.is_private(rid)? {
                cherrypicks.push(*pick);
            }
        }
        Ok(Manifest {
            baseline: None,
            comment: Some(comment.into()),
            date: new.author.date,
            files: tree.cards(),
            mimetype: new.mimetype.clone().map(Text::from),
            parents,
            cherrypicks,
            files_md5: tree.files_md5(self)?,
            tags: self.compose_tags(plan)?,
            user: Some(new.author.user.as_str().into()),
        })
    }

    fn compose_tags(&self, plan: &Plan<'_>) -> Result<Vec<Tag>, RepoError> {
        let new = plan.new;
        let mut tags = Vec::new();
        if let Some(branch) = plan.branch {
            tags.extend(branch_tags(branch, plan.bgcolor));
            if let Some(parent) = new.parent {
                let own = format!("sym-{branch}");
                let others = self
                    .inherited_tags(parent)?
                    .into_iter()
                    .filter(|name| *name != own);
                tags.extend(others.map(|name| Tag::on_self(TagKind::Cancel, &name, None)));
            }
        } else if let Some(bgcolor) = plan.bgcolor {
            tags.push(Tag::on_self(TagKind::Add, "bgcolor", Some(bgcolor)));
        }
        if new.close {
            tags.push(Tag::on_self(TagKind::Add, "closed", None));
        }
        tags.extend(
            new.tags
                .iter()
                .map(|name| Tag::on_self(TagKind::Add, &format!("sym-{name}"), None)),
        );
        tags.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        tags.dedup_by(|a, b| a.sort_key() == b.sort_key());
        Ok(tags)
    }

    /// The symbolic tags that a child of `parent` would inherit.
    fn inherited_tags(&self, parent: Rid) -> Result<Vec<String>, RepoError> {
        let sql = "SELECT tagname FROM tagxref CROSS JOIN tag USING(tagid)
             WHERE rid=?1 AND tagtype=2 AND tagname GLOB 'sym-*' ORDER BY tagname";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([parent], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// A check-in to be made, and what follows from its parent.
struct Plan<'n> {
    new: &'n NewCheckin,
    private: bool,
    branch: Option<&'n str>,
    bgcolor: Option<&'n str>,
}

/// The branch of private check-ins for which none is named. It may be begun any number of times.
const PRIVATE_BRANCH: &str = "private";
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
        Self {
            kind,
            name: name.into(),
            target: TagTarget::SelfArtifact,
            value: value.map(Text::from),
        }
    }
}
