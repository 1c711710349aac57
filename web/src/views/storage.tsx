// The room that repositories take on this device, whether it is safe, and whether what is in it is sound.
import { Leaf, type Progress, type VerifyResult } from "@edgesync/leaf"
import { useCallback, useEffect, useRef, useState } from "react"
import { PageError, explain, wasCancelled } from "../leaf/failure.ts"
import { useSession } from "../leaf/session.tsx"
import { Icon } from "../parts/icon.tsx"
import { ProgressBar } from "../parts/progress.tsx"
import { count, numberText, sizeText } from "../parts/say.tsx"
import { Failed, Head } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { useTitle } from "../parts/use-title.ts"
import { DeleteRepository } from "../welcome/delete.tsx"
import { exportRepository } from "../welcome/export.ts"
import { ImportButton } from "../welcome/import.tsx"

export function StorageView() {
  useTitle("Storage")
  const { leaf, info, name } = useSession()
  const isReady = leaf && info?.state === "ready"
  return (
    <>
      <Head title="Storage and integrity" />
      <Room />
      {isReady && <Integrity leaf={leaf} />}
      {isReady && <TakeOut leaf={leaf} name={name ?? leaf.name} bytes={info.bytes} />}
      <section className="card" aria-label="Import">
        <h2>Import</h2>
        <p>Opens a .fossil file as a repository of its own beside the others.</p>
        <ImportButton />
      </section>
      {name && (
        <section className="card" aria-label="Delete">
          <h2>Delete</h2>
          <p>Takes the repository “{name}” off this device. What is on a server stays there.</p>
          <DeleteRepository name={name} />
        </section>
      )}
    </>
  )
}

function Room() {
  const { version } = useSession()
  const { attempt, done } = useToasts()
  const [room, setRoom] = useState<{ usage: number; quota: number; persisted: boolean } | null>(null)
  const [error, setError] = useState<string | null>(null)
  const measure = useCallback(() => {
    Leaf.estimate().then(setRoom, (failure: unknown) => setError(explain(failure)))
  }, [])
  useEffect(measure, [measure, version])

  const ask = () =>
    attempt(async () => {
      const isGranted = await Leaf.persist()
      if (isGranted) done("The browser keeps this storage until you delete it.")
      else throw new PageError("The browser does not promise it yet. Install this page as an app or visit it more often, then ask again.")
      measure()
    })
  if (error) return <Failed text={error} />
  return (
    <section className="card" aria-label="Room">
      <h2>Room</h2>
      {room && (
        <>
          <progress className="room" aria-label="Room taken" value={room.usage} max={room.quota || 1} />
          <p className="note">
            {sizeText(room.usage)} taken of {sizeText(room.quota)} that the browser offers
          </p>
          <div className={room.persisted ? "notice good" : "notice warn"}>
            <Icon name={room.persisted ? "shield" : "alert"} />
            <p>
              {room.persisted
                ? "This storage is persistent: the browser does not clear it by itself."
                : "The browser may clear this storage when the device runs short of room. Sync what matters, or ask it to keep it."}
            </p>
            {!room.persisted && <button onClick={() => void ask()}>Keep it</button>}
          </div>
        </>
      )}
    </section>
  )
}

function Integrity({ leaf }: { leaf: Leaf }) {
  const [progress, setProgress] = useState<Progress | null>(null)
  const [result, setResult] = useState<VerifyResult | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [isRunning, setRunning] = useState(false)
  const cancel = useRef<AbortController | null>(null)
  useEffect(() => () => cancel.current?.abort(), [])

  const verify = async () => {
    cancel.current = new AbortController()
    setRunning(true)
    setResult(null)
    setError(null)
    try {
      setResult(await leaf.verify({ signal: cancel.current.signal, onProgress: setProgress }))
    } catch (failure) {
      if (!wasCancelled(failure)) setError(explain(failure))
    } finally {
      setRunning(false)
      setProgress(null)
    }
  }
  return (
    <section className="card" aria-label="Integrity">
      <h2>Integrity</h2>
      <p>Reads every artifact and checks that it is what its name says.</p>
      {isRunning && progress && <ProgressBar progress={progress} />}
      {error && <Failed text={error} />}
      {result && <Findings result={result} />}
      <div className="actions start">
        {isRunning ? (
          <button onClick={() => cancel.current?.abort()}>Cancel</button>
        ) : (
          <button onClick={() => void verify()}>
            <Icon name="shield" size={18} /> Verify
          </button>
        )}
      </div>
    </section>
  )
}

function Findings({ result }: { result: VerifyResult }) {
  return (
    <div className={result.isSound ? "notice good" : "notice failed"} role="status">
      <Icon name={result.isSound ? "check" : "alert"} />
      <div>
        <p>
          {result.isSound ? "Everything is sound" : "Something is damaged"}: {numberText(result.artifacts)} artifacts, {sizeText(result.bytes)}
          {result.missing > 0 && `; ${count(result.missing, "artifact")} known by name only`}.
        </p>
        {result.faults.length > 0 && (
          <>
            <ul>
              {result.faults.map((fault, at) => (
                <li key={at}>{fault}</li>
              ))}
            </ul>
            <p>Export what is here, delete it, and clone again.</p>
          </>
        )}
      </div>
    </div>
  )
}

function TakeOut({ leaf, name, bytes }: { leaf: Leaf; name: string; bytes: number }) {
  const { attempt, done } = useToasts()
  const [written, setWritten] = useState<number | null>(null)
  const run = async () => {
    setWritten(0)
    const isDone = await attempt(() => exportRepository(leaf, `${name}.fossil`, setWritten))
    setWritten(null)
    if (isDone) done(`Exported ${name}.fossil.`)
  }
  return (
    <section className="card" aria-label="Export">
      <h2>Export</h2>
      <p>Saves the whole repository as a .fossil file of {sizeText(bytes)}, which stock Fossil opens.</p>
      {written !== null && <progress aria-label="Export" value={written} max={Math.max(1, bytes)} />}
      <div className="actions start">
        <button disabled={written !== null} onClick={() => void run()}>
          <Icon name="download" size={18} /> {written === null ? "Export" : "Exporting"}
        </button>
      </div>
    </section>
  )
}
