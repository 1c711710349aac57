/**
 * A WebSocket for the engine's NATS client: bytes in, bytes out, one timer. What the bytes mean the engine knows.
 *
 * Source: the WebSocket interface (WHATWG Websockets); NATS over WebSocket is its protocol in binary frames.
 */

import type { Engine, Mesh } from "../wasm/leaf.js"
import { failure, LeafError } from "./error.js"
import type { Connect, Failure, MeshStatus } from "./protocol.js"

/** How long a server may take to accept. Units: milliseconds. */
const OPEN_MS = 10_000
/** The longest sleep of the timer. */
const NAP_MS = 60_000

/** What a connection tells, and what is asked of it. */
export interface MeshEvents {
  /** It is another way now. */
  status(status: MeshStatus): void
  /** Fetches from a URL; resolves to whether that went well. */
  fetch(url: string): Promise<boolean>
  /** The engine is broken. */
  crashed(): void
}

export class MeshLink {
  status: MeshStatus = { state: "connecting", error: null }
  readonly #mesh: Mesh
  readonly #url: string
  readonly #events: MeshEvents
  readonly #waiting = new Set<{ resolve(): void; reject(error: LeafError): void }>()
  #socket: WebSocket | undefined
  #openBy = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #isAwake = false
  #isOnline: boolean
  #isClosed = false

  /** `takesPart`: it says what to fetch; otherwise it is there for commands that name its URL. */
  constructor(engine: Engine, options: Connect, takesPart: boolean, isOnline: boolean, events: MeshEvents) {
    this.#isOnline = isOnline
    this.#url = options.nats.split("#")[0] as string
    this.#events = events
    this.#mesh = engine.mesh(options, takesPart, () => this.#wake())
    this.#wake()
    if (!isOnline) this.#do(() => this.#mesh.handleDisconnected())
  }

  /** Resolves once it is there; rejects when it could not be made, though it goes on trying. */
  ready(): Promise<void> {
    if (this.status.state === "ready") return Promise.resolve()
    return new Promise((resolve, reject) => {
      if (this.#isClosed || this.status.error) reject(new LeafError(this.status.error ?? CLOSED))
      else this.#waiting.add({ resolve, reject })
    })
  }

  /** There is a network, or none, as a page says. Without one nothing is tried, as by HTTP. */
  network(isOnline: boolean): void {
    this.#isOnline = isOnline
    if (isOnline) return this.probe()
    this.#do(() => {
      this.#hangUp()
      this.#mesh.handleDisconnected()
    })
  }

  /** Time may have passed unseen: a connection that is gone is noticed, and made again at once. */
  probe(): void {
    this.#do(() => this.#mesh.probe())
  }

  /** Tells others what was sent just now. */
  announce(hashes: readonly string[]): void {
    this.#do(() => hashes.forEach((hash) => this.#mesh.announce(hash)))
  }

  close(): void {
    if (this.#isClosed) return
    this.#mesh.close()
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#hangUp()
    this.#settle(CLOSED)
    this.#mesh.free()
  }

  /** Something is to be done, soon: whoever says so may be in the middle of something. */
  #wake(): void {
    if (this.#isAwake) return
    this.#isAwake = true
    queueMicrotask(() => this.#do(() => undefined))
  }

  /** Tells the engine something, and does what it wants then. */
  #do(work: () => void): void {
    if (this.#isClosed) return
    try {
      work()
      this.#isAwake = false
      this.#pump()
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error
      this.#events.crashed()
    }
  }

  #pump(): void {
    const mesh = this.#mesh
    if (this.#socket?.readyState === WebSocket.OPEN && mesh.isAway()) this.#hangUp()
    if (this.#socket && Date.now() >= this.#openBy) {
      this.#hangUp()
      mesh.handleDisconnected()
    }
    if (!this.#socket && this.#dialDue() <= Date.now()) this.#dial()
    const bytes = mesh.transmit()
    if (bytes) this.#socket?.send(bytes as Uint8Array<ArrayBuffer>)
    this.#tell()
    // Whoever was told may have closed it.
    if (this.#isClosed) return
    const url = mesh.begin()
    if (url !== undefined) void this.#fetch(url)
    const wait = Math.min(mesh.due() ?? Infinity, this.#socket ? this.#openBy : this.#dialDue()) - Date.now()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#do(() => mesh.handleTimeout()), Math.max(1, Math.min(wait + 1, NAP_MS)))
  }

  #dialDue(): number {
    return this.#isOnline ? (this.#mesh.dialDue() ?? Infinity) : Infinity
  }

  #dial(): void {
    let socket: WebSocket
    try {
      socket = new WebSocket(this.#url)
    } catch {
      // Refused by the browser itself: an encrypted page and a server that is not, say.
      this.#mesh.handleDisconnected()
      return
    }
    socket.binaryType = "arraybuffer"
    socket.onopen = () => this.#do(() => {
      this.#openBy = Infinity
      this.#mesh.handleConnected()
    })
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) =>
      this.#do(() => this.#mesh.handleBytes(typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data)))
    socket.onclose = () => this.#do(() => {
      this.#socket = undefined
      this.#mesh.handleDisconnected()
    })
    this.#socket = socket
    this.#openBy = Date.now() + OPEN_MS
  }

  #hangUp(): void {
    const socket = this.#socket
    this.#socket = undefined
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }

  #tell(): void {
    const status = this.#explained(this.#mesh.status() as MeshStatus)
    if (status.state === this.status.state && status.error?.message === this.status.error?.message) return
    this.status = status
    if (status.state === "ready") this.#settle()
    else if (status.error) this.#settle(status.error)
    this.#events.status(status)
  }

  /** Browsers do not say why a WebSocket does not open. */
  #explained({ state, error }: MeshStatus): MeshStatus {
    if (error?.code !== "network") return { state, error }
    const { origin, host } = new URL(this.#url)
    const crossing = host === self.location.host ? "" : `, or it does not answer pages of ${self.location.origin} (leaf serve --allow-origin)`
    return { state, error: { ...error, message: `${origin} cannot be reached: it is down, you are offline, it takes no NATS by WebSocket${crossing}; it is tried again by itself` } }
  }

  #settle(why?: Failure): void {
    for (const { resolve, reject } of this.#waiting) why ? reject(new LeafError(why)) : resolve()
    this.#waiting.clear()
  }

  async #fetch(url: string): Promise<void> {
    const isGood = await this.#events.fetch(url)
    this.#do(() => this.#mesh.fetched(isGood))
  }
}

const CLOSED = failure("aborted", "caller", "the connection was closed before it was there")
