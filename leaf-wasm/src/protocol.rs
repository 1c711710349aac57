//! What a page and the worker say to each other: commands, their replies, events, failures.
//!
//! Nothing but data that can be cloned between threads. The TypeScript of these types is generated from here into
//! `npm/src/protocol.ts` (`cargo test -p leaf-wasm`), so neither side can drift from the other.
//!
//! Units: times are milliseconds since 1970, sizes are bytes. Hashes are lower-case hex, of 40 or 64 digits.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Types that the page gets.
macro_rules! replies {
    ($($item:item)*) => { $(
        #[derive(Clone, Debug, serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        #[cfg_attr(test, derive(ts_rs::TS))]
        $item
    )* };
}

/// Types that the page gives. What is optional may be left out.
macro_rules! arguments {
    ($($item:item)*) => { $(
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
        $item
    )* };
}

mod arguments;
mod failure;
mod replies;

pub use arguments::*;
pub use failure::*;
pub use replies::*;

/// Declares a command with its arguments and the reply it gets, once for Rust and TypeScript.
macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($args:ty) -> $reply:ty,)*) => {
        /// What a page asks of a repository.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[cfg_attr(test, derive(TS), ts(rename_all = "camelCase"))]
        pub enum Command {
            $($(#[$doc])* $name($args),)*
        }

        /// The type of the reply to each command, for TypeScript alone.
        #[cfg(test)]
        #[derive(TS)]
        #[ts(rename_all = "camelCase")]
        #[expect(non_snake_case, dead_code, reason = "fields are named as the commands are")]
        pub(crate) struct Replies {
            $($name: $reply,)*
        }
    };
}

commands! {
    /// What there is: state, project, user, sizes.
    Info(Nothing) -> Info,
    /// What of it changes often; takes the same time at any size.
    Status(Nothing) -> Status,
    /// Makes a new, empty project.
    Create(Create) -> Info,
    /// Fetches everything of a server's repository, verifies it, and goes on where an earlier clone was cut off.
    Clone(Clone) -> CloneResult,
    /// Moves artifacts from, to, or both ways.
    Sync(Sync) -> SyncResult,
    /// Makes a check-in.
    Commit(Commit) -> Committed,
    /// A page of the timeline, newest first.
    Timeline(Timeline) -> TimelinePage,
    /// One check-in in full.
    Checkin(Name) -> CheckinDetail,
    /// The files of a check-in.
    ListFiles(Name) -> FileList,
    /// One file of a check-in.
    ReadFile(FileName) -> FileContent,
    /// The check-ins that changed a file, newest first.
    FileHistory(FileHistory) -> Vec<FileVersion>,
    /// The content of any artifact.
    ReadArtifact(Name) -> ArtifactContent,
    /// What differs between two check-ins.
    Diff(Diff) -> Vec<FileDiff>,
    /// All branches.
    Branches(Nothing) -> Vec<Branch>,
    /// Starts, closes or opens a branch.
    EditBranch(EditBranch) -> Changed,
    /// Symbolic tags and where they are.
    Tags(Nothing) -> Vec<Tag>,
    /// Puts a tag on a check-in, or takes it off.
    EditTag(EditTag) -> Changed,
    /// All wiki pages.
    WikiList(Nothing) -> Vec<WikiSummary>,
    /// One wiki page.
    WikiRead(Title) -> WikiPage,
    /// Writes a wiki page; an empty text deletes it.
    WikiWrite(WikiWrite) -> Changed,
    /// All unversioned files.
    UvList(Nothing) -> Vec<UvFile>,
    /// One unversioned file.
    UvRead(UvName) -> FileContent,
    /// Writes an unversioned file.
    UvWrite(UvWrite) -> UvFile,
    /// Deletes an unversioned file.
    UvRemove(UvName) -> Nothing,
    /// The other leaves of the project that are there, and those that were.
    Peers(Nothing) -> Vec<Peer>,
    /// The leaves that may call by key.
    Guests(Nothing) -> Vec<Guest>,
    /// Lets a leaf call no more.
    RemoveGuest(GuestId) -> Nothing,
    /// Keeps an invitation.
    AddInvite(AddInvite) -> Nothing,
    /// Whether somebody who calls by key is let in.
    Welcome(Caller) -> Welcomed,
    /// Lets in somebody with an invitation.
    Admit(Admit) -> Admitted,
    /// Answers a sync message of a guest.
    Answer(Answer) -> Answered,
    /// Checks every artifact and the database itself.
    Verify(Nothing) -> VerifyResult,
    /// Sets the user, the remote and its login.
    Configure(Configure) -> Info,
    /// Begins an export: fixes what it will be.
    ExportBegin(Transfer) -> ExportSize,
    /// A piece of the file being exported.
    ExportRead(ExportRead) -> Bytes,
    /// Ends an export, or all of them.
    ExportEnd(ExportEnd) -> Nothing,
    /// Begins an import into an empty leaf.
    ImportBegin(ImportBegin) -> Nothing,
    /// The next piece of the file being imported.
    ImportWrite(ImportWrite) -> Nothing,
    /// Ends an import: the file is checked and opened.
    ImportEnd(Transfer) -> Info,
}

/// No arguments, or nothing to say.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(TS), ts(type = "Record<string, never>"))]
pub struct Nothing {}

/// Bytes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(TS), ts(type = "Uint8Array"))]
pub struct Bytes(pub serde_bytes::ByteBuf);

#[cfg(test)]
mod typescript;
