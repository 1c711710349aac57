/**
 * React hooks over a leaf. On a server they say so and do nothing.
 */

import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react"
import { Leaf, LeafError, type FileContent, type LeafOptions, type MeshStatus, type SyncStatus, type TimelineEntry } from "./index.js"

/** A leaf that opens with a component and closes with it. */
export interface LeafHandle {
  /** `ssr`: rendered on a server, or not yet taken over by the page. */
  status: "ssr" | "opening" | "ready" | "failed"
  leaf: Leaf | null
  error: LeafError | null
}

const ON_SERVER: LeafHandle = { status: "ssr", leaf: null, error: null }
const OPENING: LeafHandle = { status: "opening", leaf: null, error: null }
const NEVER = (): (() => void) => () => undefined

/** Opens the repository `name`. Options count when it opens; later changes of them do not. */
export function useLeaf(name: string, options?: LeafOptions): LeafHandle {
  const [handle, setHandle] = useState<LeafHandle>(OPENING)
  // While a page takes over what a server rendered, it must say what the server said.
  const isOnServer = useSyncExternalStore(NEVER, () => false, () => true)
  const first = useRef(options)
  useEffect(() => {
    let isGone = false
    const opening = Leaf.open(name, first.current)
    setHandle(OPENING)
    opening.then(
      (leaf) => isGone || setHandle({ status: "ready", leaf, error: null }),
      (error: unknown) => isGone || setHandle({ status: "failed", leaf: null, error: error as LeafError }),
    )
    return () => {
      isGone = true
      // What failed to open need not be closed.
      opening.then((leaf) => leaf.close(), () => undefined)
    }
  }, [name])
  return isOnServer ? ON_SERVER : handle
}

/** A number that grows with every change of the repository. */
function useChanges(leaf: Leaf | null): number {
  const [count, setCount] = useState(0)
  useEffect(() => leaf?.on("change", () => setCount((before) => before + 1)), [leaf])
  return count
}

/** The timeline, as far as it was asked for; it follows changes. */
export function useTimeline(
  leaf: Leaf | null,
  { limit = 50, branch, checkins }: { limit?: number; branch?: string; checkins?: boolean } = {},
): { entries: TimelineEntry[]; loadMore(): Promise<void>; hasMore: boolean; loading: boolean; error: LeafError | null } {
  const changes = useChanges(leaf)
  const [wanted, setWanted] = useState(limit)
  const [state, setState] = useState({ entries: [] as TimelineEntry[], hasMore: false, loading: true, error: null as LeafError | null })
  useEffect(() => setWanted(limit), [leaf, limit, branch, checkins])
  useEffect(() => {
    if (leaf?.state !== "ready") return
    let isGone = false
    setState((before) => ({ ...before, loading: true }))
    const options = { limit: wanted, ...(branch !== undefined && { branch }), ...(checkins !== undefined && { checkins }) }
    leaf.timeline(options).page().then(
      ({ entries, next }) => isGone || setState({ entries, hasMore: next !== null, loading: false, error: null }),
      (error: unknown) => isGone || setState((before) => ({ ...before, loading: false, error: error as LeafError })),
    )
    return () => void (isGone = true)
  }, [leaf, wanted, branch, checkins, changes])
  const loadMore = useCallback(async () => setWanted((before) => before + limit), [limit])
  return { ...state, loadMore }
}

/** One file; it follows changes. */
export function useFile(
  leaf: Leaf | null,
  path: string,
  checkin?: string,
): { file: FileContent | null; text: string | null; loading: boolean; error: LeafError | null } {
  const changes = useChanges(leaf)
  const [state, setState] = useState({ file: null as FileContent | null, text: null as string | null, loading: true, error: null as LeafError | null })
  useEffect(() => {
    if (leaf?.state !== "ready") return
    let isGone = false
    leaf.readFile(path, checkin).then(
      (file) => isGone || setState({ file, text: new TextDecoder().decode(file.bytes), loading: false, error: null }),
      (error: unknown) => isGone || setState({ file: null, text: null, loading: false, error: error as LeafError }),
    )
    return () => void (isGone = true)
  }, [leaf, path, checkin, changes])
  return state
}

const UNKNOWN: SyncStatus = { phase: "idle", unsent: 0, lastSync: null, error: null, nextTry: null, autosync: false }

/** How syncing goes. */
export function useSyncStatus(leaf: Leaf | null): SyncStatus {
  const subscribe = useCallback((changed: () => void) => leaf?.on("sync", changed) ?? (() => undefined), [leaf])
  return useSyncExternalStore(subscribe, () => leaf?.syncStatus ?? UNKNOWN, () => UNKNOWN)
}

const OFF: MeshStatus = { state: "off", error: null }

/** How the mesh is. */
export function useMeshStatus(leaf: Leaf | null): MeshStatus {
  const subscribe = useCallback((changed: () => void) => leaf?.on("mesh", changed) ?? (() => undefined), [leaf])
  return useSyncExternalStore(subscribe, () => leaf?.meshStatus ?? OFF, () => OFF)
}
