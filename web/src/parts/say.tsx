// How times, sizes, numbers and hashes are written.
import { useEffect, useState } from "react"
import { href } from "../route.ts"

const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" })
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" })
const decimal = new Intl.NumberFormat()

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600_000],
  ["month", 2_629_800_000],
  ["week", 604_800_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
]

export function sinceText(time: number, now = Date.now()): string {
  for (const [unit, length] of steps) {
    if (Math.abs(now - time) >= length) return ago.format(Math.round((time - now) / length), unit)
  }
  return "just now"
}

export function dayText(time: number): string {
  return day.format(time)
}

export function Since({ time }: { time: number }) {
  useMinute()
  return (
    <time dateTime={new Date(time).toISOString()} title={full.format(time)}>
      {sinceText(time)}
    </time>
  )
}

export function Clock({ time }: { time: number }) {
  return (
    <time dateTime={new Date(time).toISOString()} title={full.format(time)}>
      {clock.format(time)}
    </time>
  )
}

export function When({ time }: { time: number }) {
  return <time dateTime={new Date(time).toISOString()}>{full.format(time)}</time>
}

export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const units = ["kB", "MB", "GB", "TB"]
  let value = bytes
  let unit = -1
  do {
    value /= 1000
    unit++
  } while (value >= 999.5 && unit < units.length - 1)
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

export function numberText(n: number): string {
  return decimal.format(n)
}

/** `1 file`, `2 files`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${decimal.format(n)} ${n === 1 ? one : many}`
}

export function shortHash(hash: string): string {
  return hash.slice(0, 10)
}

export function HashLink({ hash }: { hash: string }) {
  return (
    <a className="hash" href={href("checkin", [hash])} title={hash}>
      {shortHash(hash)}
    </a>
  )
}

function useMinute(): void {
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 60_000)
    return () => clearInterval(timer)
  }, [])
}
