// Changes that are not committed yet. Kept on this device as they are typed, so that a reload loses nothing.
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react"
import { useToasts } from "../parts/toasts.tsx"
import { deleteDraft, deleteDrafts, readDrafts, readPlan, writeDraft, writePlan, type Draft, type Plan } from "./draft-store.ts"
import { useSession } from "./session.tsx"

export type { Draft, Plan } from "./draft-store.ts"

interface Drafts {
  /** In order of their paths. */
  list: Draft[]
  plan: Plan | null
  isLoaded: boolean
  /** The draft of a path, if there is one. */
  find(path: string): Draft | undefined
  /** Keeps a draft. `started` says what the next check-in builds on, if this is the first draft of all. */
  put(draft: Draft, started: { basis: string; branch: string }): void
  discard(path: string): void
  clear(): void
  setPlan(change: Partial<Plan>): void
}

const Context = createContext<Drafts | null>(null)

export function useDrafts(): Drafts {
  const drafts = use(Context)
  if (!drafts) throw new Error("useDrafts outside of DraftsProvider")
  return drafts
}

export function DraftsProvider({ children }: { children: ReactNode }) {
  const { name } = useSession()
  const { failed } = useToasts()
  const [state, setState] = useState<{ name: string | null; drafts: Map<string, Draft>; plan: Plan | null }>({
    name: null,
    drafts: new Map(),
    plan: null,
  })
  const channel = useRef<BroadcastChannel | null>(null)

  useEffect(() => {
    if (!name) return setState({ name: null, drafts: new Map(), plan: null })
    let isCurrent = true
    const read = async () => {
      const [drafts, plan] = await Promise.all([readDrafts(name), readPlan(name)])
      if (isCurrent) setState({ name, drafts: new Map(drafts.map((draft) => [draft.path, draft])), plan })
    }
    read().catch(failed)
    // Other tabs of the same repository share its drafts.
    const others = new BroadcastChannel(`leaf-drafts ${name}`)
    others.onmessage = () => void read().catch(failed)
    channel.current = others
    return () => {
      isCurrent = false
      others.close()
    }
  }, [name, failed])

  const store = useCallback(
    (work: Promise<void>) => {
      work.then(() => channel.current?.postMessage("changed"), failed)
    },
    [failed],
  )

  const drafts = useMemo<Drafts>(() => {
    const isLoaded = state.name === name
    const list = isLoaded ? [...state.drafts.values()].sort((a, b) => (a.path < b.path ? -1 : 1)) : []
    const setPlan = (plan: Plan) => {
      setState((last) => ({ ...last, plan }))
      if (name) store(writePlan(name, plan))
    }
    return {
      list,
      plan: isLoaded && list.length > 0 ? state.plan : null,
      isLoaded,
      find: (path) => (isLoaded ? state.drafts.get(path) : undefined),
      put(draft, started) {
        if (!name) return
        if (list.length === 0) setPlan({ ...started, message: "" })
        setState((last) => ({ ...last, drafts: new Map(last.drafts).set(draft.path, draft) }))
        store(writeDraft(name, draft))
      },
      discard(path) {
        if (!name) return
        setState((last) => {
          const rest = new Map(last.drafts)
          rest.delete(path)
          return { ...last, drafts: rest }
        })
        store(deleteDraft(name, path))
      },
      clear() {
        if (!name) return
        setState({ name, drafts: new Map(), plan: null })
        store(deleteDrafts(name))
      },
      setPlan(change) {
        if (state.plan) setPlan({ ...state.plan, ...change })
      },
    }
  }, [name, state, store])

  return <Context value={drafts}>{children}</Context>
}
