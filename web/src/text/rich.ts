// Turns Markdown and Fossil wiki text into nodes that are safe to show.
//
// The text is hostile: DOMPurify drops what could run, and `tame` what could reach out of the page or look like a part
// of it: foreign pictures, classes, styles. What comes out is a fragment of nodes, never a string.
import DOMPurify from "dompurify"
import { marked } from "marked"
import { fossilWikiToHtml } from "./fossil-wiki.ts"
import { linkOf, type Place } from "./links.ts"

export type { Place } from "./links.ts"

export function renderMarkdown(text: string, place: Place): DocumentFragment {
  return clean(marked.parse(text, { gfm: true, async: false }), place)
}

export function renderFossilWiki(text: string, place: Place): DocumentFragment {
  return clean(fossilWikiToHtml(text), place)
}

function clean(html: string, place: Place): DocumentFragment {
  const fragment = DOMPurify.sanitize(quiet(html), {
    USE_PROFILES: { html: true },
    FORBID_TAGS: ["style", "form", "button", "select", "textarea", "dialog", "audio", "video", "picture", "source", "map", "area"],
    FORBID_ATTR: ["style", "name", "tabindex", "autofocus", "background", "srcset", "role"],
    // `wiki:` is Fossil's own; it becomes a link within this page.
    ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto|wiki):|[^a-z]|[a-z+.-]+(?:[^a-z+.:-]|$))/i,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    SANITIZE_NAMED_PROPS: true,
    RETURN_DOM_FRAGMENT: true,
  })
  tame(fragment, place)
  return fragment
}

/** DOMPurify drops handlers, but browsers report each to the console as it is parsed. Without names they stay silent. */
function quiet(html: string): string {
  return html.replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/([\s/"'])on\w+\s*=/gi, "$1data-off="))
}

function tame(fragment: DocumentFragment, place: Place): void {
  for (const element of fragment.querySelectorAll("[class]")) {
    const language = /(?:^|\s)(language-[\w+#-]+)/.exec(element.className)?.[1]
    if (language) element.className = language
    else element.removeAttribute("class")
  }
  for (const input of fragment.querySelectorAll("input")) {
    if (input.type === "checkbox") input.disabled = true
    else input.remove()
    input.setAttribute("aria-label", input.checked ? "Done" : "To do")
  }
  nameHeadings(fragment)
  for (const link of fragment.querySelectorAll("a")) tameLink(link, place)
  for (const image of fragment.querySelectorAll("img")) tameImage(image, place)
  for (const table of fragment.querySelectorAll("table")) {
    const scroller = document.createElement("div")
    scroller.className = "table-scroller"
    scroller.tabIndex = 0
    table.replaceWith(scroller)
    scroller.append(table)
  }
  for (const block of fragment.querySelectorAll("pre")) block.tabIndex = 0
}

function nameHeadings(fragment: DocumentFragment): void {
  const taken = new Map<string, number>()
  for (const heading of fragment.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const slug = slugOf(heading.textContent ?? "")
    const n = taken.get(slug) ?? 0
    taken.set(slug, n + 1)
    heading.id = `text-${slug}${n ? `-${n}` : ""}`
  }
}

function slugOf(text: string): string {
  return text.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-")
}

function tameLink(link: HTMLAnchorElement, place: Place): void {
  const target = link.getAttribute("href")
  link.removeAttribute("target")
  if (target === null) return
  const found = linkOf(target, place)
  if (found.kind === "none") link.removeAttribute("href")
  else if (found.kind === "heading") {
    // The part after `#` of the address is taken: the view scrolls by itself.
    link.href = location.hash || "#/"
    link.dataset.heading = `text-${found.heading}`
  } else {
    link.href = found.href
    if (found.kind === "outside") {
      link.target = "_blank"
      link.rel = "noopener noreferrer"
    }
  }
}

function tameImage(image: HTMLImageElement, place: Place): void {
  const source = image.getAttribute("src") ?? ""
  image.loading = "lazy"
  if (!image.hasAttribute("alt")) image.alt = ""
  if (/^data:image\//i.test(source)) return
  image.removeAttribute("src")
  const found = linkOf(source, place)
  if (found.kind === "file") {
    image.dataset.path = found.path
    return
  }
  // Foreign pictures would tell their server who reads this; they are links.
  const words = `Image: ${image.alt || source}`
  const link = document.createElement("a")
  link.textContent = words
  if (found.kind === "outside") {
    link.href = found.href
    link.target = "_blank"
    link.rel = "noopener noreferrer"
  }
  image.replaceWith(image.closest("a") ? document.createTextNode(words) : link)
}
