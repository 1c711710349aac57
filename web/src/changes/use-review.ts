// What the drafts would change in the check-in they build on, and whether others changed the same files meanwhile.
import type { FileDiff, Leaf } from "@edgesync/leaf"
import type { Draft, Plan } from "../leaf/drafts.tsx"
import { codeOf } from "../leaf/failure.ts"
import { useLeaf } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { compareFiles } from "../text/compare.ts"

export interface Reviewed {
  draft: Draft
  diff: FileDiff
  /** The hash that the check-in to build on has in place of the one the edit began with; undefined if they agree. */
  conflict: string | null | undefined
}

export interface Review {
  files: Reviewed[]
  /** The branch of the check-in that the changes build on, and the newest check-in there. */
  branch: string
  tip: string
}

export function useReview(drafts: readonly Draft[], plan: Plan | null) {
  const leaf = useLeaf()
  const what = drafts.map((draft) => `${draft.path}:${draft.kind}:${draft.base}:${draft.bytes?.length}`).join(" ")
  return useLoad(`review ${plan?.basis} ${what}`, () => review(leaf, drafts, plan))
}

async function review(leaf: Leaf, drafts: readonly Draft[], plan: Plan | null): Promise<Review | null> {
  if (!plan) return null
  const [list, { entry }, branches] = await Promise.all([leaf.listFiles(plan.basis), leaf.checkin(plan.basis), leaf.branches()])
  const hashes = new Map(list.files.map((file) => [file.path, file.hash]))
  const files = await Promise.all(
    drafts.map(async (draft): Promise<Reviewed> => {
      const name = draft.from ?? draft.path
      const now = hashes.get(name) ?? null
      const before = now === null ? null : (await leaf.readFile(name, plan.basis)).bytes
      const after = draft.kind === "remove" ? null : (draft.bytes ?? before)
      return { draft, diff: compareFiles(draft.path, draft.from, before, after), conflict: now === draft.base ? undefined : now }
    }),
  )
  const branch = entry.branch ?? plan.branch
  return { files, branch, tip: branches.find((one) => one.name === branch)?.tip ?? plan.basis }
}

/** Makes the check-in. */
export function commit(leaf: Leaf, drafts: readonly Draft[], plan: Plan, options: { allowFork: boolean }): Promise<{ hash: string; branch: string }> {
  const files: Record<string, Uint8Array | null> = {}
  const renames: Record<string, string> = {}
  for (const draft of drafts) {
    if (draft.kind === "remove") files[draft.path] = null
    else if (draft.bytes) files[draft.path] = draft.bytes
    if (draft.kind !== "remove" && draft.from !== null && draft.from !== draft.path) renames[draft.from] = draft.path
  }
  return leaf.commit({ message: plan.message.trim(), files, renames, parent: plan.basis, branch: plan.branch, allowFork: options.allowFork })
}

export function wouldFork(error: unknown): boolean {
  return codeOf(error) === "wouldFork"
}
