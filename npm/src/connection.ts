/**
 * A page's line to its worker: commands, their replies, and what the worker tells without being asked.
 */

import { asFailure, failure, LeafError } from "./error.js"
import type { CommandMessage, LeafEvents, PageMessage, Standing, WorkerMessage } from "./messages.js"
import type { Command, Connect, Failure, Progress, Replies } from "./protocol.js"
import type { CommandOptions, LeafOptions } from "./leaf.js"

/** The arguments of a command. */
type Arguments<K> = Command extends infer C ? (C extends Record<K & string, infer A> ? A : never) : never

interface Waiter {
  command: CommandMessage
  resolve(value: unknown): void
  reject(error: LeafError): void
  onProgress: ((progress: Progress) => void) | undefined
}

type Listeners = { [K in keyof LeafEvents]: Set<(event: LeafEvents[K]) => void> }

/** How often a worker that crashes is started anew without a command having succeeded in between. */
const CRASHES_MAX = 3

/** How long a worker is waited for that was told to end. Units: milliseconds. */
const CLOSE_MS = 2_000

export class Connection {
  standing: Standing
  isLeader: boolean
  #worker: Worker
  #crashes = 0
  #isClosed = false
  #closed: (() => void) | undefined
  /** The mesh that was asked for: a worker that is started anew connects to it again. */
  #mesh: Connect | undefined
  /** Why there is no worker any more. */
  #broken: Failure | undefined
  readonly #start: (mesh: Connect | undefined) => Promise<Opened>
  readonly #waiters = new Map<string, Waiter>()
  readonly #listeners: Listeners = { change: new Set(), sync: new Set(), progress: new Set(), leader: new Set(), mesh: new Set() }

  private constructor(opened: Opened, start: (mesh: Connect | undefined) => Promise<Opened>) {
    this.standing = opened.standing
    this.isLeader = opened.isLeader
    this.#worker = opened.worker
    this.#start = start
    this.#listen()
    globalThis.document?.addEventListener("visibilitychange", this.#seen)
    globalThis.addEventListener("online", this.#network)
    globalThis.addEventListener("offline", this.#network)
  }

  /** Starts the worker and waits until it, or another tab's, has the repository open. */
  static async open(name: string, options: LeafOptions): Promise<Connection> {
    const start = (mesh: Connect | undefined): Promise<Opened> => startWorker(name, options, mesh)
    return new Connection(await start(undefined), start)
  }

  /** Asks for one command. */
  ask<K extends keyof Replies>(
    name: K,
    args: Arguments<K>,
    { signal, onProgress }: { [O in keyof CommandOptions]?: CommandOptions[O] | undefined } = {},
  ): Promise<Replies[K]> {
    return this.#call({ [name]: args } as unknown as Command, signal, onProgress) as Promise<Replies[K]>
  }

  /** Asks for what the worker does itself. */
  tell<T>(command: CommandMessage): Promise<T> {
    return this.#call(command) as Promise<T>
  }

  /** Switches syncing without being asked. */
  async setAutosync(on: boolean): Promise<void> {
    await this.#call({ setAutosync: { on } })
  }

  /** Takes part in a mesh, or in none any more. */
  async connect(mesh: Connect | undefined): Promise<void> {
    this.#mesh = mesh
    await this.#call(mesh ? { connect: mesh } : { disconnect: {} })
  }

  #call(command: CommandMessage, signal?: AbortSignal, onProgress?: (progress: Progress) => void): Promise<unknown> {
    const id = crypto.randomUUID()
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new LeafError(failure("empty", "caller", "this leaf is closed; open it again")))
      if (this.#broken) return reject(new LeafError(this.#broken))
      if (signal?.aborted) return reject(new LeafError(failure("aborted", "caller", "given up before it began")))
      const abort = (): void => this.#post({ kind: "abort", id })
      signal?.addEventListener("abort", abort)
      const settled = (): void => signal?.removeEventListener("abort", abort)
      this.#waiters.set(id, {
        command,
        resolve: (value) => (settled(), resolve(value)),
        reject: (error) => (settled(), reject(error)),
        onProgress,
      })
      this.#post({ kind: "call", id, command })
    })
  }

  on<K extends keyof LeafEvents>(event: K, listener: (event: LeafEvents[K]) => void): () => void {
    this.#listeners[event].add(listener)
    return () => void this.#listeners[event].delete(listener)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    globalThis.document?.removeEventListener("visibilitychange", this.#seen)
    globalThis.removeEventListener("online", this.#network)
    globalThis.removeEventListener("offline", this.#network)
    for (const waiter of this.#waiters.values()) {
      waiter.reject(new LeafError(failure("aborted", "caller", "the leaf was closed before the reply came")))
    }
    this.#waiters.clear()
    await new Promise<void>((resolve) => {
      this.#closed = resolve
      setTimeout(resolve, CLOSE_MS)
      this.#post({ kind: "close" })
    })
    // It has ended by itself, or will not.
    this.#worker.terminate()
  }

  #post(message: PageMessage): void {
    this.#worker.postMessage(message)
  }

  #listen(): void {
    this.#worker.addEventListener("message", (event: MessageEvent<WorkerMessage>) => this.#hear(event.data))
    this.#worker.addEventListener("error", () => void this.#restart())
  }

  #hear(message: WorkerMessage): void {
    switch (message.kind) {
      case "reply":
        this.#crashes = 0
        this.#settle(message.id, (waiter) => waiter.resolve(message.value))
        break
      case "failure":
        this.#settle(message.id, (waiter) => waiter.reject(new LeafError(message.failure)))
        break
      case "progress":
        this.#waiters.get(message.id)?.onProgress?.(message.progress)
        this.#emit("progress", { ...message.progress, id: message.id })
        break
      case "opened":
      case "standing":
        this.#stand(message.standing, message.isLeader)
        break
      case "change":
        this.#emit("change", { kinds: message.kinds })
        break
      case "crashed":
        void this.#restart()
        break
      case "closed":
        this.#closed?.()
        break
      case "refused":
        this.#failAll(message.failure)
        break
    }
  }

  #settle(id: string, how: (waiter: Waiter) => void): void {
    const waiter = this.#waiters.get(id)
    this.#waiters.delete(id)
    if (waiter) how(waiter)
  }

  #stand(standing: Standing, isLeader: boolean): void {
    const hasMoved = standing.epoch !== this.standing.epoch || isLeader !== this.isLeader
    const { state, error } = this.standing.mesh
    const isOther = standing.mesh.state !== state || standing.mesh.error?.message !== error?.message
    this.standing = standing
    this.isLeader = isLeader
    if (hasMoved) this.#emit("leader", { isLeader, epoch: standing.epoch })
    this.#emit("sync", standing.sync)
    if (isOther) this.#emit("mesh", standing.mesh)
  }

  #emit<K extends keyof LeafEvents>(event: K, data: LeafEvents[K]): void {
    for (const listener of this.#listeners[event]) listener(data)
  }

  /** Starts another worker and asks it for everything that is unanswered. */
  async #restart(): Promise<void> {
    this.#worker.terminate()
    this.#crashes += 1
    try {
      if (this.#isClosed) return
      if (this.#crashes > CRASHES_MAX) throw new LeafError(failure("internal", "caller", "the leaf's worker keeps failing; reload the page"))
      const opened = await this.#start(this.#mesh)
      this.#worker = opened.worker
      this.#listen()
      this.#stand(opened.standing, opened.isLeader)
      for (const [id, { command }] of this.#waiters) this.#post({ kind: "call", id, command })
    } catch (error) {
      this.#broken = asFailure(error)
      this.#failAll(this.#broken)
    }
  }

  #failAll(why: Failure): void {
    for (const waiter of this.#waiters.values()) waiter.reject(new LeafError(why))
    this.#waiters.clear()
  }

  /** Chromium tells pages of it, and not their workers. */
  readonly #network = (): void => this.#post({ kind: "network", isOnline: navigator.onLine })

  readonly #seen = (): void => {
    if (document.visibilityState === "visible") this.#post({ kind: "visible" })
  }
}

interface Opened {
  worker: Worker
  standing: Standing
  isLeader: boolean
}

function startWorker(name: string, options: LeafOptions, mesh: Connect | undefined): Promise<Opened> {
  const worker = makeWorker(name, options)
  const { autosync, wasmUrl, irohWasmUrl } = options
  const intervalMs = typeof autosync === "object" ? autosync.intervalMs : undefined
  return new Promise((resolve, reject) => {
    const give = (why: Failure): void => {
      worker.terminate()
      reject(new LeafError(why))
    }
    worker.addEventListener("message", function hear({ data }: MessageEvent<WorkerMessage>) {
      if (data.kind === "refused") give(data.failure)
      if (data.kind !== "opened") return
      worker.removeEventListener("message", hear)
      resolve({ worker, standing: data.standing, isLeader: data.isLeader })
    })
    worker.addEventListener("error", (event) => {
      give(failure("internal", "caller", `the leaf's worker does not start: ${event.message || "its script cannot be loaded"}; see workerUrl and wasmUrl`))
    }, { once: true })
    const message: PageMessage = {
      kind: "open",
      name,
      isOnline: navigator.onLine,
      wasmUrl: wasmUrl === undefined ? undefined : new URL(wasmUrl, document.baseURI).href,
      irohWasmUrl: irohWasmUrl === undefined ? undefined : new URL(irohWasmUrl, document.baseURI).href,
      autosync: autosync === undefined ? undefined : autosync !== false,
      intervalMs,
      mesh,
    }
    worker.postMessage(message)
  })
}

function makeWorker(name: string, options: LeafOptions): Worker {
  if (options.worker) return options.worker()
  if (options.workerUrl !== undefined) {
    return new Worker(trusted(options.workerUrl), { type: "module", name: `leaf ${name}` })
  }
  // In these very words: bundlers look for them.
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "leaf" })
}

interface Policy {
  createScriptURL(url: string): string
}

let policy: Policy | undefined

/** A URL that Trusted Types let through: it comes from the program that opens the leaf, not from data. */
function trusted(url: string | URL): string {
  const factory = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }).trustedTypes
  policy ??= factory?.createPolicy("edgesync-leaf", { createScriptURL: (given) => given })
  return policy?.createScriptURL(String(url)) ?? String(url)
}
