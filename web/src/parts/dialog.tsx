// A dialog over the page: the browser's own <dialog>, which keeps focus inside and gives it back.
import { useEffect, useId, useRef, type ReactNode } from "react"
import { Icon } from "./icon.tsx"

interface Props {
  title: string
  onClose(): void
  children: ReactNode
  wide?: boolean
}

export function Dialog({ title, onClose, children, wide = false }: Props) {
  const element = useRef<HTMLDialogElement>(null)
  const heading = useId()

  useEffect(() => {
    const dialog = element.current
    if (dialog && !dialog.open) dialog.showModal()
    return () => dialog?.close()
  }, [])

  return (
    <dialog
      ref={element}
      className={wide ? "wide" : undefined}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onMouseDown={(event) => {
        if (event.target === element.current) onClose()
      }}
    >
      <div className="dialog-body">
        <header>
          <h2 id={heading}>{title}</h2>
          <button className="bare" aria-label="Close" onClick={onClose}>
            <Icon name="cross" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}

/** A dialog that is a form: a way out, and one thing to do, which is `disabled` while something is missing. */
export function FormDialog({
  title,
  action,
  danger = false,
  disabled,
  onSubmit,
  onClose,
  children,
}: {
  title: string
  action: string
  danger?: boolean
  disabled: boolean
  onSubmit(): void
  onClose(): void
  children: ReactNode
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!disabled) onSubmit()
        }}
      >
        {children}
        <div className="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button className={danger ? "danger" : "primary"} disabled={disabled}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/** Asks before something that cannot be undone. */
export function Confirm({
  title,
  action,
  onConfirm,
  onClose,
  children,
}: {
  title: string
  action: string
  onConfirm(): void
  onClose(): void
  children: ReactNode
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <div className="actions">
        <button onClick={onClose}>Cancel</button>
        <button
          className="danger"
          onClick={() => {
            onClose()
            onConfirm()
          }}
        >
          {action}
        </button>
      </div>
    </Dialog>
  )
}
