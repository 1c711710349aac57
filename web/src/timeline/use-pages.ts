// The entries of the timeline that were loaded so far. They are remembered, so that going back finds them at once.
import type { Leaf, TimelineEntry } from "@edgesync/leaf"
import { useCallback, useEffect, useRef, useState } from "react"
import { explain } from "../leaf/failure.ts"
import { useSession } from "../leaf/session.tsx"

export interface Filter {
  branch?: string | undefined
  user?: string | undefined
  checkins?: boolean | undefined
}

interface Pages {
  key: string
  entries: TimelineEntry[]
  next: string | null
}

const pageLength = 60
let remembered: Pages | null = null

export function usePages(leaf: Leaf, filter: Filter) {
  const { name, version } = useSession()
  const key = JSON.stringify([name, filter.branch, filter.user, filter.checkins])
  const [pages, setPages] = useState<Pages | null>(() => (remembered?.key === key ? remembered : null))
  const [error, setError] = useState<string | null>(null)
  const [isLoading, setLoading] = useState(false)
  const latest = useRef({ filter, pages, key })
  latest.current = { filter, pages, key }

  const load = useCallback(
    async (after: string | undefined, limit: number) => {
      const asked = latest.current
      setLoading(true)
      try {
        const page = await leaf.timeline({ ...given(asked.filter), limit, ...(after === undefined ? {} : { after }) }).page()
        if (latest.current.key !== asked.key) return
        const before = after === undefined ? [] : (asked.pages?.entries ?? [])
        remembered = { key: asked.key, entries: [...before, ...page.entries], next: page.next }
        setPages(remembered)
        setError(null)
      } catch (failure) {
        if (latest.current.key === asked.key) setError(explain(failure))
      } finally {
        if (latest.current.key === asked.key) setLoading(false)
      }
    },
    [leaf],
  )

  // What is shown is read anew in full after a change, so that no entry is shown twice or left out.
  useEffect(() => {
    const shown = remembered?.key === key ? remembered.entries.length : 0
    void load(undefined, Math.min(1000, Math.max(pageLength, shown)))
  }, [key, version, load])

  const mine = pages?.key === key ? pages : null
  const more = useCallback(() => {
    const { pages, key } = latest.current
    if (pages?.key === key && pages.next !== null) void load(pages.next, pageLength)
  }, [load])
  return { entries: mine?.entries ?? null, hasMore: mine ? mine.next !== null : false, error, isLoading, more, retry: () => void load(undefined, pageLength) }
}

function given({ branch, user, checkins }: Filter) {
  return { ...(branch ? { branch } : {}), ...(user ? { user } : {}), ...(checkins ? { checkins } : {}) }
}
