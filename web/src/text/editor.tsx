// The editor: CodeMirror in a shadow root.
//
// In a document CodeMirror would write a <style> element, which the policy of this page refuses; in a shadow root it
// uses constructed style sheets, which it allows. Colours come through the page's custom properties.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete"
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands"
import { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language"
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search"
import { Compartment, EditorState, type Extension } from "@codemirror/state"
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view"
import { tags as t } from "@lezer/highlight"
import { useEffect, useRef } from "react"
import { grammarOf } from "./grammars.ts"

interface Props {
  /** What it starts with; later changes of this are ignored. */
  initial: string
  path: string
  label: string
  onChange(text: string): void
  /** Ctrl+Enter. */
  onSubmit(): void
  /** Ctrl+S. */
  onSave?(): void
  wrap?: boolean
}

export default function Editor({ initial, path, label, onChange, onSubmit, onSave, wrap = false }: Props) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const grammar = useRef(new Compartment())
  const calls = useRef({ onChange, onSubmit, onSave })
  calls.current = { onChange, onSubmit, onSave }
  const start = useRef({ initial, label, wrap })

  useEffect(() => {
    if (!host.current) return
    const { initial, label, wrap } = start.current
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" })
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: initial,
        extensions: [
          grammar.current.of([]),
          keymap.of([
            { key: "Mod-Enter", run: () => (calls.current.onSubmit(), true) },
            { key: "Mod-s", run: () => (calls.current.onSave?.(), true), preventDefault: true },
          ]),
          basics(label, wrap, initial),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) calls.current.onChange(update.state.sliceDoc())
          }),
        ],
      }),
    })
    view.current = editor
    return () => {
      editor.destroy()
      view.current = null
    }
  }, [])

  useEffect(() => {
    let isCurrent = true
    grammarOf(path).then(
      (found) => isCurrent && view.current?.dispatch({ effects: grammar.current.reconfigure(found ?? []) }),
      () => undefined,
    )
    return () => {
      isCurrent = false
    }
  }, [path])

  return <div ref={host} className="editor" onClick={() => view.current?.focus()} />
}

function basics(label: string, wrap: boolean, text: string): Extension {
  const isDos = text.includes("\r\n") && !/[^\r]\n/.test(text)
  return [
    EditorState.lineSeparator.of(isDos ? "\r\n" : "\n"),
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
    indentUnit.of(/^\t/m.test(text) ? "\t" : "  "),
    lineNumbers(),
    history(),
    drawSelection(),
    highlightSpecialChars(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    autocompletion({ activateOnTyping: false }),
    search({ top: true }),
    syntaxHighlighting(colours),
    look,
    wrap ? EditorView.lineWrapping : [],
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, indentWithTab]),
  ]
}

const look = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "13.5px", minHeight: "50vh" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--accent)", padding: "10px 0" },
  ".cm-line": { padding: "0 14px 0 8px" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--faint)", border: "none", paddingLeft: "6px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection)" },
  ".cm-selectionMatch, .cm-searchMatch": { backgroundColor: "var(--mark)" },
  ".cm-matchingBracket": { backgroundColor: "var(--mark)", outline: "1px solid var(--line)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)", borderBottom: "1px solid var(--line)" },
  ".cm-textfield, .cm-button": { backgroundColor: "var(--surface)", backgroundImage: "none", color: "var(--text)", border: "1px solid var(--line)", borderRadius: "6px" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line)" },
})

const colours = HighlightStyle.define([
  { tag: [t.keyword, t.modifier, t.operatorKeyword, t.controlKeyword], color: "var(--hl-keyword)" },
  { tag: [t.string, t.special(t.string), t.regexp], color: "var(--hl-string)" },
  { tag: [t.number, t.bool, t.null, t.atom], color: "var(--hl-number)" },
  { tag: [t.comment, t.meta], color: "var(--hl-comment)", fontStyle: "italic" },
  { tag: [t.function(t.variableName), t.function(t.propertyName), t.macroName, t.labelName], color: "var(--hl-title)" },
  { tag: [t.typeName, t.className, t.namespace, t.tagName], color: "var(--hl-type)" },
  { tag: [t.propertyName, t.attributeName], color: "var(--hl-attr)" },
  { tag: t.heading, color: "var(--hl-title)", fontWeight: "700" },
  { tag: t.strong, fontWeight: "700" },
  { tag: t.emphasis, fontStyle: "italic" },
  { tag: [t.link, t.url], color: "var(--link)", textDecoration: "underline" },
])
