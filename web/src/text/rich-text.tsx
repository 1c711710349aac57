// Shows rendered text: fetches its pictures from the repository and colours its code once it is on the page.
import { useEffect, useRef, type MouseEvent } from "react"
import { useSession } from "../leaf/session.tsx"
import { imageType } from "./bytes.ts"
import { highlight, languageOf } from "./highlight.ts"
import type { Place } from "./rich.ts"

interface Props {
  text: string
  format: "markdown" | "fossil"
  checkin: string
  path?: string
  isWiki?: boolean
}

export function RichText({ text, format, checkin, path = "", isWiki = false }: Props) {
  const { leaf } = useSession()
  const element = useRef<HTMLDivElement>(null)

  useEffect(() => {
    const container = element.current
    if (!container) return
    const place: Place = { checkin, path, isWiki }
    let isCurrent = true
    const urls: string[] = []
    const load = async (image: HTMLImageElement) => {
      const type = imageType(image.dataset.path ?? "")
      if (!leaf || !type) return
      try {
        const { bytes } = await leaf.readFile(image.dataset.path ?? "", checkin)
        if (!isCurrent) return
        const url = URL.createObjectURL(new Blob([bytes.slice()], { type }))
        urls.push(url)
        image.src = url
      } catch {
        image.replaceWith(document.createTextNode(`[${image.alt || image.dataset.path}: not in this check-in]`))
      }
    }
    // Fetched when first needed: most views do without.
    import("./rich.ts").then(
      ({ renderMarkdown, renderFossilWiki }) => {
        if (!isCurrent) return
        container.replaceChildren(format === "markdown" ? renderMarkdown(text, place) : renderFossilWiki(text, place))
        for (const code of container.querySelectorAll<HTMLElement>("pre > code")) void colour(code)
        for (const image of container.querySelectorAll<HTMLImageElement>("img[data-path]")) void load(image)
      },
      // Not even that can be fetched: the text as it is.
      () => isCurrent && container.replaceChildren(text),
    )
    return () => {
      isCurrent = false
      for (const url of urls) URL.revokeObjectURL(url)
    }
  }, [text, format, checkin, path, isWiki, leaf])

  const clicked = (event: MouseEvent) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>("a[data-heading]") : null
    if (!link) return
    event.preventDefault()
    const heading = link.dataset.heading ?? ""
    element.current?.querySelector(`#${CSS.escape(heading)}`)?.scrollIntoView({ behavior: "smooth" })
  }
  return <div ref={element} className="rich" onClick={clicked} />
}

async function colour(code: HTMLElement): Promise<void> {
  const [, said = ""] = /language-(\S+)/.exec(code.className) ?? []
  const lines = await highlight(code.textContent ?? "", languageOf(`x.${said}`)).catch(() => null)
  if (!lines) return
  code.replaceChildren(
    ...lines.flatMap((pieces, at) => [
      ...(at > 0 ? ["\n"] : []),
      ...pieces.map(({ text, kind }) => {
        if (!kind) return text
        const span = document.createElement("span")
        span.className = `hl-${kind}`
        span.textContent = text
        return span
      }),
    ]),
  )
}
