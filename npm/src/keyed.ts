/**
 * Calls by key: an endpoint of iroh in this worker, from a module that is loaded once a page wants it.
 *
 * It holds no data. What others ask of this leaf the engine answers, and who may ask is in the repository.
 *
 * Source: `leaf-wasm/iroh`.
 */

import initIroh, { Node } from "../wasm/iroh.js"
import { failure, LeafError } from "./error.js"
import type { Admitted, Answered, Failure, Welcomed } from "./protocol.js"
import type { Round } from "./wire.js"

/** Joiners that are remembered, for people to compare codes. */
const JOINED_MAX = 16

/** A connection with another leaf. */
export interface KeyedConnection {
  /** The key of the other leaf. */
  id: string
  /** How it goes; a browser is always relayed. */
  path: "direct" | "relayed" | "none"
  /** Round-trip time. Units: milliseconds. */
  rttMs: number | null
  /** Bytes. */
  sent: number
  /** Bytes. */
  received: number
  /** The other leaf called. */
  isCaller: boolean
}

/** A leaf that came with a ticket since this worker began. */
export interface Joiner {
  id: string
  name: string
  capabilities: string
  /** What the other side shows, too: six digits. */
  code: string
}

/** How this leaf is known to those that call by key. */
export interface Endpoint {
  /** Its key: 64 hex digits. */
  id: string
  /** Where it can be called: `iroh://ID?relay=URL`. */
  url: string
  connections: KeyedConnection[]
  joined: Joiner[]
}

/** What became of a ticket. */
export interface Joined {
  /** What to clone from, or to sync with. */
  url: string
  /** The project code. */
  project: string
  /** What this leaf may do there, in Fossil's letters. */
  capabilities: string
  /** What both sides show: six digits. They are the same when nobody else used the ticket. */
  code: string
}

/** A ticket, and the public half of what it stands for. */
interface Ticket {
  ticket: string
  key: string
}

/** What the endpoint needs of its leader. */
export interface KeyedHost {
  /** Where `iroh.wasm` is. */
  wasmUrl: string | URL
  /** The 32 bytes that are this leaf's key. */
  seed(): Promise<Uint8Array>
  /** Where this leaf can be reached. */
  relays(): string[]
  welcome(peer: string, joins: boolean): Promise<Welcomed>
  admit(peer: string, invite: string, name: string): Promise<Admitted>
  answer(peer: string, place: string | null, contentType: string, body: Uint8Array): Promise<Answered>
  /** Somebody came with a ticket and was let in. */
  joined(): void
}

/** What the endpoint asks. */
type Question =
  | { kind: "welcome"; peer: string; joins: boolean }
  | { kind: "join"; peer: string; invite: string; name: string; code: string }
  | { kind: "sync"; peer: string; place: string | null; contentType: string; body: Uint8Array }

export class Keyed {
  readonly #host: KeyedHost
  readonly #joined: Joiner[] = []
  #node: Promise<Node> | undefined
  #isClosed = false

  constructor(host: KeyedHost) {
    this.#host = host
  }

  /** Carries a round, as `carry` of `wire.ts` does by HTTP. */
  async carry({ signal, ...round }: Round): Promise<{ contentType: string; body: Uint8Array }> {
    const node = await this.#open()
    const stop = signal && new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener("abort", () => resolve())
    })
    return (await node.carry({ ...round, stop })) as { contentType: string; body: Uint8Array }
  }

  /** Shows a ticket at the leaf that made it; `name` is what to call this leaf there. */
  async join(ticket: string, name: string): Promise<Joined> {
    const node = await this.#open()
    return (await told(node.join(ticket, name))) as Joined
  }

  /** Can be called by these relays from now on. Rejects when none of them lets this leaf in. */
  async reach(relays: readonly string[]): Promise<Endpoint> {
    const node = await this.#open()
    const reached = await Promise.all(relays.map((relay) => told(node.addRelay(relay))))
    if (relays.length > 0 && !reached.includes(true)) {
      throw new LeafError(failure("network", "network", `${relays.join(", ")} cannot be reached, or does not let this leaf in: its owner can allow it (leaf peers allow ${node.id()})`))
    }
    return this.endpoint()
  }

  /** Makes a ticket. */
  async ticket(project: string): Promise<Ticket> {
    const node = await this.#open()
    return (await told(Promise.resolve().then(() => node.ticket(project, crypto.getRandomValues(new Uint8Array(16)))))) as Ticket
  }

  /** How this leaf is known, and who is connected. */
  async endpoint(): Promise<Endpoint> {
    const node = await this.#open()
    return { id: node.id(), url: node.url(), connections: node.connections() as KeyedConnection[], joined: [...this.#joined] }
  }

  /** Somebody may call no more. */
  async forget(id: string): Promise<void> {
    if (this.#node) (await this.#node).forget(id)
  }

  /** The network may be another now, or time may have passed unseen. */
  changed(): void {
    void this.#node?.then((node) => node.networkChanged()).catch(() => undefined)
  }

  close(): void {
    this.#isClosed = true
    // Others notice, if they do not hear of it.
    void this.#node?.then((node) => node.close()).catch(() => undefined)
  }

  #open(): Promise<Node> {
    if (this.#isClosed) return Promise.reject(new LeafError(failure("aborted", "caller", "this leaf is closed; open it again")))
    this.#node ??= this.#start().catch((error: unknown) => {
      this.#node = undefined
      throw error
    })
    return this.#node
  }

  async #start(): Promise<Node> {
    const { wasmUrl } = this.#host
    try {
      await initIroh({ module_or_path: wasmUrl })
    } catch (error) {
      throw new LeafError(failure("network", "network", `${String(wasmUrl)} cannot be loaded (${String(error)}); try again, or see irohWasmUrl`))
    }
    return told(Node.open(await this.#host.seed(), this.#host.relays(), (question: Question) => this.#answer(question)))
  }

  async #answer(question: Question): Promise<unknown> {
    const { peer } = question
    switch (question.kind) {
      case "welcome":
        return (await this.#host.welcome(peer, question.joins)).isWelcome
      case "sync":
        return this.#host.answer(peer, question.place, question.contentType, question.body)
      case "join": {
        const admitted = await this.#host.admit(peer, question.invite, question.name)
        const joiner = { id: peer, name: question.name, capabilities: admitted.capabilities, code: question.code }
        this.#joined.splice(0, this.#joined.length, ...[joiner, ...this.#joined.filter(({ id }) => id !== peer)].slice(0, JOINED_MAX))
        this.#host.joined()
        return admitted
      }
    }
  }
}

const BLAME: Partial<Record<Failure["code"], Failure["blame"]>> = { network: "network", denied: "peer", notFossil: "peer", badPeer: "peer" }

/** Failures of the endpoint as those of a leaf. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code, message } = error as Partial<Failure>
    if (code === undefined || message === undefined) throw error
    throw new LeafError(failure(code, BLAME[code] ?? "caller", message))
  }
}
