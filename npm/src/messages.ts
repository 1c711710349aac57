/**
 * What page, worker and the workers of other tabs say to each other.
 *
 * ```text
 *   page ──PageMessage──▶ worker ──TabMessage (BroadcastChannel)──▶ the leader's worker
 *   page ◀─WorkerMessage─ worker ◀────────────TabMessage───────────┘
 * ```
 *
 * A page talks to its own worker alone. That worker does the command if it leads, and passes it on if it does not.
 */

import type { Command, Connect, Failure, LeafState, MeshStatus, Progress } from "./protocol.js"

/** How syncing goes, for all tabs. */
export interface SyncStatus {
  /** `waiting`: it failed and will be tried again at `nextTry`. */
  phase: "idle" | "syncing" | "waiting" | "offline" | "failed"
  /** Artifacts made here that no server has yet. */
  unsent: number
  /** When the last sync ended well; milliseconds since 1970. */
  lastSync: number | null
  /** Why the last sync failed. */
  error: Pick<Failure, "code" | "message"> | null
  /** When the next one is tried. */
  nextTry: number | null
  /** Syncs by itself. */
  autosync: boolean
}

/** What a leaf tells its listeners. */
export interface LeafEvents {
  /** Something in the repository changed, in this tab or another: what is shown may be old. */
  change: { kinds: string[] }
  /** Syncing begins, ends, fails, waits. */
  sync: SyncStatus
  /** The connection to the mesh comes, goes, is refused. */
  mesh: MeshStatus
  /** How far a long command of this tab is. */
  progress: Progress & { id: string }
  /** This tab has become the one that holds the database, or learned of another. */
  leader: { isLeader: boolean; epoch: number }
}

/** How a repository is opened. */
export interface Opening {
  name: string
  isOnline: boolean
  wasmUrl?: string | undefined
  irohWasmUrl?: string | undefined
  autosync?: boolean | undefined
  intervalMs?: number | undefined
  /** The mesh that this page wants the leaf to take part in, also when its worker comes to lead later. */
  mesh?: Connect | undefined
}

/** What stands for all tabs. */
export interface Standing {
  epoch: number
  state: LeafState
  sync: SyncStatus
  mesh: MeshStatus
}

export type PageMessage =
  | ({ kind: "open" } & Opening)
  | { kind: "call"; id: string; command: CommandMessage }
  | { kind: "abort"; id: string }
  | { kind: "visible" }
  | { kind: "network"; isOnline: boolean }
  | { kind: "close" }

/** A command of the engine, or one that the worker does itself. */
export type CommandMessage =
  | Command
  | { setAutosync: { on: boolean } }
  | { connect: Connect }
  | { disconnect: Record<string, never> }
  | { reach: { relays: string[] } }
  | { endpoint: Record<string, never> }
  | { join: { ticket: string; name: string } }
  | { invite: { name: string; capabilities: string; expires: number } }

export type WorkerMessage =
  | { kind: "opened"; isLeader: boolean; standing: Standing }
  | { kind: "refused"; failure: Failure }
  | { kind: "reply"; id: string; value: unknown }
  | { kind: "failure"; id: string; failure: Failure }
  | { kind: "progress"; id: string; progress: Progress }
  | { kind: "standing"; isLeader: boolean; standing: Standing }
  | { kind: "change"; kinds: string[] }
  | { kind: "crashed" }
  | { kind: "closed" }

export type TabMessage =
  | { kind: "who" }
  | { kind: "leader"; standing: Standing }
  | { kind: "standing"; standing: Standing }
  | { kind: "call"; epoch: number; from: string; id: string; command: CommandMessage }
  | { kind: "abort"; id: string }
  | { kind: "visible" }
  | { kind: "network"; isOnline: boolean }
  | { kind: "reply"; to: string; id: string; value: unknown }
  | { kind: "failure"; to: string; id: string; failure: Failure }
  | { kind: "progress"; to: string; id: string; progress: Progress }
  | { kind: "change"; kinds: string[] }

/** Commands that change the repository. The others are not worth telling other tabs of. */
export const WRITES: ReadonlySet<string> = new Set([
  "create", "clone", "commit", "editBranch", "editTag", "wikiWrite", "uvWrite", "uvRemove", "configure", "importEnd", "removeGuest",
])

/** Commands that change everything: one runs at a time, the others wait. */
export const SESSIONS: ReadonlySet<string> = new Set(["clone", "sync", "create", "importEnd"])

/** The name of a command. */
export function nameOf(command: CommandMessage): string {
  return Object.keys(command)[0] ?? ""
}
