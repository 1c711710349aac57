// Where a link in a text of the repository leads: to a file, a wiki page, a check-in, a heading, or out.
//
// Source: https://fossil-scm.org/home/md_rules, "Links"; the paths of Fossil's own pages are understood, too.
import { fileHref, href } from "../route.ts"
import { resolvePath } from "./bytes.ts"

/** Where the text stands that a link is in. */
export interface Place {
  /** The check-in whose files relative links mean. */
  checkin: string
  /** The file the text is in; empty for the wiki. */
  path: string
  isWiki: boolean
}

export type Link =
  | { kind: "none" }
  | { kind: "outside"; href: string }
  | { kind: "inside"; href: string }
  | { kind: "heading"; heading: string }
  | { kind: "file"; href: string; path: string }

const nowhere: Link = { kind: "none" }

export function linkOf(target: string, place: Place): Link {
  const text = target.trim()
  if (text.startsWith("#")) return { kind: "heading", heading: decoded(text.slice(1)).toLowerCase() }
  if (/^wiki:/i.test(text)) return wiki(decoded(text.slice(5)))
  if (/^[a-z][a-z0-9+.-]*:/i.test(text) || text.startsWith("//")) return outside(text)
  const path = decoded(text.replace(/[?#].*$/, ""))
  const own = fossilPage(path, text)
  if (own) return own
  if (/^[0-9a-f]{8,64}$/i.test(path)) return { kind: "inside", href: href("checkin", [path.toLowerCase()]) }
  if (place.isWiki && !path.includes("/") && !/\.\w{1,8}$/.test(path)) return wiki(path)
  const file = resolvePath(place.path, path)
  return file === null ? nowhere : { kind: "file", href: fileHref(place.checkin, file), path: file }
}

function wiki(title: string): Link {
  return { kind: "inside", href: href("wiki", [title]) }
}

function outside(text: string): Link {
  try {
    const url = new URL(text, location.origin)
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? { kind: "outside", href: url.href } : nowhere
  } catch {
    return nowhere
  }
}

/** Links as they are written for the pages of a Fossil server: `/info/HASH`, `/doc/trunk/README.md`, ... */
function fossilPage(path: string, text: string): Link | null {
  const [, page, rest = ""] = /^\/(info|vinfo|ci|timeline|wiki|doc|file|tree|dir)(?:\/(.*))?$/.exec(path) ?? []
  const option = new URLSearchParams(/\?([^#]*)/.exec(text)?.[1])
  switch (page) {
    case "info":
    case "vinfo":
    case "ci":
      return rest ? { kind: "inside", href: href("checkin", [rest]) } : null
    case "timeline":
      return { kind: "inside", href: href("timeline", [], { branch: option.get("r") ?? undefined }) }
    case "wiki":
      return wiki(option.get("name") ?? rest)
    case "doc": {
      const [checkin = "", ...parts] = rest.split("/")
      const file = parts.join("/")
      return { kind: "file", href: fileHref(checkin === "tip" || checkin === "ckout" ? "tip" : checkin, file), path: file }
    }
    case "file":
      return { kind: "file", href: fileHref(option.get("ci") ?? "tip", rest), path: rest }
    case "tree":
    case "dir":
      return { kind: "inside", href: fileHref(option.get("ci") ?? "tip", option.get("name") ?? rest) }
    default:
      return null
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
