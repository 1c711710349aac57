// What is not committed yet: reviewed against the check-in it builds on, then committed.
import { useRef, useState } from "react"
import { Conflicts, ForkNotice } from "../changes/notices.tsx"
import { commit, useReview, wouldFork, type Review } from "../changes/use-review.ts"
import { ChangeMark, Diffs } from "../diff/diffs.tsx"
import { useDrafts, type Plan } from "../leaf/drafts.tsx"
import { explain } from "../leaf/failure.ts"
import { useLeaf, useSession } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { Confirm } from "../parts/dialog.tsx"
import { Icon } from "../parts/icon.tsx"
import { HashLink, count } from "../parts/say.tsx"
import { Failed, Head, Nothing, Skeleton } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { useTitle } from "../parts/use-title.ts"
import { fileHref, go, href } from "../route.ts"

export default function Changes() {
  useTitle("Changes")
  const { list, plan, isLoaded } = useDrafts()
  const { data: now, error, reload } = useReview(list, plan)
  // While a new review is made the last one stays, and with it what is being typed.
  const last = useRef<Review | null>(null)
  last.current = now ?? last.current
  const data = error ? null : last.current
  if (!isLoaded) return <Skeleton />
  if (!plan) {
    return (
      <>
        <Head title="Changes" />
        <Nothing icon="edit" title="Nothing waits to be committed">
          <p>Edit, add or rename files: what you do is kept here until you commit it.</p>
          <a className="button" href={href("files")}>
            Go to the files
          </a>
        </Nothing>
      </>
    )
  }
  return (
    <>
      <Head title="Changes" note={`${count(list.length, "file")}, kept on this device until you commit`}>
        <DiscardAll />
      </Head>
      {error && <Failed text={error} onRetry={reload} />}
      {!data && !error && <Skeleton rows={8} />}
      {data && <Commit plan={plan} review={data} />}
    </>
  )
}

function Commit({ plan, review }: { plan: Plan; review: Review }) {
  const leaf = useLeaf()
  const { info } = useSession()
  const drafts = useDrafts()
  const { done, attempt } = useToasts()
  const [isBusy, setBusy] = useState(false)
  const [fork, setFork] = useState<string | null>(null)
  const [fault, setFault] = useState<string | null>(null)
  const isOwn = plan.branch === review.branch
  const isTaken = useIsTaken(isOwn ? null : plan.branch)
  const hasMoved = isOwn && review.tip !== plan.basis
  const conflicts = review.files.filter((one) => one.conflict !== undefined)
  const isReady = plan.message.trim() !== "" && plan.branch.trim() !== "" && conflicts.length === 0 && !isTaken

  const run = async (allowFork: boolean) => {
    setBusy(true)
    setFault(null)
    try {
      const made = await commit(leaf, drafts.list, plan, { allowFork })
      drafts.clear()
      done(`Committed ${made.hash.slice(0, 10)} to ${made.branch}.`, { label: "Show", run: () => go(href("checkin", [made.hash])) })
      go(href("timeline"))
    } catch (error) {
      if (wouldFork(error)) setFork(explain(error))
      else setFault(explain(error))
    } finally {
      setBusy(false)
    }
  }
  const sync = async () => {
    setBusy(true)
    await attempt(() => leaf.sync())
    setBusy(false)
  }
  const submit = () => {
    if (isReady && !isBusy && !hasMoved) void run(false)
  }
  return (
    <>
      {(hasMoved || fork) && (
        <ForkNotice
          branch={plan.branch}
          tip={hasMoved ? review.tip : null}
          said={fork}
          canSync={Boolean(info?.remote)}
          isBusy={isBusy}
          onMove={() => {
            setFork(null)
            drafts.setPlan({ basis: review.tip })
          }}
          onSync={() => void sync()}
          onFork={() => (isReady ? void run(true) : setFault("Say first, in the message, what you changed and why."))}
        />
      )}
      <Conflicts
        files={conflicts}
        branch={plan.branch}
        onKeep={(one) => drafts.put({ ...one.draft, base: one.conflict ?? null, from: one.conflict === null ? null : one.draft.from ?? one.draft.path }, plan)}
        onDrop={(draft) => drafts.discard(draft.path)}
      />
      <form
        className="card commit"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return
          event.preventDefault()
          submit()
        }}
      >
        <label className="field">
          Message
          <textarea
            rows={3}
            autoFocus
            value={plan.message}
            onChange={(event) => drafts.setPlan({ message: event.target.value })}
            placeholder="What you changed, and why"
          />
        </label>
        <div className="commit-row">
          <BranchField plan={plan} own={review.branch} isTaken={isTaken} />
          <p className="note">
            Builds on <HashLink hash={plan.basis} />, as <a href={href("settings")}>{info?.user ?? "nobody yet"}</a>
          </p>
          <button className="primary" disabled={!isReady || isBusy || hasMoved} title="Ctrl+Enter">
            <Icon name="check" size={18} /> {isBusy ? "Committing" : `Commit ${count(drafts.list.length, "file")}`}
          </button>
        </div>
        {fault && (
          <p className="fault" role="alert">
            {fault}
          </p>
        )}
      </form>
      <ul className="listing" aria-label="Files to commit">
        {review.files.map(({ draft, diff }) => (
          <li key={draft.path}>
            <a href={fileHref(plan.branch, draft.path)}>{draft.path}</a>
            <ChangeMark change={diff.change} />
            <span className="size">
              <button className="bare small" onClick={() => drafts.discard(draft.path)} aria-label={`Discard changes of ${draft.path}`}>
                <Icon name="cross" size={14} /> Discard
              </button>
            </span>
          </li>
        ))}
      </ul>
      <Diffs diffs={review.files.map(({ diff }) => diff)} />
    </>
  )
}

function useIsTaken(name: string | null): boolean {
  const leaf = useLeaf()
  const branches = useLoad("branches", () => leaf.branches()).data ?? []
  return name !== null && branches.some((branch) => branch.name === name)
}

/** The branch of the next check-in: the one the changes began on, or a new one. */
function BranchField({ plan, own, isTaken }: { plan: Plan; own: string; isTaken: boolean }) {
  const drafts = useDrafts()
  const isOwn = plan.branch === own
  return (
    <fieldset className="branch-field">
      <legend className="unseen">Branch</legend>
      <label className="check">
        <input type="radio" name="branch" checked={isOwn} onChange={() => drafts.setPlan({ branch: own })} /> On {own}
      </label>
      <label className="check">
        <input type="radio" name="branch" checked={!isOwn} onChange={() => drafts.setPlan({ branch: "" })} /> New branch
      </label>
      {!isOwn && (
        <input
          aria-label="Name of the new branch"
          placeholder="name-of-branch"
          autoCapitalize="off"
          spellCheck={false}
          autoFocus={plan.branch === ""}
          value={plan.branch}
          aria-invalid={isTaken}
          onChange={(event) => drafts.setPlan({ branch: event.target.value })}
        />
      )}
      {isTaken && <p className="fault">This branch exists already.</p>}
    </fieldset>
  )
}

function DiscardAll() {
  const drafts = useDrafts()
  const { done } = useToasts()
  const [isAsking, setAsking] = useState(false)
  return (
    <>
      <button onClick={() => setAsking(true)}>
        <Icon name="trash" size={18} /> Discard all
      </button>
      {isAsking && (
        <Confirm
          title="Discard all changes?"
          action="Discard"
          onClose={() => setAsking(false)}
          onConfirm={() => {
            drafts.clear()
            done("Discarded.")
          }}
        >
          <p>What you changed in {count(drafts.list.length, "file")} is lost:</p>
          <ul>
            {drafts.list.slice(0, 12).map((draft) => (
              <li key={draft.path}>{draft.path}</li>
            ))}
            {drafts.list.length > 12 && <li>and {drafts.list.length - 12} more</li>}
          </ul>
        </Confirm>
      )}
    </>
  )
}
