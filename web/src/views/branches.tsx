// Branches and tags.
import type { Branch } from "@edgesync/leaf"
import { useState } from "react"
import { useLeaf, useSession } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { BranchMark, Mark } from "../parts/branch-mark.tsx"
import { FormDialog } from "../parts/dialog.tsx"
import { Icon } from "../parts/icon.tsx"
import { HashLink, Since, count } from "../parts/say.tsx"
import { Failed, Head, Nothing, Skeleton } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { useTitle } from "../parts/use-title.ts"
import { fileHref, href } from "../route.ts"

export function Branches() {
  useTitle("Branches and tags")
  const leaf = useLeaf()
  const { info } = useSession()
  const [isStarting, setStarting] = useState(false)
  const { data, error, reload } = useLoad("branch list", () => leaf.branches())
  const main = info?.mainBranch ?? null
  const order = (a: Branch, b: Branch) => Number(b.name === main) - Number(a.name === main) || b.time - a.time
  const open = (data ?? []).filter((branch) => !branch.isClosed).sort(order)
  const closed = (data ?? []).filter((branch) => branch.isClosed).sort(order)
  return (
    <>
      <Head title="Branches">
        <button className="primary" onClick={() => setStarting(true)}>
          <Icon name="plus" size={18} /> Start a branch
        </button>
      </Head>
      {error && <Failed text={error} onRetry={reload} />}
      {!data && !error && <Skeleton />}
      {open.length > 0 && <List label="Open branches" branches={open} main={main} />}
      {closed.length > 0 && (
        <details className="more-details">
          <summary>{count(closed.length, "closed branch", "closed branches")}</summary>
          <List label="Closed branches" branches={closed} main={main} />
        </details>
      )}
      <Tags />
      {isStarting && <Start branches={open} main={main} onClose={() => setStarting(false)} />}
    </>
  )
}

function List({ label, branches, main }: { label: string; branches: Branch[]; main: string | null }) {
  const leaf = useLeaf()
  const { attempt, done } = useToasts()
  const close = (name: string) =>
    attempt(async () => {
      await leaf.branch.close(name)
      done(`Closed ${name}.`, { label: "Reopen", run: () => void reopen(name) })
    })
  const reopen = (name: string) =>
    attempt(async () => {
      await leaf.branch.reopen(name)
      done(`Reopened ${name}.`)
    })
  return (
    <ul className="listing tall" aria-label={label}>
      {branches.map((branch) => (
        <li key={branch.name}>
          <div className="what">
            <BranchMark name={branch.name} main={main} />
            {branch.name === main && <Mark>main</Mark>}
            {branch.isClosed && <Mark icon="lock">closed</Mark>}
            {branch.isPrivate && <Mark icon="lock">private</Mark>}
            <p className="meta">
              {count(branch.checkins, "check-in")} <Since time={branch.time} /> <HashLink hash={branch.tip} />
            </p>
          </div>
          <div className="head-actions">
            <a className="button quiet" href={fileHref(branch.name, "")} aria-label={`Files of ${branch.name}`}>
              Files
            </a>
            {main && branch.name !== main && (
              <a className="button quiet" href={href("compare", [main, branch.name])} aria-label={`Compare ${branch.name} with ${main}`}>
                Compare
              </a>
            )}
            {branch.name !== main &&
              (branch.isClosed ? (
                <button className="quiet" aria-label={`Reopen ${branch.name}`} onClick={() => void reopen(branch.name)}>
                  Reopen
                </button>
              ) : (
                <button className="quiet" aria-label={`Close ${branch.name}`} onClick={() => void close(branch.name)}>
                  Close
                </button>
              ))}
          </div>
        </li>
      ))}
    </ul>
  )
}

function Tags() {
  const leaf = useLeaf()
  const { data, error, reload } = useLoad("tag list", () => leaf.tags())
  const tags = (data ?? []).toSorted((a, b) => b.time - a.time)
  return (
    <section aria-labelledby="tags">
      <h2 id="tags">Tags</h2>
      {error && <Failed text={error} onRetry={reload} />}
      {data?.length === 0 && (
        <Nothing icon="tag" title="There are no tags">
          <p>Open a check-in to tag it.</p>
        </Nothing>
      )}
      {tags.length > 0 && (
        <ul className="listing" aria-label="Tags">
          {tags.map((tag) => (
            <li key={tag.name}>
              <a href={href("checkin", [tag.checkin])} data-row>
                <Icon name="tag" size={18} /> <span className="name">{tag.name}</span>
              </a>
              <span className="size">
                {tag.count > 1 && `${count(tag.count, "check-in")} · `}
                <Since time={tag.time} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Start({ branches, main, onClose }: { branches: Branch[]; main: string | null; onClose(): void }) {
  const leaf = useLeaf()
  const { attempt, done } = useToasts()
  const [name, setName] = useState("")
  const [basis, setBasis] = useState(main ?? branches[0]?.name ?? "")
  const [isPrivate, setPrivate] = useState(false)
  const isTaken = branches.some((branch) => branch.name === name.trim())
  const start = async () => {
    const made = await attempt(() => leaf.branch.start(name.trim(), { ...(basis ? { basis } : {}), ...(isPrivate ? { private: true } : {}) }))
    if (!made) return
    done(`Started ${name.trim()}.`)
    onClose()
  }
  return (
    <FormDialog title="Start a branch" action="Start" disabled={!name.trim() || isTaken} onSubmit={() => void start()} onClose={onClose}>
      <label className="field">
        Name
        <input value={name} onChange={(event) => setName(event.target.value)} required autoFocus autoCapitalize="off" spellCheck={false} aria-invalid={isTaken} />
      </label>
      {isTaken && <p className="fault">This branch exists already.</p>}
      <label className="field">
        From the tip of
        <select value={basis} onChange={(event) => setBasis(event.target.value)}>
          {branches.map((branch) => (
            <option key={branch.name}>{branch.name}</option>
          ))}
        </select>
      </label>
      <label className="check">
        <input type="checkbox" checked={isPrivate} onChange={(event) => setPrivate(event.target.checked)} /> Private: stays on this device
      </label>
    </FormDialog>
  )
}
