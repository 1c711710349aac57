// The grammars of the editor, each fetched when a file of its kind is opened.
import { StreamLanguage, type StreamParser } from "@codemirror/language"
import type { Extension } from "@codemirror/state"
import { languageOf } from "./highlight.ts"

const stream = async (parser: Promise<StreamParser<unknown>>): Promise<Extension> => StreamLanguage.define(await parser)

const grammars: Record<string, () => Promise<Extension>> = {
  bash: () => stream(import("@codemirror/legacy-modes/mode/shell").then((m) => m.shell)),
  c: () => import("@codemirror/lang-cpp").then((m) => m.cpp()),
  cpp: () => import("@codemirror/lang-cpp").then((m) => m.cpp()),
  css: () => import("@codemirror/lang-css").then((m) => m.css()),
  dockerfile: () => stream(import("@codemirror/legacy-modes/mode/dockerfile").then((m) => m.dockerFile)),
  go: () => stream(import("@codemirror/legacy-modes/mode/go").then((m) => m.go)),
  ini: () => stream(import("@codemirror/legacy-modes/mode/toml").then((m) => m.toml)),
  javascript: () => import("@codemirror/lang-javascript").then((m) => m.javascript({ jsx: true })),
  json: () => import("@codemirror/lang-json").then((m) => m.json()),
  markdown: () => import("@codemirror/lang-markdown").then((m) => m.markdown()),
  python: () => import("@codemirror/lang-python").then((m) => m.python()),
  ruby: () => stream(import("@codemirror/legacy-modes/mode/ruby").then((m) => m.ruby)),
  rust: () => import("@codemirror/lang-rust").then((m) => m.rust()),
  sql: () => import("@codemirror/lang-sql").then((m) => m.sql()),
  tcl: () => stream(import("@codemirror/legacy-modes/mode/tcl").then((m) => m.tcl)),
  typescript: () => import("@codemirror/lang-javascript").then((m) => m.javascript({ jsx: true, typescript: true })),
  xml: () => import("@codemirror/lang-html").then((m) => m.html()),
  yaml: () => stream(import("@codemirror/legacy-modes/mode/yaml").then((m) => m.yaml)),
}

export async function grammarOf(path: string): Promise<Extension | null> {
  const language = languageOf(path)
  return (language && (await grammars[language]?.())) || null
}
