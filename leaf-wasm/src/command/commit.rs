//! Changes of history: check-ins, branches, tags.

use super::{checkin, once};
use crate::engine::{Leaf, Task};
use crate::failure::Failed;
use crate::protocol::{BranchAction, Changed, Commit, Committed, EditBranch, EditTag, FileChange};
use leaf_core::format::artifact::{FilePerm, TagKind};
use leaf_core::id::Rid;
use leaf_core::repo::{Author, FileChange as Change, NameScope, NewBranch, NewCheckin, NewTag, RepoTx};

/// Makes a check-in.
pub(super) fn commit(leaf: &Leaf, args: Commit, task: &Task) -> Result<Committed, Failed> {
    let hash = once(leaf, task, |tx, author| {
        let new = plan(tx, args, author)?;
        Ok(tx.checkin(&new)?.1)
    })?;
    leaf.read(|repo| {
        let rid = repo
            .rid_of(&hash)?
            .ok_or_else(|| Failed::not_found("check-in", &hash.to_string()))?;
        Ok(Committed {
            hash: hash.to_string(),
            branch: repo.branch_of(rid)?,
        })
    })
}

fn plan(tx: &RepoTx<'_>, args: Commit, author: &Author) -> Result<NewCheckin, Failed> {
    let tip = match &args.branch {
        Some(branch) => tx.resolve(&format!("tag:{branch}"), NameScope::Checkin)?,
        None => None,
    };
    let parent = match &args.parent {
        Some(name) => Some(checkin(tx, Some(name))?),
        None => tip.map_or_else(|| tx.main_checkin(), |tip| Ok(Some(tip)))?,
    };
    let changes = args.changes.into_iter().map(|change| laid(tx, parent, change));
    let mut new = NewCheckin::new(
        parent,
        changes.collect::<Result<_, _>>()?,
        &args.message,
        author.clone(),
    );
    let own = parent.map(|parent| tx.branch_of(parent)).transpose()?;
    new.branch = args.branch.filter(|branch| own.as_ref() != Some(branch));
    new.tags = args.tags.unwrap_or_default();
    let merges = args.merges.unwrap_or_default();
    new.merges = merges
        .iter()
        .map(|name| checkin(tx, Some(name)))
        .collect::<Result<_, _>>()?;
    new.mimetype = args.mimetype;
    new.allow_fork = args.allow_fork == Some(true);
    new.private = args.private == Some(true);
    new.close = args.close == Some(true);
    Ok(new)
}

/// A change as the core takes it. A file that is there already stays a program if it was one.
fn laid(tx: &RepoTx<'_>, parent: Option<Rid>, change: FileChange) -> Result<Change, Failed> {
    Ok(match change {
        FileChange::Put {
            path,
            bytes,
            executable,
        } => {
            let perm = match (executable, parent) {
                (Some(true), _) => FilePerm::Executable,
                (Some(false), _) | (None, None) => FilePerm::Regular,
                (None, Some(parent)) => match tx.file(parent, path.as_bytes())? {
                    Some(before) if before.perm == FilePerm::Executable => FilePerm::Executable,
                    _ => FilePerm::Regular,
                },
            };
            Change::Put {
                path: path.into_bytes(),
                content: bytes.0.into_vec(),
                perm,
            }
        }
        FileChange::Remove { path } => Change::Remove {
            path: path.into_bytes(),
        },
        FileChange::Rename { from, to } => Change::Rename {
            from: from.into_bytes(),
            to: to.into_bytes(),
        },
    })
}

/// Starts, closes or opens a branch.
pub(super) fn edit_branch(leaf: &Leaf, args: &EditBranch, task: &Task) -> Result<Changed, Failed> {
    let hash = once(leaf, task, |tx, author| {
        let (_, hash) = match args.action {
            BranchAction::Start => tx.branch_new(
                &NewBranch {
                    name: &args.name,
                    basis: checkin(tx, args.basis.as_deref())?,
                    bgcolor: None,
                    private: args.private == Some(true),
                },
                author,
            )?,
            BranchAction::Close => tx.branch_close(&args.name, true, author)?,
            BranchAction::Reopen => tx.branch_close(&args.name, false, author)?,
        };
        Ok(hash)
    })?;
    Ok(Changed {
        hash: hash.to_string(),
    })
}

/// Puts a tag on a check-in, or takes it off.
pub(super) fn edit_tag(leaf: &Leaf, args: &EditTag, task: &Task) -> Result<Changed, Failed> {
    let hash = once(leaf, task, |tx, author| {
        let kind = if args.remove == Some(true) {
            TagKind::Cancel
        } else {
            TagKind::Add
        };
        let target = checkin(tx, Some(&args.checkin))?;
        let name = format!("sym-{}", args.name);
        Ok(tx
            .tag(
                &NewTag {
                    target,
                    name: &name,
                    kind,
                    value: None,
                },
                author,
            )?
            .1)
    })?;
    Ok(Changed {
        hash: hash.to_string(),
    })
}
