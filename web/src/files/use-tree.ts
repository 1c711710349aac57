// The files of a check-in, and the branch that edits of them go to.
import type { FileList, TimelineEntry } from "@edgesync/leaf"
import { useDrafts, type Draft } from "../leaf/drafts.tsx"
import { useLeaf } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"

export interface Tree {
  /** What it was asked for: a branch, tag, hash or `tip`. */
  name: string
  list: FileList
  branch: string
  entry: TimelineEntry
}

export function useTree(name: string) {
  const leaf = useLeaf()
  return useLoad(`tree ${name}`, async (): Promise<Tree> => {
    const [list, { entry }] = await Promise.all([leaf.listFiles(name), leaf.checkin(name)])
    return { name, list, branch: entry.branch ?? "trunk", entry }
  })
}

/** The drafts that belong to what is shown: those of its branch, or of this very check-in. */
export function useDraftsOf(tree: Tree | null): Draft[] {
  const { list, plan } = useDrafts()
  if (!tree || !plan) return []
  return plan.basis === tree.list.checkin || plan.branch === tree.name ? list : []
}
