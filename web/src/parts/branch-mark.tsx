// A branch's colour, the same wherever it is named, and the small marks of check-ins.
import { href } from "../route.ts"
import { Icon, type IconName } from "./icon.tsx"

const hues = 8

/** The lane colour of a branch: `--lane-0` ... `--lane-7`; the main branch always has the first. */
export function laneOf(branch: string | null, main: string | null): number {
  if (!branch || branch === main) return 0
  let sum = 0
  for (const char of branch) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) >>> 0
  return 1 + (sum % (hues - 1))
}

export function BranchMark({ name, main }: { name: string; main: string | null }) {
  return (
    <a className={`branch lane-${laneOf(name, main)}`} href={href("timeline", [], { branch: name })}>
      <Icon name="branch" size={14} />
      {name}
    </a>
  )
}

export function Mark({ icon, kind, children }: { icon?: IconName; kind?: "warn" | "good" | "plain"; children: string }) {
  return (
    <span className={`mark ${kind ?? "plain"}`}>
      {icon && <Icon name={icon} size={13} />}
      {children}
    </span>
  )
}
