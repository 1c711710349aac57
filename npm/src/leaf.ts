/// <reference lib="esnext.disposable" preserve="true" />

/**
 * A repository, from the page's side.
 *
 * Every method is one message to this page's worker and one message back; nothing here touches WebAssembly, and
 * importing this file does nothing.
 */

import { Connection } from "./connection.js"
import { asFailure, failure, LeafError } from "./error.js"
import { exportStream, importBlob } from "./file.js"
import type { Endpoint, Joined } from "./keyed.js"
import type { LeafEvents, SyncStatus } from "./messages.js"
import * as store from "./store.js"
import type {
  ArtifactContent, Branch, Changed, CheckinDetail, CloneResult, Committed, FileChange, FileContent, FileDiff, FileList,
  FileVersion, Guest, Info, LeafState, MeshStatus, Peer, Progress, SyncResult, Tag, TimelineEntry, TimelinePage, UvFile, VerifyResult, WikiPage,
  WikiSummary,
} from "./protocol.js"

/** How a leaf is opened. */
export interface LeafOptions {
  /** Who makes check-ins; kept in the repository. */
  user?: string
  /** Where to sync with; kept in the repository. */
  remote?: string
  /** Sync without being asked; kept on this device. */
  autosync?: boolean | { intervalMs?: number }
  /** Makes the worker, where a bundler does not understand `new URL(.., import.meta.url)`. */
  worker?: () => Worker
  /** Where the worker's script is. */
  workerUrl?: string | URL
  /** Where `leaf.wasm` is. */
  wasmUrl?: string | URL
  /** Where `iroh.wasm` is, which is loaded once this leaf calls by key or is called. */
  irohWasmUrl?: string | URL
}

/** What every long command takes. */
export interface CommandOptions {
  /** Gives it up. What has arrived is kept. */
  signal?: AbortSignal
  /** Hears how far it is, at most ten times a second. */
  onProgress?: (progress: Progress) => void
}

/** What a file may be given as; `null` removes it. */
export type FileData = string | Uint8Array | Blob

/** A check-in to be made. */
export interface CommitOptions {
  message: string
  files?: Record<string, FileData | null>
  renames?: Record<string, string>
  executable?: string[]
  parent?: string
  branch?: string
  tags?: string[]
  merges?: string[]
  mimetype?: string
  allowFork?: boolean
  private?: boolean
  close?: boolean
}

/** Login and scope of a clone or sync. */
export interface RemoteOptions extends CommandOptions {
  user?: string
  password?: string
  private?: boolean
  unversioned?: boolean
}

/** A NATS server, and as whom it is called. */
export interface ConnectOptions {
  /** `wss://[user:password@]host[:port][/path]`; `leaf serve` takes it at `/nats`. `ws:` on this machine. */
  nats: string
  /** Login at the NATS server; for syncs, too, where the leaf has none. */
  user?: string
  password?: string
  /** A token that is enough by itself. */
  token?: string
  /** What subjects begin with; default: `fossil`. */
  prefix?: string
}

/** The timeline: entry by entry, or a page at a time. */
export interface TimelineRequest extends AsyncIterable<TimelineEntry> {
  page(): Promise<TimelinePage>
}

export class Leaf implements AsyncDisposable {
  /** Opens the repository `name` of this device: `empty` if there is none yet. */
  static async open(name: string, options: LeafOptions = {}): Promise<Leaf> {
    const support = store.support()
    if (!support.ok) throw new LeafError(failure("unsupported", "caller", support.reason ?? "this browser cannot hold a leaf"))
    store.checkName(name)
    const leaf = new Leaf(name, await Connection.open(name, options))
    leaf.#options = options
    await leaf.#keep(options)
    return leaf
  }

  /** The repositories on this device. */
  static list = store.list
  /** Deletes a repository of this device; unsent work is lost. No tab may have it open. */
  static delete = store.remove
  /** How much room there is. */
  static estimate = store.estimate
  /** Asks the browser to keep what is stored. After a click, best. */
  static persist = store.persist
  /** Whether this browser, in this context, can hold a leaf. */
  static support = store.support

  #options: LeafOptions = {}
  readonly #connection: Connection

  private constructor(readonly name: string, connection: Connection) {
    this.#connection = connection
  }

  /** Keeps the user and the remote that are asked for. What is kept already is not written again: all tabs would hear of it. */
  async #keep({ user, remote }: LeafOptions): Promise<void> {
    if (this.state !== "ready" || (user === undefined && remote === undefined)) return
    const now = await this.info()
    const change = {
      ...(user !== undefined && user !== now.user && { user }),
      ...(remote !== undefined && !isRemoteOf(now, withLogin(remote)) && { remote }),
    }
    if (Object.keys(change).length > 0) await this.configure(change)
  }

  /** How far it is. */
  get state(): LeafState {
    return this.#connection.standing.state
  }

  /** Whether this tab's worker holds the database. */
  get isLeader(): boolean {
    return this.#connection.isLeader
  }

  /** How syncing goes. */
  get syncStatus(): SyncStatus {
    return this.#connection.standing.sync
  }

  /** How the mesh is. */
  get meshStatus(): MeshStatus {
    return this.#connection.standing.mesh
  }

  /** What there is. */
  info(): Promise<Info> {
    return this.#connection.ask("info", {})
  }

  /** Makes a new project. */
  create(options: { projectName?: string; user?: string } = {}): Promise<Info> {
    return this.#connection.ask("create", { ...(this.#options.user !== undefined && { user: this.#options.user }), ...options })
  }

  /** Fetches everything of a server's repository and verifies it; goes on where an earlier clone was cut off. */
  async clone(url: string, options: RemoteOptions & { remember?: boolean } = {}): Promise<CloneResult> {
    const { signal, onProgress, ...rest } = options
    const result = await this.#connection.ask("clone", { ...withLogin(url), ...rest }, { signal, onProgress })
    if (this.#options.user !== undefined) await this.configure({ user: this.#options.user })
    return result
  }

  /** Moves what one side has and the other has not, both ways. */
  sync(options: RemoteOptions & { url?: string } = {}): Promise<SyncResult> {
    return this.#sync("both", options)
  }

  /** Fetches what the remote has. */
  pull(options: RemoteOptions & { url?: string } = {}): Promise<SyncResult> {
    return this.#sync("pull", options)
  }

  /** Sends what the remote has not. */
  push(options: RemoteOptions & { url?: string } = {}): Promise<SyncResult> {
    return this.#sync("push", options)
  }

  #sync(direction: "both" | "pull" | "push", options: RemoteOptions & { url?: string }): Promise<SyncResult> {
    const { signal, onProgress, url, ...rest } = options
    const place = url === undefined ? {} : withLogin(url)
    return this.#connection.ask("sync", { direction, ...place, ...rest }, { signal, onProgress })
  }

  /**
   * Takes part in a NATS mesh: what others of the project make comes at once, and what is made here goes out at once.
   * Resolves when it is connected. A server that cannot be reached is tried again until `disconnect()`, here and
   * whenever the connection is lost; one that refuses is given up.
   */
  async connect(options: ConnectOptions): Promise<void> {
    const { url, ...login } = withLogin(options.nats)
    const nats = url.replace(/^http/, "ws")
    if (!/^wss?:/.test(nats)) {
      throw new LeafError(failure("badArguments", "caller", "a page reaches NATS by WebSocket alone; write wss://host/nats"))
    }
    const { user, password, token, prefix } = { ...login, ...options }
    await this.#connection.connect({
      nats,
      ...(user !== undefined && { user }),
      ...(password !== undefined && { password }),
      ...(token !== undefined && { token }),
      ...(prefix !== undefined && { prefix }),
    })
  }

  /** Takes part no more, in all tabs. */
  disconnect(): Promise<void> {
    return this.#connection.connect(undefined)
  }

  /**
   * Shows a ticket (`leaf invite`, or `invite()` of another tab) at the leaf that made it. From then on this leaf may
   * clone from `url`, or sync with it; both sides show the same `code`.
   */
  join(ticket: string, options: { name?: string } = {}): Promise<Joined> {
    return this.#connection.tell({ join: { ticket: ticket.trim(), name: options.name ?? this.#options.user ?? "" } })
  }

  /** Can be called by key through these relays, now and whenever it is open; the one of `leaf serve --relay` is its own URL. */
  reach(...relays: (string | URL)[]): Promise<Endpoint> {
    return this.#connection.tell({ reach: { relays: relays.map(String) } })
  }

  /** Makes a ticket that lets another leaf in, once. This leaf has to be in reach. */
  invite(options: { name?: string; capabilities?: string; hours?: number } = {}): Promise<{ ticket: string; expires: number }> {
    const { name = "", capabilities = "gio", hours = 24 } = options
    return this.#connection.tell({ invite: { name, capabilities, expires: Date.now() + hours * 3_600_000 } })
  }

  /** The key by which others know this leaf, and who is connected. */
  endpoint(): Promise<Endpoint> {
    return this.#connection.tell({ endpoint: {} })
  }

  /** The leaves that may call this one by key. */
  readonly guests = {
    list: (): Promise<Guest[]> => this.#connection.ask("guests", {}),
    /** Lets one call no more. */
    revoke: async (id: string): Promise<void> => void (await this.#connection.ask("removeGuest", { id })),
  }

  /** Makes a check-in. */
  async commit(options: CommitOptions): Promise<Committed> {
    const { files = {}, renames = {}, executable = [], ...rest } = options
    const changes: FileChange[] = Object.entries(renames).map(([from, to]) => ({ rename: { from, to } }))
    for (const [path, data] of Object.entries(files)) {
      if (data === null) changes.push({ remove: { path } })
      else changes.push({ put: { path, bytes: await bytesOf(data), ...(executable.includes(path) && { executable: true }) } })
    }
    return this.#connection.ask("commit", { ...rest, changes })
  }

  /** What happened, newest first: `for await (const entry of leaf.timeline())`, or `.page()`. */
  timeline(options: { limit?: number; after?: string; checkins?: boolean; branch?: string; user?: string } = {}): TimelineRequest {
    const page = (after?: string): Promise<TimelinePage> =>
      this.#connection.ask("timeline", { ...options, ...(after !== undefined && { after }) })
    return {
      page: () => page(),
      async *[Symbol.asyncIterator]() {
        let next: string | null | undefined
        do {
          const found: TimelinePage = await page(next ?? undefined)
          yield* found.entries
          next = found.next
        } while (next !== null)
      },
    }
  }

  /** One check-in in full; default: the tip of the main branch. */
  checkin(name?: string): Promise<CheckinDetail> {
    return this.#connection.ask("checkin", named(name))
  }

  /** The files of a check-in. */
  listFiles(checkin?: string): Promise<FileList> {
    return this.#connection.ask("listFiles", named(checkin))
  }

  /** One file of a check-in. */
  readFile(path: string, checkin?: string): Promise<FileContent> {
    return this.#connection.ask("readFile", { path, ...(checkin !== undefined && { checkin }) })
  }

  /** One file of a check-in as text. */
  async readText(path: string, checkin?: string): Promise<string> {
    return new TextDecoder().decode((await this.readFile(path, checkin)).bytes)
  }

  /** The check-ins that changed a file, newest first. */
  fileHistory(path: string, options: { limit?: number } = {}): Promise<FileVersion[]> {
    return this.#connection.ask("fileHistory", { path, ...options })
  }

  /** The content of any artifact. */
  readArtifact(name: string): Promise<ArtifactContent> {
    return this.#connection.ask("readArtifact", { name })
  }

  /** What differs between two check-ins; default for `from`: the first parent of `to`. */
  diff(options: { from?: string; to: string; path?: string; context?: number }): Promise<FileDiff[]> {
    return this.#connection.ask("diff", options)
  }

  /** All branches. */
  branches(): Promise<Branch[]> {
    return this.#connection.ask("branches", {})
  }

  /** All tags that are no branches. */
  tags(): Promise<Tag[]> {
    return this.#connection.ask("tags", {})
  }

  /** Starts, closes, opens branches. */
  readonly branch = {
    start: (name: string, options: { basis?: string; private?: boolean } = {}): Promise<Changed> =>
      this.#connection.ask("editBranch", { action: "start", name, ...options }),
    close: (name: string): Promise<Changed> => this.#connection.ask("editBranch", { action: "close", name }),
    reopen: (name: string): Promise<Changed> => this.#connection.ask("editBranch", { action: "reopen", name }),
  }

  /** Puts tags on check-ins and takes them off. */
  readonly tag = {
    add: (name: string, checkin: string): Promise<Changed> => this.#connection.ask("editTag", { name, checkin }),
    remove: (name: string, checkin: string): Promise<Changed> =>
      this.#connection.ask("editTag", { name, checkin, remove: true }),
  }

  /** Wiki pages. */
  readonly wiki = {
    list: (): Promise<WikiSummary[]> => this.#connection.ask("wikiList", {}),
    read: (title: string): Promise<WikiPage> => this.#connection.ask("wikiRead", { title }),
    write: (title: string, text: string, mimetype?: string): Promise<Changed> =>
      this.#connection.ask("wikiWrite", { title, text, ...(mimetype !== undefined && { mimetype }) }),
  }

  /** Unversioned files. */
  readonly uv = {
    list: (): Promise<UvFile[]> => this.#connection.ask("uvList", {}),
    read: (name: string): Promise<FileContent> => this.#connection.ask("uvRead", { name }),
    write: async (name: string, data: FileData): Promise<UvFile> =>
      this.#connection.ask("uvWrite", { name, bytes: await bytesOf(data) }),
    remove: async (name: string): Promise<void> => void (await this.#connection.ask("uvRemove", { name })),
  }

  /** The other leaves of the project: those that are in the mesh now, and those that were seen. */
  peers(): Promise<Peer[]> {
    return this.#connection.ask("peers", {})
  }

  /** Checks every artifact and the database itself. */
  verify(options: CommandOptions = {}): Promise<VerifyResult> {
    return this.#connection.ask("verify", {}, options)
  }

  /** Sets what is given. */
  async configure(options: {
    user?: string
    remote?: string
    remoteUser?: string
    password?: string
    projectName?: string
    autosync?: boolean
  }): Promise<Info> {
    const { autosync, remote, ...rest } = options
    if (autosync !== undefined) await this.#connection.setAutosync(autosync)
    const { url, user, password } = remote === undefined ? {} : withLogin(remote)
    return this.#connection.ask("configure", {
      ...(url !== undefined && { remote: url }),
      ...(user !== undefined && { remoteUser: user }),
      ...(password !== undefined && { password }),
      ...rest,
    })
  }

  /** The `.fossil` file as it is now, for any program that knows Fossil. */
  exportFile(): Promise<ReadableStream<Uint8Array> & { size: number }> {
    return exportStream(this.#connection)
  }

  /** Takes a `.fossil` file into an empty leaf. */
  importFile(file: Blob): Promise<Info> {
    return importBlob(this.#connection, file)
  }

  /** Listens. Returns what ends it. */
  on<K extends keyof LeafEvents>(event: K, listener: (event: LeafEvents[K]) => void): () => void {
    return this.#connection.on(event, listener)
  }

  /** Closes it; another tab takes the lead if this one had it. */
  close(): Promise<void> {
    return this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function named(name: string | undefined): { name?: string } {
  return name === undefined ? {} : { name }
}

/** The URL without the login in it, and that login. */
function withLogin(given: string): { url: string; user?: string; password?: string } {
  let url: URL
  try {
    url = new URL(given, globalThis.location?.href)
  } catch (error) {
    throw new LeafError({ ...asFailure(error), code: "badArguments", message: `${given} is no URL; write https://host/path` })
  }
  const login = {
    ...(url.username && { user: decodeURIComponent(url.username) }),
    ...(url.password && { password: decodeURIComponent(url.password) }),
  }
  url.username = ""
  url.password = ""
  // The project that is meant, where there are several.
  if (!url.protocol.startsWith("ws")) url.hash = ""
  return { url: url.href, ...login }
}

/** Whether a leaf syncs with this place, with this login. A password is never told, so one that is given may be another. */
function isRemoteOf(info: Info, { url, user, password }: { url: string; user?: string; password?: string }): boolean {
  return url === info.remote && (user === undefined || user === info.remoteUser) && password === undefined
}

async function bytesOf(data: FileData): Promise<Uint8Array> {
  if (typeof data === "string") return new TextEncoder().encode(data)
  return data instanceof Uint8Array ? data : new Uint8Array(await data.arrayBuffer())
}
