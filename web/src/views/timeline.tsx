// The timeline: what happened, newest first, with the lines of descent beside it.
import type { TimelineEntry } from "@edgesync/leaf"
import { Fragment, useEffect, useMemo, useRef, type CSSProperties } from "react"
import { useLeaf, useSession } from "../leaf/session.tsx"
import { BranchMark, Mark } from "../parts/branch-mark.tsx"
import { CommentText, plainComment, sayEntry, wikiTitleOf } from "../parts/comment.tsx"
import { Icon, type IconName } from "../parts/icon.tsx"
import { Clock, HashLink, dayText } from "../parts/say.tsx"
import { Failed, Head, Nothing, Skeleton } from "../parts/states.tsx"
import { useTitle } from "../parts/use-title.ts"
import { href, type Route } from "../route.ts"
import { TimelineFilter } from "../timeline/filter.tsx"
import { GraphPassing, GraphRow, graphWidth } from "../timeline/graph.tsx"
import { below, layOut, width } from "../timeline/lanes.ts"
import { usePages } from "../timeline/use-pages.ts"

export function TimelineView({ route }: { route: Route }) {
  useTitle("Timeline")
  const leaf = useLeaf()
  const { info } = useSession()
  const branch = route.options.get("branch") ?? undefined
  const user = route.options.get("user") ?? undefined
  const checkins = route.options.get("checkins") === "1" || undefined
  const { entries, hasMore, error, isLoading, more, retry } = usePages(leaf, { branch, user, checkins })
  const main = info?.mainBranch ?? null

  return (
    <>
      <Head title="Timeline" note={branch ? `Branch ${branch}` : undefined} />
      <TimelineFilter branch={branch} user={user} checkins={checkins ?? false} entries={entries ?? []} />
      {error && <Failed text={error} onRetry={retry} />}
      {!entries && !error && <Skeleton rows={12} />}
      {entries?.length === 0 && (
        <Nothing icon="timeline" title={branch || user || checkins ? "Nothing fits this filter" : "Nothing has happened yet"}>
          {branch || user || checkins ? <a href={href("timeline")}>Show everything</a> : <a href={href("files")}>Add the first file</a>}
        </Nothing>
      )}
      {entries && entries.length > 0 && <Entries entries={entries} main={main} isWhole={!hasMore} isFiltered={Boolean(user)} branch={branch} />}
      {hasMore && <More onMore={more} isLoading={isLoading} />}
    </>
  )
}

interface EntriesProps {
  entries: TimelineEntry[]
  main: string | null
  isWhole: boolean
  isFiltered: boolean
  branch: string | undefined
}

function Entries({ entries, main, isWhole, isFiltered, branch }: EntriesProps) {
  const rows = useMemo(() => {
    // One person's check-ins are no line of descent.
    const lonely = isFiltered ? entries.map((entry) => ({ ...entry, parents: [] })) : entries
    return layOut(lonely, { isWhole, mainLineOnly: isFiltered || Boolean(branch), main })
  }, [entries, isWhole, isFiltered, branch, main])
  const style = { "--graph": `${graphWidth(width(rows))}px` } as CSSProperties
  let day = ""
  return (
    <ol className="timeline" style={style}>
      {entries.map((entry, at) => {
        const today = dayText(entry.time)
        const isNewDay = today !== day
        day = today
        const row = rows[at]
        const before = rows[at - 1]
        if (!row) return null
        return (
          <Fragment key={entry.hash + entry.kind + at}>
            {isNewDay && (
              <li className="day">
                <GraphPassing lines={before ? below(before) : []} main={main} />
                <h2>{today}</h2>
              </li>
            )}
            <li className={`entry ${entry.kind}`}>
              <GraphRow row={row} main={main} shape={shapeOf(entry)} />
              <Entry entry={entry} main={main} />
            </li>
          </Fragment>
        )
      })}
    </ol>
  )
}

const icons: Partial<Record<TimelineEntry["kind"], IconName>> = { wiki: "wiki", ticket: "ticket", techNote: "note", tag: "tag", forum: "chat" }

function Entry({ entry, main }: { entry: TimelineEntry; main: string | null }) {
  const icon = icons[entry.kind]
  const title = wikiTitleOf(entry)
  const to = entry.kind === "checkin" ? href("checkin", [entry.hash]) : title ? href("wiki", [title]) : null
  const said = sayEntry(entry)
  return (
    <article>
      <p className="comment">
        {icon && <Icon name={icon} size={16} />}
        {to ? (
          <a href={to} data-row>
            {plainComment(said)}
          </a>
        ) : (
          <span>
            <CommentText text={said} />
          </span>
        )}
      </p>
      <p className="meta">
        <a className="user" href={href("timeline", [], { user: entry.user })}>
          {entry.user}
        </a>
        <Clock time={entry.time} />
        {entry.kind === "checkin" && <HashLink hash={entry.hash} />}
        {entry.branch && <BranchMark name={entry.branch} main={main} />}
        {entry.tags.map((tag) => (
          <Mark key={tag} icon="tag">
            {tag}
          </Mark>
        ))}
        <EntryMarks entry={entry} />
      </p>
    </article>
  )
}

export function EntryMarks({ entry }: { entry: TimelineEntry }) {
  return (
    <>
      {entry.isMerge && <Mark icon="merge">merge</Mark>}
      {entry.isClosed ? <Mark icon="lock">closed</Mark> : entry.isLeaf && <Mark kind="good">leaf</Mark>}
      {entry.isPrivate && <Mark icon="lock">private</Mark>}
      {entry.isUnsent && (
        <Mark icon="upload" kind="warn">
          unsent
        </Mark>
      )}
    </>
  )
}

function shapeOf(entry: TimelineEntry) {
  return entry.isClosed ? "closed" : entry.isMerge ? "merge" : entry.isLeaf ? "leaf" : "dot"
}

/** Loads on when it comes near; the button is for those who do not scroll. */
function More({ onMore, isLoading }: { onMore(): void; isLoading: boolean }) {
  const element = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!element.current || isLoading) return
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && onMore(), { rootMargin: "800px" })
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [onMore, isLoading])
  return (
    <div ref={element} className="more-lines">
      <button onClick={onMore} disabled={isLoading}>
        {isLoading ? "Loading older entries" : "Show older entries"}
      </button>
    </div>
  )
}
