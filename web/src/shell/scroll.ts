// Where a view was scrolled to: new views start at the top, going back finds the old place.
import { useEffect } from "react"

const places = new Map<string, number>()

export function useScrollMemory(): void {
  useEffect(() => {
    history.scrollRestoration = "manual"
    let key = keyOf()
    let path = pathOf()
    let restoring = 0
    const scrolled = () => {
      if (!restoring) places.set(key, scrollY)
    }
    const moved = () => {
      const before = path
      path = pathOf()
      key = keyOf()
      clearInterval(restoring)
      restoring = 0
      const place = places.get(key)
      if (place === undefined) {
        // Options after `?` change what is shown within a view; the place stays.
        if (path !== before) scrollTo(0, 0)
        return
      }
      const until = Date.now() + 1500
      restoring = window.setInterval(() => {
        scrollTo(0, place)
        if (Math.abs(scrollY - place) > 2 && Date.now() < until) return
        clearInterval(restoring)
        restoring = 0
      }, 30)
    }
    addEventListener("scroll", scrolled, { passive: true })
    addEventListener("hashchange", moved)
    return () => {
      clearInterval(restoring)
      removeEventListener("scroll", scrolled)
      removeEventListener("hashchange", moved)
    }
  }, [])
}

/** The entry of the history; where browsers do not tell, each visit counts as new. */
function keyOf(): string {
  const { navigation } = window as { navigation?: { currentEntry?: { key: string } } }
  return navigation?.currentEntry?.key ?? String(places.size)
}

function pathOf(): string {
  return location.hash.split("?")[0] ?? ""
}
