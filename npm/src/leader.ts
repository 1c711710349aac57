/**
 * The worker that holds the database: it does the commands of all tabs.
 *
 * Commands that change everything wait for each other; the rest are done at once, also between two rounds of a sync.
 */

import initEngine, { Engine } from "../wasm/leaf.js"
import { Autosync } from "./autosync.js"
import { asFailure, LeafError } from "./error.js"
import { readKept, writeKept, type Kept } from "./keep.js"
import { type CommandMessage, nameOf, type Opening, SESSIONS, type Standing, WRITES } from "./messages.js"
import type { Command, Failure, Info, Progress, Status, SyncResult } from "./protocol.js"
import { carry } from "./wire.js"

/** How long the worker of a tab that was just closed may hold on to its files. Units: milliseconds. */
const TAKEOVER_MS = 5_000
/** An export that nobody reads for so long has been given up. Units: milliseconds. */
const EXPORT_IDLE_MS = 60_000

/** What a leader tells the rest of its worker. */
export interface LeaderEvents {
  standing(): void
  change(kinds: string[]): void
  crashed(): void
}

export class Leader {
  readonly epoch = Date.now()
  readonly #engine: Engine
  readonly #name: string
  readonly #events: LeaderEvents
  readonly #aborts = new Map<string, AbortController>()
  readonly #autosync: Autosync
  #session: Promise<unknown> = Promise.resolve()
  #keeping: Promise<void> = Promise.resolve()
  #exportTimer: ReturnType<typeof setTimeout> | undefined
  #kept: Kept
  #status: Status

  private constructor(engine: Engine, opening: Opening, kept: Kept, status: Status, events: LeaderEvents) {
    this.#engine = engine
    this.#name = opening.name
    this.#kept = kept
    this.#status = status
    this.#events = events
    this.#autosync = new Autosync({
      isOn: kept.autosync === true,
      isOnline: opening.isOnline,
      intervalMs: opening.intervalMs,
      canSync: () => this.#status.state === "ready" && this.#status.remote !== null,
      sync: async () => void (await this.#runSession("autosync", { sync: {} })),
      changed: () => events.standing(),
    })
    this.#autosync.unsent = status.unsent
  }

  /** Loads the engine and opens the database. */
  static async take(opening: Opening, events: LeaderEvents): Promise<Leader> {
    await initEngine({ module_or_path: opening.wasmUrl ?? new URL("./leaf.wasm", import.meta.url) })
    const engine = await openEngine(opening.name)
    const kept = await readKept(opening.name)
    if (opening.autosync !== undefined && opening.autosync !== (kept.autosync === true)) {
      kept.autosync = opening.autosync
      await writeKept(opening.name, kept)
    }
    const status = (await engine.run({ status: {} }, "open")) as Status
    const leader = new Leader(engine, opening, kept, status, events)
    leader.#autosync.soon()
    return leader
  }

  get standing(): Standing {
    return { epoch: this.epoch, state: this.#status.state, sync: this.#autosync.status }
  }

  /** A page is looked at again. */
  visible(): void {
    this.#autosync.visible()
  }

  /** There is a network, or none. */
  network(isOnline: boolean): void {
    this.#autosync.network(isOnline)
  }

  /** Gives a command up. */
  abort(id: string): void {
    this.#aborts.get(id)?.abort()
  }

  /** Does one command. Rejects with a failure. */
  async call(id: string, command: CommandMessage, onProgress: (progress: Progress) => void): Promise<unknown> {
    const abort = new AbortController()
    this.#aborts.set(id, abort)
    try {
      if ("setAutosync" in command) return await this.#setAutosync(command.setAutosync.on)
      const name = nameOf(command)
      const value = SESSIONS.has(name)
        ? await this.#runSession(id, command, abort.signal, onProgress)
        : await this.#run(id, command, abort.signal, onProgress)
      if (WRITES.has(name)) {
        const told = this.#changed([name])
        // What makes a leaf another is known before its reply; other changes are acknowledged first.
        if (SESSIONS.has(name) || name === "configure") await told
        else told.catch(() => undefined)
      }
      if (name.startsWith("export")) this.#watchExport(name)
      return name === "info" || name === "create" || name === "configure" || name === "importEnd" ? this.#completed(value) : value
    } finally {
      this.#aborts.delete(id)
    }
  }

  /** Gives the database back. */
  close(): void {
    this.#autosync.stop()
    clearTimeout(this.#exportTimer)
    this.#engine.close()
  }

  /** Runs after all sessions before it. */
  #runSession(id: string, command: Command, signal?: AbortSignal, onProgress?: (progress: Progress) => void): Promise<unknown> {
    const run = async (): Promise<unknown> => {
      const isSync = "sync" in command
      if (isSync) this.#autosync.begun()
      try {
        const value = await this.#run(id, await this.#withLogin(command), signal, onProgress)
        if (isSync) await this.#synced(value as SyncResult)
        return value
      } catch (error) {
        if (isSync) this.#autosync.failed(asFailure(error))
        throw error
      }
    }
    const result = this.#session.then(run, run)
    this.#session = result.catch(() => undefined)
    return result
  }

  async #run(id: string, command: Command, signal?: AbortSignal, onProgress?: (progress: Progress) => void): Promise<unknown> {
    try {
      const value: unknown = await this.#engine.run(command, id, signal, onProgress as ((progress: unknown) => void) | undefined)
      if ("configure" in command && command.configure.password !== undefined) await this.#keepPassword(command.configure.password)
      return value
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) {
        // The engine is in an unknown state now. Its worker ends; the next one opens the database as it was committed.
        this.#events.crashed()
      }
      throw new LeafError(asFailure(error))
    }
  }

  /** Adds the password that is kept, and keeps the one that is to be. */
  async #withLogin(command: Command): Promise<Command> {
    if ("clone" in command && command.clone.remember && command.clone.password) {
      await this.#keepPassword(command.clone.password)
    }
    if ("sync" in command && command.sync.password === undefined && command.sync.url === undefined && this.#kept.password) {
      return { sync: { ...command.sync, password: this.#kept.password } }
    }
    return command
  }

  async #keepPassword(password: string): Promise<void> {
    this.#kept.password = password
    if (!password) delete this.#kept.password
    await this.#writeKept()
  }

  /** One write at a time: two would fight for the file. */
  #writeKept(): Promise<void> {
    const write = (): Promise<void> => writeKept(this.#name, this.#kept)
    const done = this.#keeping.then(write, write)
    this.#keeping = done
    return done
  }

  async #setAutosync(on: boolean): Promise<Record<string, never>> {
    this.#kept.autosync = on
    await this.#writeKept()
    this.#autosync.turn(on)
    return {}
  }

  async #synced(result: SyncResult): Promise<void> {
    await this.#look()
    this.#autosync.done()
    if (result.received + result.uvReceived > 0 || result.sent + result.uvSent > 0) this.#events.change(["sync"])
  }

  async #changed(kinds: string[]): Promise<void> {
    await this.#look()
    this.#events.standing()
    this.#events.change(kinds)
    this.#autosync.soon()
  }

  async #look(): Promise<void> {
    this.#status = (await this.#engine.run({ status: {} }, "status")) as Status
    this.#autosync.unsent = this.#status.unsent
  }

  /** What the engine knows of a leaf, with what the device keeps. */
  #completed(value: unknown): Info {
    return { ...(value as Info), hasPassword: Boolean(this.#kept.password) }
  }

  /** Ends exports whose tab died. */
  #watchExport(name: string): void {
    clearTimeout(this.#exportTimer)
    if (name === "exportEnd") return
    this.#exportTimer = setTimeout(() => void this.#engine.run({ exportEnd: {} }, "export").catch(() => undefined), EXPORT_IDLE_MS)
  }
}

/** Opens the database, though the worker of a tab that was just closed may still hold its files. */
async function openEngine(name: string): Promise<Engine> {
  const until = Date.now() + TAKEOVER_MS
  for (;;) {
    try {
      return await Engine.open(name, carry)
    } catch (error) {
      const refused: Failure = asFailure(error)
      if (refused.code !== "locked" || Date.now() > until) throw new LeafError(refused)
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
