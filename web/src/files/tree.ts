// The folders of a check-in, made of its list of paths, with drafts laid over it.
import type { FileEntry, FileList } from "@edgesync/leaf"
import type { Draft } from "../leaf/drafts.tsx"

export interface Node {
  name: string
  path: string
  /** Null for folders. */
  file: FileEntry | null
  /** Files below a folder. */
  files: number
  size: number | null
  draft: Draft["kind"] | "new" | null
}

/** What is in `folder`, folders first. */
export function childrenOf(list: FileList, folder: string, drafts: readonly Draft[]): Node[] {
  const start = folder ? folder + "/" : ""
  const nodes = new Map<string, Node>()
  const byPath = new Map(drafts.map((draft) => [draft.path, draft]))
  const renamed = new Set(drafts.filter((draft) => draft.from !== null && draft.from !== draft.path).map((draft) => draft.from))

  const add = (path: string, file: FileEntry | null, size: number | null, draft: Node["draft"]) => {
    if (!path.startsWith(start)) return
    const rest = path.slice(start.length)
    const slash = rest.indexOf("/")
    const name = slash < 0 ? rest : rest.slice(0, slash)
    if (!name) return
    if (slash < 0) {
      nodes.set(name, { name, path, file: file ?? blank(path), files: 1, size, draft })
      return
    }
    const old = nodes.get(name + "/")
    nodes.set(name + "/", {
      name,
      path: start + name,
      file: null,
      files: (old?.files ?? 0) + 1,
      size: null,
      draft: old?.draft ?? (draft && "put"),
    })
  }
  for (const file of list.files) {
    if (renamed.has(file.path)) continue
    const draft = byPath.get(file.path)
    add(file.path, file, draft?.bytes?.length ?? file.size, draft?.kind ?? null)
    byPath.delete(file.path)
  }
  for (const draft of byPath.values()) {
    if (draft.kind !== "remove") add(draft.path, null, draft.bytes?.length ?? null, draft.from ? "rename" : "new")
  }
  return [...nodes.values()].sort(
    (a, b) => Number(a.file !== null) - Number(b.file !== null) || a.name.localeCompare(b.name, undefined, { numeric: true }),
  )
}

function blank(path: string): FileEntry {
  return { path, hash: "", size: null, isExecutable: false, isLink: false }
}

/** Paths that hold the letters of `wanted` in their order, the closest first. */
export function search(list: FileList, wanted: string): FileEntry[] {
  const letters = wanted.toLowerCase().replace(/\s+/g, "")
  if (!letters) return []
  const found: { file: FileEntry; cost: number }[] = []
  for (const file of list.files) {
    const cost = costOf(file.path.toLowerCase(), letters)
    if (cost !== null) found.push({ file, cost })
  }
  return found.sort((a, b) => a.cost - b.cost).slice(0, 100).map(({ file }) => file)
}

function costOf(path: string, letters: string): number | null {
  const whole = path.lastIndexOf(letters)
  if (whole >= 0) return path.length / 100 + (whole > path.lastIndexOf("/") ? 0 : 1)
  let cost = 5 + path.length / 100
  let at = -1
  for (const letter of letters) {
    const next = path.indexOf(letter, at + 1)
    if (next < 0) return null
    if (at >= 0) cost += Math.min(next - at - 1, 10)
    at = next
  }
  return cost
}
