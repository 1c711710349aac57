/**
 * The worker that holds the database: it does the commands of all tabs.
 *
 * Commands that change everything wait for each other; the rest are done at once, also between two rounds of a sync.
 */

import initEngine, { Engine } from "../wasm/leaf.js"
import { Autosync } from "./autosync.js"
import { asFailure, failure, LeafError } from "./error.js"
import { readKept, writeKept, type Kept } from "./keep.js"
import { type Endpoint, Keyed } from "./keyed.js"
import { MeshLink } from "./mesh.js"
import { type CommandMessage, nameOf, type Opening, SESSIONS, type Standing, WRITES } from "./messages.js"
import type { Answered, Command, Connect, Failure, Info, MeshStatus, Progress, Status, SyncResult } from "./protocol.js"
import { carry, type Round } from "./wire.js"

/** How long the worker of a tab that was just closed may hold on to its files. Units: milliseconds. */
const TAKEOVER_MS = 5_000
/** An export that nobody reads for so long has been given up. Units: milliseconds. */
const EXPORT_IDLE_MS = 60_000

/** Whoever of the mesh answers. */
const ANYBODY = "nats:anybody"

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
  readonly #keyed: Keyed
  #mesh: { link: MeshLink; options: Connect } | undefined
  #meshStatus: MeshStatus = { state: "off", error: null }
  /** Something was made here that the mesh does not have; its names, where it has any. */
  #hasNews = false
  #made: string[] = []
  #isSending = false
  #isOnline: boolean

  private constructor(engine: Engine, opening: Opening, kept: Kept, status: Status, events: LeaderEvents) {
    this.#engine = engine
    this.#name = opening.name
    this.#isOnline = opening.isOnline
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
    this.#keyed = new Keyed({
      wasmUrl: opening.irohWasmUrl ?? new URL("./iroh.wasm", import.meta.url),
      seed: () => this.#seed(),
      relays: () => this.#kept.relays ?? [],
      welcome: (peer, joins) => this.#ask({ welcome: { peer, joins } }),
      admit: (peer, invite, name) => this.#ask({ admit: { peer, invite, name } }),
      answer: (peer, place, contentType, body) => this.#answer(peer, place, contentType, body),
      joined: () => this.#events.change(["guests"]),
    })
    // Others may be calling already; how that goes is told to whoever asks.
    if (kept.relays?.length) this.#keyed.endpoint().catch(() => undefined)
  }

  /** Loads the engine and opens the database. */
  static async take(opening: Opening, events: LeaderEvents): Promise<Leader> {
    await initEngine({ module_or_path: opening.wasmUrl ?? new URL("./leaf.wasm", import.meta.url) })
    // Whoever calls by key is heard once there is a leader, and so is what this leaf calls.
    let keyed: Keyed | undefined
    const byAnyWire = (round: Round): Promise<unknown> => (keyed && round.url.startsWith("iroh:") ? keyed.carry(round) : carry(round))
    const engine = await openEngine(opening.name, byAnyWire)
    const kept = await readKept(opening.name)
    if (opening.autosync !== undefined && opening.autosync !== (kept.autosync === true)) {
      kept.autosync = opening.autosync
      await writeKept(opening.name, kept)
    }
    const status = (await engine.run({ status: {} }, "open")) as Status
    const leader = new Leader(engine, opening, kept, status, events)
    keyed = leader.#keyed
    leader.#autosync.soon()
    // How that goes is in its status.
    if (opening.mesh) leader.#connect(opening.mesh).catch(() => undefined)
    return leader
  }

  get standing(): Standing {
    return { epoch: this.epoch, state: this.#status.state, sync: this.#autosync.status, mesh: this.#meshStatus }
  }

  /** A page is looked at again. */
  visible(): void {
    this.#autosync.visible()
    this.#mesh?.link.probe()
    this.#keyed.changed()
  }

  /** There is a network, or none. */
  network(isOnline: boolean): void {
    this.#autosync.network(isOnline)
    this.#isOnline = isOnline
    this.#mesh?.link.network(isOnline)
    if (isOnline) this.#keyed.changed()
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
      if ("connect" in command) return await this.#connect(command.connect)
      if ("disconnect" in command) return this.#disconnect()
      if ("reach" in command) return await this.#reach(command.reach.relays)
      if ("endpoint" in command) return await this.#keyed.endpoint()
      if ("join" in command) return await this.#keyed.join(command.join.ticket, command.join.name)
      if ("invite" in command) return await this.#invite(command.invite)
      const name = nameOf(command)
      const value = SESSIONS.has(name)
        ? await this.#runSession(id, command, abort.signal, onProgress)
        : await this.#run(id, command, abort.signal, onProgress)
      if (WRITES.has(name)) {
        const { hash } = value as { hash?: string }
        if (hash !== undefined && this.#meshStatus.state === "ready") this.#made.push(hash)
        const told = this.#changed([name])
        // What makes a leaf another is known before its reply; other changes are acknowledged first.
        if (SESSIONS.has(name) || name === "configure") await told
        else told.catch(() => undefined)
      }
      if ("removeGuest" in command) await this.#keyed.forget(command.removeGuest.id)
      if (name.startsWith("export")) this.#watchExport(name)
      return name === "info" || name === "create" || name === "configure" || name === "importEnd" ? this.#completed(value) : value
    } finally {
      this.#aborts.delete(id)
    }
  }

  /** Gives the database back. */
  close(): void {
    this.#autosync.stop()
    this.#mesh?.link.close()
    this.#keyed.close()
    clearTimeout(this.#exportTimer)
    this.#engine.close()
  }

  /** Runs after all sessions before it. */
  #runSession(id: string, command: Command, signal?: AbortSignal, onProgress?: (progress: Progress) => void): Promise<unknown> {
    const run = async (): Promise<unknown> => {
      // What is only fetched, unasked, is no news of how the sending goes.
      const isSync = "sync" in command && id !== "fetch"
      if (isSync) this.#autosync.begun()
      try {
        const complete = await this.#withLogin(command)
        const value = await this.#linked(complete, () => this.#run(id, complete, signal, onProgress))
        if ("sync" in command && !isSync) await this.#fetched(value as SyncResult)
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
    if ("sync" in command && command.sync.url?.startsWith("nats:") && command.sync.user === undefined) {
      const { user, password } = this.#mesh?.options ?? {}
      if (this.#kept.password) return { sync: { ...command.sync, password: this.#kept.password } }
      if (user !== undefined && password !== undefined) return { sync: { ...command.sync, user, password } }
    }
    if ("sync" in command && command.sync.password === undefined && command.sync.url === undefined && this.#kept.password) {
      return { sync: { ...command.sync, password: this.#kept.password } }
    }
    return command
  }

  /** Does a command whose URL is a NATS server while there is a connection to it. */
  async #linked<T>(command: Command, work: () => Promise<T>): Promise<T> {
    const args = "clone" in command ? command.clone : "sync" in command ? command.sync : undefined
    const nats = args && (args.url ?? this.#status.remote)
    if (!args || !nats || !/^wss?:/.test(nats) || nats === this.#mesh?.options.nats) return work()
    const user = args.user ?? this.#status.remoteUser ?? undefined
    const { password } = args
    const options = { nats, ...(user !== undefined && { user }), ...(password !== undefined && { password }) }
    const link = new MeshLink(this.#engine, options, false, true, {
      status: () => undefined,
      fetch: () => Promise.resolve(true),
      crashed: () => this.#events.crashed(),
    })
    try {
      await link.ready()
      return await work()
    } finally {
      link.close()
    }
  }

  /** Takes part in a mesh. What a server refuses is given up; one that is away is tried again. */
  async #connect(options: Connect): Promise<Record<string, never>> {
    const isNew = JSON.stringify(options) !== JSON.stringify(this.#mesh?.options)
    if (isNew) {
      this.#disconnect()
      const link = new MeshLink(this.#engine, options, true, this.#isOnline, {
        status: (status) => this.#meshed(status),
        fetch: (url) => this.#fetch(url),
        crashed: () => this.#events.crashed(),
      })
      this.#mesh = { link, options }
      this.#meshed(link.status)
    }
    const mesh = this.#mesh
    try {
      await mesh?.link.ready()
    } catch (error) {
      if (asFailure(error).code !== "network" && mesh === this.#mesh) {
        mesh?.link.close()
        this.#mesh = undefined
      }
      throw error
    }
    return {}
  }

  #disconnect(): Record<string, never> {
    this.#mesh?.link.close()
    this.#mesh = undefined
    this.#meshed({ state: "off", error: null })
    return {}
  }

  #meshed(status: MeshStatus): void {
    this.#meshStatus = status
    this.#events.standing()
  }

  /** Fetches what somebody has, and brings along what nobody has yet. */
  async #fetch(url: string): Promise<boolean> {
    const direction = this.#status.unsent > 0 ? "both" : "pull"
    try {
      await this.#runSession("fetch", { sync: { url, direction } })
      return true
    } catch (error) {
      return asFailure(error).code === "network"
    }
  }

  async #fetched(result: SyncResult): Promise<void> {
    await this.#look()
    if (result.received + result.uvReceived === 0 && result.sent + result.uvSent === 0) return
    this.#events.standing()
    this.#events.change(["sync"])
  }

  /** Sends what was made here, at once; what is made meanwhile goes with the next. */
  async #send(): Promise<void> {
    this.#hasNews = true
    if (this.#isSending) return
    this.#isSending = true
    while (this.#hasNews && this.#meshStatus.state === "ready") {
      this.#hasNews = false
      const made = this.#made.splice(0)
      try {
        const { sent } = (await this.#runSession("send", { sync: { url: ANYBODY } })) as SyncResult
        if (sent > 0) this.#mesh?.link.announce(made)
      } catch {
        // Its failure is in the status, and it is tried again.
        this.#autosync.soon()
      }
    }
    this.#isSending = false
  }

  /** Can be called by these relays from now on; by none, and it is called no more. */
  async #reach(relays: string[]): Promise<Endpoint> {
    const reached = await this.#keyed.reach(relays)
    this.#kept.relays = relays
    await this.#writeKept()
    return reached
  }

  /** Makes a ticket, and keeps what is needed to know it again. */
  async #invite({ name, capabilities, expires }: { name: string; capabilities: string; expires: number }): Promise<{ ticket: string; expires: number }> {
    const { projectCode } = await this.#ask<Info>({ info: {} })
    if (projectCode === null) throw new LeafError(failure("empty", "caller", "nothing is here yet that others could join; clone a repository or create one"))
    const { ticket, key } = await this.#keyed.ticket(projectCode)
    await this.#ask({ addInvite: { key, name, capabilities, expires } })
    return { ticket, expires }
  }

  /** Answers a sync message of another leaf. */
  async #answer(peer: string, place: string | null, contentType: string, body: Uint8Array): Promise<Answered> {
    const answered = await this.#ask<Answered>({ answer: { peer, contentType, body, ...(place !== null && { place }) } })
    if (answered.received > 0) {
      await this.#look()
      this.#events.standing()
      this.#events.change(["sync"])
    }
    return answered
  }

  /** Asks the engine, on behalf of nobody's page. */
  async #ask<T>(command: Command): Promise<T> {
    return (await this.#run("keyed", command)) as T
  }

  /** The key of this leaf, made when it is wanted first. */
  async #seed(): Promise<Uint8Array> {
    if (this.#kept.key === undefined) {
      this.#kept.key = hex(crypto.getRandomValues(new Uint8Array(32)))
      await this.#writeKept()
    }
    return Uint8Array.from(this.#kept.key.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
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
    if (this.#meshStatus.state === "ready") void this.#send()
    else this.#autosync.soon()
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
async function openEngine(name: string, byAnyWire: (round: Round) => Promise<unknown>): Promise<Engine> {
  const until = Date.now() + TAKEOVER_MS
  for (;;) {
    try {
      return await Engine.open(name, byAnyWire)
    } catch (error) {
      const refused: Failure = asFailure(error)
      if (refused.code !== "locked" || Date.now() > until) throw new LeafError(refused)
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
