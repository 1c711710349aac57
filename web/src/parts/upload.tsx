// A button that asks for files.
import { useRef } from "react"
import { Icon } from "./icon.tsx"

interface Props {
  label: string
  onFiles(files: File[]): void
  accept?: string
  single?: boolean
  className?: string
  disabled?: boolean
}

export function UploadButton({ label, onFiles, accept, single = false, className, disabled = false }: Props) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" className={className} disabled={disabled} onClick={() => input.current?.click()}>
        <Icon name="upload" size={18} /> {label}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple={!single}
        accept={accept}
        aria-label={label}
        onChange={(event) => {
          const files = [...(event.target.files ?? [])]
          event.target.value = ""
          if (files.length > 0) onFiles(files)
        }}
      />
    </>
  )
}
