// The other leaves of the project: those that are there now, and those that were.
import type { MeshState, Peer } from "@edgesync/leaf"
import { useEffect, useRef } from "react"
import { guests, type Guest } from "../leaf/guests.ts"
import { useLeaf, useSession } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { Mark } from "../parts/branch-mark.tsx"
import { Icon } from "../parts/icon.tsx"
import { Since, count, shortHash, sizeText } from "../parts/say.tsx"
import { Failed, Head, Nothing, Skeleton } from "../parts/states.tsx"
import { useTitle } from "../parts/use-title.ts"
import { Pairing } from "../pairing/pairing.tsx"
import { href } from "../route.ts"

/** How often they are asked while somebody looks. Units: milliseconds. */
const EVERY_MS = 10_000

const here: Record<MeshState, string> = {
  off: "This tab is in no mesh: nobody can be asked who is there",
  connecting: "Connecting to the mesh",
  ready: "This tab is in the mesh",
  away: "The connection to the mesh was lost; it comes back by itself",
  denied: "The server takes no page into its mesh",
}

export function Peers() {
  useTitle("Peers")
  const leaf = useLeaf()
  const { mesh, info } = useSession()
  const { data, error, reload } = useLoad(`peers ${mesh.state}`, () => leaf.peers())
  const byKey = useLoad(`guests ${info?.projectCode}`, () => guests(info?.projectCode ?? ""))
  const latest = useRef(() => {})
  latest.current = () => {
    reload()
    byKey.reload()
  }
  useEffect(() => {
    const ask = () => document.visibilityState === "visible" && latest.current()
    const timer = setInterval(ask, EVERY_MS)
    return () => clearInterval(timer)
  }, [])

  const now = (data ?? []).filter((peer) => peer.lastSeen === null)
  const before = (data ?? []).filter((peer) => peer.lastSeen !== null)
  return (
    <>
      <Head title="Peers" note={here[mesh.state]} />
      {error && <Failed text={error} onRetry={reload} />}
      {!data && !error && <Skeleton rows={3} />}
      {data && now.length === 0 && (
        <Nothing icon="share" title={mesh.state === "ready" ? "No other leaf of this project is there" : "Nobody can be seen from here"}>
          <p>
            Leaves see each other through a server that they are all connected to. <a href={href("sync")}>How it stands with the server</a>
          </p>
        </Nothing>
      )}
      {now.length > 0 && <List label="There now" peers={now} />}
      {before.length > 0 && (
        <section aria-labelledby="before">
          <h2 id="before">Seen before</h2>
          <List label="Seen before" peers={before} />
        </section>
      )}
      {byKey.data && byKey.data.length > 0 && (
        <section aria-labelledby="by-key">
          <h2 id="by-key">With the server of this page, by key</h2>
          <ul className="listing tall" aria-label="By key">
            {byKey.data.map((guest) => (
              <ByKey key={guest.id} guest={guest} />
            ))}
          </ul>
        </section>
      )}
      <Pairing />
      <p className="unseen" role="status">
        {data && `${count(now.length, "leaf", "leaves")} there`}
      </p>
    </>
  )
}

function List({ label, peers }: { label: string; peers: Peer[] }) {
  return (
    <ul className="listing tall" aria-label={label}>
      {peers.map((peer) => (
        <li key={peer.id}>
          <div className="what">
            <Icon name={peer.kind === "tab" ? "window" : "disk"} size={18} /> <strong>{peer.name || "unnamed"}</strong>
            {peer.repository && <span>{peer.repository}</span>}
            {peer.kind === "tab" && <Mark>browser</Mark>}
            {peer.transports.map((transport) => (
              <Mark key={transport}>{transport}</Mark>
            ))}
            <p className="meta">
              <code title={peer.id}>{shortHash(peer.id)}</code>
              {peer.version && ` · version ${peer.version}`}
              {peer.lastSeen !== null && (
                <>
                  {" · "}
                  <Since time={peer.lastSeen} />
                </>
              )}
            </p>
          </div>
        </li>
      ))}
    </ul>
  )
}

function ByKey({ guest: { id, name, capabilities, state } }: { guest: Guest }) {
  return (
    <li>
      <div className="what">
        <Icon name="disk" size={18} /> <strong>{name || "unnamed"}</strong> <Mark>{capabilities}</Mark>
        {state?.connected && <Mark>{state.path === "relayed" ? "by a relay" : "direct"}</Mark>}
        <p className="meta">
          <code title={id}>{shortHash(id)}</code>
          {!state && " · never connected"}
          {state && (
            <>
              {state.connected ? ` · connected, ${(state.rtt_us / 1000).toFixed(1)} ms` : " · not connected"}
              {` · ${sizeText(state.bytes_sent)} sent, ${sizeText(state.bytes_received)} received · as of `}
              <Since time={Date.parse(state.at)} />
            </>
          )}
        </p>
      </div>
    </li>
  )
}
