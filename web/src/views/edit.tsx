// Editing a file. What is typed is kept as a draft on this device at once; committing is a step of its own.
import { Suspense, lazy, useEffect, useRef, useState } from "react"
import { pathFault } from "../files/path.ts"
import { useTree, type Tree } from "../files/use-tree.ts"
import { useDrafts } from "../leaf/drafts.tsx"
import { setting } from "../leaf/kept.ts"
import { useLeaf } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { Icon } from "../parts/icon.tsx"
import { PreviewChoice } from "../parts/preview-choice.tsx"
import { Failed, Nothing, Skeleton } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { useTitle } from "../parts/use-title.ts"
import { fileHref, go, href, type Route } from "../route.ts"
import { isMarkdown, nameOf, textOf } from "../text/bytes.ts"
import { RichText } from "../text/rich-text.tsx"

const Editor = lazy(() => import("../text/editor.tsx"))

export default function Edit({ route }: { route: Route }) {
  const [checkin = "tip", ...parts] = route.parts
  const path = parts.join("/")
  const isNew = route.options.get("new") === "1"
  const { data: tree, error } = useTree(checkin)
  const { isLoaded } = useDrafts()
  useTitle(isNew ? "New file" : `Edit ${nameOf(path)}`)
  if (error) return <Failed text={error} />
  if (!tree || !isLoaded) return <Skeleton rows={10} />
  return isNew ? <NewFile key={route.parts.join("/")} tree={tree} folder={path} /> : <EditFile key={path} tree={tree} path={path} />
}

function NewFile({ tree, folder }: { tree: Tree; folder: string }) {
  const drafts = useDrafts()
  const [path, setPath] = useState(folder ? folder + "/" : "")
  const fault = pathFault(path, tree.list, drafts.list)
  const isStarted = path !== "" && path !== folder + "/"
  return (
    <>
      <h1>New file</h1>
      <form
        className="card new-file"
        onSubmit={(event) => {
          event.preventDefault()
          if (fault) return
          drafts.put({ path, kind: "put", from: null, base: null, bytes: new Uint8Array() }, { basis: tree.list.checkin, branch: tree.branch })
          go(href("edit", [tree.name, ...path.split("/")]), { replace: true })
        }}
      >
        <label className="field">
          Path
          <input
            value={path}
            onChange={(event) => setPath(event.target.value)}
            autoFocus
            autoCapitalize="off"
            spellCheck={false}
            placeholder="notes/idea.md"
            aria-invalid={isStarted && Boolean(fault)}
          />
        </label>
        <p className="note">Folders are made by naming them. It becomes part of branch {tree.branch} when you commit.</p>
        {isStarted && fault && (
          <p className="fault" role="alert">
            {fault}
          </p>
        )}
        <div className="actions">
          <a className="button" href={fileHref(tree.name, folder)}>
            Cancel
          </a>
          <button className="primary" disabled={Boolean(fault)}>
            Write it
          </button>
        </div>
      </form>
    </>
  )
}

function EditFile({ tree, path }: { tree: Tree; path: string }) {
  const leaf = useLeaf()
  const drafts = useDrafts()
  const draft = drafts.find(path)
  const file = tree.list.files.find((one) => one.path === path)
  const origin = useRef({ from: draft ? draft.from : (file?.path ?? null), base: draft ? draft.base : (file?.hash ?? null), checkin: tree.list.checkin, draft })
  const { from, checkin } = origin.current
  const { data, error } = useLoad(`edit ${checkin} ${from}`, async () => {
    if (origin.current.draft?.bytes) return { bytes: origin.current.draft.bytes }
    return from === null ? null : { bytes: (await leaf.readFile(from, checkin)).bytes }
  })
  if (error) return <Failed text={error} />
  if (data === null) {
    return from === null && !draft ? <Nothing icon="file" title="There is no such file in this check-in" /> : <Skeleton rows={12} />
  }
  const text = textOf(data.bytes)
  if (text === null) return <Nothing icon="box" title="This file is not text, so it cannot be edited here" />
  return <TextEditor tree={tree} path={path} initial={text} from={from} base={origin.current.base} checkin={checkin} hadDraft={Boolean(origin.current.draft)} />
}

interface EditorProps {
  tree: Tree
  path: string
  initial: string
  from: string | null
  base: string | null
  checkin: string
  /** There was a draft when the editor was opened: `initial` is not what the repository has. */
  hadDraft: boolean
}

function TextEditor({ tree, path, initial, from, base, checkin, hadDraft }: EditorProps) {
  const drafts = useDrafts()
  const { done } = useToasts()
  const [text, setText] = useState(initial)
  const [isPreview, setPreview] = useState(false)
  const [editorKey, setEditorKey] = useState(0)
  const started = useRef(initial)
  const latest = useRef({ text, drafts })
  latest.current = { text, drafts }
  const kept = useRef(initial)
  const draft = drafts.find(path)

  const keep = () => {
    const { text, drafts } = latest.current
    if (text === kept.current) return
    kept.current = text
    // Typed back to what it was: there is nothing to commit.
    if (text === initial && from === path && !hadDraft) return drafts.discard(path)
    const bytes = new TextEncoder().encode(text)
    drafts.put({ path, kind: "put", from, base, bytes }, { basis: checkin, branch: tree.branch })
  }
  useEffect(() => {
    const timer = setTimeout(keep, 350)
    return () => clearTimeout(timer)
  }, [text])
  useEffect(() => {
    const leave = () => latestKeep.current()
    addEventListener("pagehide", leave)
    return () => {
      removeEventListener("pagehide", leave)
      leave()
    }
  }, [])
  const latestKeep = useRef(keep)
  latestKeep.current = keep

  const review = () => {
    keep()
    go(href("changes"))
  }
  const discard = () => {
    drafts.discard(path)
    go(fileHref(tree.name, from ?? ""))
    kept.current = latest.current.text
  }
  const differs = Boolean(draft) || text !== initial
  return (
    <>
      <div className="toolbar edit-bar">
        <h1>{nameOf(path)}</h1>
        <p className="note" role="status">
          {!differs ? `On branch ${tree.branch}` : text === kept.current ? "Kept on this device, not committed" : "Keeping…"}
        </p>
        {isMarkdown(path) && (
          <PreviewChoice
            isPreview={isPreview}
            onChoose={(next) => {
              if (next) {
                started.current = text
                setEditorKey((n) => n + 1)
              }
              setPreview(next)
            }}
          />
        )}
        {differs && (
          <button onClick={discard}>
            <Icon name="trash" size={18} /> Discard
          </button>
        )}
        <a className="button" href={fileHref(tree.name, path)}>
          Done
        </a>
        <button className="primary" disabled={!differs} onClick={review}>
          <Icon name="check" size={18} /> Review and commit
        </button>
      </div>
      {isPreview ? (
        <section className="card readme" aria-label="Preview">
          <RichText text={text} format="markdown" checkin={tree.name} path={path} />
        </section>
      ) : (
        <section className="card file" aria-label="Editor">
          <Suspense fallback={<Skeleton rows={12} />}>
            <Editor
              key={editorKey}
              initial={started.current}
              path={path}
              label={`Content of ${path}`}
              wrap={isMarkdown(path) || setting("wrap") === "yes"}
              onChange={setText}
              onSubmit={review}
              onSave={() => {
                keep()
                done("Kept on this device. Commit when you are ready.")
              }}
            />
          </Suspense>
        </section>
      )}
    </>
  )
}
