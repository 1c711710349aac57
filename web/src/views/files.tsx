// The files of a check-in: a folder or a file, whichever the path names.
import { FileView } from "../files/file.tsx"
import { Folder } from "../files/folder.tsx"
import { useDraftsOf, useTree } from "../files/use-tree.ts"
import { useSession } from "../leaf/session.tsx"
import { Failed, Head, Skeleton } from "../parts/states.tsx"
import { useTitle } from "../parts/use-title.ts"
import type { Route } from "../route.ts"

export function Files({ route }: { route: Route }) {
  const { info } = useSession()
  const [checkin = info?.mainBranch ?? "tip", ...parts] = route.parts
  const path = parts.join("/")
  const { data: tree, error, reload } = useTree(checkin)
  const own = useDraftsOf(tree)
  const drafts = route.options.get("committed") === "1" ? [] : own
  useTitle(path || "Files")
  if (error) {
    return (
      <>
        <Head title="Files" note={checkin} />
        <Failed text={error} onRetry={reload} />
      </>
    )
  }
  if (!tree) return <Skeleton rows={10} />
  const draft = drafts.find((one) => one.path === path)
  const file = tree.list.files.find((one) => one.path === path)
  if (file || draft) return <FileView key={path} tree={tree} path={path} file={file ?? null} draft={draft ?? null} options={route.options} />
  return <Folder key={path} tree={tree} folder={path} drafts={drafts} />
}
