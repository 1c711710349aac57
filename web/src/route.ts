// Where the person is: the part of the address after `#`, so that a server needs to know no routes.
//
// `#/files/trunk/src/main.rs?line=10-20`: view, then its parts, each percent-encoded, then options.
import { useSyncExternalStore } from "react"

export interface Route {
  /** The first part: `timeline`, `files`, ... Empty at the start. */
  view: string
  /** What follows it, decoded. */
  parts: string[]
  options: URLSearchParams
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2)
  const [view = "", ...parts] = path.split("/").filter(Boolean).map(decode)
  return { view, parts, options: new URLSearchParams(query) }
}

/** The address of a view. Slashes within a part are kept out of the way; options that are empty are left out. */
export function href(view: string, parts: readonly string[] = [], options: Record<string, string | undefined> = {}): string {
  const path = [view, ...parts].map(encodeURIComponent).join("/")
  const given = Object.entries(options).filter((pair): pair is [string, string] => Boolean(pair[1]))
  const query = new URLSearchParams(given).toString()
  return `#/${path}${query && "?" + query}`
}

/** The address of a file or folder in a check-in. */
export function fileHref(checkin: string, path: string, options: Record<string, string | undefined> = {}): string {
  return href("files", [checkin, ...path.split("/").filter(Boolean)], options)
}

export function go(to: string, how: { replace?: boolean } = {}): void {
  if (how.replace) {
    history.replaceState(null, "", to)
    dispatchEvent(new HashChangeEvent("hashchange"))
  } else location.hash = to
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash)
  return parseRoute(hash)
}

function subscribe(changed: () => void): () => void {
  addEventListener("hashchange", changed)
  return () => removeEventListener("hashchange", changed)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
