// Two check-ins, branches or tags beside each other.
import { useLeaf } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { Failed, Head, Nothing } from "../parts/states.tsx"
import { plainComment } from "../parts/comment.tsx"
import { useTitle } from "../parts/use-title.ts"
import { HashLink, When } from "../parts/say.tsx"
import { href, type Route } from "../route.ts"
import { CheckinDiffs } from "./checkin.tsx"

export function Compare({ route }: { route: Route }) {
  const [from, to] = route.parts
  useTitle("Compare")
  const leaf = useLeaf()
  const { data, error } = useLoad(`compare ${from} ${to}`, async () =>
    from && to ? Promise.all([leaf.checkin(from), leaf.checkin(to)]) : null,
  )
  if (!from || !to) return <Nothing icon="columns" title="Two check-ins are needed to compare" />
  return (
    <>
      <Head title="Compare">
        <a className="button" href={href("compare", [to, from])}>
          Swap
        </a>
      </Head>
      {error && <Failed text={error} />}
      {data && (
        <dl className="facts">
          {data.map(({ entry }, at) => (
            <div key={at} className="fact">
              <dt>{at === 0 ? "From" : "To"}</dt>
              <dd>
                <HashLink hash={entry.hash} /> {entry.branch} · <When time={entry.time} /> · {plainComment(entry.comment)}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <CheckinDiffs from={from} to={to} />
    </>
  )
}
