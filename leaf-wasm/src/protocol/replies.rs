//! What a page gets: replies, and the events before them.

use super::{Bytes, Failure};

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
        /// Login at the remote.
        pub remote_user: Option<String>,
        /// Artifacts made here that no server has yet.
        pub unsent: u64,
    }

    /// How the connection to the mesh is.
    #[derive(Copy, Default, Eq, PartialEq)]
    pub enum MeshState {
        /// None is wanted.
        #[default] Off,
        /// On its way for the first time.
        Connecting,
        /// What is new elsewhere comes at once, and what is made here goes out at once.
        Ready,
        /// Lost; it is tried again by itself.
        Away,
        /// The server wants other credentials.
        Denied,
    }

    /// How the mesh is.
    #[derive(Default)]
    pub struct MeshStatus {
        /// How its connection is.
        pub state: MeshState,
        /// Why it is not there.
        pub error: Option<Failure>,
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

    /// Another leaf of the project.
    #[derive(Default)]
    pub struct Peer {
        /// Its name in the mesh.
        pub id: String,
        /// What it calls itself, or who works there.
        pub name: String,
        /// What it calls the repository; empty in a tab.
        pub repository: String,
        /// `native` or `tab`.
        pub kind: String,
        /// Of the program.
        pub version: String,
        /// How it can be reached.
        pub transports: Vec<String>,
        /// When it was there last; `null` when it is there now.
        pub last_seen: Option<f64>,
    }

    /// A leaf that may call by key.
    pub struct Guest {
        /// Its key.
        pub id: String,
        /// What people call it.
        pub name: String,
        /// What it may do, in Fossil's letters.
        pub capabilities: String,
        /// Since when it may.
        pub added: f64,
        /// When it called last, to the hour; `null` if never.
        pub seen: Option<f64>,
    }

    /// Whether somebody is let in.
    pub struct Welcomed {
        /// It is.
        pub is_welcome: bool,
    }

    /// Somebody who was let in.
    pub struct Admitted {
        /// To this project.
        pub project: String,
        /// With these letters.
        pub capabilities: String,
    }

    /// The answer to a sync message.
    pub struct Answered {
        /// How it is packed.
        pub content_type: String,
        /// All of it.
        pub body: Bytes,
        /// Artifacts and unversioned files that came.
        pub received: u64,
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
}
