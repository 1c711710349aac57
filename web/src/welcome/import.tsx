// Opens a .fossil file as a new repository on this device.
import { useState } from "react"
import { PageError } from "../leaf/failure.ts"
import { freeName } from "../leaf/offers.ts"
import { useSession } from "../leaf/session.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { UploadButton } from "../parts/upload.tsx"
import { go, href } from "../route.ts"

export function ImportButton({ className }: { className?: string }) {
  const { names, show, remove, refresh } = useSession()
  const { done, failed } = useToasts()
  const [isBusy, setBusy] = useState(false)

  const read = async (file: File) => {
    const name = freeName(file.name, names ?? [])
    setBusy(true)
    try {
      if ((await file.slice(0, 15).text()) !== "SQLite format 3") {
        throw new PageError(`${file.name} is no Fossil repository: those are databases, and mostly end in .fossil. Choose another file.`)
      }
      const leaf = await show(name)
      if (!leaf) return
      try {
        await leaf.importFile(file)
      } catch (error) {
        // Nothing of a file that was refused stays behind.
        await remove(name)
        throw error
      }
      await refresh()
      done(`Imported ${file.name}.`)
      go(href("timeline"))
    } catch (error) {
      failed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <UploadButton
      label={isBusy ? "Importing" : "Import a .fossil file"}
      {...(className ? { className } : {})}
      single
      disabled={isBusy}
      onFiles={([file]) => file && void read(file)}
    />
  )
}
