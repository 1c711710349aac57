// Which repository this tab shows, and what is known of it. One at a time; switching closes the one before.
import { Leaf, type Info, type MeshStatus, type SyncStatus } from "@edgesync/leaf"
// As an address, for the package to declare trusted: browsers refuse a plain one under the policy of this page.
import workerUrl from "@edgesync/leaf/worker?worker&url"
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react"
import { explain } from "./failure.ts"
import { currentName, nameOfPlace, rememberName, setting } from "./kept.ts"
import { useMesh } from "./use-mesh.ts"

export interface Session {
  /** Repositories on this device; null until that is known. */
  names: string[] | null
  name: string | null
  /** The open repository; null while none is, or while it opens. */
  leaf: Leaf | null
  info: Info | null
  sync: SyncStatus
  mesh: MeshStatus
  isLeader: boolean
  /** Goes up whenever something in the repository changed: whatever is shown is read anew. */
  version: number
  error: string | null
  /** Shows another repository; null shows none. Makes it if it is not there. */
  show(name: string | null): Promise<Leaf | null>
  remove(name: string): Promise<void>
  refresh(): Promise<void>
}

const quiet: SyncStatus = { phase: "idle", unsent: 0, lastSync: null, error: null, nextTry: null, autosync: false }
const Context = createContext<Session | null>(null)

export function useSession(): Session {
  const session = use(Context)
  if (!session) throw new Error("useSession outside of SessionProvider")
  return session
}

/** The open repository, in views that are shown only when there is one. */
export function useLeaf(): Leaf {
  const { leaf } = useSession()
  if (!leaf) throw new Error("no repository is open")
  return leaf
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [names, setNames] = useState<string[] | null>(null)
  const [name, setName] = useState<string | null>(currentName)
  const [leaf, setLeaf] = useState<Leaf | null>(null)
  const [info, setInfo] = useState<Info | null>(null)
  const [sync, setSync] = useState<SyncStatus>(quiet)
  const [isLeader, setLeader] = useState(false)
  const [version, setVersion] = useState(0)
  const [error, setError] = useState<string | null>(null)
  const opened = useRef<{ name: string; leaf: Promise<Leaf> } | null>(null)

  const list = useCallback(async () => {
    const found = Leaf.support().ok ? await Leaf.list() : []
    setNames(found)
    return found
  }, [])

  const show = useCallback(
    async (wanted: string | null): Promise<Leaf | null> => {
      if (opened.current?.name === wanted && wanted !== null) return opened.current.leaf
      const before = opened.current
      const opening = wanted === null ? null : openAfter(before?.leaf, wanted)
      opened.current = wanted !== null && opening ? { name: wanted, leaf: opening } : null
      rememberName(wanted)
      setName(wanted)
      setLeaf(null)
      setInfo(null)
      setSync(quiet)
      setError(null)
      if (!opening) {
        await before?.leaf.then((old) => old.close()).catch(() => undefined)
        return null
      }
      try {
        const next = await opening
        if (opened.current?.leaf !== opening) return null
        setInfo(await next.info())
        setSync(next.syncStatus)
        setLeader(next.isLeader)
        setLeaf(next)
        return next
      } catch (failure) {
        if (opened.current?.leaf === opening) {
          opened.current = null
          setError(explain(failure))
        }
        throw failure
      }
    },
    [],
  )

  const remove = useCallback(
    async (gone: string) => {
      if (opened.current?.name === gone) await show(null)
      await Leaf.delete(gone)
      await list()
    },
    [list, show],
  )

  const refresh = useCallback(async () => {
    const now = opened.current
    const open = await now?.leaf
    const found = await open?.info()
    if (found && opened.current === now) setInfo(found)
    await list()
  }, [list])

  useEffect(() => {
    const start = async () => {
      const found = await list()
      const wanted = [currentName(), nameOfPlace()].find((one) => one && found.includes(one))
      // What fails here is shown in place of the repository.
      if (wanted) await show(wanted).catch(() => undefined)
      else if (!opened.current) setName(null)
    }
    start().catch((failure) => setError(explain(failure)))
  }, [list, show])

  useEffect(() => {
    if (!leaf) return
    let isCurrent = true
    const stops = [
      leaf.on("sync", setSync),
      leaf.on("leader", (event) => setLeader(event.isLeader)),
      leaf.on("change", () => {
        setVersion((last) => last + 1)
        // A failure here shows wherever else the repository is read.
        leaf.info().then((now) => isCurrent && setInfo(now), () => undefined)
      }),
    ]
    return () => {
      isCurrent = false
      for (const stop of stops) stop()
    }
  }, [leaf])

  const mesh = useMesh(leaf, info, sync)
  const session = useMemo(
    () => ({ names, name, leaf, info, sync, mesh, isLeader, version, error, show, remove, refresh }),
    [names, name, leaf, info, sync, mesh, isLeader, version, error, show, remove, refresh],
  )
  return <Context value={session}>{children}</Context>
}

async function openAfter(before: Promise<Leaf> | undefined, name: string): Promise<Leaf> {
  await before?.then((old) => old.close()).catch(() => undefined)
  return Leaf.open(name, { workerUrl, autosync: setting("autosync", name) !== "off" })
}
