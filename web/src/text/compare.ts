// What differs between two texts, in the shape of the diffs of the repository: for drafts, which it does not know.
//
// Source: E. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986; the greedy form with a kept trace.
import type { FileDiff, Hunk } from "@edgesync/leaf"
import { textOf } from "./bytes.ts"

type Line = Hunk["lines"][number]
type Step = "same" | "added" | "removed"

/** Differences beyond which a text counts as replaced: the trace takes memory in the square of them. */
const mostSteps = 2000

export function compareFiles(
  path: string,
  oldPath: string | null,
  before: Uint8Array | null,
  after: Uint8Array | null,
  context = 5,
): FileDiff {
  const change = before === null ? "added" : after === null ? "removed" : oldPath && oldPath !== path ? "renamed" : "changed"
  const old = before === null ? "" : textOf(before)
  const now = after === null ? "" : textOf(after)
  const head = { path, oldPath: change === "renamed" ? oldPath : null, change } as const
  if (old === null || now === null) return { ...head, isBinary: true, added: 0, removed: 0, hunks: [] }
  const lines = compareLines(linesOf(old), linesOf(now))
  return {
    ...head,
    isBinary: false,
    added: lines.filter((line) => line.kind === "added").length,
    removed: lines.filter((line) => line.kind === "removed").length,
    hunks: hunksOf(lines, context),
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === "") lines.pop()
  return lines
}

function compareLines(old: string[], now: string[]): Line[] {
  const lines: Line[] = []
  let i = 0
  let j = 0
  for (const step of steps(old, now)) {
    const text = step === "added" ? now[j] : old[i]
    lines.push({
      kind: step,
      old: step === "added" ? null : ++i,
      new: step === "removed" ? null : ++j,
      spans: [{ text: text ?? "", isChanged: false }],
    })
  }
  markWords(lines)
  return lines
}

/** The shortest way from one list to the other. */
function steps(old: readonly string[], now: readonly string[]): Step[] {
  let start = 0
  while (start < old.length && start < now.length && old[start] === now[start]) start++
  let end = 0
  while (end < old.length - start && end < now.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end++
  const same = (n: number) => Array<Step>(n).fill("same")
  const middle = myers(old.slice(start, old.length - end), now.slice(start, now.length - end))
  return [...same(start), ...middle, ...same(end)]
}

function myers(old: readonly string[], now: readonly string[]): Step[] {
  const [n, m] = [old.length, now.length]
  const most = Math.min(n + m, mostSteps)
  const reach = new Int32Array(2 * most + 3)
  const at = (k: number) => k + most + 1
  const trace: Int32Array[] = []
  for (let d = 0; d <= most; d++) {
    trace.push(reach.slice())
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach[at(k - 1)] ?? 0) < (reach[at(k + 1)] ?? 0))
      let x = down ? (reach[at(k + 1)] ?? 0) : (reach[at(k - 1)] ?? 0) + 1
      while (x < n && x - k < m && old[x] === now[x - k]) x++
      reach[at(k)] = x
      if (x >= n && x - k >= m) return walkBack(trace, at, n, m, d)
    }
  }
  return [...Array<Step>(n).fill("removed"), ...Array<Step>(m).fill("added")]
}

function walkBack(trace: Int32Array[], at: (k: number) => number, n: number, m: number, distance: number): Step[] {
  const found: Step[] = []
  let [x, y] = [n, m]
  for (let d = distance; d > 0; d--) {
    const reach = trace[d] ?? new Int32Array()
    const k = x - y
    const down = k === -d || (k !== d && (reach[at(k - 1)] ?? 0) < (reach[at(k + 1)] ?? 0))
    const before = down ? k + 1 : k - 1
    const x0 = reach[at(before)] ?? 0
    const y0 = x0 - before
    while (x > x0 && y > y0) {
      found.push("same")
      x--
      y--
    }
    found.push(down ? "added" : "removed")
    x = x0
    y = y0
  }
  for (; x > 0; x--) found.push("same")
  return found.reverse()
}

/** Marks the words that differ where lines were replaced by as many others. */
function markWords(lines: Line[]): void {
  for (let i = 0; i < lines.length; ) {
    let removed = i
    while (lines[removed]?.kind === "removed") removed++
    let added = removed
    while (lines[added]?.kind === "added") added++
    const pairs = Math.min(removed - i, added - removed)
    for (let pair = 0; pair < pairs; pair++) {
      const old = lines[i + pair]
      const now = lines[removed + pair]
      if (old && now) markPair(old, now)
    }
    i = Math.max(added, i + 1)
  }
}

function markPair(old: Line, now: Line): void {
  const wordsOf = (line: Line) => line.spans[0]?.text.match(/\w+|\s+|[^\w\s]/g) ?? []
  const [before, after] = [wordsOf(old), wordsOf(now)]
  if (before.length * after.length > 40_000) return
  const way = steps(before, after)
  if (way.filter((step) => step === "same").length * 3 < way.length) return
  old.spans = spans(before, way, "removed")
  now.spans = spans(after, way, "added")
}

function spans(words: readonly string[], way: readonly Step[], mine: Step): Line["spans"] {
  const found: Line["spans"] = []
  let at = 0
  for (const step of way) {
    if (step !== "same" && step !== mine) continue
    const text = words[at++] ?? ""
    const last = found.at(-1)
    if (last && last.isChanged === (step === mine)) last.text += text
    else found.push({ text, isChanged: step === mine })
  }
  return found
}

function hunksOf(lines: readonly Line[], context: number): Hunk[] {
  const hunks: Hunk[] = []
  let until = -1
  lines.forEach((line, at) => {
    if (line.kind === "same") return
    const from = Math.max(at - context, until)
    const to = Math.min(lines.length, at + context + 1)
    if (until < 0 || from > until) hunks.push({ lines: [] })
    hunks.at(-1)?.lines.push(...lines.slice(Math.max(from, until, 0), to))
    until = Math.max(until, to)
  })
  return hunks
}
