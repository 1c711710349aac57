// A file as code: numbered lines that can be linked to, coloured once the colours are there.
import { useEffect, useMemo, useRef, useState, type MouseEvent } from "react"
import { highlight, languageOf, type Piece } from "./highlight.ts"

/** Lines after which a file is shown in part, until asked for all of it. */
const mostLines = 5000

interface Props {
  text: string
  path: string
  /** `10` or `10-20`. */
  marked: string | null
  wrap: boolean
  hrefOf(line: string): string
  onMark(line: string): void
}

export function Code({ text, path, marked, wrap, hrefOf, onMark }: Props) {
  const plain = useMemo(() => linesOf(text), [text])
  const [coloured, setColoured] = useState<{ text: string; lines: Piece[][] } | null>(null)
  const [isWhole, setWhole] = useState(false)
  const element = useRef<HTMLOListElement>(null)
  const [first, last] = rangeOf(marked)

  useEffect(() => {
    let isCurrent = true
    // Without colours the text is there all the same.
    highlight(text, languageOf(path)).then(
      (lines) => isCurrent && lines && setColoured({ text, lines }),
      () => undefined,
    )
    return () => {
      isCurrent = false
    }
  }, [text, path])

  const shown = isWhole || first > mostLines ? plain.length : Math.min(plain.length, mostLines)
  useEffect(() => {
    if (first > 0) element.current?.children[first - 1]?.scrollIntoView({ block: "center" })
    // Only on arrival: marking a line does not move the page.
  }, [path])

  const clicked = (event: MouseEvent, line: number) => {
    event.preventDefault()
    onMark(event.shiftKey && first > 0 && first !== line ? `${Math.min(first, line)}-${Math.max(first, line)}` : String(line))
  }
  const pieces = coloured?.text === text ? coloured.lines : null
  return (
    <>
      <ol ref={element} className={wrap ? "code wrap" : "code"} tabIndex={0} aria-label="Lines of the file">
        {plain.slice(0, shown).map((line, at) => {
          const n = at + 1
          return (
            <li key={n} className={n >= first && n <= last ? "marked" : undefined}>
              <a href={hrefOf(String(n))} aria-label={`Line ${n}`} tabIndex={-1} onClick={(event) => clicked(event, n)} data-line={n} />
              <code>{pieces ? <Pieces pieces={pieces[at] ?? []} /> : line}</code>
            </li>
          )
        })}
      </ol>
      {shown < plain.length && (
        <p className="more-lines">
          <button onClick={() => setWhole(true)}>Show all {plain.length} lines</button>
        </p>
      )}
    </>
  )
}

function Pieces({ pieces }: { pieces: Piece[] }) {
  return pieces.map(({ text, kind }, at) =>
    kind ? (
      <span key={at} className={`hl-${kind}`}>
        {text}
      </span>
    ) : (
      text
    ),
  )
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.length > 1 && lines.at(-1) === "") lines.pop()
  return lines
}

function rangeOf(marked: string | null): [number, number] {
  const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(marked ?? "") ?? []
  return first ? [Number(first), Number(last ?? first)] : [0, -1]
}
