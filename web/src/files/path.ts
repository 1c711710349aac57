// Which paths a file may have.
//
// Source: https://fossil-scm.org/home/file?name=src/file.c, file_is_simple_pathname().
import type { FileList } from "@edgesync/leaf"
import type { Draft } from "../leaf/drafts.tsx"

/** What is wrong with a new path, in words; null if nothing is. */
export function pathFault(path: string, list: FileList, drafts: readonly Draft[]): string | null {
  const simple = simpleFault(path)
  if (simple) return simple
  const gone = new Set(drafts.flatMap((draft) => (draft.kind === "remove" || draft.from !== draft.path ? [draft.from] : [])))
  const taken = [...list.files.map((file) => file.path).filter((one) => !gone.has(one)), ...drafts.filter((draft) => draft.kind !== "remove").map((draft) => draft.path)]
  if (taken.includes(path)) return "There is a file of this name already."
  if (taken.some((one) => one.startsWith(path + "/"))) return "There is a folder of this name already."
  const file = taken.find((one) => path.startsWith(one + "/"))
  return file ? `${file} is a file: nothing can be in it.` : null
}

function simpleFault(path: string): string | null {
  if (!path) return "Give it a name."
  const parts = path.split("/")
  if (parts.includes("")) return "Name each folder, and neither start nor end with a slash."
  if (parts.includes(".") || parts.includes("..")) return "The parts “.” and “..” are not allowed."
  if (/[\u0000-\u001f\u007f\\*?[\]]/.test(path)) return "These are not allowed: \\ * ? [ ] and control characters."
  return null
}
