// The clone that is under way. It outlives the form that started it: one may look around meanwhile.
import type { CloneResult, Leaf, Progress } from "@edgesync/leaf"
import { createContext, use, useCallback, useMemo, useRef, useState, type ReactNode } from "react"
import { explain, wasCancelled } from "../leaf/failure.ts"
import { freeName, nameOfUrl } from "../leaf/offers.ts"
import { useSession } from "../leaf/session.tsx"

export interface CloneWish {
  url: string
  /** What to call it on this device, if that is free. */
  name?: string | undefined
  user: string
  password: string
  remembers: boolean
}

interface CloneJob {
  /** Where from; null if none is under way. */
  url: string | null
  progress: Progress | null
  /** It was cancelled, and ends as soon as what is under way allows. */
  isEnding: boolean
  error: string | null
  /** Resolves to null if it failed or was cancelled. */
  start(wish: CloneWish): Promise<CloneResult | null>
  cancel(): void
}

const Context = createContext<CloneJob | null>(null)

export function useCloneJob(): CloneJob {
  const job = use(Context)
  if (!job) throw new Error("useCloneJob outside of CloneJobProvider")
  return job
}

export function CloneJobProvider({ children }: { children: ReactNode }) {
  const session = useSession()
  const latest = useRef(session)
  latest.current = session
  const [url, setUrl] = useState<string | null>(null)
  const [progress, setProgress] = useState<Progress | null>(null)
  const [isEnding, setEnding] = useState(false)
  const [error, setError] = useState<string | null>(null)
  const controller = useRef<AbortController | null>(null)

  const start = useCallback(async (wish: CloneWish) => {
    const { leaf, info, names, show } = latest.current
    const abort = new AbortController()
    controller.current = abort
    setUrl(wish.url)
    setError(null)
    let target: Leaf | null = null
    try {
      // What is open and empty, or was cut off, is taken; else a new one is made.
      const isReused = leaf !== null && info !== null && info.state !== "ready"
      target = isReused ? leaf : await show(freeName(wish.name ?? nameOfUrl(wish.url), names ?? []))
      if (!target) return null
      return await target.clone(wish.url, {
        signal: abort.signal,
        onProgress: setProgress,
        ...(wish.user ? { user: wish.user } : {}),
        ...(wish.password ? { password: wish.password, remember: wish.remembers } : {}),
      })
    } catch (failure) {
      if (!wasCancelled(failure)) setError(explain(failure))
      // A clone of which nothing came leaves nothing behind.
      if (target?.state === "empty") await latest.current.remove(target.name).catch(() => undefined)
      return null
    } finally {
      await latest.current.refresh().catch(() => undefined)
      setUrl(null)
      setProgress(null)
      setEnding(false)
      controller.current = null
    }
  }, [])

  const cancel = useCallback(() => {
    setEnding(true)
    controller.current?.abort()
  }, [])
  const job = useMemo(() => ({ url, progress, isEnding, error, start, cancel }), [url, progress, isEnding, error, start, cancel])
  return <Context value={job}>{children}</Context>
}
