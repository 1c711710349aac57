// A place that takes files which are dropped on it.
import { useState, type ReactNode } from "react"

interface Props {
  /** What dropping does: said while files are held over it. */
  hint: string
  onFiles(files: File[]): void
  children: ReactNode
}

export function DropZone({ hint, onFiles, children }: Props) {
  const [isOver, setOver] = useState(false)
  return (
    <div
      className={isOver ? "drop-zone over" : "drop-zone"}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files")) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={(event) => event.currentTarget === event.target && setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        onFiles([...event.dataTransfer.files])
      }}
    >
      {children}
      <p className="drop-hint" aria-hidden="true">
        {hint}
      </p>
    </div>
  )
}
