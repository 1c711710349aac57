// Whether bytes are text, and which; and what a file is by its name.

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The text of a file; null if it is none. As stock does: no NUL byte, and valid UTF-8. */
export function textOf(bytes: Uint8Array): string | null {
  if (bytes.subarray(0, 65_536).includes(0)) return null
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}

const images: Record<string, string> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  bmp: "image/bmp",
  ico: "image/x-icon",
  svg: "image/svg+xml",
}

export function endingOf(path: string): string {
  const name = nameOf(path)
  const dot = name.lastIndexOf(".")
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : ""
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1)
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")))
}

/** The type to show a file as a picture; null if it is none. An SVG is shown by <img> alone, where it runs no script. */
export function imageType(path: string): string | null {
  return images[endingOf(path)] ?? null
}

export function isMarkdown(path: string): boolean {
  return ["md", "markdown", "mkd", "mdown"].includes(endingOf(path))
}

/** The file that introduces a folder, among the names in it. */
export function readmeOf(names: readonly string[]): string | undefined {
  const ranks = [/^readme\.(md|markdown|mkd)$/i, /^readme(\.txt)?$/i, /^index\.md$/i]
  for (const rank of ranks) {
    const found = names.find((name) => rank.test(name))
    if (found) return found
  }
  return undefined
}

/** `path` as seen from the file `from`; null if it leads out of the tree. */
export function resolvePath(from: string, path: string): string | null {
  const parts = path.startsWith("/") ? [] : folderOf(from).split("/").filter(Boolean)
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue
    if (part !== "..") parts.push(part)
    else if (parts.pop() === undefined) return null
  }
  return parts.join("/")
}

/** Gives bytes to the person as a file. */
export function download(bytes: Uint8Array | Blob, name: string): void {
  const blob = bytes instanceof Blob ? bytes : new Blob([bytes.slice()], { type: "application/octet-stream" })
  const url = URL.createObjectURL(blob)
  const link = document.createElement("a")
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
