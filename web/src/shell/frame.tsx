// The frame around every view: navigation at the side on wide screens, at the bottom on phones.
import { useEffect, useState, type ReactNode } from "react"
import { useDrafts } from "../leaf/drafts.tsx"
import { useSession } from "../leaf/session.tsx"
import { Dialog } from "../parts/dialog.tsx"
import { Icon, type IconName } from "../parts/icon.tsx"
import { href, type Route } from "../route.ts"
import { useKeys } from "./keys.ts"
import { KeysHelp } from "./keys-help.tsx"
import { useScrollMemory } from "./scroll.ts"
import { SyncButton } from "./sync-button.tsx"
import { UpdateNotice } from "./update.tsx"

interface Place {
  view: string
  label: string
  icon: IconName
  also?: string[]
}

const places: Place[] = [
  { view: "timeline", label: "Timeline", icon: "timeline", also: ["", "checkin", "compare"] },
  { view: "files", label: "Files", icon: "files", also: ["edit", "history"] },
  { view: "changes", label: "Changes", icon: "edit" },
  { view: "wiki", label: "Wiki", icon: "wiki", also: ["wiki-edit"] },
  { view: "branches", label: "Branches and tags", icon: "branch" },
  { view: "unversioned", label: "Unversioned", icon: "box" },
]
const upkeep: Place[] = [
  { view: "sync", label: "Sync", icon: "sync" },
  { view: "peers", label: "Peers", icon: "share" },
  { view: "storage", label: "Storage", icon: "disk" },
  { view: "settings", label: "Settings", icon: "settings" },
]

export function Frame({ route, children }: { route: Route; children: ReactNode }) {
  const { info, name, names } = useSession()
  const [open, setOpen] = useState<"more" | "keys" | null>(null)
  const isReady = info?.state === "ready"
  useKeys({ help: () => setOpen("keys") })
  useScrollMemory()
  useEffect(() => setOpen(null), [route.view, name])

  const title = info?.projectName ?? name ?? "EdgeSync Leaf"
  return (
    <div className={isReady ? "frame" : "frame bare-frame"}>
      <button className="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to content
      </button>
      <header className="top">
        <a className="repository" href={href("repositories")}>
          <img src="/icons/leaf.svg" alt="" width="28" height="28" />
          <span>
            <strong>{title}</strong>
            {isReady && name !== title && <small>{name}</small>}
            {!isReady && names && names.length > 0 && <small>Repositories</small>}
            {isReady && <span className="unseen">, switch repository</span>}
          </span>
        </a>
        {isReady && <SyncButton />}
      </header>
      {isReady && (
        <nav className="side" aria-label="Views">
          <Places places={places} route={route} />
          <Places places={upkeep} route={route} />
          <button className="nav-item" onClick={() => setOpen("keys")}>
            <Icon name="keyboard" /> <span>Shortcuts</span> <kbd>?</kbd>
          </button>
        </nav>
      )}
      <main id="main" tabIndex={-1}>
        <UpdateNotice />
        {children}
      </main>
      {isReady && (
        <nav className="tabs" aria-label="Main views">
          <Places places={places.slice(0, 4)} route={route} />
          <button className="nav-item" aria-haspopup="dialog" onClick={() => setOpen("more")}>
            <Icon name="more" /> <span>More</span>
          </button>
        </nav>
      )}
      {open === "keys" && <KeysHelp onClose={() => setOpen(null)} />}
      {open === "more" && (
        <Dialog title="More" onClose={() => setOpen(null)}>
          <nav className="more" aria-label="More views">
            <Places places={[...places.slice(4), ...upkeep]} route={route} />
            <ul className="places">
              <li>
                <a className="nav-item" href={href("repositories")}>
                  <Icon name="home" /> <span>Repositories</span>
                </a>
              </li>
            </ul>
          </nav>
        </Dialog>
      )}
    </div>
  )
}

function Places({ places, route }: { places: Place[]; route: Route }) {
  const drafts = useDrafts()
  return (
    <ul className="places">
      {places.map(({ view, label, icon, also }) => {
        const isHere = route.view === view || also?.includes(route.view)
        const staged = view === "changes" ? drafts.list.length : 0
        return (
          <li key={view}>
            <a className="nav-item" href={href(view)} aria-current={isHere ? "page" : undefined}>
              <Icon name={icon} /> <span>{label}</span>
              {staged > 0 && (
                <span className="badge" aria-label={`${staged} not committed`}>
                  {staged}
                </span>
              )}
            </a>
          </li>
        )
      })}
    </ul>
  )
}
