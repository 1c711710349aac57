// Where the lines of the timeline run: one lane for each line of descent that is open at a row.
import type { TimelineEntry } from "@edgesync/leaf"

/** A line in a lane; `branch` gives its colour, null where the branch is not known yet. */
export interface Line {
  lane: number
  branch: string | null
}

export interface Row {
  /** Where the dot is; null for what is no check-in. */
  dot: Line | null
  /** Lines from top to bottom, beside the dot. */
  through: Line[]
  /** Lines from the top that end in the dot: children in other lanes. */
  into: Line[]
  /** Lines that leave the dot for the bottom: merged parents in other lanes. */
  out: Line[]
  hasAbove: boolean
  hasBelow: boolean
}

interface Lane {
  /** The check-in that the line runs down to. */
  awaits: string
  branch: string | null
}

/**
 * Lays out rows, newest first. `isWhole` says that no older ones will come: lines to what is not there are left out.
 * With `mainLineOnly` a merge is left out when its other side is not listed, as in a list of one branch.
 */
export function layOut(entries: readonly TimelineEntry[], options: { isWhole: boolean; mainLineOnly: boolean; main: string | null }): Row[] {
  const branchOf = new Map(entries.map((entry) => [entry.hash, entry.branch]))
  const comes = (hash: string) => !options.isWhole || branchOf.has(hash)
  const lanes: (Lane | null)[] = []

  // The main branch keeps the first lane to itself.
  const first = options.main === null || options.mainLineOnly ? 0 : 1
  const free = (branch: string | null) => {
    let at = branch === options.main ? 0 : first
    while (lanes[at]) at++
    while (lanes.length < at) lanes.push(null)
    return at
  }
  return entries.map((entry) => {
    const before = lanes.map((lane) => lane && { ...lane })
    if (entry.kind !== "checkin") {
      return { dot: null, through: linesOf(before, () => true), into: [], out: [], hasAbove: false, hasBelow: false }
    }
    const waiting = before.flatMap((lane, at) => (lane?.awaits === entry.hash ? [at] : []))
    const own = waiting.find((at) => before[at]?.branch === entry.branch) ?? waiting[0] ?? free(entry.branch)
    for (const at of waiting) lanes[at] = null
    const [parent, ...merged] = entry.parents
    const hasBelow = parent !== undefined && comes(parent)
    lanes[own] = hasBelow ? { awaits: parent, branch: entry.branch } : null
    const out: Line[] = []
    for (const other of merged) {
      if (options.mainLineOnly ? !branchOf.has(other) : !comes(other)) continue
      let at = lanes.findIndex((lane, index) => lane?.awaits === other && index !== own)
      if (at < 0) {
        const branch = branchOf.get(other) ?? null
        at = free(branch)
        lanes[at] = { awaits: other, branch }
      }
      out.push({ lane: at, branch: lanes[at]?.branch ?? null })
    }
    while (lanes.length > 0 && !lanes.at(-1)) lanes.pop()
    return {
      dot: { lane: own, branch: entry.branch },
      through: linesOf(before, (at) => at !== own && !waiting.includes(at)),
      into: linesOf(before, (at) => at !== own && waiting.includes(at)),
      out,
      hasAbove: waiting.includes(own),
      hasBelow,
    }
  })
}

function linesOf(lanes: readonly (Lane | null)[], wanted: (at: number) => boolean): Line[] {
  return lanes.flatMap((lane, at) => (lane && wanted(at) ? [{ lane: at, branch: lane.branch }] : []))
}

/** Lines that run on below a row: for a heading that stands between two rows. */
export function below(row: Row): Line[] {
  const own = row.dot && row.hasBelow ? [row.dot] : []
  const seen = new Set<number>()
  return [...own, ...row.through, ...row.out].filter(({ lane }) => !seen.has(lane) && seen.add(lane))
}

/** How many lanes are needed. */
export function width(rows: readonly Row[]): number {
  const used = rows.flatMap((row) => [row.dot?.lane ?? 0, ...row.through.map((line) => line.lane), ...row.out.map((line) => line.lane)])
  return 1 + used.reduce((most, lane) => Math.max(most, lane), 0)
}
