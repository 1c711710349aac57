// The check-ins that changed a file.
import { useLeaf } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { Mark } from "../parts/branch-mark.tsx"
import { plainComment } from "../parts/comment.tsx"
import { HashLink, Since } from "../parts/say.tsx"
import { Failed, Head, Nothing, Skeleton } from "../parts/states.tsx"
import { useTitle } from "../parts/use-title.ts"
import { fileHref, href, type Route } from "../route.ts"
import { nameOf } from "../text/bytes.ts"

export function FileHistory({ route }: { route: Route }) {
  const path = route.parts.join("/")
  const leaf = useLeaf()
  const { data, error, reload } = useLoad(`history ${path}`, () => leaf.fileHistory(path, { limit: 500 }))
  useTitle(`History of ${nameOf(path)}`)
  return (
    <>
      <Head title="History" note={path} />
      {error && <Failed text={error} onRetry={reload} />}
      {!data && !error && <Skeleton rows={8} />}
      {data?.length === 0 && <Nothing icon="history" title="No check-in changed this file" />}
      {data && data.length > 0 && (
        <ol className="history">
          {data.map((version) => (
            <li key={version.checkin}>
              <p className="comment">
                <a href={href("checkin", [version.checkin])} data-row>
                  {plainComment(version.comment)}
                </a>
              </p>
              <p className="meta">
                <span className="user">{version.user}</span>
                <Since time={version.time} />
                <HashLink hash={version.checkin} />
                {version.hash ? <a href={fileHref(version.checkin, path)}>this version</a> : <Mark icon="trash">removed here</Mark>}
              </p>
            </li>
          ))}
        </ol>
      )}
    </>
  )
}
