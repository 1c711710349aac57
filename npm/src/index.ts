/**
 * A whole Fossil repository in a browser tab.
 *
 * Importing this does nothing but define; it is safe on a server.
 */

export { LeafError } from "./error.js"
export {
  Leaf, type CommandOptions, type CommitOptions, type ConnectOptions, type FileData, type LeafOptions, type RemoteOptions, type TimelineRequest,
} from "./leaf.js"
export type { Endpoint, Joined, Joiner, KeyedConnection } from "./keyed.js"
export type { LeafEvents, SyncStatus } from "./messages.js"
export type {
  ArtifactContent, Branch, Changed, ChangedFile, ChangeKind, CheckinDetail, CloneResult, Code, Committed, DiffLine, EventKind,
  FailureBlame, FileContent, FileDiff, FileEntry, FileList, FileVersion, Guest, Hunk, Info, LeafState, LineKind, MeshState, MeshStatus, Peer, Progress, Span,
  SyncResult, Tag, TimelineEntry, TimelinePage, UvFile, VerifyResult, WikiPage, WikiSummary,
} from "./protocol.js"
