// The mesh of the server that this page comes from: in it are the repositories that it offers, while they sync by
// themselves. One that comes from elsewhere is none of its business.
import type { Info, Leaf, LeafError, MeshStatus, SyncStatus } from "@edgesync/leaf"
import { useEffect, useState } from "react"
import { offers } from "./offers.ts"

const off: MeshStatus = { state: "off", error: null }

export function useMesh(leaf: Leaf | null, info: Info | null, { autosync, lastSync }: SyncStatus): MeshStatus {
  const [status, setStatus] = useState(off)
  const [isOffered, setOffered] = useState(false)
  const remote = info?.state === "ready" ? info.remote : null
  // A server that was away offered nothing; after a sync it is there.
  const hasSynced = lastSync !== null

  useEffect(() => {
    setStatus(leaf?.meshStatus ?? off)
    return leaf?.on("mesh", setStatus)
  }, [leaf])

  useEffect(() => {
    let isCurrent = true
    const isIt = ({ url }: { url: string }) => remote !== null && bare(url) === bare(remote)
    void offers().then((list) => isCurrent && setOffered(list.some(isIt)))
    return () => void (isCurrent = false)
  }, [remote, hasSynced])

  useEffect(() => {
    if (!leaf || !isOffered) return
    // What fails is in the status; a server that takes no pages is not asked for ever.
    const leave = () => leaf.disconnect().catch(() => undefined)
    if (!autosync) return void leave()
    leaf.connect({ nats: new URL("/nats", location.origin).href })
      .catch(({ code }: LeafError) => code === "network" ? leave() : undefined)
  }, [leaf, isOffered, autosync])

  return status
}

function bare(url: string): string {
  return new URL(url).href.replace(/\/$/, "")
}
