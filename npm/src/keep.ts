/**
 * What a device keeps beside a repository and not in it: the password of the remote, whether to sync by itself, the key by
 * which others know this leaf, and where they can call it.
 *
 * A `.fossil` that is exported or synced never holds any of that. The file is readable by this origin alone.
 */

/** The folder of all repositories on the origin private file system; `leaf-wasm/src/host/store.rs` has the same. */
export const FOLDER = "edgesync-leaf"
/** The folder for what is kept here. Not inside `FOLDER`, whose folders are repositories. */
const KEPT = "edgesync-leaf-kept"

/** What is kept. */
export interface Kept {
  password?: string
  autosync?: boolean
  /** The key by which others know this leaf: 32 bytes in hex. */
  key?: string
  /** Relays by which it can be called. */
  relays?: string[]
}

interface SyncFile {
  createSyncAccessHandle(): Promise<{
    truncate(size: number): void
    write(bytes: Uint8Array): number
    flush(): void
    close(): void
  }>
}

async function folder(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(KEPT, { create: true })
}

/** Reads what is kept for `name`; nothing if nothing is. */
export async function readKept(name: string): Promise<Kept> {
  try {
    const file = await (await folder()).getFileHandle(`${name}.json`)
    return JSON.parse(await (await file.getFile()).text()) as Kept
  } catch {
    // There is no file yet, or a crash left half of one: both are as good as nothing.
    return {}
  }
}

/** Keeps `kept` for `name`. */
export async function writeKept(name: string, kept: Kept): Promise<void> {
  const handle = await (await folder()).getFileHandle(`${name}.json`, { create: true })
  // The types of the DOM leave out what workers alone have.
  const access = await (handle as unknown as SyncFile).createSyncAccessHandle()
  try {
    access.truncate(0)
    access.write(new TextEncoder().encode(JSON.stringify(kept)))
    access.flush()
  } finally {
    access.close()
  }
}

/** Forgets everything of `name`. */
export async function forgetKept(name: string): Promise<void> {
  await (await folder()).removeEntry(`${name}.json`).catch(ignoreMissing)
}

/** What is not there need not be taken away. */
export function ignoreMissing(error: unknown): void {
  if (!(error instanceof DOMException && error.name === "NotFoundError")) throw error
}
