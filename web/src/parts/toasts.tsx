// Short news at the edge of the page. The region is always there, so that screen readers announce what comes into it.
import { createContext, use, useCallback, useMemo, useRef, useState, type ReactNode } from "react"
import { explain, wasCancelled } from "../leaf/failure.ts"
import { Icon } from "./icon.tsx"

interface Toast {
  id: number
  kind: "done" | "failed"
  text: string
  action?: { label: string; run(): void } | undefined
}

interface Toasts {
  done(text: string, action?: Toast["action"]): void
  failed(error: unknown): void
  /** Runs what a person asked for and says so if it fails. Resolves to whether it succeeded. */
  attempt(work: () => Promise<unknown>): Promise<boolean>
}

const Context = createContext<Toasts | null>(null)

export function useToasts(): Toasts {
  const toasts = use(Context)
  if (!toasts) throw new Error("useToasts outside of ToastProvider")
  return toasts
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<Toast[]>([])
  const last = useRef(0)

  const dismiss = useCallback((id: number) => setShown((all) => all.filter((toast) => toast.id !== id)), [])

  const toasts = useMemo<Toasts>(() => {
    const add = (toast: Omit<Toast, "id">) => {
      const id = ++last.current
      // One piece of good news at a time; failures stay until they were read.
      setShown((all) => [...all.filter((old) => old.kind === "failed" || toast.kind === "failed").slice(-3), { ...toast, id }])
      if (toast.kind === "done") setTimeout(() => dismiss(id), toast.action ? 8000 : 5000)
    }
    const failed = (error: unknown) => {
      if (!wasCancelled(error)) add({ kind: "failed", text: explain(error) })
    }
    return {
      done: (text, action) => add({ kind: "done", text, action }),
      failed,
      attempt: async (work) => {
        try {
          await work()
          return true
        } catch (error) {
          failed(error)
          return false
        }
      },
    }
  }, [dismiss])

  return (
    <Context value={toasts}>
      {children}
      <div className="toasts" role="region" aria-label="News" aria-live="polite">
        {shown.map((toast) => (
          <div key={toast.id} className={`toast ${toast.kind}`} role={toast.kind === "failed" ? "alert" : undefined}>
            <Icon name={toast.kind === "failed" ? "alert" : "check"} />
            <p>{toast.text}</p>
            {toast.action && (
              <button
                className="quiet"
                onClick={() => {
                  toast.action?.run()
                  dismiss(toast.id)
                }}
              >
                {toast.action.label}
              </button>
            )}
            <button className="bare" aria-label="Dismiss" onClick={() => dismiss(toast.id)}>
              <Icon name="cross" size={16} />
            </button>
          </div>
        ))}
      </div>
    </Context>
  )
}
