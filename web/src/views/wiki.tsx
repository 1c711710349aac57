// The wiki: its pages, and one of them. A wiki of one page needs no list.
import type { WikiPage } from "@edgesync/leaf"
import { useState } from "react"
import { codeOf } from "../leaf/failure.ts"
import { useLeaf, useSession } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { Icon } from "../parts/icon.tsx"
import { Since } from "../parts/say.tsx"
import { Failed, Head, Nothing, Skeleton } from "../parts/states.tsx"
import { useTitle } from "../parts/use-title.ts"
import { href, type Route } from "../route.ts"
import { RichText } from "../text/rich-text.tsx"

export function WikiView({ route }: { route: Route }) {
  const [title] = route.parts
  return title === undefined ? <Pages /> : <Page key={title} title={title} />
}

function Pages() {
  useTitle("Wiki")
  const leaf = useLeaf()
  const { data, error, reload } = useLoad("wiki", () => leaf.wiki.list())
  const [wanted, setWanted] = useState("")
  const pages = (data ?? [])
    .filter((page) => page.title.toLowerCase().includes(wanted.toLowerCase()))
    .sort((a, b) => a.title.localeCompare(b.title, undefined, { numeric: true }))
  return (
    <>
      <Head title="Wiki">
        <a className="button primary" href={href("wiki-edit")}>
          <Icon name="plus" size={18} /> New page
        </a>
      </Head>
      {error && <Failed text={error} onRetry={reload} />}
      {!data && !error && <Skeleton />}
      {data?.length === 0 && (
        <Nothing icon="wiki" title="The wiki has no pages yet">
          <p>Notes, plans and handbooks live here. Everybody who syncs has them.</p>
        </Nothing>
      )}
      {data && data.length > 8 && (
        <div className="toolbar">
          <input className="search" type="search" data-filter aria-label="Find a page" placeholder="Find a page" value={wanted} onChange={(event) => setWanted(event.target.value)} />
        </div>
      )}
      {pages.length > 0 && (
        <ul className="listing" aria-label="Wiki pages">
          {pages.map((page) => (
            <li key={page.title}>
              <a href={href("wiki", [page.title])} data-row>
                <Icon name="wiki" size={18} /> <span className="name">{page.title}</span>
              </a>
              <span className="size">
                <Since time={page.time} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function Page({ title }: { title: string }) {
  useTitle(title)
  const leaf = useLeaf()
  const { data, error, reload } = useLoad(`wiki page ${title}`, async () => {
    try {
      return { page: await leaf.wiki.read(title) }
    } catch (failure) {
      if (codeOf(failure) === "notFound") return { page: null }
      throw failure
    }
  })
  if (error) return <Failed text={error} onRetry={reload} />
  if (!data) return <Skeleton rows={10} />
  if (!data.page) {
    return (
      <Nothing icon="wiki" title={`There is no page “${title}” yet`}>
        <a className="button primary" href={href("wiki-edit", [title])}>
          Write it
        </a>
      </Nothing>
    )
  }
  return (
    <>
      <h1 className="unseen">{title}</h1>
      <div className="toolbar spread">
        <nav className="crumbs" aria-label="Path">
          <a href={href("wiki")}>Wiki</a>
          <span aria-hidden="true">/</span>
          <strong aria-current="page">{title}</strong>
        </nav>
        <p className="note">
          {data.page.user}, <Since time={data.page.time} />
        </p>
        <a className="button" data-edit href={href("wiki-edit", [title])}>
          <Icon name="edit" size={18} /> Edit
        </a>
      </div>
      <article className="card readme" aria-label={title}>
        <WikiText page={data.page} />
      </article>
    </>
  )
}

export function WikiText({ page }: { page: Pick<WikiPage, "text" | "mimetype"> }) {
  const { info } = useSession()
  if (page.mimetype === "text/plain") return <pre className="plain">{page.text}</pre>
  const format = page.mimetype === "text/x-markdown" ? "markdown" : "fossil"
  return <RichText text={page.text} format={format} checkin={info?.mainBranch ?? "tip"} isWiki />
}
