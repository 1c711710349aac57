// The way to a file or folder, each part a link; and the choice of the check-in.
import { useLeaf, useSession } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { shortHash } from "../parts/say.tsx"
import { fileHref, go } from "../route.ts"

export function Crumbs({ checkin, path }: { checkin: string; path: string }) {
  const { info } = useSession()
  const parts = path.split("/").filter(Boolean)
  return (
    <nav className="crumbs" aria-label="Path">
      <a href={fileHref(checkin, "")}>{info?.projectName ?? "Files"}</a>
      {parts.map((part, at) => (
        <span key={at}>
          <span aria-hidden="true">/</span>
          {at < parts.length - 1 ? (
            <a href={fileHref(checkin, parts.slice(0, at + 1).join("/"))}>{part}</a>
          ) : (
            <strong aria-current="page">{part}</strong>
          )}
        </span>
      ))}
    </nav>
  )
}

export function CheckinPicker({ checkin, path }: { checkin: string; path: string }) {
  const leaf = useLeaf()
  const { data } = useLoad("branches and tags", () => Promise.all([leaf.branches(), leaf.tags()]))
  const branches = (data?.[0] ?? []).toSorted((a, b) => Number(a.isClosed) - Number(b.isClosed) || b.time - a.time).map(({ name }) => name)
  const tags = (data?.[1] ?? []).toSorted((a, b) => b.time - a.time).map(({ name }) => name).filter((name) => !branches.includes(name))
  const isNamed = branches.includes(checkin) || tags.includes(checkin)
  return (
    <label className="picker">
      <span className="unseen">Branch, tag or check-in</span>
      <select value={checkin} onChange={(event) => go(fileHref(event.target.value, path))}>
        {!isNamed && <option value={checkin}>{/^[0-9a-f]{40,64}$/.test(checkin) ? shortHash(checkin) : checkin}</option>}
        <optgroup label="Branches">
          {branches.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </optgroup>
        {tags.length > 0 && (
          <optgroup label="Tags">
            {tags.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </optgroup>
        )}
      </select>
    </label>
  )
}
