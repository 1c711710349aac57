// What the server of this page offers, if it is a leaf server. Other hosts have no such list; that is no failure.

export interface Offer {
  name: string
  url: string
}

let asked: Promise<Offer[]> | undefined

export function offers(): Promise<Offer[]> {
  return (asked ??= ask())
}

async function ask(): Promise<Offer[]> {
  try {
    const reply = await fetch(new URL("/leaf.json", location.origin), { cache: "no-store" })
    if (!reply.ok) return []
    const said: unknown = await reply.json()
    return repositoriesOf(said)
  } catch {
    asked = undefined
    return []
  }
}

function repositoriesOf(said: unknown): Offer[] {
  if (typeof said !== "object" || said === null || !("repositories" in said)) return []
  const list = Array.isArray(said.repositories) ? said.repositories : []
  return list.flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null || !("name" in entry) || !("path" in entry)) return []
    const { name, path } = entry
    if (typeof name !== "string" || typeof path !== "string") return []
    const url = new URL(path, location.origin)
    return url.origin === location.origin ? [{ name, url: url.href.replace(/\/$/, "") || url.origin }] : []
  })
}

/** The offer of the page that is shown: at `/NAME` the one of that path, else the only one. */
export function offerHere(list: readonly Offer[]): Offer | undefined {
  const here = new URL(location.pathname, location.origin).href.replace(/\/$/, "")
  return list.find((offer) => offer.url === here) ?? (list.length === 1 ? list[0] : undefined)
}

/** A name for a repository on this device: letters, digits, `.`, `_`, `-`, at most 64, not yet taken. */
export function freeName(wish: string, taken: readonly string[]): string {
  const base = wish.replace(/\.fossil$/i, "").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 56) || "project"
  if (!taken.includes(base)) return base
  let n = 2
  while (taken.includes(`${base}-${n}`)) n++
  return `${base}-${n}`
}

/** What to call the copy of the repository at `url`. */
export function nameOfUrl(url: string): string {
  try {
    const { hostname, pathname } = new URL(url)
    return pathname.split("/").filter(Boolean).at(-1) ?? hostname
  } catch {
    return "project"
  }
}
