/**
 * The worker of one page. Of all workers that have a repository open one leads: it holds a Web Lock, the engine and
 * the database. The others pass their page's commands on to it. When it ends, however it ends, the browser gives
 * the lock to the next, which opens the database and is asked again what was left unanswered. A change that was
 * made but not acknowledged is not made twice: it is asked for under the same id, which the database remembers.
 */

import { asFailure, failure } from "./error.js"
import { Leader } from "./leader.js"
import type { CommandMessage, Opening, PageMessage, Standing, TabMessage, WorkerMessage } from "./messages.js"
import type { Failure } from "./protocol.js"

/** How often a follower asks who leads while nobody answers. Units: milliseconds. */
const WHO_MS = 500

/** A command of this page that has no reply yet. */
interface Pending {
  id: string
  command: CommandMessage
  isAborted: boolean
}

const page = self as unknown as {
  postMessage(message: WorkerMessage, transfer?: Transferable[]): void
  addEventListener(type: "message", listener: (event: MessageEvent<PageMessage>) => void): void
  close(): void
}

class Member {
  readonly #me = crypto.randomUUID()
  readonly #opening: Opening
  readonly #channel: BroadcastChannel
  readonly #pending = new Map<string, Pending>()
  readonly #closing = new AbortController()
  #leader: Leader | undefined
  #standing: Standing | undefined
  #isOpened = false
  #queue: Promise<void>
  #release: (() => void) | undefined
  #who: ReturnType<typeof setInterval> | undefined

  constructor(opening: Opening) {
    this.#opening = opening
    this.#channel = new BroadcastChannel(`edgesync-leaf:${opening.name}`)
    this.#channel.addEventListener("message", (event: MessageEvent<TabMessage>) => this.#fromTab(event.data))
    this.#queue = this.#queueForLead()
    this.#ask()
    this.#who = setInterval(() => this.#ask(), WHO_MS)
  }

  fromPage(message: PageMessage): void {
    switch (message.kind) {
      case "call":
        if ("connect" in message.command) this.#opening.mesh = message.command.connect
        if ("disconnect" in message.command) this.#opening.mesh = undefined
        this.#call({ id: message.id, command: message.command, isAborted: false })
        break
      case "abort":
        this.#abort(message.id)
        break
      case "visible":
        this.#leader?.visible()
        if (!this.#leader) this.#tell({ kind: "visible" })
        break
      case "network":
        this.#opening.isOnline = message.isOnline
        this.#leader?.network(message.isOnline)
        if (!this.#leader) this.#tell(message)
        break
      case "close":
        void this.#close()
        break
      case "open":
        break
    }
  }

  /** Waits for the lock. The wait is the whole of the election. */
  async #queueForLead(): Promise<void> {
    const name = `edgesync-leaf:${this.#opening.name}`
    try {
      await navigator.locks.request(name, { signal: this.#closing.signal }, () => this.#lead())
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#refuse(asFailure(error))
    }
  }

  async #lead(): Promise<void> {
    clearInterval(this.#who)
    const released = new Promise<void>((resolve) => (this.#release = resolve))
    let leader: Leader
    try {
      leader = await Leader.take(this.#opening, {
        standing: () => this.#announce("standing"),
        change: (kinds) => {
          page.postMessage({ kind: "change", kinds })
          this.#tell({ kind: "change", kinds })
        },
        crashed: () => this.#crash(),
      })
    } catch (error) {
      this.#refuse(asFailure(error))
      return
    }
    if (this.#closing.signal.aborted) return leader.close()
    this.#leader = leader
    this.#announce("leader")
    for (const call of [...this.#pending.values()]) this.#do(call)
    await released
  }

  #announce(kind: "leader" | "standing"): void {
    if (!this.#leader) return
    const standing = this.#leader.standing
    this.#settle(standing, true)
    this.#tell({ kind, standing })
  }

  /** What stands for all tabs is known. */
  #settle(standing: Standing, isLeader: boolean): void {
    this.#standing = standing
    page.postMessage({ kind: this.#isOpened ? "standing" : "opened", isLeader, standing })
    this.#isOpened = true
  }

  #call(call: Pending): void {
    this.#pending.set(call.id, call)
    this.#send(call)
  }

  /** Gives a command up, also towards a leader that is asked for it later. */
  #abort(id: string): void {
    const call = this.#pending.get(id)
    if (!call) return
    call.isAborted = true
    if (this.#leader) this.#leader.abort(id)
    else this.#tell({ kind: "abort", id })
  }

  #send(call: Pending): void {
    if (this.#leader) return this.#do(call)
    if (!this.#standing) return
    const { id, command } = call
    this.#tell({ kind: "call", epoch: this.#standing.epoch, from: this.#me, id, command })
    if (call.isAborted) this.#tell({ kind: "abort", id })
  }

  /** Does a command of this page. */
  #do({ id, command, isAborted }: Pending): void {
    void this.#leader
      ?.call(id, command, (progress) => page.postMessage({ kind: "progress", id, progress }))
      .then((value) => this.#reply(id, value))
      .catch((error: unknown) => this.#fail(id, asFailure(error)))
    if (isAborted) this.#leader?.abort(id)
  }

  #reply(id: string, value: unknown): void {
    if (!this.#pending.delete(id)) return
    page.postMessage({ kind: "reply", id, value }, transferable(value))
  }

  #fail(id: string, failure: Failure): void {
    if (this.#pending.delete(id)) page.postMessage({ kind: "failure", id, failure })
  }

  #fromTab(message: TabMessage): void {
    switch (message.kind) {
      case "who":
        if (this.#leader) this.#tell({ kind: "leader", standing: this.#leader.standing })
        break
      case "leader":
        this.#follow(message.standing)
        break
      case "standing":
        if (!this.#leader && this.#standing) this.#settle(message.standing, false)
        break
      case "call":
        this.#serve(message)
        break
      case "abort":
        this.#leader?.abort(message.id)
        break
      case "visible":
        this.#leader?.visible()
        break
      case "network":
        this.#leader?.network(message.isOnline)
        break
      case "change":
        if (this.#isOpened) page.postMessage({ kind: "change", kinds: message.kinds })
        break
      case "reply":
        if (message.to === this.#me) this.#reply(message.id, message.value)
        break
      case "failure":
        if (message.to === this.#me) this.#fail(message.id, message.failure)
        break
      case "progress":
        if (message.to === this.#me) page.postMessage({ kind: "progress", id: message.id, progress: message.progress })
        break
    }
  }

  /** Follows a leader, and asks a new one for everything that is unanswered. */
  #follow(standing: Standing): void {
    if (this.#leader) return
    clearInterval(this.#who)
    const isNew = standing.epoch !== this.#standing?.epoch
    this.#settle(standing, false)
    if (isNew) for (const call of this.#pending.values()) this.#send(call)
  }

  /** Does a command of another tab. One that is addressed to a leader of before is asked again by its page. */
  #serve({ epoch, from, id, command }: TabMessage & { kind: "call" }): void {
    if (!this.#leader || epoch !== this.#leader.epoch) return
    void this.#leader
      .call(id, command, (progress) => this.#tell({ kind: "progress", to: from, id, progress }))
      .then((value) => this.#tell({ kind: "reply", to: from, id, value }))
      .catch((error: unknown) => this.#tell({ kind: "failure", to: from, id, failure: asFailure(error) }))
  }

  #ask(): void {
    if (!this.#leader && !this.#closing.signal.aborted) this.#tell({ kind: "who" })
  }

  /** A worker that ends says nothing more: what it has not replied to is asked of the next leader. */
  #tell(message: TabMessage): void {
    if (!this.#closing.signal.aborted) this.#channel.postMessage(message)
  }

  /** The database cannot be opened here. A page that followed until now starts another worker, which tries again. */
  #refuse(failure: Failure): void {
    page.postMessage(this.#isOpened ? { kind: "crashed" } : { kind: "refused", failure })
    page.close()
  }

  /** The engine is broken: everything that waits for it fails at once, and the page starts another worker. */
  #crash(): void {
    this.#leader = undefined
    const broken = failure("internal", "caller", "the leaf's engine failed and was started anew; please report this")
    setTimeout(() => {
      for (const id of [...this.#pending.keys()]) this.#fail(id, broken)
      page.postMessage({ kind: "crashed" })
      page.close()
    })
  }

  /** Gives the lead back, and tells the page when the lock is free again. */
  async #close(): Promise<void> {
    clearInterval(this.#who)
    this.#closing.abort()
    this.#leader?.close()
    this.#leader = undefined
    this.#channel.close()
    this.#release?.()
    await this.#queue
    page.postMessage({ kind: "closed" })
    page.close()
  }
}

/** What of a reply need not be copied on its way to the page. */
function transferable(value: unknown): Transferable[] {
  const bytes = value instanceof Uint8Array ? value : (value as { bytes?: unknown } | null)?.bytes
  return bytes instanceof Uint8Array ? [bytes.buffer as ArrayBuffer] : []
}

let member: Member | undefined
page.addEventListener("message", ({ data }) => {
  if (data.kind === "open") member ??= new Member(data)
  else member?.fromPage(data)
})
