/**
 * One round of a sync over HTTP, by `fetch`: the one function that another runtime would replace.
 *
 * Source: Fossil `src/http.c` `http_exchange()`.
 */

/** A request as the engine gives it. */
export interface Round {
  url: string
  contentType: string
  body: Uint8Array<ArrayBuffer>
  signal?: AbortSignal | undefined
  onBytes(bytes: number): void
}

/** A silence after which the server counts as hung. Units: milliseconds. */
const SILENCE_MS = 60_000
/** Bytes of one reply, still packed. */
const REPLY_BYTES_MAX = 256 * 2 ** 20

type Code = "aborted" | "network" | "denied" | "notFossil" | "badPeer"

class WireError extends Error {
  constructor(readonly code: Code, message: string) {
    super(message)
  }
}

/** Sends a request and resolves to the reply. Rejects with `{code, message}`. */
export async function carry(round: Round): Promise<{ contentType: string; body: Uint8Array }> {
  const watch = new Watch(round.signal)
  try {
    const reply = await fetch(round.url, {
      method: "POST",
      headers: { "Content-Type": round.contentType },
      body: round.body,
      cache: "no-store",
      credentials: "same-origin",
      referrerPolicy: "no-referrer",
      signal: watch.signal,
    })
    watch.alive()
    refuse(reply)
    const body = await collect(reply, round, watch)
    return { contentType: reply.headers.get("Content-Type") ?? "nothing", body }
  } catch (error) {
    throw explained(error, round, watch)
  } finally {
    watch.end()
  }
}

/** Says what a reply other than success means. */
function refuse(reply: Response): void {
  if (reply.redirected && !isFossil(reply)) {
    throw new WireError("notFossil", `the server sends elsewhere, to ${reply.url}; use that URL`)
  }
  if (reply.status === 401) throw new WireError("denied", "the server asks for a login of HTTP itself, which a page cannot give")
  if (reply.status === 403) throw new WireError("denied", "the server does not answer pages of this origin; its owner can allow it (leaf serve --allow-origin)")
  if (!reply.ok) throw new WireError(reply.status >= 500 ? "network" : "notFossil", `the server answers with status ${reply.status}; check the URL`)
}

function isFossil(reply: Response): boolean {
  return reply.headers.get("Content-Type")?.startsWith("application/x-fossil") ?? false
}

/** Reads the whole reply, and says how much of it is there. */
async function collect(reply: Response, round: Round, watch: Watch): Promise<Uint8Array> {
  if (!reply.body) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = reply.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    watch.alive()
    size += value.length
    if (size > REPLY_BYTES_MAX) throw new WireError("badPeer", `the reply is larger than ${REPLY_BYTES_MAX} bytes`)
    chunks.push(value)
    round.onBytes(size)
  }
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

function explained(error: unknown, round: Round, watch: Watch): WireError {
  if (error instanceof WireError) return error
  if (round.signal?.aborted) return new WireError("aborted", "given up; what has arrived is kept")
  if (watch.isHung) return new WireError("network", `the server hangs: nothing came for ${SILENCE_MS / 1000} seconds; try again later`)
  const origin = new URL(round.url).origin
  const crossing = origin === self.location.origin ? "" : `, or it does not answer pages of ${self.location.origin} (leaf serve --allow-origin)`
  return new WireError("network", `${origin} cannot be reached: it is down, you are offline${crossing}; try again later`)
}

/** Ends a request that is given up, or whose server says nothing for long. */
class Watch {
  isHung = false
  readonly #controller = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly given: AbortSignal | undefined) {
    if (given?.aborted) this.#controller.abort()
    given?.addEventListener("abort", this.#giveUp)
    this.alive()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Something came. */
  alive(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.isHung = true
      this.#controller.abort()
    }, SILENCE_MS)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.given?.removeEventListener("abort", this.#giveUp)
  }

  readonly #giveUp = (): void => this.#controller.abort()
}
