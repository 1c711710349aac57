// Wiki pages that are being written, kept until they are saved.

export interface WikiDraft {
  text: string
  /** The version that the edit began with. */
  base: string | null
}

const key = (repository: string, title: string | null) => `leaf.wiki-draft ${repository} ${title ?? ""}`

export function readWikiDraft(repository: string, title: string | null): WikiDraft | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key(repository, title)) ?? "null")
    if (typeof kept !== "object" || kept === null || !("text" in kept) || typeof kept.text !== "string") return null
    return { text: kept.text, base: "base" in kept && typeof kept.base === "string" ? kept.base : null }
  } catch {
    return null
  }
}

export function keepWikiDraft(repository: string, title: string | null, draft: WikiDraft): void {
  try {
    localStorage.setItem(key(repository, title), JSON.stringify(draft))
  } catch {
    // No room, or storage is off: the text is on the page still.
  }
}

export function dropWikiDraft(repository: string, title: string | null): void {
  try {
    localStorage.removeItem(key(repository, title))
  } catch {
    // It was not kept in the first place.
  }
}

/** How many pages of a repository are being written, and what to forget when it goes. */
export function wikiDraftsOf(repository: string): string[] {
  const start = key(repository, null)
  return Object.keys(localStorage).filter((name) => name.startsWith(start))
}
