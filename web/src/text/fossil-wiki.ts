// Fossil's own wiki format as HTML. What comes out is not yet safe: `rich.ts` cleans it.
//
// Source: https://fossil-scm.org/home/wiki_rules. Markup is HTML already; added are links in brackets, paragraphs at
// blank lines, and lists by indented `*`, `#` and numbers.

export function fossilWikiToHtml(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .split(/(<verbatim[^>]*>[\s\S]*?<\/verbatim>|<nowiki>[\s\S]*?<\/nowiki>|<pre[\s\S]*?<\/pre>)/i)
    .map((piece, at) => (at % 2 === 0 ? blocks(piece) : literal(piece)))
    .join("")
}

function literal(piece: string): string {
  const [, inside] = /^<verbatim[^>]*>([\s\S]*)<\/verbatim>$/i.exec(piece) ?? []
  if (inside !== undefined) return `<pre>${escaped(inside)}</pre>`
  return piece.replace(/<\/?nowiki>/gi, "")
}

function blocks(text: string): string {
  return text.split(/\n\s*\n/).map(block).join("\n")
}

function block(text: string): string {
  if (!text.trim()) return ""
  const out: string[] = []
  let list: "ul" | "ol" | null = null
  const close = (next: "ul" | "ol" | null) => {
    if (list === next) return
    if (list) out.push(`</${list}>`)
    if (next) out.push(`<${next}>`)
    list = next
  }
  for (const line of text.split("\n")) {
    const [, sign, item = ""] = /^(?:\t| {2,})(\*|#|\d+\.?)(?:\t| {2,})(.*)$/.exec(line) ?? []
    if (sign !== undefined) {
      close(sign === "*" ? "ul" : "ol")
      out.push(`<li>${links(item)}`)
    } else {
      // A line that is further in goes on with the item above it.
      if (list && !/^\s/.test(line)) close(null)
      out.push(links(line))
    }
  }
  close(null)
  const html = out.join("\n")
  return /^\s*<(h\d|ul|ol|li|dl|table|tr|td|th|p|div|hr|blockquote|pre|title)\b/i.test(html) ? html : `<p>${html}</p>`
}

function links(text: string): string {
  return text
    .replace(/\[([^\]|\n]+)(?:\|([^\]\n]*))?\]/g, (_, target: string, label?: string) => {
      const words = label?.trim() || target.trim()
      return `<a href="${escaped(target.trim())}">${escaped(words)}</a>`
    })
    .replace(/<title>[\s\S]*?<\/title>/gi, "")
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;")
}
