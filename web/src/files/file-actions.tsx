// Renaming and removing a file. Both are drafts until they are committed.
import type { FileEntry } from "@edgesync/leaf"
import { useState } from "react"
import { useDrafts, type Draft } from "../leaf/drafts.tsx"
import { FormDialog } from "../parts/dialog.tsx"
import { Icon } from "../parts/icon.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { fileHref, go, href } from "../route.ts"
import { folderOf } from "../text/bytes.ts"
import { pathFault } from "./path.ts"
import type { Tree } from "./use-tree.ts"

interface Props {
  tree: Tree
  path: string
  file: FileEntry | null
  draft: Draft | null
}

export function DeleteButton({ tree, path, file, draft }: Props) {
  const drafts = useDrafts()
  const { done } = useToasts()
  const remove = () => {
    const original = draft?.from ?? file?.path ?? null
    if (draft) drafts.discard(path)
    if (original !== null) {
      const base = draft?.base ?? file?.hash ?? null
      drafts.put({ path: original, kind: "remove", from: original, base, bytes: null }, { basis: tree.list.checkin, branch: tree.branch })
    }
    done(`${path} will be gone with the next check-in.`, {
      label: "Undo",
      run: () => {
        if (original !== null) drafts.discard(original)
        if (draft) drafts.put(draft, { basis: tree.list.checkin, branch: tree.branch })
      },
    })
    go(fileHref(tree.name, folderOf(path)))
  }
  if (draft?.kind === "remove") {
    return (
      <button className="quiet" onClick={() => drafts.discard(path)}>
        Keep it
      </button>
    )
  }
  return (
    <button className="quiet" aria-label="Delete" title="Delete" onClick={remove}>
      <Icon name="trash" size={18} />
    </button>
  )
}

export function RenameButton({ tree, path, file, draft }: Props) {
  const drafts = useDrafts()
  const { done } = useToasts()
  const [name, setName] = useState<string | null>(null)
  if (draft?.kind === "remove") return null

  const fault = name === null || name === path ? null : pathFault(name, tree.list, drafts.list)
  const rename = () => {
    if (name === null || fault || name === path) return
    const from = draft ? draft.from : (file?.path ?? null)
    const base = draft?.base ?? file?.hash ?? null
    const started = { basis: tree.list.checkin, branch: tree.branch }
    if (draft) drafts.discard(path)
    const isBack = from === name && !draft?.bytes
    if (!isBack) drafts.put({ path: name, kind: draft?.bytes ? "put" : "rename", from, base, bytes: draft?.bytes ?? null }, started)
    setName(null)
    done(`Renamed to ${name}. Commit it when you are ready.`, { label: "Review", run: () => go(href("changes")) })
    go(fileHref(tree.name, name))
  }
  return (
    <>
      <button className="quiet" onClick={() => setName(path)}>
        Rename
      </button>
      {name !== null && (
        <FormDialog title="Rename" action="Rename" disabled={Boolean(fault) || name === path} onSubmit={rename} onClose={() => setName(null)}>
          <label className="field">
            New path
            <input value={name} onChange={(event) => setName(event.target.value)} aria-invalid={Boolean(fault)} autoFocus autoCapitalize="off" spellCheck={false} />
          </label>
          {fault && (
            <p className="fault" role="alert">
              {fault}
            </p>
          )}
        </FormDialog>
      )}
    </>
  )
}
