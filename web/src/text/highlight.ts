// Colours for code. The highlighter and each language are fetched when first needed; what comes out is pieces of text
// with the kind of each, never markup.
import type { HLJSApi, LanguageFn } from "highlight.js"
import { endingOf, nameOf } from "./bytes.ts"

export interface Piece {
  text: string
  /** `keyword`, `string`, ...; null for plain text. */
  kind: string | null
}

interface Node {
  scope?: string
  children: (Node | string)[]
}

const languages: Record<string, () => Promise<{ default: LanguageFn }>> = {
  bash: () => import("highlight.js/lib/languages/bash"),
  c: () => import("highlight.js/lib/languages/c"),
  cpp: () => import("highlight.js/lib/languages/cpp"),
  csharp: () => import("highlight.js/lib/languages/csharp"),
  css: () => import("highlight.js/lib/languages/css"),
  diff: () => import("highlight.js/lib/languages/diff"),
  dockerfile: () => import("highlight.js/lib/languages/dockerfile"),
  go: () => import("highlight.js/lib/languages/go"),
  ini: () => import("highlight.js/lib/languages/ini"),
  java: () => import("highlight.js/lib/languages/java"),
  javascript: () => import("highlight.js/lib/languages/javascript"),
  json: () => import("highlight.js/lib/languages/json"),
  kotlin: () => import("highlight.js/lib/languages/kotlin"),
  lua: () => import("highlight.js/lib/languages/lua"),
  makefile: () => import("highlight.js/lib/languages/makefile"),
  markdown: () => import("highlight.js/lib/languages/markdown"),
  perl: () => import("highlight.js/lib/languages/perl"),
  php: () => import("highlight.js/lib/languages/php"),
  python: () => import("highlight.js/lib/languages/python"),
  ruby: () => import("highlight.js/lib/languages/ruby"),
  rust: () => import("highlight.js/lib/languages/rust"),
  sql: () => import("highlight.js/lib/languages/sql"),
  swift: () => import("highlight.js/lib/languages/swift"),
  tcl: () => import("highlight.js/lib/languages/tcl"),
  typescript: () => import("highlight.js/lib/languages/typescript"),
  xml: () => import("highlight.js/lib/languages/xml"),
  yaml: () => import("highlight.js/lib/languages/yaml"),
}

const byEnding: Record<string, string> = {
  bash: "bash", sh: "bash", zsh: "bash", c: "c", h: "c", cc: "cpp", cpp: "cpp", cxx: "cpp", hh: "cpp", hpp: "cpp",
  cs: "csharp", css: "css", diff: "diff", patch: "diff", dockerfile: "dockerfile", go: "go", cfg: "ini", conf: "ini",
  ini: "ini", toml: "ini", lock: "ini", java: "java", cjs: "javascript", js: "javascript", jsx: "javascript",
  mjs: "javascript", javascript: "javascript", json: "json", webmanifest: "json", kt: "kotlin", lua: "lua", mk: "makefile",
  makefile: "makefile", md: "markdown", markdown: "markdown", pl: "perl", php: "php", py: "python", python: "python",
  rb: "ruby", ruby: "ruby", rs: "rust", rust: "rust", sql: "sql", swift: "swift", tcl: "tcl", ts: "typescript",
  tsx: "typescript", typescript: "typescript", html: "xml", svg: "xml", xhtml: "xml", xml: "xml", yaml: "yaml", yml: "yaml",
}

/** Longer texts are shown plain: colouring them would hold up the page. */
const longest = 400_000

/** The language of a file, by its name, or of a code block, by what it says. */
export function languageOf(path: string): string | null {
  return byEnding[endingOf(path) || nameOf(path).toLowerCase()] ?? null
}

/** The lines of a text in pieces; null where there are no colours for it. */
export async function highlight(text: string, language: string | null): Promise<Piece[][] | null> {
  if (!language || text.length > longest) return null
  const engine = await engineFor(language)
  const { _emitter } = engine.highlight(text, { language, ignoreIllegals: true })
  const { rootNode } = _emitter as unknown as { rootNode: Node }
  const lines: Piece[][] = [[]]
  collect(rootNode, null, lines)
  return lines
}

let engine: Promise<HLJSApi> | undefined

async function engineFor(language: string): Promise<HLJSApi> {
  const [core, grammar] = await Promise.all([
    (engine ??= import("highlight.js/lib/core").then((module) => module.default)),
    languages[language]?.(),
  ])
  if (grammar && !core.getLanguage(language)) core.registerLanguage(language, grammar.default)
  return core
}

function collect(node: Node, kind: string | null, lines: Piece[][]): void {
  for (const child of node.children) {
    if (typeof child !== "string") {
      collect(child, child.scope ? (child.scope.split(".")[0] ?? kind) : kind, lines)
      continue
    }
    child.split("\n").forEach((text, at) => {
      if (at > 0) lines.push([])
      if (text) lines.at(-1)?.push({ text, kind })
    })
  }
}
