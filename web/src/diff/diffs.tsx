// What differs between two check-ins, file by file: one column or two, each file folds.
import type { FileDiff } from "@edgesync/leaf"
import { useId, useState } from "react"
import { keep, setting } from "../leaf/kept.ts"
import { Icon } from "../parts/icon.tsx"
import { count } from "../parts/say.tsx"
import { DiffTable } from "./table.tsx"

export type DiffMode = "inline" | "split"

/** Files with more lines than this start folded. */
const longFile = 1500

export function useDiffMode(): [DiffMode, (mode: DiffMode) => void] {
  const [mode, setMode] = useState<DiffMode>(() => {
    const kept = setting("diff")
    return kept === "inline" || kept === "split" ? kept : matchMedia("(min-width: 1100px)").matches ? "split" : "inline"
  })
  return [
    mode,
    (next) => {
      keep("diff", next)
      setMode(next)
    },
  ]
}

interface Props {
  diffs: readonly FileDiff[]
  /** Where the new version of a file is shown. */
  hrefOf?: (diff: FileDiff) => string | null
}

export function Diffs({ diffs, hrefOf }: Props) {
  const [mode, setMode] = useDiffMode()
  const added = diffs.reduce((sum, diff) => sum + diff.added, 0)
  const removed = diffs.reduce((sum, diff) => sum + diff.removed, 0)
  if (diffs.length === 0) return <p className="note">No file differs.</p>
  return (
    <section aria-label="Changed files">
      <div className="diff-head">
        <p>
          {count(diffs.length, "file")} changed, <Counts added={added} removed={removed} />
        </p>
        <div className="choice" role="group" aria-label="Layout of the comparison">
          <button aria-pressed={mode === "inline"} onClick={() => setMode("inline")}>
            <Icon name="rows" size={16} /> Inline
          </button>
          <button aria-pressed={mode === "split"} onClick={() => setMode("split")}>
            <Icon name="columns" size={16} /> Side by side
          </button>
        </div>
      </div>
      {diffs.map((diff) => (
        <OneFile key={diff.path} diff={diff} mode={mode} to={hrefOf?.(diff) ?? null} />
      ))}
    </section>
  )
}

export function Counts({ added, removed }: { added: number; removed: number }) {
  return (
    <span className="counts">
      <ins aria-label={count(added, "line added", "lines added")}>+{added}</ins> <del aria-label={count(removed, "line removed", "lines removed")}>−{removed}</del>
    </span>
  )
}

function OneFile({ diff, mode, to }: { diff: FileDiff; mode: DiffMode; to: string | null }) {
  const lines = diff.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0)
  const [isOpen, setOpen] = useState(lines <= longFile)
  const body = useId()
  return (
    <article className="diff-file">
      <header>
        <button className="bare" aria-expanded={isOpen} aria-controls={body} aria-label={`Comparison of ${diff.path}`} onClick={() => setOpen(!isOpen)}>
          <Icon name={isOpen ? "down" : "right"} size={16} />
        </button>
        <h2>
          {diff.oldPath && diff.oldPath !== diff.path && <span className="note">{diff.oldPath} → </span>}
          {to ? <a href={to}>{diff.path}</a> : diff.path}
        </h2>
        <ChangeMark change={diff.change} />
        {!diff.isBinary && <Counts added={diff.added} removed={diff.removed} />}
      </header>
      <div id={body} hidden={!isOpen}>
        {isOpen && <Body diff={diff} mode={mode} />}
      </div>
    </article>
  )
}

function Body({ diff, mode }: { diff: FileDiff; mode: DiffMode }) {
  if (diff.isBinary) return <p className="note">Not text, or too long to compare line by line.</p>
  if (diff.hunks.length === 0) return <p className="note">{diff.change === "renamed" ? "The content is the same." : "No lines differ."}</p>
  return <DiffTable hunks={diff.hunks} mode={mode} path={diff.path} />
}

const words = { added: "added", changed: "changed", removed: "removed", renamed: "renamed" } as const

export function ChangeMark({ change }: { change: FileDiff["change"] }) {
  return <span className={`change ${change}`}>{words[change]}</span>
}
