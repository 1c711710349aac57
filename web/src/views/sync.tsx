// How it stands with the server, in detail; the server itself and the login there.
import type { Info, MeshState, Progress, SyncResult, SyncStatus } from "@edgesync/leaf"
import { useEffect, useRef, useState } from "react"
import { keep } from "../leaf/kept.ts"
import { useLeaf, useSession } from "../leaf/session.tsx"
import { Icon } from "../parts/icon.tsx"
import { ProgressBar } from "../parts/progress.tsx"
import { Since, When, count, numberText, sizeText } from "../parts/say.tsx"
import { Head } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { useTitle } from "../parts/use-title.ts"
import { useOnline } from "../shell/sync-button.tsx"

export function SyncView() {
  useTitle("Sync")
  const leaf = useLeaf()
  const { info, sync } = useSession()
  const { attempt } = useToasts()
  const [progress, setProgress] = useState<Progress | null>(null)
  const [result, setResult] = useState<SyncResult | null>(null)
  const cancel = useRef<AbortController | null>(null)
  const isSyncing = sync.phase === "syncing" || progress !== null

  useEffect(() => () => cancel.current?.abort(), [])
  const run = async () => {
    cancel.current = new AbortController()
    setResult(null)
    await attempt(async () => {
      setResult(await leaf.sync({ signal: cancel.current?.signal ?? AbortSignal.abort(), onProgress: setProgress }))
    })
    cancel.current = null
    setProgress(null)
  }
  if (!info) return null
  return (
    <>
      <Head title="Sync">
        {progress ? (
          <button onClick={() => cancel.current?.abort()}>
            <Icon name="cross" size={18} /> Cancel
          </button>
        ) : (
          <button className="primary" disabled={isSyncing || !info.remote} onClick={() => void run()}>
            <Icon name="sync" size={18} /> Sync now
          </button>
        )}
      </Head>
      <section className="card" aria-label="Status">
        <Status sync={sync} info={info} />
        {progress && <ProgressBar progress={progress} />}
        {result && <Result result={result} />}
      </section>
      <Remote key={info.remote} info={info} />
      <Automatic />
    </>
  )
}

function Status({ sync, info }: { sync: SyncStatus; info: Info }) {
  const isOnline = useOnline()
  const { mesh } = useSession()
  const phases: Record<SyncStatus["phase"], string> = {
    idle: info.remote ? "Nothing under way" : "There is no server yet: everything stays on this device",
    syncing: "Syncing",
    waiting: "The last try failed; the next one comes by itself",
    offline: "Offline: what you commit goes out when you are back",
    failed: "The last sync failed",
  }
  const live: Record<Exclude<MeshState, "off">, string> = {
    connecting: "Connecting",
    ready: "What others commit is shown as it comes; what you commit goes out at once",
    away: "The connection was lost; it comes back by itself",
    denied: `The server takes no page: ${mesh.error?.message}`,
  }
  return (
    <dl className="facts">
      <dt>Now</dt>
      <dd>{isOnline ? phases[sync.phase] : phases.offline}</dd>
      {mesh.state !== "off" && (
        <>
          <dt>Live</dt>
          <dd>{live[mesh.state]}</dd>
        </>
      )}
      <dt>Unsent</dt>
      <dd>{info.unsent === 0 ? "Everything made here is on the server" : `${count(info.unsent, "artifact")} made here that the server does not have`}</dd>
      <dt>Last sync</dt>
      <dd>{sync.lastSync ? <Since time={sync.lastSync} /> : "Not since this page was opened"}</dd>
      {sync.nextTry !== null && sync.phase === "waiting" && (
        <>
          <dt>Next try</dt>
          <dd>
            <When time={sync.nextTry} />
          </dd>
        </>
      )}
      {sync.error && (
        <>
          <dt>Failure</dt>
          <dd className="fault">{sync.error.message}</dd>
        </>
      )}
      {info.missing > 0 && (
        <>
          <dt>Missing</dt>
          <dd>{count(info.missing, "artifact")} known by name, whose content nobody sent yet</dd>
        </>
      )}
    </dl>
  )
}

function Result({ result }: { result: SyncResult }) {
  const uv = result.uvReceived + result.uvSent
  return (
    <div className="notice good" role="status">
      <Icon name="check" />
      <div>
        <p>
          {count(result.received, "artifact")} received, {numberText(result.sent)} sent
          {uv > 0 && `; unversioned files: ${result.uvReceived} received, ${result.uvSent} sent`}. {count(result.rounds, "round")}, {sizeText(result.bytesReceived)} in,{" "}
          {sizeText(result.bytesSent)} out.
        </p>
        {result.remarks.map((remark, at) => (
          <p key={at}>The server says: {remark}</p>
        ))}
      </div>
    </div>
  )
}

function Remote({ info }: { info: Info }) {
  const leaf = useLeaf()
  const { attempt, done } = useToasts()
  const [url, setUrl] = useState(info.remote ?? "")
  const [user, setUser] = useState(info.remoteUser ?? "")
  const [password, setPassword] = useState("")
  const save = async () => {
    const change = { remote: url.trim(), remoteUser: user.trim(), ...(password ? { password } : {}) }
    if (!(await attempt(() => leaf.configure(change)))) return
    setPassword("")
    done("Saved.")
  }
  return (
    <section aria-labelledby="server">
      <h2 id="server">Server</h2>
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <label className="field">
          Address
          <input type="url" inputMode="url" value={url} onChange={(event) => setUrl(event.target.value)} placeholder="https://example.org/project" autoCapitalize="off" spellCheck={false} />
        </label>
        <div className="fields">
          <label className="field">
            Login
            <input value={user} onChange={(event) => setUser(event.target.value)} autoComplete="username" autoCapitalize="off" spellCheck={false} placeholder="nobody" />
          </label>
          <label className="field">
            Password
            <input
              type="password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
              autoComplete="current-password"
              placeholder={info.hasPassword ? "kept on this device" : ""}
            />
          </label>
        </div>
        <div className="actions">
          {info.hasPassword && (
            <button type="button" onClick={() => void attempt(() => leaf.configure({ password: "" })).then((isDone) => isDone && done("The password is forgotten."))}>
              Forget the password
            </button>
          )}
          <button className="primary">Save</button>
        </div>
      </form>
    </section>
  )
}

export function Automatic() {
  const leaf = useLeaf()
  const { name, sync } = useSession()
  const { attempt } = useToasts()
  const change = (next: boolean) => {
    keep("autosync", next ? null : "off", name ?? "")
    void attempt(() => leaf.configure({ autosync: next }))
  }
  return (
    <section className="card" aria-label="Automatic sync">
      <label className="check">
        <input type="checkbox" role="switch" checked={sync.autosync} onChange={(event) => change(event.target.checked)} /> Sync by itself
      </label>
      <p className="note">On opening, when the network comes back, after each check-in, and every minute while the page is open.</p>
    </section>
  )
}
