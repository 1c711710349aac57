// Which view the address asks for, and what stands in its place while there is no repository.
import { Leaf } from "@edgesync/leaf"
import { Suspense, lazy, useEffect, useState, type ComponentType } from "react"
import { DraftsProvider } from "./leaf/drafts.tsx"
import { SessionProvider, useSession } from "./leaf/session.tsx"
import { Nothing, Failed, Skeleton } from "./parts/states.tsx"
import { ToastProvider } from "./parts/toasts.tsx"
import { useRoute, type Route } from "./route.ts"
import { Frame } from "./shell/frame.tsx"
import { Branches } from "./views/branches.tsx"
import { Checkin } from "./views/checkin.tsx"
import { Compare } from "./views/compare.tsx"
import { FileHistory } from "./views/file-history.tsx"
import { Files } from "./views/files.tsx"
import { Peers } from "./views/peers.tsx"
import { Settings } from "./views/settings.tsx"
import { StorageView } from "./views/storage.tsx"
import { SyncView } from "./views/sync.tsx"
import { TimelineView } from "./views/timeline.tsx"
import { Unversioned } from "./views/unversioned.tsx"
import { Welcome } from "./views/welcome.tsx"
import { CloneJobProvider, useCloneJob } from "./welcome/clone-job.tsx"
import { WikiView } from "./views/wiki.tsx"

// These bring the editor or the comparison of drafts along: fetched when first used.
const Edit = lazy(() => import("./views/edit.tsx"))
const Changes = lazy(() => import("./views/changes.tsx"))
const WikiEdit = lazy(() => import("./views/wiki-edit.tsx"))

const views: Record<string, ComponentType<{ route: Route }>> = {
  timeline: TimelineView,
  checkin: Checkin,
  compare: Compare,
  files: Files,
  history: FileHistory,
  edit: Edit,
  changes: Changes,
  branches: Branches,
  wiki: WikiView,
  "wiki-edit": WikiEdit,
  unversioned: Unversioned,
  sync: SyncView,
  peers: Peers,
}

/** Views that make sense without a repository. */
const always: Record<string, ComponentType<{ route: Route }>> = {
  repositories: Welcome,
  storage: StorageView,
  settings: Settings,
}

export function App() {
  return (
    <ToastProvider>
      <SessionProvider>
        <DraftsProvider>
          <CloneJobProvider>
            <Page />
          </CloneJobProvider>
        </DraftsProvider>
      </SessionProvider>
    </ToastProvider>
  )
}

function Page() {
  const route = useRoute()
  return (
    <Frame route={route}>
      <Suspense fallback={<Skeleton />}>
        <View route={route} />
      </Suspense>
    </Frame>
  )
}

/** Opening takes a moment; if it takes long, somebody has to know why. */
function Opening() {
  const [isLong, setLong] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), 6000)
    return () => clearTimeout(timer)
  }, [])
  return (
    <>
      {isLong && (
        <p className="notice" role="status">
          Still opening. If another tab of this page hangs, close it.
        </p>
      )}
      <Skeleton rows={10} />
    </>
  )
}

function View({ route }: { route: Route }) {
  const { name, leaf, info, error } = useSession()
  const job = useCloneJob()
  const Always = always[route.view]
  if (Always) return <Always route={route} />
  if (job.url !== null || !name || !Leaf.support().ok) return <Welcome />
  if (error) {
    return (
      <>
        <Failed text={error} onRetry={() => location.reload()} />
        <p>
          <a href="#/repositories">Other repositories on this device</a>
        </p>
      </>
    )
  }
  if (!leaf || !info) return <Opening />
  if (info.state !== "ready") return <Welcome />
  const Chosen = views[route.view || "timeline"]
  if (Chosen) return <Chosen route={route} />
  return (
    <>
      <h1 className="unseen">No such page</h1>
      <Nothing icon="search" title="There is no such page">
        <a className="button" href="#/timeline">
          Go to the timeline
        </a>
      </Nothing>
    </>
  )
}
