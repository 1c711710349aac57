// A file: coloured code with numbered lines, rendered Markdown, a picture, or what can be said of other bytes.
import type { FileEntry } from "@edgesync/leaf"
import { useState } from "react"
import type { Draft } from "../leaf/drafts.tsx"
import { keep, setting } from "../leaf/kept.ts"
import { useLeaf } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { Icon } from "../parts/icon.tsx"
import { count, sizeText } from "../parts/say.tsx"
import { Failed, Nothing, Skeleton } from "../parts/states.tsx"
import { fileHref, go, href } from "../route.ts"
import { download, imageType, isMarkdown, nameOf, textOf } from "../text/bytes.ts"
import { Code } from "../text/code.tsx"
import { RichText } from "../text/rich-text.tsx"
import { CheckinPicker, Crumbs } from "./crumbs.tsx"
import { DeleteButton, RenameButton } from "./file-actions.tsx"
import { Picture } from "./picture.tsx"
import type { Tree } from "./use-tree.ts"

interface Props {
  tree: Tree
  path: string
  /** In the check-in; null if it is only a draft. */
  file: FileEntry | null
  draft: Draft | null
  options: URLSearchParams
}

export function FileView({ tree, path, file, draft, options }: Props) {
  const leaf = useLeaf()
  const [wrap, setWrap] = useState(setting("wrap") === "yes")
  const committed = draft ? draft.from : path
  const { data, error, reload } = useLoad(`file ${tree.list.checkin} ${committed}`, async () =>
    committed === null ? null : (await leaf.readFile(committed, tree.list.checkin)).bytes,
  )
  const bytes = draft?.bytes ?? data
  const text = bytes ? textOf(bytes) : null
  const canRender = text !== null && (isMarkdown(path) || path.toLowerCase().endsWith(".svg"))
  const isPlain = !canRender || options.get("view") === "plain"
  const parts = path.split("/")
  const lineHref = (line: string) => fileHref(tree.name, path, { view: canRender ? "plain" : undefined, line })

  return (
    <>
      <h1 className="unseen">{nameOf(path)}</h1>
      <div className="toolbar">
        <CheckinPicker checkin={tree.name} path={path} />
        <Crumbs checkin={tree.name} path={path} />
      </div>
      {draft && (
        <div className="notice">
          <Icon name="edit" />
          <p>{draft.kind === "remove" ? "You are about to remove this file." : "This is your version. It is not committed yet."}</p>
          {draft.from !== null && (
            <a className="button quiet" href={fileHref(tree.name, draft.from, { committed: "1" })}>
              Committed version
            </a>
          )}
          <a className="button" href={href("changes")}>
            Review
          </a>
        </div>
      )}
      <section className="card file" aria-label={path}>
        <header>
          <span className="note">
            {bytes ? sizeText(bytes.length) : "…"}
            {text !== null && ` · ${count(text.split("\n").length - (text.endsWith("\n") ? 1 : 0), "line")}`}
            {file?.isExecutable && " · program"}
            {file?.isLink && " · link"}
          </span>
          <div className="head-actions">
            {canRender && (
              <div className="choice" role="group" aria-label="How to show the file">
                <button aria-pressed={!isPlain} onClick={() => go(fileHref(tree.name, path), { replace: true })}>
                  Rendered
                </button>
                <button aria-pressed={isPlain} onClick={() => go(fileHref(tree.name, path, { view: "plain" }), { replace: true })}>
                  Plain
                </button>
              </div>
            )}
            {isPlain && text !== null && (
              <button
                className="quiet"
                aria-pressed={wrap}
                aria-label="Wrap long lines"
                title="Wrap long lines"
                onClick={() => {
                  setWrap(!wrap)
                  keep("wrap", wrap ? null : "yes")
                }}
              >
                <Icon name="wrap" size={18} />
              </button>
            )}
            <a className="button quiet" href={href("history", parts)}>
              <Icon name="history" size={18} /> History
            </a>
            {bytes && (
              <button className="quiet" aria-label="Download" title="Download" onClick={() => download(bytes, nameOf(path))}>
                <Icon name="download" size={18} />
              </button>
            )}
            <RenameButton tree={tree} path={path} file={file} draft={draft} />
            <DeleteButton tree={tree} path={path} file={file} draft={draft} />
            {text !== null && draft?.kind !== "remove" && (
              <a className="button primary" data-edit href={href("edit", [tree.name, ...parts])}>
                <Icon name="edit" size={18} /> Edit
              </a>
            )}
          </div>
        </header>
        {error && <Failed text={error} onRetry={reload} />}
        {!bytes && !error && <Skeleton rows={12} />}
        {bytes && imageType(path) && (text === null || !isPlain) && <Picture bytes={bytes} path={path} />}
        {text !== null && !isPlain && isMarkdown(path) && <RichText text={text} format="markdown" checkin={tree.name} path={path} />}
        {text !== null && isPlain && (
          <Code
            text={text}
            path={path}
            wrap={wrap}
            marked={options.get("line")}
            hrefOf={lineHref}
            onMark={(line) => go(lineHref(line), { replace: true })}
          />
        )}
        {bytes && text === null && !imageType(path) && (
          <Nothing icon="box" title="This file is not text">
            <button onClick={() => download(bytes, nameOf(path))}>
              <Icon name="download" size={18} /> Download {sizeText(bytes.length)}
            </button>
          </Nothing>
        )}
      </section>
    </>
  )
}
