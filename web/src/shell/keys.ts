// Keyboard shortcuts: single letters outside of fields, `g` then a letter to go somewhere.
import { useEffect, useRef } from "react"
import { useSession } from "../leaf/session.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { go, href } from "../route.ts"

export const keyHelp: [string, string][] = [
  ["g t", "Timeline"],
  ["g f", "Files"],
  ["g c", "Changes that are not committed"],
  ["g w", "Wiki"],
  ["g b", "Branches and tags"],
  ["g u", "Unversioned files"],
  ["g s", "Sync"],
  ["g r", "Repositories on this device"],
  ["s", "Sync now"],
  ["/", "Filter the list that is shown"],
  ["j  k", "Next and previous entry of a list"],
  ["e", "Edit the file or page that is shown"],
  ["Ctrl Enter", "Commit, or save"],
  ["?", "This help"],
]

const places: Record<string, string> = {
  t: "timeline",
  f: "files",
  c: "changes",
  w: "wiki",
  b: "branches",
  u: "unversioned",
  s: "sync",
  r: "repositories",
}

export function useKeys({ help }: { help(): void }): void {
  const { leaf } = useSession()
  const { attempt } = useToasts()
  const latest = useRef({ help, leaf, attempt })
  latest.current = { help, leaf, attempt }

  useEffect(() => {
    let isGoing = false
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event)) return
      if (document.querySelector("dialog[open]")) return
      const place = isGoing ? places[event.key] : undefined
      isGoing = event.key === "g" && !isGoing
      if (place) go(href(place))
      else if (event.key === "?") latest.current.help()
      else if (event.key === "s") {
        const { leaf, attempt } = latest.current
        if (leaf?.state === "ready") void attempt(() => leaf.sync())
      } else if (event.key === "/") document.querySelector<HTMLElement>("[data-filter]")?.focus()
      else if (event.key === "e") document.querySelector<HTMLElement>("[data-edit]")?.click()
      else if (event.key === "j" || event.key === "k") moveFocus(event.key === "j" ? 1 : -1)
      else return
      event.preventDefault()
    }
    addEventListener("keydown", pressed)
    return () => removeEventListener("keydown", pressed)
  }, [])
}

function isTyping(event: KeyboardEvent): boolean {
  const [target] = event.composedPath()
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName)
}

function moveFocus(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")]
  const at = rows.findIndex((row) => row === document.activeElement)
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))]
  next?.focus()
}
