// The comment of a check-in or event: text, in which `[hash]` and `[target|words]` are links as in Fossil.
import type { TimelineEntry } from "@edgesync/leaf"
import type { ReactNode } from "react"
import { linkOf } from "../text/links.ts"

export function CommentText({ text }: { text: string }) {
  const out: ReactNode[] = []
  let last = 0
  for (const match of text.matchAll(/\[([^\][|\n]+)(?:\|([^\][\n]*))?\]/g)) {
    const [whole, target = "", words] = match
    const link = linkOf(target, { checkin: "tip", path: "", isWiki: true })
    const isHash = /^[0-9a-f]{4,64}$/i.test(target)
    // Square brackets are common in plain comments: only what surely is a link becomes one.
    if (link.kind === "none" || link.kind === "heading" || (!isHash && words === undefined && link.kind !== "outside")) continue
    out.push(text.slice(last, match.index))
    const outside = link.kind === "outside" ? { target: "_blank", rel: "noopener noreferrer" } : {}
    out.push(
      <a key={match.index} href={isHash ? `#/checkin/${target.toLowerCase()}` : link.href} {...outside}>
        {words?.trim() || target}
      </a>,
    )
    last = match.index + whole.length
  }
  out.push(text.slice(last))
  return out
}

/** The first line of a comment with the words of links in place of the links, where the whole is a link itself. */
export function plainComment(text: string): string {
  const line = text.trim().split("\n")[0] ?? ""
  return line.replace(/\[[^\][|\n]+\|([^\][\n]+)\]/g, "$1") || "(no comment)"
}

/** What an entry of the timeline says; wiki edits carry but a sign and the title. */
export function sayEntry(entry: TimelineEntry): string {
  if (entry.kind === "wiki") {
    const [, sign, title] = /^([+:-])(.+)$/.exec(entry.comment) ?? []
    if (title) return `${sign === "+" ? "Added" : sign === "-" ? "Deleted" : "Changed"} wiki page “${title}”`
  }
  // What Fossil itself writes of tickets and tags has a little markup in it; of what people write nothing is taken away.
  const text = entry.kind === "ticket" || entry.kind === "tag" ? unmarked(entry.comment) : entry.comment
  return text || "(no comment)"
}

const ENTITIES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" }

/** Text in place of the markup that Fossil writes into comments of its own; what comes out is shown as text. */
function unmarked(comment: string): string {
  return comment.replace(/<\/?[bi]>/g, "").replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity)
}

/** The wiki page that an entry is about. */
export function wikiTitleOf(entry: TimelineEntry): string | null {
  if (entry.kind !== "wiki") return null
  return /^[+:-](.+)$/.exec(entry.comment)?.[1] ?? /\[([^\]|]+)/.exec(entry.comment)?.[1] ?? null
}
