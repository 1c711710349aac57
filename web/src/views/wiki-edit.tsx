// Writing a wiki page. What is typed is kept on this device until it is saved to the repository.
import { Suspense, lazy, useEffect, useRef, useState } from "react"
import { codeOf } from "../leaf/failure.ts"
import { useLeaf, useSession } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { dropWikiDraft, keepWikiDraft, readWikiDraft } from "../leaf/wiki-draft.ts"
import { Confirm } from "../parts/dialog.tsx"
import { Icon } from "../parts/icon.tsx"
import { PreviewChoice } from "../parts/preview-choice.tsx"
import { Failed, Skeleton } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { useTitle } from "../parts/use-title.ts"
import { go, href, type Route } from "../route.ts"
import { WikiText } from "./wiki.tsx"

const Editor = lazy(() => import("../text/editor.tsx"))
const markdown = "text/x-markdown"

export default function WikiEdit({ route }: { route: Route }) {
  const [title = null] = route.parts
  const leaf = useLeaf()
  const { name } = useSession()
  useTitle(title ? `Edit ${title}` : "New page")
  const start = useRef<{ text: string; mimetype: string } | null>(null)
  const { data, error, reload } = useLoad(`wiki edit ${title}`, async () => {
    const kept = readWikiDraft(name ?? "", title)
    try {
      const page = title === null ? null : await leaf.wiki.read(title)
      return { hash: page?.hash ?? null, text: kept?.text ?? page?.text ?? "", mimetype: page?.mimetype ?? markdown, isDraft: kept !== null, base: kept ? kept.base : (page?.hash ?? null) }
    } catch (failure) {
      if (codeOf(failure) !== "notFound") throw failure
      return { hash: null, text: kept?.text ?? "", mimetype: markdown, isDraft: kept !== null, base: kept?.base ?? null }
    }
  })
  if (error) return <Failed text={error} onRetry={reload} />
  if (!data) return <Skeleton rows={10} />
  start.current ??= data
  return <Form key={title} title={title} start={start.current} hash={data.hash} base={data.base} isDraft={data.isDraft} />
}

interface FormProps {
  title: string | null
  start: { text: string; mimetype: string }
  /** The newest version of the page now, and the one that this edit began with. */
  hash: string | null
  base: string | null
  isDraft: boolean
}

function Form({ title, start, hash, base, isDraft }: FormProps) {
  const leaf = useLeaf()
  const { name } = useSession()
  const { attempt, done } = useToasts()
  const [newTitle, setNewTitle] = useState(title ?? "")
  const [text, setText] = useState(start.text)
  const [isPreview, setPreview] = useState(false)
  const [isAsking, setAsking] = useState(false)
  const [began] = useState(base)
  const editorStart = useRef(start.text)
  const isSaved = useRef(false)
  const repository = name ?? ""
  const hasMoved = began !== hash

  useEffect(() => {
    if (!isSaved.current && text !== start.text) keepWikiDraft(repository, title, { text, base: began })
  }, [repository, title, text, start.text, began])

  const save = async () => {
    const to = newTitle.trim()
    if (!to || !text.trim()) return
    const isDone = await attempt(() => leaf.wiki.write(to, text, start.mimetype))
    if (!isDone) return
    isSaved.current = true
    dropWikiDraft(repository, title)
    done(`Saved “${to}”.`)
    go(href("wiki", [to]))
  }
  const discard = () => {
    isSaved.current = true
    dropWikiDraft(repository, title)
    go(title ? href("wiki", [title]) : href("wiki"))
  }
  return (
    <>
      <div className="toolbar edit-bar">
        <h1>{title ?? "New page"}</h1>
        <p className="note" role="status">
          {isDraft || text !== start.text ? "Kept on this device, not saved" : ""}
        </p>
        <PreviewChoice
          isPreview={isPreview}
          onChoose={(next) => {
            if (next) editorStart.current = text
            setPreview(next)
          }}
        />
        {hash && (
          <button className="quiet" aria-label="Delete page" title="Delete page" onClick={() => setAsking(true)}>
            <Icon name="trash" size={18} />
          </button>
        )}
        <button onClick={discard}>Cancel</button>
        <button className="primary" disabled={!newTitle.trim() || !text.trim()} onClick={() => void save()}>
          <Icon name="check" size={18} /> Save page
        </button>
      </div>
      {hasMoved && (
        <div className="notice warn" role="alert">
          <Icon name="alert" />
          <p>This page was changed by others since you began. Saving replaces their version; it stays in the history.</p>
          {title && (
            <a className="button" href={href("wiki", [title])}>
              Show theirs
            </a>
          )}
        </div>
      )}
      {title === null && (
        <label className="field">
          Title
          <input value={newTitle} onChange={(event) => setNewTitle(event.target.value)} autoFocus maxLength={100} />
        </label>
      )}
      {isPreview ? (
        <section className="card readme" aria-label="Preview">
          <WikiText page={{ text, mimetype: start.mimetype }} />
        </section>
      ) : (
        <section className="card file" aria-label="Editor">
          <Suspense fallback={<Skeleton rows={10} />}>
            <Editor
              initial={editorStart.current}
              path={start.mimetype === markdown ? "page.md" : start.mimetype === "text/plain" ? "page.txt" : "page.html"}
              label="Text of the page"
              wrap
              onChange={setText}
              onSubmit={() => void save()}
              onSave={() => void save()}
            />
          </Suspense>
        </section>
      )}
      {isAsking && title && (
        <Confirm
          title={`Delete “${title}”?`}
          action="Delete page"
          onClose={() => setAsking(false)}
          onConfirm={() =>
            void attempt(async () => {
              await leaf.wiki.write(title, "")
              isSaved.current = true
              dropWikiDraft(repository, title)
              done(`Deleted “${title}”.`)
              go(href("wiki"))
            })
          }
        >
          <p>The page leaves the wiki of everybody who syncs. Its older versions stay in the repository.</p>
        </Confirm>
      )}
    </>
  )
}
