// The clone that is under way. It outlives the form that started it: one may look around meanwhile.
import type { CloneResult, Leaf, Progress } from "@edgesync/leaf"
import { createContext, use, useCallback, useMemo, useRef, useState, type ReactNode } from "react"
import { explain, wasCancelled } from "../leaf/failure.ts"
import { freeName, nameOfUrl } from "../leaf/offers.ts"
import { useSession } from "../leaf/session.tsx"
import { useToasts } from "../parts/toasts.tsx"

export interface CloneWish {
  url?: string
  /** What lets this browser in, and says where; instead of a URL. */
  ticket?: string
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
  const { done } = useToasts()
  const latest = useRef(session)
  latest.current = session
  const [url, setUrl] = useState<string | null>(null)
  const [progress, setProgress] = useState<Progress | null>(null)
  const [isEnding, setEnding] = useState(false)
  const [error, setError] = useState<string | null>(null)
  const controller = useRef<AbortController | null>(null)

  /** Where it may clone from, from now on. */
  const join = async (target: Leaf, ticket: string): Promise<string> => {
    const { url, code } = await target.join(ticket)
    setUrl(`the leaf that shows the code ${code}`)
    done(`Joined. The other side shows the same code: ${code}`)
    return url
  }
  const start = useCallback(async (wish: CloneWish) => {
    const { leaf, info, names, show } = latest.current
    const abort = new AbortController()
    controller.current = abort
    setUrl(wish.url ?? "the leaf that made the ticket")
    setError(null)
    let target: Leaf | null = null
    try {
      // What is open and empty, or was cut off, is taken; else a new one is made.
      const isReused = leaf !== null && info !== null && info.state !== "ready"
      target = isReused ? leaf : await show(freeName(wish.name ?? (wish.url === undefined ? "joined" : nameOfUrl(wish.url)), names ?? []))
      if (!target) return null
      const url = wish.ticket === undefined ? wish.url : await join(target, wish.ticket)
      if (url === undefined) return null
      return await target.clone(url, {
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
