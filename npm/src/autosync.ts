/**
 * When a leaf syncs by itself: at its start, after a change, when the network is back, when a page is looked at
 * again, and now and then. After failures it waits longer each time, never as long as another tab or device: the
 * waits are drawn by lot, so that a server that comes back is not run over.
 */

import type { SyncStatus } from "./messages.js"
import type { Failure } from "./protocol.js"

/** Between two syncs of a leaf at rest, unless the page says otherwise. Units: milliseconds. */
const INTERVAL_MS = 60_000
/** After a change, so that several go together. */
const SETTLE_MS = 400
/** After the first failure; doubled after each further one. */
const BACKOFF_MS = 2_000
/** The longest wait. */
const BACKOFF_MAX_MS = 300_000

/** What it needs of the leaf. */
export interface AutosyncOptions {
  isOn: boolean
  isOnline: boolean
  intervalMs: number | undefined
  canSync(): boolean
  sync(): Promise<void>
  changed(): void
}

export class Autosync {
  unsent = 0
  #isOn: boolean
  #isOnline: boolean
  #phase: SyncStatus["phase"] = "idle"
  #lastSync: number | null = null
  #error: SyncStatus["error"] = null
  #nextTry: number | null = null
  #failures = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #options: AutosyncOptions

  constructor(options: AutosyncOptions) {
    this.#options = options
    this.#isOn = options.isOn
    if (!options.isOnline) this.#phase = "offline"
    this.#isOnline = options.isOnline
  }

  get status(): SyncStatus {
    return {
      phase: this.#phase,
      unsent: this.unsent,
      lastSync: this.#lastSync,
      error: this.#error,
      nextTry: this.#nextTry,
      autosync: this.#isOn,
    }
  }

  turn(on: boolean): void {
    this.#isOn = on
    if (on) this.soon()
    else this.#plan(null)
    this.#options.changed()
  }

  /** Something changed here. */
  soon(): void {
    if (this.#phase !== "waiting") this.#plan(SETTLE_MS * (1 + Math.random()))
  }

  /** A page is looked at again. */
  visible(): void {
    if (Date.now() - (this.#lastSync ?? 0) > this.#interval) this.#plan(0)
  }

  /** There is a network, or none, as a page says: workers are not told everywhere. */
  network(isOnline: boolean): void {
    if (isOnline === this.#isOnline) return
    this.#isOnline = isOnline
    if (isOnline) this.#failures = 0
    if (this.#phase !== "syncing") this.#phase = isOnline ? "idle" : "offline"
    this.#plan(isOnline ? SETTLE_MS * Math.random() : null)
    this.#options.changed()
  }

  begun(): void {
    this.#phase = "syncing"
    this.#plan(null)
    this.#options.changed()
  }

  done(): void {
    this.#phase = this.#isOnline ? "idle" : "offline"
    this.#lastSync = Date.now()
    this.#error = null
    this.#failures = 0
    this.#plan(this.#interval * (0.9 + 0.2 * Math.random()))
    this.#options.changed()
  }

  failed(failure: Failure): void {
    const isPassing = failure.code === "network" || failure.code === "aborted"
    this.#error = { code: failure.code, message: failure.message }
    this.#failures += 1
    if (!this.#isOnline) this.#phase = "offline"
    else if (this.#isOn && isPassing) this.#phase = "waiting"
    else this.#phase = "failed"
    const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(this.#failures - 1, 16))
    // What the user must set right is not tried again until something changes.
    if (isPassing) this.#plan(BACKOFF_MS / 2 + longest * Math.random())
    this.#options.changed()
  }

  stop(): void {
    this.#isOn = false
    clearTimeout(this.#timer)
  }

  get #interval(): number {
    return this.#options.intervalMs ?? INTERVAL_MS
  }

  #plan(afterMs: number | null): void {
    clearTimeout(this.#timer)
    this.#nextTry = null
    if (afterMs === null || !this.#isOn || this.#phase === "offline") return
    this.#nextTry = Date.now() + afterMs
    this.#timer = setTimeout(() => void this.#try(), afterMs)
  }

  async #try(): Promise<void> {
    this.#nextTry = null
    if (!this.#options.canSync()) return
    // Its failure is in the status.
    await this.#options.sync().catch(() => undefined)
  }
}
