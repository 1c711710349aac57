// What stands in the way of a check-in, and the ways on.
import type { Draft } from "../leaf/drafts.tsx"
import { Icon } from "../parts/icon.tsx"
import { shortHash } from "../parts/say.tsx"
import { fileHref } from "../route.ts"
import type { Reviewed } from "./use-review.ts"

export function ForkNotice({
  branch,
  tip,
  said,
  canSync,
  isBusy,
  onMove,
  onSync,
  onFork,
}: {
  branch: string
  tip: string | null
  said: string | null
  canSync: boolean
  isBusy: boolean
  onMove(): void
  onSync(): void
  onFork(): void
}) {
  return (
    <div className="notice warn fork" role="alert">
      <Icon name="branch" />
      <div>
        <p>
          <strong>Branch {branch} has moved on.</strong> {said ?? `Its newest check-in is ${shortHash(tip ?? "")}, and your changes began with an older one.`}
        </p>
        <p>
          Build on the newest check-in to keep the branch in one line. A fork leaves two ends on it, which somebody has to merge later.
        </p>
        <div className="actions start">
          {tip && (
            <button className="primary" disabled={isBusy} onClick={onMove}>
              Build on the newest
            </button>
          )}
          {canSync && (
            <button disabled={isBusy} onClick={onSync}>
              <Icon name="sync" size={18} /> Sync first
            </button>
          )}
          <button disabled={isBusy} onClick={onFork}>
            Commit as a fork
          </button>
        </div>
      </div>
    </div>
  )
}

export function Conflicts({ files, branch, onKeep, onDrop }: { files: Reviewed[]; branch: string; onKeep(one: Reviewed): void; onDrop(draft: Draft): void }) {
  if (files.length === 0) return null
  return (
    <div className="notice warn conflicts" role="alert">
      <Icon name="alert" />
      <div>
        <p>
          <strong>Others changed the same {files.length === 1 ? "file" : "files"}.</strong> The comparison below shows yours against theirs; your version would replace it.
        </p>
        <ul>
          {files.map((one) => (
            <li key={one.draft.path}>
              <code>{one.draft.path}</code>
              <span className="actions start">
                {one.conflict && <a href={fileHref(branch, one.draft.from ?? one.draft.path, { committed: "1" })}>Show theirs</a>}
                <button onClick={() => onKeep(one)}>Use mine</button>
                <button onClick={() => onDrop(one.draft)}>Drop mine</button>
              </span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  )
}
