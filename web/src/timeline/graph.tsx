// The lines beside a row of the timeline. Bends are near the dot, at a fixed height; straight parts fill the rest of the
// row, however tall its text makes it.
import { laneOf } from "../parts/branch-mark.tsx"
import type { Line, Row } from "./lanes.ts"

const gap = 14
const dotY = 24
const bendTo = 48
/** Lanes beyond these are drawn on top of each other, so that the text keeps its place. */
const mostLanes = 10

const x = (lane: number) => 11 + Math.min(lane, mostLanes - 1) * gap

export function graphWidth(lanes: number): number {
  return x(Math.min(lanes, mostLanes) - 1) + 11
}

interface Props {
  row: Row
  main: string | null
  shape: "dot" | "leaf" | "closed" | "merge"
}

export function GraphRow({ row, main, shape }: Props) {
  const colour = (line: Line) => `lane-${line.branch === null ? "none" : laneOf(line.branch, main)}`
  const { dot } = row
  return (
    <svg className="graph" aria-hidden="true" focusable="false">
      {row.through.map((line) => (
        <line key={`t${line.lane}`} className={colour(line)} x1={x(line.lane)} x2={x(line.lane)} y1="0" y2="100%" />
      ))}
      {dot && (
        <>
          {row.out.map((line) => (
            <g key={`o${line.lane}`} className={colour(line)}>
              <path d={bend(x(dot.lane), dotY, x(line.lane), bendTo)} />
              <line x1={x(line.lane)} x2={x(line.lane)} y1={bendTo} y2="100%" />
            </g>
          ))}
          {row.into.map((line) => (
            <path key={`i${line.lane}`} className={colour(line)} d={bend(x(line.lane), 0, x(dot.lane), dotY)} />
          ))}
          {row.hasAbove && <line className={colour(dot)} x1={x(dot.lane)} x2={x(dot.lane)} y1="0" y2={dotY} />}
          {row.hasBelow && <line className={colour(dot)} x1={x(dot.lane)} x2={x(dot.lane)} y1={dotY} y2="100%" />}
          <circle className={`${colour(dot)} ${shape}`} cx={x(dot.lane)} cy={dotY} r={shape === "merge" ? 4.5 : 5.5} />
        </>
      )}
    </svg>
  )
}

/** The lines that pass a heading. */
export function GraphPassing({ lines, main }: { lines: Line[]; main: string | null }) {
  return (
    <svg className="graph" aria-hidden="true" focusable="false">
      {lines.map((line) => (
        <line
          key={line.lane}
          className={`lane-${line.branch === null ? "none" : laneOf(line.branch, main)}`}
          x1={x(line.lane)}
          x2={x(line.lane)}
          y1="0"
          y2="100%"
        />
      ))}
    </svg>
  )
}

function bend(x1: number, y1: number, x2: number, y2: number): string {
  const middle = (y1 + y2) / 2
  return `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`
}
