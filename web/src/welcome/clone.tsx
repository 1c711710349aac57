// Clones from a server: asks for the address, shows how far it is, goes on where it was cut off.
import { useEffect, useState } from "react"
import type { Offer } from "../leaf/offers.ts"
import { useSession } from "../leaf/session.tsx"
import { Icon } from "../parts/icon.tsx"
import { ProgressBar } from "../parts/progress.tsx"
import { count, sizeText } from "../parts/say.tsx"
import { Failed } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { go, href } from "../route.ts"
import { useCloneJob } from "./clone-job.tsx"

export function CloneForm({ offers, here }: { offers: readonly Offer[]; here: Offer | undefined }) {
  const { name, info, remove } = useSession()
  const { attempt, done } = useToasts()
  const job = useCloneJob()
  const isUnfinished = info?.state === "cloning"
  const [url, setUrl] = useState(info?.remote ?? here?.url ?? offers[0]?.url ?? "")
  const [user, setUser] = useState("")
  const [password, setPassword] = useState("")
  const [remembers, setRemembers] = useState(true)
  useEffect(() => {
    if (isUnfinished && info.remote) setUrl(info.remote)
  }, [isUnfinished, info?.remote])

  const clone = async () => {
    const name = offers.find((offer) => offer.url === url.trim())?.name
    const result = await job.start({ url: url.trim(), name, user: user.trim(), password, remembers })
    if (!result) return
    const seconds = Math.max(...result.elapsedMs) / 1000
    done(`Cloned and checked ${count(result.verified, "artifact")}, ${sizeText(result.bytesReceived)} in ${seconds.toFixed(1)} s.`)
    go(href("timeline"))
  }
  const giveUp = () =>
    attempt(async () => {
      if (name) await remove(name)
      go(href("repositories"))
    })
  return (
    <section className="card clone" aria-labelledby="clone">
      <h2 id="clone">{isUnfinished ? "This clone is not finished" : "Clone from a server"}</h2>
      {isUnfinished && job.url === null && <p>What came already is kept. It goes on where it was.</p>}
      {job.url !== null ? (
        <>
          <p className="clone-url">{job.url}</p>
          {job.progress ? <ProgressBar progress={job.progress} /> : <progress aria-label="Connecting" />}
          <div className="actions start">
            <button disabled={job.isEnding} onClick={job.cancel}>
              <Icon name="cross" size={18} /> {job.isEnding ? "Cancelling" : "Cancel"}
            </button>
          </div>
        </>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void clone()
          }}
        >
          {offers.length > 1 && !isUnfinished && (
            <div className="offers" role="group" aria-label="Repositories of this server">
              {offers.map((offer) => (
                <button type="button" key={offer.url} aria-pressed={offer.url === url} onClick={() => setUrl(offer.url)}>
                  {offer.name}
                </button>
              ))}
            </div>
          )}
          <label className="field">
            Address of the repository
            <input
              type="url"
              inputMode="url"
              required
              value={url}
              readOnly={isUnfinished}
              onChange={(event) => setUrl(event.target.value)}
              placeholder="https://example.org/project"
              autoCapitalize="off"
              spellCheck={false}
            />
          </label>
          <details>
            <summary>With a login</summary>
            <div className="fields">
              <label className="field">
                Login
                <input value={user} onChange={(event) => setUser(event.target.value)} autoComplete="username" autoCapitalize="off" spellCheck={false} />
              </label>
              <label className="field">
                Password
                <input type="password" value={password} onChange={(event) => setPassword(event.target.value)} autoComplete="current-password" />
              </label>
            </div>
            <label className="check">
              <input type="checkbox" checked={remembers} onChange={(event) => setRemembers(event.target.checked)} /> Keep the password on this device, for later syncs
            </label>
          </details>
          {job.error && <Failed text={job.error} />}
          <div className="actions start">
            <button className="primary big">
              <Icon name="download" /> {isUnfinished ? "Go on" : "Clone"}
            </button>
            {isUnfinished && (
              <button type="button" className="quiet" onClick={() => void giveUp()}>
                Give it up
              </button>
            )}
          </div>
        </form>
      )}
    </section>
  )
}
