/**
 * The repositories of this device: which there are, how much room they take, and their end.
 */

import { failure, LeafError } from "./error.js"
import { FOLDER, forgetKept, ignoreMissing } from "./keep.js"

/** What a repository may be called here: the name is that of a folder. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** How long a tab that is about to close a leaf is waited for. Units: milliseconds. */
const CLOSING_MS = 1_000

/** Refuses a name that no repository may have. */
export function checkName(name: string): void {
  if (!NAME.test(name)) {
    throw new LeafError(failure("badArguments", "caller", `${JSON.stringify(name)} is no name for a repository; use up to 64 letters, digits, ".", "_" and "-"`))
  }
}

/** Whether this browser, in this context, can hold a leaf. */
export function support(): { ok: boolean; reason: string | null } {
  const no = (reason: string): { ok: false; reason: string } => ({ ok: false, reason })
  if (typeof window === "undefined" || typeof Worker === "undefined") return no("a leaf opens in a web page, not on a server")
  if (!window.isSecureContext) return no("this page is not secure; open it over https or on localhost")
  if (typeof navigator.storage?.getDirectory !== "function") return no("this browser has no private file system; use a newer one, and a window that is not private")
  if (!("locks" in navigator) || typeof BroadcastChannel === "undefined") return no("this browser cannot share a repository between tabs; use a newer one")
  return { ok: true, reason: null }
}

/** The names of the repositories on this device, sorted. */
export async function list(): Promise<string[]> {
  const names: string[] = []
  try {
    const root = await navigator.storage.getDirectory()
    for await (const [name, handle] of (await root.getDirectoryHandle(FOLDER)).entries()) {
      if (handle.kind === "directory" && NAME.test(name)) names.push(name)
    }
  } catch (error) {
    ignoreMissing(error)
  }
  return names.sort()
}

/** Deletes a repository; unsent work is lost. No tab may have it open. */
export async function remove(name: string): Promise<void> {
  checkName(name)
  try {
    await navigator.locks.request(`edgesync-leaf:${name}`, { signal: AbortSignal.timeout(CLOSING_MS) }, async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true })
      await takeAway(folder, name)
      await forgetKept(name)
    })
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error
    throw new LeafError(failure("locked", "storage", `a tab has ${name} open; close the leaf there first`))
  }
}

/** A worker that was just closed holds its files for a moment longer than its lock. */
async function takeAway(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await folder.removeEntry(name, { recursive: true }).catch(ignoreMissing)
    } catch (error) {
      if (tries === 40) throw new LeafError(failure("locked", "storage", `${name} is still in use: ${String(error)}; try again`))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** How much room this origin takes and may take, in bytes, and whether the browser promises to keep it. */
export async function estimate(): Promise<{ usage: number; quota: number; persisted: boolean }> {
  const [{ usage = 0, quota = 0 }, persisted] = await Promise.all([navigator.storage.estimate(), navigator.storage.persisted()])
  return { usage, quota, persisted }
}

/** Asks the browser to keep what is stored. It may ask the user; after a click, best. */
export function persist(): Promise<boolean> {
  return navigator.storage.persist()
}
