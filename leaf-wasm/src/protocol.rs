//! What a page and the worker say to each other: commands, their replies, events, failures.
//!
//! Nothing but data that can be cloned between threads. The TypeScript of these types is generated from here into
//! `npm/src/protocol.ts` (`cargo test -p leaf-wasm`), so neither side can drift from the other.
//!
//! Units: times are milliseconds since 1970, sizes are bytes. Hashes are lower-case hex, of 40 or 64 digits.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

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

/// Types that the page gets.
macro_rules! replies {
    ($($item:item)*) => { $(
        #[derive(Clone, Debug, Serialize)]
        #[serde(rename_all = "camelCase")]
        #[cfg_attr(test, derive(TS))]
        $item
    )* };
}

/// Types that the page gives. What is optional may be left out.
macro_rules! arguments {
    ($($item:item)*) => { $(
        #[derive(Clone, Debug, Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[cfg_attr(test, derive(TS), ts(optional_fields))]
        $item
    )* };
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

replies! {
    /// How far a leaf is: `empty` before a clone or create, `cloning` while a clone is unfinished, `ready` after.
    #[derive(Copy, Default, Eq, PartialEq)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum LeafState { #[default] Empty, Cloning, Ready }

    /// What there is.
    #[derive(Default)]
    pub struct Info {
        /// How far this leaf is. What follows says something only when it is `ready`.
        pub state: LeafState,
        /// Which project this is a copy of; empty until it is known.
        pub project_code: String,
        /// What its people call it.
        pub project_name: Option<String>,
        /// Who makes check-ins here.
        pub user: Option<String>,
        /// Where it syncs with; without password.
        pub remote: Option<String>,
        /// Login at the remote.
        pub remote_user: Option<String>,
        /// A password for the remote is kept on this device.
        pub has_password: bool,
        /// Artifacts, whatever their kind.
        pub artifacts: u64,
        /// Check-ins.
        pub checkins: u64,
        /// Artifacts made here that no server has yet.
        pub unsent: u64,
        /// Artifacts known by name whose content is not here.
        pub missing: u64,
        /// Bytes of the database file.
        pub bytes: u64,
        /// The branch that new check-ins go to unless another is named.
        pub main_branch: Option<String>,
    }

    /// What of a leaf changes often.
    #[derive(Default)]
    pub struct Status {
        /// How far it is.
        pub state: LeafState,
        /// Where it syncs with; without password.
        pub remote: Option<String>,
        /// Artifacts made here that no server has yet.
        pub unsent: u64,
    }

    /// What a clone did.
    #[derive(Default)]
    pub struct CloneResult {
        /// Artifacts that came in this run; those of an earlier run that was cut off are not among them.
        pub artifacts: u64,
        /// All artifacts that were verified.
        pub verified: u64,
        /// Requests.
        pub rounds: u32,
        /// Bytes of replies as they went over the wire.
        pub bytes_received: u64,
        /// Bytes of requests.
        pub bytes_sent: u64,
        /// Milliseconds: until everything was here, until it was verified, until it was linked.
        pub elapsed_ms: [f64; 3],
        /// What the server said that people should hear.
        pub remarks: Vec<String>,
    }

    /// What a sync did.
    pub struct SyncResult {
        /// Artifacts received.
        pub received: u64,
        /// Artifacts sent.
        pub sent: u64,
        /// Unversioned files received.
        pub uv_received: u64,
        /// Unversioned files sent.
        pub uv_sent: u64,
        /// Requests.
        pub rounds: u32,
        /// Bytes of replies as they went over the wire.
        pub bytes_received: u64,
        /// Bytes of requests.
        pub bytes_sent: u64,
        /// Artifacts known by name that did not come.
        pub missing: u64,
        /// What the server said that people should hear.
        pub remarks: Vec<String>,
    }

    /// A check-in that was made.
    pub struct Committed {
        /// Its name.
        pub hash: String,
        /// The branch it is on.
        pub branch: String,
    }

    /// A change that was made.
    pub struct Changed {
        /// The artifact that says so.
        pub hash: String,
    }

    /// What kind of thing happened.
    #[derive(Copy)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum EventKind { Checkin, Wiki, Ticket, TechNote, Tag, Forum }

    /// One thing that happened.
    #[expect(clippy::struct_excessive_bools, reason = "each is shown as a mark of its own")]
    pub struct TimelineEntry {
        /// Which artifact says so.
        pub hash: String,
        /// What kind of thing.
        pub kind: EventKind,
        /// When.
        pub time: f64,
        /// Who, after any later correction.
        pub user: String,
        /// What was said, after any later correction.
        pub comment: String,
        /// The branch of a check-in.
        pub branch: Option<String>,
        /// Symbolic tags, sorted; the branch is not among them.
        pub tags: Vec<String>,
        /// Parents of a check-in, the one it continues first.
        pub parents: Vec<String>,
        /// A check-in without child on its branch.
        pub is_leaf: bool,
        /// A check-in with more than one parent.
        pub is_merge: bool,
        /// Closed against further check-ins.
        pub is_closed: bool,
        /// Kept out of sync.
        pub is_private: bool,
        /// Made here, and no server has it yet.
        pub is_unsent: bool,
    }

    /// Entries of the timeline.
    pub struct TimelinePage {
        /// Newest first.
        pub entries: Vec<TimelineEntry>,
        /// What to give as `after` for the next page; null at the end.
        pub next: Option<String>,
    }

    /// How a file differs from the parent's.
    #[derive(Copy, Eq, PartialEq)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum ChangeKind { Added, Changed, Removed, Renamed }

    /// A file that a check-in changed.
    pub struct ChangedFile {
        /// Its path; the old one if it was removed.
        pub path: String,
        /// What it was called before.
        pub old_path: Option<String>,
        /// In which way.
        pub change: ChangeKind,
        /// Its content; null if it was removed.
        pub hash: Option<String>,
    }

    /// One check-in in full.
    pub struct CheckinDetail {
        /// As in the timeline.
        pub entry: TimelineEntry,
        /// Check-ins that continue or merge it.
        pub children: Vec<String>,
        /// What it changed against its first parent.
        pub files: Vec<ChangedFile>,
        /// The format of the comment, if it is not Fossil's own.
        pub mimetype: Option<String>,
    }

    /// A file of a check-in.
    pub struct FileEntry {
        /// Path from the root of the tree.
        pub path: String,
        /// Its content.
        pub hash: String,
        /// Bytes; null when the content is not here.
        pub size: Option<u64>,
        /// May be run as a program.
        pub is_executable: bool,
        /// A symbolic link: its content is the path it points to.
        pub is_link: bool,
    }

    /// The files of a check-in.
    pub struct FileList {
        /// The check-in.
        pub checkin: String,
        /// In order of their paths.
        pub files: Vec<FileEntry>,
    }

    /// A file.
    pub struct FileContent {
        /// Its path or name.
        pub path: String,
        /// The name of its content.
        pub hash: String,
        /// When it was written, for unversioned files; else the time of the check-in.
        pub time: f64,
        /// All of it.
        pub bytes: Bytes,
    }

    /// A version of a file.
    pub struct FileVersion {
        /// The check-in that made it.
        pub checkin: String,
        /// Its content; null when the check-in removed it.
        pub hash: Option<String>,
        /// When.
        pub time: f64,
        /// Who.
        pub user: String,
        /// The comment of the check-in.
        pub comment: String,
    }

    /// An artifact.
    pub struct ArtifactContent {
        /// Its name in full.
        pub hash: String,
        /// All of it.
        pub bytes: Bytes,
    }

    /// What a line of a diff is.
    #[derive(Copy, Eq, PartialEq)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum LineKind { Same, Added, Removed }

    /// A piece of a line.
    pub struct Span {
        /// Text.
        pub text: String,
        /// Differs from the line it replaces or is replaced by.
        pub is_changed: bool,
    }

    /// A line of a diff.
    pub struct DiffLine {
        /// What it is.
        pub kind: LineKind,
        /// Line number in the old file, from 1; null for added lines.
        pub old: Option<u32>,
        /// Line number in the new file, from 1; null for removed lines.
        pub new: Option<u32>,
        /// The line without its end, in pieces.
        pub spans: Vec<Span>,
    }

    /// Lines that changed, with those around them.
    pub struct Hunk {
        /// In order.
        pub lines: Vec<DiffLine>,
    }

    /// How one file differs.
    pub struct FileDiff {
        /// Its path; the old one if it was removed.
        pub path: String,
        /// What it was called before.
        pub old_path: Option<String>,
        /// In which way.
        pub change: ChangeKind,
        /// Not text, or too long to compare by lines: there are no hunks.
        pub is_binary: bool,
        /// Lines added.
        pub added: u32,
        /// Lines removed.
        pub removed: u32,
        /// What changed.
        pub hunks: Vec<Hunk>,
    }

    /// A branch.
    pub struct Branch {
        /// Its name.
        pub name: String,
        /// Its newest check-in.
        pub tip: String,
        /// When that was made.
        pub time: f64,
        /// Check-ins on it.
        pub checkins: u64,
        /// Closed against further check-ins.
        pub is_closed: bool,
        /// Kept out of sync.
        pub is_private: bool,
    }

    /// A tag and where it is.
    pub struct Tag {
        /// Its name.
        pub name: String,
        /// The newest check-in that has it.
        pub checkin: String,
        /// When that was made.
        pub time: f64,
        /// How many have it.
        pub count: u64,
    }

    /// A wiki page in the list of all. Deleted ones are left out.
    pub struct WikiSummary {
        /// Its title.
        pub title: String,
        /// Its newest version.
        pub hash: String,
        /// When that was written.
        pub time: f64,
    }

    /// A wiki page.
    pub struct WikiPage {
        /// Its title.
        pub title: String,
        /// Its newest version.
        pub hash: String,
        /// When that was written.
        pub time: f64,
        /// Who wrote it.
        pub user: String,
        /// `text/x-markdown`, `text/plain`, or `text/x-fossil-wiki`.
        pub mimetype: String,
        /// The whole text.
        pub text: String,
    }

    /// An unversioned file.
    pub struct UvFile {
        /// Its name.
        pub name: String,
        /// The name of its content.
        pub hash: String,
        /// When it was written.
        pub time: f64,
        /// Bytes.
        pub size: u64,
    }

    /// What verification found.
    pub struct VerifyResult {
        /// Whether everything is as it should be.
        pub is_sound: bool,
        /// Artifacts that are what their names say.
        pub artifacts: u64,
        /// Bytes of them.
        pub bytes: u64,
        /// Artifacts known by name whose content is not here; no fault.
        pub missing: u64,
        /// What is wrong, a line each.
        pub faults: Vec<String>,
    }

    /// How large the exported file will be.
    pub struct ExportSize {
        /// Bytes.
        pub size: u64,
    }

    /// How far a long command is. At most ten a second.
    #[derive(Default)]
    pub struct Progress {
        /// `cloning`, `verifying`, `linking`, `syncing`.
        pub stage: &'static str,
        /// Artifacts so far.
        pub done: u64,
        /// Of how many, if that is known.
        pub total: Option<u64>,
        /// Requests so far.
        pub rounds: u32,
        /// Bytes of replies so far.
        pub bytes_received: u64,
        /// Bytes of requests so far.
        pub bytes_sent: u64,
    }

    /// Who has to act on a failure.
    #[derive(Copy, Eq, PartialEq)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum FailureBlame { Caller, Peer, Storage, Network }

    /// Why a command failed. Nothing was changed, unless the message says otherwise.
    #[derive(Eq, PartialEq)]
    pub struct Failure {
        /// Stable; for programs.
        pub code: Code,
        /// Who has to act.
        pub blame: FailureBlame,
        /// For people: what happened, and what to do next.
        pub message: String,
    }

    /// Stable names of failures.
    #[derive(Copy, Eq, PartialEq)]
    pub enum Code {
        /// The caller gave it up.
        Aborted,
        /// The arguments make no sense.
        BadArguments,
        /// Another clone, sync or import is under way.
        Busy,
        /// Something is damaged; verify tells more.
        Damaged,
        /// There is something here already.
        Exists,
        /// Nothing is here yet: clone or create first.
        Empty,
        /// The clone is not finished: go on with it first.
        Cloning,
        /// The check-in would fork its branch: sync first.
        WouldFork,
        /// Nothing would change.
        NothingChanged,
        /// No artifact, file, page, branch or tag of this name.
        NotFound,
        /// The change is refused; the message says why.
        Refused,
        /// The browser gives no more room.
        QuotaExceeded,
        /// This browser, or this context, has no private file system.
        Unsupported,
        /// Another tab or program has the database open.
        Locked,
        /// The server cannot be reached.
        Network,
        /// The server answers, but not as a sync server does.
        NotFossil,
        /// The server refuses: login, capabilities, or what it says.
        Denied,
        /// The server belongs to another project.
        WrongProject,
        /// The server sent what it must not.
        BadPeer,
        /// The database failed.
        Storage,
        /// A mistake of this library; the worker is started anew.
        Internal,
    }
}

arguments! {
    /// A new project.
    pub struct Create {
        /// What its people call it.
        pub project_name: Option<String>,
        /// Who makes check-ins here.
        pub user: Option<String>,
    }

    /// Where from, and what.
    pub struct Clone {
        /// `https://[user@]host[:port][/path]`.
        pub url: String,
        /// Login at the server; default: the one in the URL, else nobody.
        pub user: Option<String>,
        /// Its password.
        pub password: Option<String>,
        /// Keep the password on this device, for later syncs.
        pub remember: Option<bool>,
        /// Private branches, too.
        pub private: Option<bool>,
        /// Unversioned files, too; default: yes.
        pub unversioned: Option<bool>,
    }

    /// Which way.
    #[derive(Copy, Eq, PartialEq)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum Direction { Pull, Push, Both }

    /// With whom, and what.
    pub struct Sync {
        /// Default: both.
        pub direction: Option<Direction>,
        /// Default: the remote.
        pub url: Option<String>,
        /// Login at the server; default: the one that is kept, or in the URL.
        pub user: Option<String>,
        /// Its password; default: the one that is kept.
        pub password: Option<String>,
        /// Private branches, too.
        pub private: Option<bool>,
        /// Unversioned files, too; default: yes.
        pub unversioned: Option<bool>,
    }

    /// What a check-in does to one file.
    pub enum FileChange {
        /// Adds a file, or replaces what it holds.
        Put {
            /// Path from the root of the tree.
            path: String,
            /// All of it.
            bytes: Bytes,
            /// May be run as a program; default: as before.
            executable: Option<bool>,
        },
        /// Takes a file away.
        Remove {
            /// Path from the root of the tree.
            path: String,
        },
        /// Gives a file another name.
        Rename {
            /// The name in the parent.
            from: String,
            /// The new name.
            to: String,
        },
    }

    /// A check-in to be made.
    pub struct Commit {
        /// Why.
        pub message: String,
        /// What happens to the parent's files, in this order.
        pub changes: Vec<FileChange>,
        /// The check-in or branch to build on; default: the tip of `branch`, else of the main branch.
        pub parent: Option<String>,
        /// The branch: the parent's own, or a new one. One that exists gives the parent, unless that is named.
        pub branch: Option<String>,
        /// Tags on the check-in.
        pub tags: Option<Vec<String>>,
        /// Check-ins merged in.
        pub merges: Option<Vec<String>>,
        /// The format of the message, if it is not Fossil's own: `text/x-markdown`, `text/plain`.
        pub mimetype: Option<String>,
        /// Go ahead where the branch would fork.
        pub allow_fork: Option<bool>,
        /// Keep it out of sync.
        pub private: Option<bool>,
        /// Close the branch with it.
        pub close: Option<bool>,
    }

    /// Which entries.
    pub struct Timeline {
        /// At most so many; default 50, at most 1,000.
        pub limit: Option<u32>,
        /// The `next` of the page before.
        pub after: Option<String>,
        /// Only check-ins.
        pub checkins: Option<bool>,
        /// Only check-ins of this branch.
        pub branch: Option<String>,
        /// Only by this user.
        pub user: Option<String>,
    }

    /// A name: a hash or its first digits, a tag, a branch, a date, `tip`.
    pub struct Name {
        /// Default: the tip of the main branch.
        pub name: Option<String>,
    }

    /// A file of a check-in.
    pub struct FileName {
        /// Path from the root of the tree.
        pub path: String,
        /// Which check-in; default: the tip of the main branch.
        pub checkin: Option<String>,
    }

    /// A file, whatever its version.
    pub struct FileHistory {
        /// Path from the root of the tree.
        pub path: String,
        /// At most so many; default 100, at most 1,000.
        pub limit: Option<u32>,
    }

    /// What to compare.
    pub struct Diff {
        /// The old check-in; default: the first parent of `to`.
        pub from: Option<String>,
        /// The new check-in.
        pub to: String,
        /// Only this file.
        pub path: Option<String>,
        /// Unchanged lines around a change; default 5.
        pub context: Option<u32>,
    }

    /// What happens to a branch.
    #[derive(Copy, Eq, PartialEq)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum BranchAction { Start, Close, Reopen }

    /// A branch, and what happens to it.
    pub struct EditBranch {
        /// What happens.
        pub action: BranchAction,
        /// Its name.
        pub name: String,
        /// To start one: where; default: the tip of the main branch.
        pub basis: Option<String>,
        /// To start one: kept out of sync.
        pub private: Option<bool>,
    }

    /// A tag, and what happens to it.
    pub struct EditTag {
        /// Its name.
        pub name: String,
        /// The check-in.
        pub checkin: String,
        /// Take it off instead of putting it on.
        pub remove: Option<bool>,
    }

    /// A title.
    pub struct Title {
        /// As it is listed.
        pub title: String,
    }

    /// A wiki page to be written.
    pub struct WikiWrite {
        /// Its title.
        pub title: String,
        /// The whole text; empty deletes the page.
        pub text: String,
        /// Default: `text/x-markdown`.
        pub mimetype: Option<String>,
    }

    /// The name of an unversioned file.
    pub struct UvName {
        /// As it is listed.
        pub name: String,
    }

    /// An unversioned file to be written.
    pub struct UvWrite {
        /// Its name.
        pub name: String,
        /// All of it.
        pub bytes: Bytes,
    }

    /// What to set. What is left out stays as it is; null takes it away.
    #[derive(Default)]
    pub struct Configure {
        /// Who makes check-ins here.
        pub user: Option<String>,
        /// Where to sync with; a login in it is taken over.
        pub remote: Option<String>,
        /// Login at the remote.
        pub remote_user: Option<String>,
        /// Its password, kept on this device; empty forgets it.
        pub password: Option<String>,
        /// What its people call the project.
        pub project_name: Option<String>,
    }

    /// An export or import. What follows of it has to say the same name: another tab may have begun another one.
    pub struct Transfer {
        /// Any name that nobody else makes up.
        pub transfer: String,
    }

    /// The end of an export.
    pub struct ExportEnd {
        /// Which; default: all.
        pub transfer: Option<String>,
    }

    /// A piece of an export.
    pub struct ExportRead {
        /// Of which.
        pub transfer: String,
        /// Bytes from the begin of the file.
        pub offset: u64,
        /// Bytes, at most 16 MiB; fewer come at the end of the file.
        pub length: u32,
    }

    /// A file to be imported.
    pub struct ImportBegin {
        /// Its name from now on; one that was under way is given up.
        pub transfer: String,
        /// Bytes.
        pub size: u64,
    }

    /// A piece of an import.
    pub struct ImportWrite {
        /// Of which.
        pub transfer: String,
        /// The next bytes.
        pub bytes: Bytes,
    }
}

#[cfg(test)]
mod typescript;
