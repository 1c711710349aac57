// What stands in a view while it loads, when it failed, and when there is nothing.
import type { ReactNode } from "react"
import { Icon, type IconName } from "./icon.tsx"

export function Failed({ text, onRetry }: { text: string; onRetry?: () => void }) {
  return (
    <div className="notice failed" role="alert">
      <Icon name="alert" />
      <p>{text}</p>
      {onRetry && <button onClick={onRetry}>Try again</button>}
    </div>
  )
}

export function Nothing({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="nothing">
      <Icon name={icon} size={32} />
      <p className="title">{title}</p>
      {children}
    </div>
  )
}

const widths = ["w60", "w85", "w40", "w75", "w50", "w90", "w65", "w45"]

/** Grey bars in the shape of what is to come. */
export function Skeleton({ rows = 6 }: { rows?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} className={widths[row % widths.length]} />
      ))}
    </div>
  )
}

/** A heading with what can be done beside it. */
export function Head({ title, children, note }: { title: ReactNode; children?: ReactNode; note?: ReactNode }) {
  return (
    <div className="head">
      <div>
        <h1>{title}</h1>
        {note && <p className="note">{note}</p>}
      </div>
      {children && <div className="head-actions">{children}</div>}
    </div>
  )
}
