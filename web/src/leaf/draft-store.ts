// Where drafts are kept: IndexedDB, as they may hold any bytes. One record per file, one plan per repository.

/** What is to happen to a file with the next check-in. */
export interface Draft {
  path: string
  kind: "put" | "remove" | "rename"
  /** What the file is called in the check-in; differs from `path` when it is renamed. Null for a new file. */
  from: string | null
  /** The hash of the content that the edit began with. If the check-in to build on has another, somebody else changed it. */
  base: string | null
  /** The new content of `put`. */
  bytes: Uint8Array | null
}

/** What the next check-in will be. */
export interface Plan {
  /** The check-in to build on. */
  basis: string
  /** The branch to put it on. */
  branch: string
  message: string
}

const database = "leaf-drafts"
let opening: Promise<IDBDatabase> | undefined

function open(): Promise<IDBDatabase> {
  return (opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(database, 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore("drafts")
      request.result.createObjectStore("plans")
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => {
      opening = undefined
      reject(request.error ?? new Error("Drafts cannot be kept on this device"))
    }
  }))
}

async function run<T>(store: "drafts" | "plans", mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const transaction = (await open()).transaction(store, mode)
  const request = work(transaction.objectStore(store))
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result)
    transaction.onabort = () => reject(transaction.error ?? new Error("The draft was not kept"))
  })
}

const all = (repository: string) => IDBKeyRange.bound([repository], [repository, []])

export function readDrafts(repository: string): Promise<Draft[]> {
  return run<Draft[]>("drafts", "readonly", (store) => store.getAll(all(repository)))
}

export async function writeDraft(repository: string, draft: Draft): Promise<void> {
  await run("drafts", "readwrite", (store) => store.put(draft, [repository, draft.path]))
}

export async function deleteDraft(repository: string, path: string): Promise<void> {
  await run("drafts", "readwrite", (store) => store.delete([repository, path]))
}

export async function deleteDrafts(repository: string): Promise<void> {
  await run("drafts", "readwrite", (store) => store.delete(all(repository)))
  await run("plans", "readwrite", (store) => store.delete(repository))
}

export async function readPlan(repository: string): Promise<Plan | null> {
  return (await run<Plan | undefined>("plans", "readonly", (store) => store.get(repository))) ?? null
}

export async function writePlan(repository: string, plan: Plan): Promise<void> {
  await run("plans", "readwrite", (store) => store.put(plan, repository))
}
