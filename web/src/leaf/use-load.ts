// Reads from the repository for a view: what it showed stays until the new is there, a late answer never wins.
import { useEffect, useRef, useState } from "react"
import { explain } from "./failure.ts"
import { useSession } from "./session.tsx"

export interface Loaded<T> {
  data: T | null
  error: string | null
  isLoading: boolean
  reload(): void
}

/** `key` says what is asked for: when it changes, the data of the old key is gone. */
export function useLoad<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const { version, name } = useSession()
  const whole = `${name} ${key}`
  const [state, setState] = useState<{ key: string; data: T | null; error: string | null }>({ key: whole, data: null, error: null })
  const [isLoading, setLoading] = useState(true)
  const [tries, setTries] = useState(0)
  const latest = useRef(load)
  latest.current = load

  useEffect(() => {
    let isCurrent = true
    setLoading(true)
    latest.current().then(
      (data) => {
        if (!isCurrent) return
        setState({ key: whole, data, error: null })
        setLoading(false)
      },
      (failure: unknown) => {
        if (!isCurrent) return
        setState({ key: whole, data: null, error: explain(failure) })
        setLoading(false)
      },
    )
    return () => {
      isCurrent = false
    }
  }, [whole, version, tries])

  const isMine = state.key === whole
  return {
    data: isMine ? state.data : null,
    error: isMine ? state.error : null,
    isLoading: isLoading || !isMine,
    reload: () => setTries((last) => last + 1),
  }
}
