// Generated from leaf-wasm/src/protocol.rs by `cargo test -p leaf-wasm`. Not to be edited.

/**
 * An invitation to be kept.
 */
export type AddInvite = { 
/**
 * The public half of what the ticket stands for.
 */
key: string, 
/**
 * What to call the guest; empty: as it calls itself.
 */
name: string, 
/**
 * What it may do, in Fossil's letters.
 */
capabilities: string, 
/**
 * Until when it may come.
 */
expires: number, };

/**
 * Somebody who has proved that it holds a ticket.
 */
export type Admit = { 
/**
 * Its key.
 */
peer: string, 
/**
 * The public half of what the ticket stands for.
 */
invite: string, 
/**
 * What it calls itself.
 */
name: string, };

/**
 * Somebody who was let in.
 */
export type Admitted = { 
/**
 * To this project.
 */
project: string, 
/**
 * With these letters.
 */
capabilities: string, };

/**
 * A sync message.
 */
export type Answer = { 
/**
 * The key of whoever sent it.
 */
peer: string, 
/**
 * For which project, as it says; absent: the only one.
 */
place?: string, 
/**
 * How it is packed.
 */
contentType: string, 
/**
 * All of it.
 */
body: Bytes, };

/**
 * The answer to a sync message.
 */
export type Answered = { 
/**
 * How it is packed.
 */
contentType: string, 
/**
 * All of it.
 */
body: Bytes, 
/**
 * Artifacts and unversioned files that came.
 */
received: number, };

/**
 * An artifact.
 */
export type ArtifactContent = { 
/**
 * Its name in full.
 */
hash: string, 
/**
 * All of it.
 */
bytes: Bytes, };

/**
 * A branch.
 */
export type Branch = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its newest check-in.
 */
tip: string, 
/**
 * When that was made.
 */
time: number, 
/**
 * Check-ins on it.
 */
checkins: number, 
/**
 * Closed against further check-ins.
 */
isClosed: boolean, 
/**
 * Kept out of sync.
 */
isPrivate: boolean, };

/**
 * What happens to a branch.
 */
export type BranchAction = "start" | "close" | "reopen";

/**
 * Bytes.
 */
export type Bytes = Uint8Array;

/**
 * Somebody who calls by key.
 */
export type Caller = { 
/**
 * Its key.
 */
peer: string, 
/**
 * It comes with a ticket.
 */
joins: boolean, };

/**
 * How a file differs from the parent's.
 */
export type ChangeKind = "added" | "changed" | "removed" | "renamed";

/**
 * A change that was made.
 */
export type Changed = { 
/**
 * The artifact that says so.
 */
hash: string, };

/**
 * A file that a check-in changed.
 */
export type ChangedFile = { 
/**
 * Its path; the old one if it was removed.
 */
path: string, 
/**
 * What it was called before.
 */
oldPath: string | null, 
/**
 * In which way.
 */
change: ChangeKind, 
/**
 * Its content; null if it was removed.
 */
hash: string | null, };

/**
 * One check-in in full.
 */
export type CheckinDetail = { 
/**
 * As in the timeline.
 */
entry: TimelineEntry, 
/**
 * Check-ins that continue or merge it.
 */
children: Array<string>, 
/**
 * What it changed against its first parent.
 */
files: Array<ChangedFile>, 
/**
 * The format of the comment, if it is not Fossil's own.
 */
mimetype: string | null, };

/**
 * Where from, and what.
 */
export type Clone = { 
/**
 * `https://[user@]host[:port][/path]`.
 */
url: string, 
/**
 * Login at the server; default: the one in the URL, else nobody.
 */
user?: string, 
/**
 * Its password.
 */
password?: string, 
/**
 * Keep the password on this device, for later syncs.
 */
remember?: boolean, 
/**
 * Private branches, too.
 */
private?: boolean, 
/**
 * Unversioned files, too; default: yes.
 */
unversioned?: boolean, };

/**
 * What a clone did.
 */
export type CloneResult = { 
/**
 * Artifacts that came in this run; those of an earlier run that was cut off are not among them.
 */
artifacts: number, 
/**
 * All artifacts that were verified.
 */
verified: number, 
/**
 * Requests.
 */
rounds: number, 
/**
 * Bytes of replies as they went over the wire.
 */
bytesReceived: number, 
/**
 * Bytes of requests.
 */
bytesSent: number, 
/**
 * Milliseconds: until everything was here, until it was verified, until it was linked.
 */
elapsedMs: [number, number, number], 
/**
 * What the server said that people should hear.
 */
remarks: Array<string>, };

/**
 * Stable names of failures.
 */
export type Code = "aborted" | "badArguments" | "busy" | "damaged" | "exists" | "empty" | "cloning" | "wouldFork" | "nothingChanged" | "notFound" | "refused" | "quotaExceeded" | "unsupported" | "locked" | "network" | "notFossil" | "denied" | "wrongProject" | "badPeer" | "storage" | "internal";

/**
 * What a page asks of a repository.
 */
export type Command = { "info": Nothing } | { "status": Nothing } | { "create": Create } | { "clone": Clone } | { "sync": Sync } | { "commit": Commit } | { "timeline": Timeline } | { "checkin": Name } | { "listFiles": Name } | { "readFile": FileName } | { "fileHistory": FileHistory } | { "readArtifact": Name } | { "diff": Diff } | { "branches": Nothing } | { "editBranch": EditBranch } | { "tags": Nothing } | { "editTag": EditTag } | { "wikiList": Nothing } | { "wikiRead": Title } | { "wikiWrite": WikiWrite } | { "uvList": Nothing } | { "uvRead": UvName } | { "uvWrite": UvWrite } | { "uvRemove": UvName } | { "peers": Nothing } | { "guests": Nothing } | { "removeGuest": GuestId } | { "addInvite": AddInvite } | { "welcome": Caller } | { "admit": Admit } | { "answer": Answer } | { "verify": Nothing } | { "configure": Configure } | { "exportBegin": Transfer } | { "exportRead": ExportRead } | { "exportEnd": ExportEnd } | { "importBegin": ImportBegin } | { "importWrite": ImportWrite } | { "importEnd": Transfer };

/**
 * A check-in to be made.
 */
export type Commit = { 
/**
 * Why.
 */
message: string, 
/**
 * What happens to the parent's files, in this order.
 */
changes: Array<FileChange>, 
/**
 * The check-in or branch to build on; default: the tip of `branch`, else of the main branch.
 */
parent?: string, 
/**
 * The branch: the parent's own, or a new one. One that exists gives the parent, unless that is named.
 */
branch?: string, 
/**
 * Tags on the check-in.
 */
tags?: Array<string>, 
/**
 * Check-ins merged in.
 */
merges?: Array<string>, 
/**
 * The format of the message, if it is not Fossil's own: `text/x-markdown`, `text/plain`.
 */
mimetype?: string, 
/**
 * Go ahead where the branch would fork.
 */
allowFork?: boolean, 
/**
 * Keep it out of sync.
 */
private?: boolean, 
/**
 * Close the branch with it.
 */
close?: boolean, };

/**
 * A check-in that was made.
 */
export type Committed = { 
/**
 * Its name.
 */
hash: string, 
/**
 * The branch it is on.
 */
branch: string, };

/**
 * What to set. What is left out stays as it is; null takes it away.
 */
export type Configure = { 
/**
 * Who makes check-ins here.
 */
user?: string, 
/**
 * Where to sync with; a login in it is taken over.
 */
remote?: string, 
/**
 * Login at the remote.
 */
remoteUser?: string, 
/**
 * Its password, kept on this device; empty forgets it.
 */
password?: string, 
/**
 * What its people call the project.
 */
projectName?: string, };

/**
 * A NATS server, and as whom it is called.
 */
export type Connect = { 
/**
 * `wss://host[:port][/path]`, or `ws:` on this machine.
 */
nats: string, 
/**
 * Login at the NATS server.
 */
user?: string, 
/**
 * Its password.
 */
password?: string, 
/**
 * A token that is enough by itself.
 */
token?: string, 
/**
 * What subjects begin with; default: `fossil`.
 */
prefix?: string, };

/**
 * A new project.
 */
export type Create = { 
/**
 * What its people call it.
 */
projectName?: string, 
/**
 * Who makes check-ins here.
 */
user?: string, };

/**
 * What to compare.
 */
export type Diff = { 
/**
 * The old check-in; default: the first parent of `to`.
 */
from?: string, 
/**
 * The new check-in.
 */
to: string, 
/**
 * Only this file.
 */
path?: string, 
/**
 * Unchanged lines around a change; default 5.
 */
context?: number, };

/**
 * A line of a diff.
 */
export type DiffLine = { 
/**
 * What it is.
 */
kind: LineKind, 
/**
 * Line number in the old file, from 1; null for added lines.
 */
old: number | null, 
/**
 * Line number in the new file, from 1; null for removed lines.
 */
new: number | null, 
/**
 * The line without its end, in pieces.
 */
spans: Array<Span>, };

/**
 * Which way.
 */
export type Direction = "pull" | "push" | "both";

/**
 * A branch, and what happens to it.
 */
export type EditBranch = { 
/**
 * What happens.
 */
action: BranchAction, 
/**
 * Its name.
 */
name: string, 
/**
 * To start one: where; default: the tip of the main branch.
 */
basis?: string, 
/**
 * To start one: kept out of sync.
 */
private?: boolean, };

/**
 * A tag, and what happens to it.
 */
export type EditTag = { 
/**
 * Its name.
 */
name: string, 
/**
 * The check-in.
 */
checkin: string, 
/**
 * Take it off instead of putting it on.
 */
remove?: boolean, };

/**
 * What kind of thing happened.
 */
export type EventKind = "checkin" | "wiki" | "ticket" | "techNote" | "tag" | "forum";

/**
 * The end of an export.
 */
export type ExportEnd = { 
/**
 * Which; default: all.
 */
transfer?: string, };

/**
 * A piece of an export.
 */
export type ExportRead = { 
/**
 * Of which.
 */
transfer: string, 
/**
 * Bytes from the begin of the file.
 */
offset: number, 
/**
 * Bytes, at most 16 MiB; fewer come at the end of the file.
 */
length: number, };

/**
 * How large the exported file will be.
 */
export type ExportSize = { 
/**
 * Bytes.
 */
size: number, };

/**
 * Why a command failed. Nothing was changed, unless the message says otherwise.
 */
export type Failure = { 
/**
 * Stable; for programs.
 */
code: Code, 
/**
 * Who has to act.
 */
blame: FailureBlame, 
/**
 * For people: what happened, and what to do next.
 */
message: string, };

/**
 * Who has to act on a failure.
 */
export type FailureBlame = "caller" | "peer" | "storage" | "network";

/**
 * What a check-in does to one file.
 */
export type FileChange = { "put": { 
/**
 * Path from the root of the tree.
 */
path: string, 
/**
 * All of it.
 */
bytes: Bytes, 
/**
 * May be run as a program; default: as before.
 */
executable?: boolean, } } | { "remove": { 
/**
 * Path from the root of the tree.
 */
path: string, } } | { "rename": { 
/**
 * The name in the parent.
 */
from: string, 
/**
 * The new name.
 */
to: string, } };

/**
 * A file.
 */
export type FileContent = { 
/**
 * Its path or name.
 */
path: string, 
/**
 * The name of its content.
 */
hash: string, 
/**
 * When it was written, for unversioned files; else the time of the check-in.
 */
time: number, 
/**
 * All of it.
 */
bytes: Bytes, };

/**
 * How one file differs.
 */
export type FileDiff = { 
/**
 * Its path; the old one if it was removed.
 */
path: string, 
/**
 * What it was called before.
 */
oldPath: string | null, 
/**
 * In which way.
 */
change: ChangeKind, 
/**
 * Not text, or too long to compare by lines: there are no hunks.
 */
isBinary: boolean, 
/**
 * Lines added.
 */
added: number, 
/**
 * Lines removed.
 */
removed: number, 
/**
 * What changed.
 */
hunks: Array<Hunk>, };

/**
 * A file of a check-in.
 */
export type FileEntry = { 
/**
 * Path from the root of the tree.
 */
path: string, 
/**
 * Its content.
 */
hash: string, 
/**
 * Bytes; null when the content is not here.
 */
size: number | null, 
/**
 * May be run as a program.
 */
isExecutable: boolean, 
/**
 * A symbolic link: its content is the path it points to.
 */
isLink: boolean, };

/**
 * A file, whatever its version.
 */
export type FileHistory = { 
/**
 * Path from the root of the tree.
 */
path: string, 
/**
 * At most so many; default 100, at most 1,000.
 */
limit?: number, };

/**
 * The files of a check-in.
 */
export type FileList = { 
/**
 * The check-in.
 */
checkin: string, 
/**
 * In order of their paths.
 */
files: Array<FileEntry>, };

/**
 * A file of a check-in.
 */
export type FileName = { 
/**
 * Path from the root of the tree.
 */
path: string, 
/**
 * Which check-in; default: the tip of the main branch.
 */
checkin?: string, };

/**
 * A version of a file.
 */
export type FileVersion = { 
/**
 * The check-in that made it.
 */
checkin: string, 
/**
 * Its content; null when the check-in removed it.
 */
hash: string | null, 
/**
 * When.
 */
time: number, 
/**
 * Who.
 */
user: string, 
/**
 * The comment of the check-in.
 */
comment: string, };

/**
 * A leaf that may call by key.
 */
export type Guest = { 
/**
 * Its key.
 */
id: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * What it may do, in Fossil's letters.
 */
capabilities: string, 
/**
 * Since when it may.
 */
added: number, 
/**
 * When it called last, to the hour; `null` if never.
 */
seen: number | null, };

/**
 * A leaf that may call.
 */
export type GuestId = { 
/**
 * Its key.
 */
id: string, };

/**
 * Lines that changed, with those around them.
 */
export type Hunk = { 
/**
 * In order.
 */
lines: Array<DiffLine>, };

/**
 * A file to be imported.
 */
export type ImportBegin = { 
/**
 * Its name from now on; one that was under way is given up.
 */
transfer: string, 
/**
 * Bytes.
 */
size: number, };

/**
 * A piece of an import.
 */
export type ImportWrite = { 
/**
 * Of which.
 */
transfer: string, 
/**
 * The next bytes.
 */
bytes: Bytes, };

/**
 * What there is.
 */
export type Info = { 
/**
 * How far this leaf is. What follows says something only when it is `ready`.
 */
state: LeafState, 
/**
 * Which project this is a copy of; empty until it is known.
 */
projectCode: string, 
/**
 * What its people call it.
 */
projectName: string | null, 
/**
 * Who makes check-ins here.
 */
user: string | null, 
/**
 * Where it syncs with; without password.
 */
remote: string | null, 
/**
 * Login at the remote.
 */
remoteUser: string | null, 
/**
 * A password for the remote is kept on this device.
 */
hasPassword: boolean, 
/**
 * Artifacts, whatever their kind.
 */
artifacts: number, 
/**
 * Check-ins.
 */
checkins: number, 
/**
 * Artifacts made here that no server has yet.
 */
unsent: number, 
/**
 * Artifacts known by name whose content is not here.
 */
missing: number, 
/**
 * Bytes of the database file.
 */
bytes: number, 
/**
 * The branch that new check-ins go to unless another is named.
 */
mainBranch: string | null, };

/**
 * How far a leaf is: `empty` before a clone or create, `cloning` while a clone is unfinished, `ready` after.
 */
export type LeafState = "empty" | "cloning" | "ready";

/**
 * What a line of a diff is.
 */
export type LineKind = "same" | "added" | "removed";

/**
 * How the connection to the mesh is.
 */
export type MeshState = "off" | "connecting" | "ready" | "away" | "denied";

/**
 * How the mesh is.
 */
export type MeshStatus = { 
/**
 * How its connection is.
 */
state: MeshState, 
/**
 * Why it is not there.
 */
error: Failure | null, };

/**
 * A name: a hash or its first digits, a tag, a branch, a date, `tip`.
 */
export type Name = { 
/**
 * Default: the tip of the main branch.
 */
name?: string, };

/**
 * No arguments, or nothing to say.
 */
export type Nothing = Record<string, never>;

/**
 * Another leaf of the project.
 */
export type Peer = { 
/**
 * Its name in the mesh.
 */
id: string, 
/**
 * What it calls itself, or who works there.
 */
name: string, 
/**
 * What it calls the repository; empty in a tab.
 */
repository: string, 
/**
 * `native` or `tab`.
 */
kind: string, 
/**
 * Of the program.
 */
version: string, 
/**
 * How it can be reached.
 */
transports: Array<string>, 
/**
 * When it was there last; `null` when it is there now.
 */
lastSeen: number | null, };

/**
 * How far a long command is. At most ten a second.
 */
export type Progress = { 
/**
 * `cloning`, `verifying`, `linking`, `syncing`.
 */
stage: string, 
/**
 * Artifacts so far.
 */
done: number, 
/**
 * Of how many, if that is known.
 */
total: number | null, 
/**
 * Requests so far.
 */
rounds: number, 
/**
 * Bytes of replies so far.
 */
bytesReceived: number, 
/**
 * Bytes of requests so far.
 */
bytesSent: number, };

/**
 * The type of the reply to each command, for TypeScript alone.
 */
export type Replies = { info: Info, status: Status, create: Info, clone: CloneResult, sync: SyncResult, commit: Committed, timeline: TimelinePage, checkin: CheckinDetail, listFiles: FileList, readFile: FileContent, fileHistory: Array<FileVersion>, readArtifact: ArtifactContent, diff: Array<FileDiff>, branches: Array<Branch>, editBranch: Changed, tags: Array<Tag>, editTag: Changed, wikiList: Array<WikiSummary>, wikiRead: WikiPage, wikiWrite: Changed, uvList: Array<UvFile>, uvRead: FileContent, uvWrite: UvFile, uvRemove: Nothing, peers: Array<Peer>, guests: Array<Guest>, removeGuest: Nothing, addInvite: Nothing, welcome: Welcomed, admit: Admitted, answer: Answered, verify: VerifyResult, configure: Info, exportBegin: ExportSize, exportRead: Bytes, exportEnd: Nothing, importBegin: Nothing, importWrite: Nothing, importEnd: Info, };

/**
 * A piece of a line.
 */
export type Span = { 
/**
 * Text.
 */
text: string, 
/**
 * Differs from the line it replaces or is replaced by.
 */
isChanged: boolean, };

/**
 * What of a leaf changes often.
 */
export type Status = { 
/**
 * How far it is.
 */
state: LeafState, 
/**
 * Where it syncs with; without password.
 */
remote: string | null, 
/**
 * Login at the remote.
 */
remoteUser: string | null, 
/**
 * Artifacts made here that no server has yet.
 */
unsent: number, };

/**
 * With whom, and what.
 */
export type Sync = { 
/**
 * Default: both.
 */
direction?: Direction, 
/**
 * Default: the remote.
 */
url?: string, 
/**
 * Login at the server; default: the one that is kept, or in the URL.
 */
user?: string, 
/**
 * Its password; default: the one that is kept.
 */
password?: string, 
/**
 * Private branches, too.
 */
private?: boolean, 
/**
 * Unversioned files, too; default: yes.
 */
unversioned?: boolean, };

/**
 * What a sync did.
 */
export type SyncResult = { 
/**
 * Artifacts received.
 */
received: number, 
/**
 * Artifacts sent.
 */
sent: number, 
/**
 * Unversioned files received.
 */
uvReceived: number, 
/**
 * Unversioned files sent.
 */
uvSent: number, 
/**
 * Requests.
 */
rounds: number, 
/**
 * Bytes of replies as they went over the wire.
 */
bytesReceived: number, 
/**
 * Bytes of requests.
 */
bytesSent: number, 
/**
 * Artifacts known by name that did not come.
 */
missing: number, 
/**
 * What the server said that people should hear.
 */
remarks: Array<string>, };

/**
 * A tag and where it is.
 */
export type Tag = { 
/**
 * Its name.
 */
name: string, 
/**
 * The newest check-in that has it.
 */
checkin: string, 
/**
 * When that was made.
 */
time: number, 
/**
 * How many have it.
 */
count: number, };

/**
 * Which entries.
 */
export type Timeline = { 
/**
 * At most so many; default 50, at most 1,000.
 */
limit?: number, 
/**
 * The `next` of the page before.
 */
after?: string, 
/**
 * Only check-ins.
 */
checkins?: boolean, 
/**
 * Only check-ins of this branch.
 */
branch?: string, 
/**
 * Only by this user.
 */
user?: string, };

/**
 * One thing that happened.
 */
export type TimelineEntry = { 
/**
 * Which artifact says so.
 */
hash: string, 
/**
 * What kind of thing.
 */
kind: EventKind, 
/**
 * When.
 */
time: number, 
/**
 * Who, after any later correction.
 */
user: string, 
/**
 * What was said, after any later correction.
 */
comment: string, 
/**
 * The branch of a check-in.
 */
branch: string | null, 
/**
 * Symbolic tags, sorted; the branch is not among them.
 */
tags: Array<string>, 
/**
 * Parents of a check-in, the one it continues first.
 */
parents: Array<string>, 
/**
 * A check-in without child on its branch.
 */
isLeaf: boolean, 
/**
 * A check-in with more than one parent.
 */
isMerge: boolean, 
/**
 * Closed against further check-ins.
 */
isClosed: boolean, 
/**
 * Kept out of sync.
 */
isPrivate: boolean, 
/**
 * Made here, and no server has it yet.
 */
isUnsent: boolean, };

/**
 * Entries of the timeline.
 */
export type TimelinePage = { 
/**
 * Newest first.
 */
entries: Array<TimelineEntry>, 
/**
 * What to give as `after` for the next page; null at the end.
 */
next: string | null, };

/**
 * A title.
 */
export type Title = { 
/**
 * As it is listed.
 */
title: string, };

/**
 * An export or import. What follows of it has to say the same name: another tab may have begun another one.
 */
export type Transfer = { 
/**
 * Any name that nobody else makes up.
 */
transfer: string, };

/**
 * An unversioned file.
 */
export type UvFile = { 
/**
 * Its name.
 */
name: string, 
/**
 * The name of its content.
 */
hash: string, 
/**
 * When it was written.
 */
time: number, 
/**
 * Bytes.
 */
size: number, };

/**
 * The name of an unversioned file.
 */
export type UvName = { 
/**
 * As it is listed.
 */
name: string, };

/**
 * An unversioned file to be written.
 */
export type UvWrite = { 
/**
 * Its name.
 */
name: string, 
/**
 * All of it.
 */
bytes: Bytes, };

/**
 * What verification found.
 */
export type VerifyResult = { 
/**
 * Whether everything is as it should be.
 */
isSound: boolean, 
/**
 * Artifacts that are what their names say.
 */
artifacts: number, 
/**
 * Bytes of them.
 */
bytes: number, 
/**
 * Artifacts known by name whose content is not here; no fault.
 */
missing: number, 
/**
 * What is wrong, a line each.
 */
faults: Array<string>, };

/**
 * Whether somebody is let in.
 */
export type Welcomed = { 
/**
 * It is.
 */
isWelcome: boolean, };

/**
 * A wiki page.
 */
export type WikiPage = { 
/**
 * Its title.
 */
title: string, 
/**
 * Its newest version.
 */
hash: string, 
/**
 * When that was written.
 */
time: number, 
/**
 * Who wrote it.
 */
user: string, 
/**
 * `text/x-markdown`, `text/plain`, or `text/x-fossil-wiki`.
 */
mimetype: string, 
/**
 * The whole text.
 */
text: string, };

/**
 * A wiki page in the list of all. Deleted ones are left out.
 */
export type WikiSummary = { 
/**
 * Its title.
 */
title: string, 
/**
 * Its newest version.
 */
hash: string, 
/**
 * When that was written.
 */
time: number, };

/**
 * A wiki page to be written.
 */
export type WikiWrite = { 
/**
 * Its title.
 */
title: string, 
/**
 * The whole text; empty deletes the page.
 */
text: string, 
/**
 * Default: `text/x-markdown`.
 */
mimetype?: string, };
