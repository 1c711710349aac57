// How far something long is.
import type { Progress } from "@edgesync/leaf"
import { useRef } from "react"
import { numberText, sizeText } from "./say.tsx"

const stages: Record<string, string> = {
  cloning: "Fetching artifacts",
  verifying: "Checking every artifact",
  linking: "Making the timeline",
  syncing: "Syncing",
}

export function ProgressBar({ progress }: { progress: Progress }) {
  const rate = useRate(progress)
  const { stage, done, total, bytesReceived } = progress
  const share = total ? Math.min(100, (done / total) * 100) : null
  const label = stages[stage] ?? stage
  return (
    <div className="progress">
      <p>
        <strong>{label}</strong>
        {share !== null && <span> {Math.floor(share)} %</span>}
      </p>
      <progress aria-label={label} {...(share === null ? {} : { value: share, max: 100 })} />
      <p className="note">
        {numberText(done)}
        {total ? ` of ${numberText(total)}` : ""} artifacts
        {bytesReceived > 0 && ` · ${sizeText(bytesReceived)}`}
        {rate > 0 && (stage === "cloning" || stage === "syncing") && ` · ${sizeText(rate)}/s`}
      </p>
    </div>
  )
}

/** Bytes a second over the last few seconds. */
function useRate(progress: Progress): number {
  const seen = useRef<{ time: number; bytes: number }[]>([])
  const now = performance.now()
  const last = seen.current.at(-1)
  if (!last || last.bytes !== progress.bytesReceived) {
    const recent = last && last.bytes > progress.bytesReceived ? [] : seen.current.filter((one) => now - one.time < 4000)
    seen.current = [...recent, { time: now, bytes: progress.bytesReceived }]
  }
  const [first] = seen.current
  if (!first || now - first.time < 400) return 0
  return ((progress.bytesReceived - first.bytes) / (now - first.time)) * 1000
}
