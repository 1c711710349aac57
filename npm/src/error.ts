/** What goes wrong, as the page sees it. */

import type { Failure } from "./protocol.js"

/** Why a command failed. `code` is stable, `blame` says who has to act, `message` is for people and names the next step. */
export class LeafError extends Error {
  override readonly name = "LeafError"
  readonly code: Failure["code"]
  readonly blame: Failure["blame"]

  constructor(failure: Failure) {
    super(failure.message)
    this.code = failure.code
    this.blame = failure.blame
  }
}

/** A failure of this package itself, or of the browser under it. */
export function failure(code: Failure["code"], blame: Failure["blame"], message: string): Failure {
  return { code, blame, message }
}

/** Whatever was thrown, as a failure. */
export function asFailure(error: unknown): Failure {
  if (error instanceof LeafError) return failure(error.code, error.blame, error.message)
  if (typeof error === "object" && error !== null && "code" in error && "blame" in error && "message" in error) {
    return error as Failure
  }
  const text = error instanceof Error ? error.message : String(error)
  return failure("internal", "caller", `the leaf's worker failed: ${text}; please report this`)
}
