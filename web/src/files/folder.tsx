// A folder: what is in it, the file that introduces it, and ways to add to it.
import { useState } from "react"
import { useDrafts, type Draft } from "../leaf/drafts.tsx"
import { useLeaf } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { plainComment } from "../parts/comment.tsx"
import { DropZone } from "../parts/drop-zone.tsx"
import { Icon } from "../parts/icon.tsx"
import { HashLink, Since, count, sizeText } from "../parts/say.tsx"
import { Nothing } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { UploadButton } from "../parts/upload.tsx"
import { fileHref, go, href } from "../route.ts"
import { imageType, isMarkdown, readmeOf, textOf } from "../text/bytes.ts"
import { RichText } from "../text/rich-text.tsx"
import { CheckinPicker, Crumbs } from "./crumbs.tsx"
import { childrenOf, search, type Node } from "./tree.ts"
import type { Tree } from "./use-tree.ts"

interface Props {
  tree: Tree
  folder: string
  drafts: Draft[]
}

export function Folder({ tree, folder, drafts }: Props) {
  const [wanted, setWanted] = useState("")
  const upload = useUpload(tree, folder)
  const nodes = childrenOf(tree.list, folder, drafts)
  const found = search(tree.list, wanted)
  const readme = readmeOf(nodes.flatMap((node) => (node.file && node.draft !== "remove" ? [node.name] : [])))
  return (
    <DropZone hint={`Drop files to add them to ${folder || "this folder"}`} onFiles={(files) => void upload(files)}>
      <h1 className="unseen">Files</h1>
      <div className="toolbar">
        <CheckinPicker checkin={tree.name} path={folder} />
        <input
          className="search"
          type="search"
          data-filter
          aria-label="Find a file by its path"
          placeholder="Find a file"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          onKeyDown={(event) => {
            const first = found[0]
            if (event.key === "Enter" && first) go(fileHref(tree.name, first.path))
            if (event.key === "Escape") setWanted("")
          }}
        />
        <a className="button" href={href("edit", [tree.name, ...folder.split("/").filter(Boolean)], { new: "1" })}>
          <Icon name="plus" size={18} /> New file
        </a>
        <UploadButton label="Upload" onFiles={upload} />
      </div>
      {folder && <Crumbs checkin={tree.name} path={folder} />}
      <p className="last-checkin">
        <strong>{tree.entry.user}</strong>
        <a href={href("checkin", [tree.entry.hash])}>{plainComment(tree.entry.comment)}</a>
        <HashLink hash={tree.entry.hash} />
        <Since time={tree.entry.time} />
      </p>
      {wanted ? (
        <ul className="listing" aria-label="Files found">
          {found.map((file) => (
            <li key={file.path}>
              <a href={fileHref(tree.name, file.path)} data-row>
                <Icon name={imageType(file.path) ? "image" : "file"} size={18} /> {file.path}
              </a>
            </li>
          ))}
          {found.length === 0 && <li className="note">No path fits “{wanted}”.</li>}
        </ul>
      ) : nodes.length > 0 ? (
        <ul className="listing" aria-label={folder ? `Files in ${folder}` : "Files"}>
          {nodes.map((node) => (
            <Row key={node.path + (node.file ? "" : "/")} node={node} checkin={tree.name} />
          ))}
        </ul>
      ) : (
        <Nothing icon="files" title={folder ? "There is no such file or folder in this check-in" : "There are no files yet"}>
          {folder ? <a href={fileHref(tree.name, "")}>Go to the top</a> : <p>Make a new file, or drop some here.</p>}
        </Nothing>
      )}
      {readme && !wanted && <Readme tree={tree} path={folder ? `${folder}/${readme}` : readme} drafts={drafts} />}
    </DropZone>
  )
}

const draftWords = { put: "edited", remove: "removed", rename: "renamed", new: "new" } as const

function Row({ node, checkin }: { node: Node; checkin: string }) {
  const { file } = node
  const icon = !file ? "files" : file.isLink ? "link" : file.isExecutable ? "run" : imageType(node.path) ? "image" : "file"
  return (
    <li className={node.draft === "remove" ? "gone" : undefined}>
      <a href={fileHref(checkin, node.path)} data-row className={file ? undefined : "folder-link"}>
        <Icon name={icon} size={18} />
        <span className="name">{node.name}</span>
      </a>
      {node.draft && <span className="change draft">{file ? draftWords[node.draft] : "edited"}</span>}
      <span className="size">{file ? (node.size === null ? "not here" : sizeText(node.size)) : count(node.files, "file")}</span>
    </li>
  )
}

function Readme({ tree, path, drafts }: { tree: Tree; path: string; drafts: Draft[] }) {
  const leaf = useLeaf()
  const draft = drafts.find((one) => one.path === path)
  const { data } = useLoad(`readme ${tree.list.checkin} ${path} ${draft?.from}`, async () => {
    const file = draft ? draft.from : path
    return file === null ? null : (await leaf.readFile(file, tree.list.checkin)).bytes
  })
  const bytes = draft?.bytes ?? data
  const text = bytes ? textOf(bytes) : null
  if (text === null) return null
  return (
    <section className="card readme" aria-label={path}>
      <header>
        <Icon name="wiki" size={16} /> <a href={fileHref(tree.name, path)}>{path}</a>
      </header>
      {isMarkdown(path) ? <RichText text={text} format="markdown" checkin={tree.name} path={path} /> : <pre className="plain">{text}</pre>}
    </section>
  )
}

function useUpload(tree: Tree, folder: string) {
  const drafts = useDrafts()
  const { done, failed } = useToasts()
  return async (files: File[]) => {
    let n = 0
    for (const file of files) {
      const path = folder ? `${folder}/${file.name}` : file.name
      const old = tree.list.files.find((one) => one.path === path)
      try {
        const bytes = new Uint8Array(await file.arrayBuffer())
        drafts.put({ path, kind: "put", from: old?.path ?? null, base: old?.hash ?? null, bytes }, { basis: tree.list.checkin, branch: tree.branch })
        n++
      } catch (error) {
        failed(error)
      }
    }
    if (n > 0) done(`${count(n, "file")} added to your changes. Commit them when you are ready.`, { label: "Review", run: () => go(href("changes")) })
  }
}
