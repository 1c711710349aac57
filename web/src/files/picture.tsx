// A picture, from bytes. Always by <img>: there an SVG runs no script and fetches nothing.
import { useEffect, useState } from "react"
import { imageType, nameOf } from "../text/bytes.ts"

export function Picture({ bytes, path }: { bytes: Uint8Array; path: string }) {
  const [url, setUrl] = useState<string | null>(null)
  const [hasFailed, setFailed] = useState(false)
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes.slice()], { type: imageType(path) ?? "" }))
    setUrl(made)
    setFailed(false)
    return () => URL.revokeObjectURL(made)
  }, [bytes, path])
  if (hasFailed) return <p className="note">The browser cannot show this picture.</p>
  return <div className="picture">{url && <img src={url} alt={nameOf(path)} onError={() => setFailed(true)} />}</div>
}
