// What went wrong, in words for people.
import { LeafError } from "@edgesync/leaf"

export type Code = LeafError["code"]

export function codeOf(error: unknown): Code | null {
  return error instanceof LeafError ? error.code : null
}

/** A failure found by this page: its message says what happened and what to do next. */
export class PageError extends Error {}

/** What happened and what to do next. Failures of the leaf say so themselves. */
export function explain(error: unknown): string {
  if (error instanceof LeafError || error instanceof PageError) return error.message
  if (error instanceof DOMException && error.name === "AbortError") return "You cancelled it."
  if (error instanceof DOMException && error.name === "QuotaExceededError") {
    return "The browser gives this page no more room. Free some on the Storage page, then try again."
  }
  const said = error instanceof Error ? error.message : String(error)
  return `${said || "Something failed without saying why"}. Try again; if it stays so, reload the page.`
}

export function wasCancelled(error: unknown): boolean {
  return codeOf(error) === "aborted" || (error instanceof DOMException && error.name === "AbortError")
}
