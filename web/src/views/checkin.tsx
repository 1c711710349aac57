// One check-in: what was said, where it stands, what it changed.
import type { CheckinDetail } from "@edgesync/leaf"
import { useState, type ReactNode } from "react"
import { ChangeMark, Diffs } from "../diff/diffs.tsx"
import { useLeaf, useSession } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { BranchMark, Mark } from "../parts/branch-mark.tsx"
import { CommentText } from "../parts/comment.tsx"
import { FormDialog } from "../parts/dialog.tsx"
import { Icon } from "../parts/icon.tsx"
import { HashLink, Since, When, count } from "../parts/say.tsx"
import { Failed, Head, Skeleton } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { useCopy } from "../parts/use-copy.ts"
import { useTitle } from "../parts/use-title.ts"
import { fileHref, href, type Route } from "../route.ts"
import { RichText } from "../text/rich-text.tsx"
import { EntryMarks } from "./timeline.tsx"

/** Check-ins that touch more files (imports, mostly) show only their names at first. */
const manyFiles = 60

export function Checkin({ route }: { route: Route }) {
  const name = route.parts[0] ?? "tip"
  const leaf = useLeaf()
  const { data, error, reload } = useLoad(`checkin ${name}`, () => leaf.checkin(name))
  useTitle(data ? (data.entry.comment.split("\n")[0] ?? "Check-in").slice(0, 60) : "Check-in")
  if (error) {
    return (
      <>
        <Head title="Check-in" note={name} />
        <Failed text={error} onRetry={reload} />
      </>
    )
  }
  if (!data) return <Skeleton rows={10} />
  return <Detail detail={data} />
}

function Detail({ detail }: { detail: CheckinDetail }) {
  const { entry, files, children, mimetype } = detail
  const { info } = useSession()
  const [wantsAll, setWantsAll] = useState(files.length <= manyFiles)
  return (
    <>
      <article className="checkin">
        <p className="meta">
          Check-in <HashLink hash={entry.hash} />
          {entry.branch && <BranchMark name={entry.branch} main={info?.mainBranch ?? null} />}
          <Tags detail={detail} />
          <EntryMarks entry={entry} />
        </p>
        {mimetype === "text/x-markdown" ? (
          <RichText text={entry.comment} format="markdown" checkin={entry.hash} isWiki />
        ) : (
          <h1 className="comment">
            <CommentText text={entry.comment || "(no comment)"} />
          </h1>
        )}
        <p className="meta">
          <a className="user" href={href("timeline", [], { user: entry.user })}>
            {entry.user}
          </a>
          <Since time={entry.time} />
          <When time={entry.time} />
        </p>
        <dl className="facts">
          <Kin label={entry.parents.length > 1 ? "Parents" : "Parent"} hashes={entry.parents} />
          <Kin label={children.length > 1 ? "Children" : "Child"} hashes={children} />
          <dt>Hash</dt>
          <dd>
            <code className="whole-hash">{entry.hash}</code> <CopyButton text={entry.hash} />
          </dd>
        </dl>
        <div className="actions start">
          <a className="button" href={fileHref(entry.hash, "")}>
            <Icon name="files" size={18} /> Files of this check-in
          </a>
          {entry.parents.slice(1).map((parent) => (
            <a key={parent} className="button" href={href("compare", [parent, entry.hash])}>
              <Icon name="columns" size={18} /> Compare with {parent.slice(0, 10)}
            </a>
          ))}
        </div>
      </article>
      {wantsAll ? (
        <CheckinDiffs to={entry.hash} />
      ) : (
        <section aria-label="Changed files">
          <div className="diff-head">
            <p>{count(files.length, "file")} changed</p>
            <button onClick={() => setWantsAll(true)}>Compare all of them</button>
          </div>
          <ul className="listing">
            {files.map((file) => (
              <li key={file.path}>
                {file.hash ? <a href={fileHref(entry.hash, file.path)}>{file.path}</a> : file.path} <ChangeMark change={file.change} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

export function CheckinDiffs({ from, to }: { from?: string; to: string }) {
  const leaf = useLeaf()
  const { data, error, reload } = useLoad(`diff ${from} ${to}`, () => leaf.diff(from ? { from, to } : { to }))
  if (error) return <Failed text={error} onRetry={reload} />
  if (!data) return <Skeleton rows={8} />
  return <Diffs diffs={data} hrefOf={(diff) => (diff.change === "removed" ? null : fileHref(to, diff.path))} />
}

function Kin({ label, hashes }: { label: string; hashes: string[] }) {
  if (hashes.length === 0) return null
  return (
    <>
      <dt>{label}</dt>
      <dd>{hashes.map((hash, at): ReactNode => [at > 0 && ", ", <HashLink key={hash} hash={hash} />])}</dd>
    </>
  )
}

function Tags({ detail: { entry } }: { detail: CheckinDetail }) {
  const leaf = useLeaf()
  const { attempt, done } = useToasts()
  const [isAdding, setAdding] = useState(false)
  const [tag, setTag] = useState("")
  const add = async () => {
    setAdding(false)
    if (await attempt(() => leaf.tag.add(tag.trim(), entry.hash))) done(`Tagged ${tag.trim()}.`)
    setTag("")
  }
  return (
    <>
      {entry.tags.map((name) => (
        <span key={name} className="tag-with-action">
          <Mark icon="tag">{name}</Mark>
          <button
            className="bare"
            aria-label={`Take tag ${name} off`}
            onClick={() =>
              void attempt(async () => {
                await leaf.tag.remove(name, entry.hash)
                done(`Took ${name} off.`, { label: "Put it back", run: () => void attempt(() => leaf.tag.add(name, entry.hash)) })
              })
            }
          >
            <Icon name="cross" size={12} />
          </button>
        </span>
      ))}
      <button className="bare small" onClick={() => setAdding(true)}>
        <Icon name="plus" size={14} /> Tag
      </button>
      {isAdding && (
        <FormDialog title="Add a tag" action="Add tag" disabled={!tag.trim()} onSubmit={() => void add()} onClose={() => setAdding(false)}>
          <label className="field">
            Tag
            <input value={tag} onChange={(event) => setTag(event.target.value)} required autoFocus autoCapitalize="off" placeholder="version-1.0" />
          </label>
        </FormDialog>
      )}
    </>
  )
}

function CopyButton({ text }: { text: string }) {
  const copy = useCopy()
  return (
    <button className="bare" aria-label="Copy" onClick={() => copy(text)}>
      <Icon name="copy" size={14} />
    </button>
  )
}
