// What the timeline is limited to. The choice is in the address, so that it can be linked to and gone back from.
import type { TimelineEntry } from "@edgesync/leaf"
import { useMemo } from "react"
import { useLeaf } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { go, href } from "../route.ts"

interface Props {
  branch: string | undefined
  user: string | undefined
  checkins: boolean
  entries: readonly TimelineEntry[]
}

export function TimelineFilter({ branch, user, checkins, entries }: Props) {
  const leaf = useLeaf()
  const branches = useLoad("branches", () => leaf.branches()).data
  const users = useMemo(() => [...new Set([...(user ? [user] : []), ...entries.map((entry) => entry.user)])].sort(), [entries, user])
  const names = useMemo(() => {
    const all = (branches ?? []).toSorted((a, b) => Number(a.isClosed) - Number(b.isClosed) || b.time - a.time).map(({ name }) => name)
    return branch && !all.includes(branch) ? [branch, ...all] : all
  }, [branches, branch])

  const set = (change: { branch?: string; user?: string; checkins?: string }) =>
    go(href("timeline", [], { branch, user, checkins: checkins ? "1" : undefined, ...change }))
  return (
    <form className="filter" role="search" aria-label="Filter the timeline" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span className="unseen">Branch</span>
        <select data-filter value={branch ?? ""} onChange={(event) => set({ branch: event.target.value })}>
          <option value="">All branches</option>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        <span className="unseen">User</span>
        <select value={user ?? ""} onChange={(event) => set({ user: event.target.value })}>
          <option value="">Everybody</option>
          {users.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label className="check">
        <input type="checkbox" checked={checkins} onChange={(event) => set({ checkins: event.target.checked ? "1" : "" })} />
        Check-ins only
      </label>
    </form>
  )
}
