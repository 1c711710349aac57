// What the README shows, so that the tests run those very words.

import { readFileSync } from "node:fs"
import path from "node:path"

const text = readFileSync(path.resolve(import.meta.dirname, "../README.md"), "utf8")

/** The code after the marker `<!-- snippet: NAME -->`. */
export function snippet(name) {
  const [, code] = text.match(new RegExp(`<!-- snippet: ${name} -->\n\`\`\`\\w+\n([^]*?)\n\`\`\``)) ?? []
  if (code === undefined) throw new Error(`the README has no snippet ${name}`)
  return `${code}\n`
}

/** The cells of the table after the marker `<!-- NAME -->`, without its head. */
export function table(name) {
  const [, rows] = text.match(new RegExp(`<!-- ${name} -->\n((?:\\|.*\n)+)`)) ?? []
  if (rows === undefined) throw new Error(`the README has no table ${name}`)
  return rows.trim().split("\n").slice(2).map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()))
}

/** `code` with `given` instead of `shown`, which must be in it. */
export function instead(code, shown, given) {
  if (!code.includes(shown)) throw new Error(`the README does not say ${shown}`)
  return code.replaceAll(shown, given)
}
