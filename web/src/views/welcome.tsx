// The start: repositories on this device, and the ways to get one.
import { Leaf } from "@edgesync/leaf"
import { useEffect, useState } from "react"
import { useSession } from "../leaf/session.tsx"
import { offerHere, offers, type Offer } from "../leaf/offers.ts"
import { Icon } from "../parts/icon.tsx"
import { Skeleton } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { useTitle } from "../parts/use-title.ts"
import { JoinForm } from "../pairing/join.tsx"
import { go, href } from "../route.ts"
import { useCloneJob } from "../welcome/clone-job.tsx"
import { CloneForm } from "../welcome/clone.tsx"
import { CreateForm } from "../welcome/create.tsx"
import { DeleteRepository } from "../welcome/delete.tsx"
import { ImportButton } from "../welcome/import.tsx"

export function Welcome() {
  useTitle("Repositories")
  const { names, info } = useSession()
  const [list, setList] = useState<Offer[] | null>(null)
  useEffect(() => {
    void offers().then(setList)
  }, [])
  const support = Leaf.support()
  if (!support.ok) return <Unsupported reason={support.reason} />
  const isFirst = names?.length === 0
  const isUnfinished = info?.state === "cloning"
  const isBusy = useCloneJob().url !== null
  return (
    <div className="welcome">
      <header className="hero">
        <h1>{isFirst ? "The whole repository, on this device" : "Repositories"}</h1>
        {isFirst && <p>History, files and wiki, ready without a network. Edit and commit here; it syncs when there is a connection.</p>}
      </header>
      {!isBusy && names && names.length > 0 && <OnDevice names={names} />}
      {names && list ? <CloneForm offers={list} here={offerHere(list)} /> : <Skeleton rows={4} />}
      {!isUnfinished && !isBusy && (
        <div className="other-ways">
          <JoinForm />
          <CreateForm />
          <ImportButton className="wide" />
        </div>
      )}
    </div>
  )
}

function OnDevice({ names }: { names: string[] }) {
  const { name: open, show } = useSession()
  const { attempt } = useToasts()
  const choose = async (name: string) => {
    if (await attempt(() => show(name))) go(href("timeline"))
  }
  return (
    <section aria-labelledby="on-device">
      <h2 id="on-device">On this device</h2>
      <ul className="listing tall">
        {names.map((name) => (
          <li key={name}>
            <button className="bare row-button" data-row onClick={() => void choose(name)} aria-current={name === open ? "true" : undefined} title={`Open ${name}`}>
              <Icon name="disk" size={20} />
              <span className="name">{name}</span>
              {name === open && <span className="mark good">open</span>}
            </button>
            <DeleteRepository name={name} isSmall />
          </li>
        ))}
      </ul>
    </section>
  )
}

function Unsupported({ reason }: { reason: string | null }) {
  return (
    <div className="welcome">
      <header className="hero">
        <h1>This browser cannot keep a repository here</h1>
      </header>
      <div className="notice failed" role="alert">
        <Icon name="alert" />
        <p>{reason ?? "It lacks what this page is built on."}</p>
      </div>
      <ul className="ways">
        {!isSecureContext && <li>Open this page by its https:// address, or at http://localhost on this machine.</li>}
        <li>Leave private browsing: it has no lasting storage.</li>
        <li>Use a current Chrome, Edge, Firefox or Safari.</li>
      </ul>
    </div>
  )
}
