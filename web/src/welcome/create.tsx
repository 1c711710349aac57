// Starts a new, empty project on this device.
import { useState } from "react"
import { freeName } from "../leaf/offers.ts"
import { useSession } from "../leaf/session.tsx"
import { FormDialog } from "../parts/dialog.tsx"
import { Icon } from "../parts/icon.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { go, href } from "../route.ts"

export function CreateForm() {
  const { names, show, remove, refresh } = useSession()
  const { attempt, done } = useToasts()
  const [isOpen, setOpen] = useState(false)
  const [project, setProject] = useState("")
  const [user, setUser] = useState("")

  const create = async () => {
    const name = freeName(project, names ?? [])
    const isDone = await attempt(async () => {
      const leaf = await show(name)
      try {
        await leaf?.create({ projectName: project.trim(), user: user.trim() })
      } catch (error) {
        await remove(name)
        throw error
      }
      await refresh()
    })
    if (!isDone) return
    setOpen(false)
    done(`Started ${project.trim()}.`)
    go(href("files"))
  }
  return (
    <>
      <button className="wide" onClick={() => setOpen(true)}>
        <Icon name="plus" size={18} /> Start a new project
      </button>
      {isOpen && (
        <FormDialog
          title="Start a new project"
          action="Start"
          disabled={!project.trim() || !user.trim()}
          onSubmit={() => void create()}
          onClose={() => setOpen(false)}
        >
          <label className="field">
            Name of the project
            <input value={project} onChange={(event) => setProject(event.target.value)} required autoFocus />
          </label>
          <label className="field">
            Your name on check-ins
            <input value={user} onChange={(event) => setUser(event.target.value)} required autoComplete="username" autoCapitalize="off" spellCheck={false} />
          </label>
          <p className="note">It lives on this device. You can sync it with a server later.</p>
        </FormDialog>
      )}
    </>
  )
}
