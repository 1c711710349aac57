// Whether a text is being written or shown as its readers will see it.

interface Props {
  isPreview: boolean
  onChoose(isPreview: boolean): void
}

export function PreviewChoice({ isPreview, onChoose }: Props) {
  return (
    <div className="choice" role="group" aria-label="What to show">
      <button aria-pressed={!isPreview} onClick={() => onChoose(false)}>
        Write
      </button>
      <button aria-pressed={isPreview} onClick={() => onChoose(true)}>
        Preview
      </button>
    </div>
  )
}
