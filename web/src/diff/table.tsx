// The lines of a comparison. Words that differ within a line are marked; line numbers are no part of what is copied.
import type { Hunk } from "@edgesync/leaf"
import { Fragment } from "react"
import type { DiffMode } from "./diffs.tsx"

type Line = Hunk["lines"][number]
const signs = { same: "", added: "+", removed: "−" } as const

export function DiffTable({ hunks, mode, path }: { hunks: readonly Hunk[]; mode: DiffMode; path: string }) {
  return (
    <div className="diff-scroller" tabIndex={0} role="region" aria-label={`Lines of ${path}`}>
      <table className={`diff ${mode}`}>
        {mode === "split" && (
          <colgroup>
            <col className="number-column" />
            <col />
            <col className="number-column" />
            <col />
          </colgroup>
        )}
        <thead className="unseen">
          <tr>
            {mode === "inline" ? (
              <>
                <th>Old line</th>
                <th>New line</th>
                <th>Text</th>
              </>
            ) : (
              <>
                <th>Old line</th>
                <th>Old text</th>
                <th>New line</th>
                <th>New text</th>
              </>
            )}
          </tr>
        </thead>
        {hunks.map((hunk, at) => (
          <tbody key={at}>
            {at > 0 && <GapRow columns={mode === "inline" ? 3 : 4} />}
            {mode === "inline" ? hunk.lines.map((line, n) => <InlineRow key={n} line={line} />) : pairs(hunk.lines).map((pair, n) => <SplitRow key={n} pair={pair} />)}
          </tbody>
        ))}
      </table>
    </div>
  )
}

function GapRow({ columns }: { columns: number }) {
  return (
    <tr className="gap">
      <td colSpan={columns}>⋯</td>
    </tr>
  )
}

function InlineRow({ line }: { line: Line }) {
  return (
    <tr className={line.kind}>
      <td className="number" data-line={line.old ?? ""} />
      <td className="number" data-line={line.new ?? ""} />
      <Text line={line} />
    </tr>
  )
}

function SplitRow({ pair: [old, now] }: { pair: [Line | null, Line | null] }) {
  return (
    <tr>
      <td className={`number ${old?.kind ?? "none"}`} data-line={old?.old ?? ""} />
      <Text line={old} />
      <td className={`number ${now?.kind ?? "none"}`} data-line={now?.new ?? ""} />
      <Text line={now} />
    </tr>
  )
}

function Text({ line }: { line: Line | null }) {
  if (!line) return <td className="text none" />
  const Whole = line.kind === "added" ? "ins" : line.kind === "removed" ? "del" : Fragment
  return (
    <td className={`text ${line.kind}`} data-sign={signs[line.kind]}>
      <Whole>{line.spans.map((span, at) => (span.isChanged ? <mark key={at}>{span.text}</mark> : span.text))}</Whole>
    </td>
  )
}

/** Removed lines beside the added ones that replace them. */
function pairs(lines: readonly Line[]): [Line | null, Line | null][] {
  const found: [Line | null, Line | null][] = []
  let removed: Line[] = []
  let added: Line[] = []
  const flush = () => {
    for (let at = 0; at < Math.max(removed.length, added.length); at++) found.push([removed[at] ?? null, added[at] ?? null])
    removed = []
    added = []
  }
  for (const line of lines) {
    if (line.kind === "removed") {
      if (added.length > 0) flush()
      removed.push(line)
    } else if (line.kind === "added") added.push(line)
    else {
      flush()
      found.push([line, line])
    }
  }
  flush()
  return found
}
