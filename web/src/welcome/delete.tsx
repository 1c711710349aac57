// Deletes a repository from this device, after saying what would be lost with it.
import { useState } from "react"
import { deleteDrafts, readDrafts } from "../leaf/draft-store.ts"
import { useSession } from "../leaf/session.tsx"
import { wikiDraftsOf } from "../leaf/wiki-draft.ts"
import { FormDialog } from "../parts/dialog.tsx"
import { Icon } from "../parts/icon.tsx"
import { count } from "../parts/say.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { go, href } from "../route.ts"

interface Loss {
  drafts: string[]
  wiki: number
}

export function DeleteRepository({ name, isSmall = false }: { name: string; isSmall?: boolean }) {
  const session = useSession()
  const { attempt, done } = useToasts()
  const [loss, setLoss] = useState<Loss | null>(null)
  const [typed, setTyped] = useState("")
  const isOpen = session.name === name && session.info !== null
  const unsent = isOpen ? (session.info?.unsent ?? 0) : null
  const isRisky = unsent !== 0 || (loss?.drafts.length ?? 0) > 0 || (loss?.wiki ?? 0) > 0

  const ask = () =>
    attempt(async () => {
      const drafts = await readDrafts(name)
      setTyped("")
      setLoss({ drafts: drafts.map((draft) => draft.path), wiki: wikiDraftsOf(name).length })
    })
  const run = async () => {
    setLoss(null)
    const isDone = await attempt(async () => {
      await session.remove(name)
      await deleteDrafts(name)
      for (const key of wikiDraftsOf(name)) localStorage.removeItem(key)
    })
    if (!isDone) return
    done(`Deleted ${name} from this device.`)
    if (isOpen) go(href("repositories"))
  }
  return (
    <>
      <button className={isSmall ? "bare" : "danger"} aria-label={isSmall ? `Delete ${name}` : undefined} onClick={() => void ask()}>
        <Icon name="trash" size={18} /> {!isSmall && "Delete from this device"}
      </button>
      {loss && (
        <FormDialog
          title={`Delete ${name}?`}
          action="Delete"
          danger
          disabled={isRisky && typed !== name}
          onSubmit={() => void run()}
          onClose={() => setLoss(null)}
        >
          {unsent === null ? (
            <p>It is not open now, so it cannot be said whether everything in it was sent to a server. What was not is lost.</p>
          ) : unsent > 0 ? (
            <p className="fault">{count(unsent, "artifact")} made here were never sent to a server and will be lost.</p>
          ) : (
            <p>Everything committed here is on the server. You can clone it again.</p>
          )}
          {loss.drafts.length > 0 && (
            <>
              <p className="fault">{count(loss.drafts.length, "file")} changed and never committed will be lost:</p>
              <ul>
                {loss.drafts.slice(0, 8).map((path) => (
                  <li key={path}>{path}</li>
                ))}
              </ul>
            </>
          )}
          {loss.wiki > 0 && <p className="fault">{count(loss.wiki, "wiki page")} being written will be lost.</p>}
          {isRisky && (
            <label className="field">
              Type the name of the repository to go on
              <input value={typed} onChange={(event) => setTyped(event.target.value)} autoCapitalize="off" spellCheck={false} autoComplete="off" placeholder={name} />
            </label>
          )}
        </FormDialog>
      )}
    </>
  )
}
