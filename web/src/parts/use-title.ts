// The title of the browser's tab: the view, then the project.
import { useEffect } from "react"
import { useSession } from "../leaf/session.tsx"

export function useTitle(view: string): void {
  const { info, name } = useSession()
  const project = info?.projectName ?? name ?? "EdgeSync Leaf"
  useEffect(() => {
    document.title = view === project ? view : `${view} · ${project}`
  }, [view, project])
}
