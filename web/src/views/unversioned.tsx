// Unversioned files: only their newest content is kept, and all who sync share it.
import type { UvFile } from "@edgesync/leaf"
import { useState } from "react"
import { useLeaf } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { Confirm } from "../parts/dialog.tsx"
import { DropZone } from "../parts/drop-zone.tsx"
import { Icon } from "../parts/icon.tsx"
import { Since, count, sizeText } from "../parts/say.tsx"
import { Failed, Head, Nothing, Skeleton } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { UploadButton } from "../parts/upload.tsx"
import { useTitle } from "../parts/use-title.ts"
import { download, imageType, nameOf } from "../text/bytes.ts"

export function Unversioned() {
  useTitle("Unversioned files")
  const leaf = useLeaf()
  const { attempt, done } = useToasts()
  const { data, error, reload } = useLoad("unversioned", () => leaf.uv.list())
  const files = (data ?? []).toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))
  const total = files.reduce((sum, file) => sum + file.size, 0)

  const add = async (chosen: File[]) => {
    let n = 0
    for (const file of chosen) if (await attempt(() => leaf.uv.write(file.name, file))) n++
    if (n > 0) done(`Added ${count(n, "file")}.`)
  }
  return (
    <DropZone hint="Drop files to share them" onFiles={(dropped) => void add(dropped)}>
      <Head title="Unversioned files" note={files.length > 0 ? `${count(files.length, "file")}, ${sizeText(total)}` : "Shared by everybody, without history"}>
        <UploadButton label="Upload" className="primary" onFiles={(chosen) => void add(chosen)} />
      </Head>
      {error && <Failed text={error} onRetry={reload} />}
      {!data && !error && <Skeleton />}
      {data?.length === 0 && (
        <Nothing icon="box" title="There are no unversioned files">
          <p>Downloads, pictures and builds can live here: only the newest version is kept.</p>
        </Nothing>
      )}
      {files.length > 0 && (
        <ul className="listing" aria-label="Unversioned files">
          {files.map((file) => (
            <Row key={file.name} file={file} />
          ))}
        </ul>
      )}
    </DropZone>
  )
}

function Row({ file }: { file: UvFile }) {
  const leaf = useLeaf()
  const { attempt, done } = useToasts()
  const [isAsking, setAsking] = useState(false)
  const save = () => attempt(async () => download((await leaf.uv.read(file.name)).bytes, nameOf(file.name)))
  return (
    <li>
      <button className="bare row-button" data-row onClick={() => void save()} aria-label={`Download ${file.name}`}>
        <Icon name={imageType(file.name) ? "image" : "box"} size={18} /> <span className="name">{file.name}</span>
      </button>
      <span className="size">
        {sizeText(file.size)} · <Since time={file.time} />
      </span>
      <button className="bare" aria-label={`Delete ${file.name}`} onClick={() => setAsking(true)}>
        <Icon name="trash" size={18} />
      </button>
      {isAsking && (
        <Confirm
          title={`Delete ${file.name}?`}
          action="Delete"
          onClose={() => setAsking(false)}
          onConfirm={() => void attempt(() => leaf.uv.remove(file.name)).then((isDone) => isDone && done(`Deleted ${file.name}.`))}
        >
          <p>It has no history: after the next sync it is gone for everybody.</p>
        </Confirm>
      )}
    </li>
  )
}
