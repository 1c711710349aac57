//! What a page reads of history and files.

use super::checkin as find_checkin;
use crate::failure::Failed;
use crate::protocol::{
    ArtifactContent, Branch, Bytes, ChangeKind, ChangedFile, CheckinDetail, EventKind, FileContent,
    FileEntry, FileHistory, FileList, FileName, FileVersion, Name, Tag, Timeline, TimelineEntry,
    TimelinePage,
};
use leaf_core::format::artifact::{Artifact, FilePerm};
use leaf_core::repo::{self, NameScope, Repo, TimelineQuery};
use leaf_core::time::Timestamp;
use std::collections::HashSet;

/// Entries of one page, unless another number is wanted.
const PAGE: u32 = 50;
/// Versions of a file, unless another number is wanted.
const VERSIONS: u32 = 100;
/// As many of either, at most.
const PAGE_MAX: u32 = 1_000;

/// Milliseconds as scripts count them.
pub(super) fn ms(time: Timestamp) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 are far from 2^53"
    )]
    let ms = time.0 as f64;
    ms
}

/// A page of the timeline.
pub(super) fn timeline(repo: &Repo, args: &Timeline) -> Result<TimelinePage, Failed> {
    let limit = args.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX) as usize;
    let after = match &args.after {
        None => None,
        Some(hash) => {
            let rid = repo.resolve(hash, NameScope::Any)?;
            let entry = rid.map(|rid| repo.timeline_entry(rid)).transpose()?.flatten();
            Some(entry.ok_or_else(|| Failed::not_found("entry", hash))?.cursor)
        }
    };
    let query = TimelineQuery {
        kind: (args.checkins == Some(true)).then_some(repo::EventKind::Checkin),
        branch: args.branch.clone(),
        user: args.user.clone(),
        after,
        // One more tells whether there is a next page.
        limit: limit + 1,
        ..TimelineQuery::default()
    };
    let mut found = repo.timeline(&query)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|entry| entry.hash.to_string());
    let entries = found
        .into_iter()
        .map(|entry| shown(repo, entry))
        .collect::<Result<_, _>>()?;
    Ok(TimelinePage { entries, next })
}

fn shown(repo: &Repo, entry: repo::TimelineEntry) -> Result<TimelineEntry, Failed> {
    let is_checkin = entry.kind == repo::EventKind::Checkin;
    let parents = if is_checkin {
        repo.parents(entry.rid)?
    } else {
        Vec::new()
    };
    let kind = match entry.kind {
        repo::EventKind::Checkin => EventKind::Checkin,
        repo::EventKind::Wiki => EventKind::Wiki,
        repo::EventKind::Ticket => EventKind::Ticket,
        repo::EventKind::TechNote => EventKind::TechNote,
        repo::EventKind::Control => EventKind::Tag,
        repo::EventKind::Forum => EventKind::Forum,
    };
    Ok(TimelineEntry {
        hash: entry.hash.to_string(),
        kind,
        time: ms(entry.time),
        user: entry.user,
        comment: entry.comment,
        tags: entry
            .tags
            .into_iter()
            .filter(|tag| Some(tag) != entry.branch.as_ref())
            .collect(),
        branch: entry.branch,
        parents: parents.iter().map(ToString::to_string).collect(),
        is_leaf: entry.is_leaf,
        is_merge: entry.is_merge,
        is_closed: entry.is_closed,
        is_private: entry.is_private,
        is_unsent: entry.is_unsent,
    })
}

/// One check-in in full.
pub(super) fn checkin(repo: &Repo, args: &Name) -> Result<CheckinDetail, Failed> {
    let rid = find_checkin(repo, args.name.as_deref())?;
    let entry = repo
        .timeline_entry(rid)?
        .ok_or_else(|| Failed::not_found("check-in", "that"))?;
    let mimetype = match repo.artifact(rid)? {
        Some(Artifact::Manifest(manifest)) => manifest.mimetype.map(|text| text.to_string()),
        _ => None,
    };
    Ok(CheckinDetail {
        entry: shown(repo, entry)?,
        children: repo.children(rid)?.iter().map(ToString::to_string).collect(),
        files: repo.changed_files(rid)?.into_iter().map(changed).collect(),
        mimetype,
    })
}

/// In which way a file was changed.
pub(super) fn change_kind(file: &repo::ChangedFile) -> ChangeKind {
    match (&file.before, &file.after, &file.old_name) {
        (_, None, _) => ChangeKind::Removed,
        (None, _, _) => ChangeKind::Added,
        (_, _, Some(_)) => ChangeKind::Renamed,
        _ => ChangeKind::Changed,
    }
}

fn changed(file: repo::ChangedFile) -> ChangedFile {
    ChangedFile {
        change: change_kind(&file),
        path: file.name,
        old_path: file.old_name,
        hash: file.after.map(|hash| hash.to_string()),
    }
}

/// The files of a check-in.
pub(super) fn list_files(repo: &Repo, args: &Name) -> Result<FileList, Failed> {
    let rid = find_checkin(repo, args.name.as_deref())?;
    let files = repo.files(rid)?.into_iter().map(|file| FileEntry {
        path: file.name.to_string(),
        hash: file.hash.to_string(),
        size: file.size,
        is_executable: file.perm == FilePerm::Executable,
        is_link: file.perm == FilePerm::Symlink,
    });
    Ok(FileList {
        checkin: repo.hash_of(rid)?.to_string(),
        files: files.collect(),
    })
}

/// One file of a check-in.
pub(super) fn read_file(repo: &Repo, args: &FileName) -> Result<FileContent, Failed> {
    let rid = find_checkin(repo, args.checkin.as_deref())?;
    let missing = || Failed::not_found("file", &args.path);
    let hash = repo.file(rid, args.path.as_bytes())?.ok_or_else(missing)?.hash;
    let content = repo.content_of(&hash)?.ok_or_else(missing)?;
    let time = repo.timeline_entry(rid)?.map_or(0.0, |entry| ms(entry.time));
    Ok(FileContent {
        path: args.path.clone(),
        hash: hash.to_string(),
        time,
        bytes: bytes(&content),
    })
}

/// Bytes for the page.
pub(super) fn bytes(content: &[u8]) -> Bytes {
    Bytes(serde_bytes::ByteBuf::from(content))
}

/// The check-ins that changed a file.
pub(super) fn file_history(repo: &Repo, args: &FileHistory) -> Result<Vec<FileVersion>, Failed> {
    let limit = args.limit.unwrap_or(VERSIONS).min(PAGE_MAX) as usize;
    let versions = repo
        .file_history(&args.path, limit)?
        .into_iter()
        .map(|version| FileVersion {
            checkin: version.checkin.to_string(),
            hash: version.content.map(|hash| hash.to_string()),
            time: ms(version.time),
            user: version.user,
            comment: version.comment,
        });
    Ok(versions.collect())
}

/// The content of any artifact.
pub(super) fn read_artifact(repo: &Repo, args: &Name) -> Result<ArtifactContent, Failed> {
    let name = args.name.as_deref().unwrap_or("tip");
    let rid = repo
        .resolve(name, NameScope::Any)?
        .ok_or_else(|| Failed::not_found("artifact", name))?;
    let content = repo
        .content(rid)?
        .ok_or_else(|| Failed::not_found("content", name))?;
    Ok(ArtifactContent {
        hash: repo.hash_of(rid)?.to_string(),
        bytes: bytes(&content),
    })
}

/// All branches.
pub(super) fn branches(repo: &Repo) -> Result<Vec<Branch>, Failed> {
    let branches = repo.branches()?.into_iter().map(|branch| Branch {
        name: branch.name,
        tip: branch.hash.to_string(),
        time: ms(branch.time),
        checkins: branch.checkins,
        is_closed: branch.is_closed,
        is_private: branch.is_private,
    });
    Ok(branches.collect())
}

/// Symbolic tags that are no branches, and where they are.
pub(super) fn tags(repo: &Repo) -> Result<Vec<Tag>, Failed> {
    let branches: HashSet<String> = repo.branches()?.into_iter().map(|branch| branch.name).collect();
    let mut tags = Vec::new();
    for tag in repo.tags()? {
        let Some(name) = tag
            .name
            .strip_prefix("sym-")
            .filter(|name| !branches.contains(*name))
        else {
            continue;
        };
        let Some(newest) = repo.resolve(&format!("tag:{name}"), NameScope::Checkin)? else {
            continue;
        };
        let Some(entry) = repo.timeline_entry(newest)? else {
            continue;
        };
        tags.push(Tag {
            name: name.to_owned(),
            checkin: entry.hash.to_string(),
            time: ms(entry.time),
            count: tag.count,
        });
    }
    Ok(tags)
}
