// How it stands with the server, always in sight. Pressing it syncs.
import type { SyncStatus } from "@edgesync/leaf"
import { useEffect, useState } from "react"
import { useSession } from "../leaf/session.tsx"
import { Icon, type IconName } from "../parts/icon.tsx"
import { count, sinceText } from "../parts/say.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { go, href } from "../route.ts"

export function SyncButton() {
  const { leaf, info, sync, mesh } = useSession()
  const { attempt, done } = useToasts()
  const isOnline = useOnline()
  const { icon, text, kind } = summary(sync, isOnline, info?.unsent ?? sync.unsent, Boolean(info?.remote))

  const press = () => {
    if (!leaf) return
    if (!info?.remote) return go(href("sync"))
    void attempt(async () => {
      const result = await leaf.sync()
      if (result.received || result.sent) done(`Synced: ${count(result.received, "artifact")} received, ${result.sent} sent.`)
    })
  }
  return (
    <div className="sync-status">
      <button className={`sync-button ${kind}`} onClick={press} disabled={sync.phase === "syncing"} aria-label={`${text}. Sync now`}>
        <Icon name={icon} size={18} />
        <span aria-live="polite">{text}</span>
      </button>
      {mesh.state === "ready" && isOnline && (
        <span className="live" title="What others commit is shown as it comes; what you commit goes out at once">
          Live
        </span>
      )}
    </div>
  )
}

function summary(sync: SyncStatus, isOnline: boolean, unsent: number, hasRemote: boolean): { icon: IconName; text: string; kind: string } {
  if (sync.phase === "syncing") return { icon: "sync", text: "Syncing", kind: "busy" }
  if (!isOnline || sync.phase === "offline") {
    return { icon: "offline", text: unsent ? `Offline, ${unsent} unsent` : "Offline", kind: "warn" }
  }
  if (sync.phase === "failed") return { icon: "alert", text: "Sync failed", kind: "bad" }
  if (sync.phase === "waiting") return { icon: "sync", text: "Trying again soon", kind: "warn" }
  if (unsent) return { icon: "upload", text: `${unsent} unsent`, kind: "warn" }
  if (!hasRemote) return { icon: "disk", text: "On this device", kind: "quiet" }
  return { icon: "check", text: sync.lastSync ? `Synced ${sinceText(sync.lastSync)}` : "Synced", kind: "quiet" }
}

export function useOnline(): boolean {
  const [isOnline, set] = useState(navigator.onLine)
  useEffect(() => {
    const changed = () => set(navigator.onLine)
    addEventListener("online", changed)
    addEventListener("offline", changed)
    return () => {
      removeEventListener("online", changed)
      removeEventListener("offline", changed)
    }
  }, [])
  return isOnline
}
