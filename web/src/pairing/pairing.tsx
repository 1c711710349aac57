// Leaves that know this one by its key: invites them, joins them, shows who came and who is connected.
import type { Endpoint, Guest } from "@edgesync/leaf"
import { useEffect, useState } from "react"
import { useLeaf, useSession } from "../leaf/session.tsx"
import { useLoad } from "../leaf/use-load.ts"
import { Mark } from "../parts/branch-mark.tsx"
import { Dialog, FormDialog } from "../parts/dialog.tsx"
import { Icon } from "../parts/icon.tsx"
import { Since, shortHash, sizeText } from "../parts/say.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { useCopy } from "../parts/use-copy.ts"
import { QrCode } from "./qr-code.tsx"
import { TicketField, isTicket } from "./ticket-field.tsx"

/** How often connections are looked at while somebody looks. Units: milliseconds. */
const EVERY_MS = 5_000

export function Pairing() {
  const leaf = useLeaf()
  const { attempt, done } = useToasts()
  const guests = useLoad(`keyed ${leaf.name}`, () => leaf.guests.list())
  const [endpoint, setEndpoint] = useState<Endpoint | null>(null)
  const [ticket, setTicket] = useState<string | null>(null)
  const [isJoining, setJoining] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const isUsed = endpoint !== null

  const { reload } = guests
  useEffect(() => leaf.on("change", ({ kinds }) => kinds.includes("guests") && reload()), [leaf, reload])
  useEffect(() => {
    if (!isUsed) return
    const look = () => void leaf.endpoint().then(setEndpoint, () => undefined)
    const timer = setInterval(look, EVERY_MS)
    const stop = leaf.on("change", look)
    return () => {
      clearInterval(timer)
      stop()
    }
  }, [leaf, isUsed])

  const invite = async () => {
    setBusy(true)
    await attempt(async () => {
      setEndpoint(await leaf.reach(location.origin))
      setTicket((await leaf.invite()).ticket)
    })
    setBusy(false)
  }
  const revoke = (guest: Guest) =>
    attempt(async () => {
      await leaf.guests.revoke(guest.id)
      reload()
      done(`${guest.name || "That leaf"} can call this browser no more.`)
    })
  return (
    <section aria-labelledby="pairing">
      <h2 id="pairing">Without a server, by key</h2>
      <p className="meta">Another browser or a native leaf can sync with this browser directly; what goes between is encrypted from end to end.</p>
      <div className="actions start">
        <button onClick={() => void invite()} disabled={isBusy}>
          <Icon name="share" size={18} /> {isBusy ? "Reaching out" : "Invite a leaf"}
        </button>
        <button onClick={() => setJoining(true)}>
          <Icon name="ticket" size={18} /> Join by a ticket
        </button>
      </div>
      {guests.data && guests.data.length > 0 && (
        <ul className="listing tall" aria-label="Leaves that may call this browser">
          {guests.data.map((guest) => (
            <Known key={guest.id} guest={guest} endpoint={endpoint} onRevoke={() => void revoke(guest)} />
          ))}
        </ul>
      )}
      {ticket && <Invitation ticket={ticket} joined={endpoint?.joined ?? []} onClose={() => setTicket(null)} />}
      {isJoining && <Join onClose={() => setJoining(false)} />}
    </section>
  )
}

function Known({ guest, endpoint, onRevoke }: { guest: Guest; endpoint: Endpoint | null; onRevoke(): void }) {
  const connection = endpoint?.connections.find(({ id }) => id === guest.id)
  const code = endpoint?.joined.find(({ id }) => id === guest.id)?.code
  return (
    <li>
      <div className="what">
        <Icon name="window" size={18} /> <strong>{guest.name || "unnamed"}</strong> <Mark>{guest.capabilities}</Mark>
        {connection && <Mark>{connection.path === "direct" ? "direct" : "by a relay"}</Mark>}
        {code && <Mark>{`code ${code}`}</Mark>}
        <p className="meta">
          <code title={guest.id}>{shortHash(guest.id)}</code>
          {connection && ` · connected${connection.rttMs === null ? "" : `, ${connection.rttMs.toFixed(1)} ms`} · ${sizeText(connection.sent)} sent, ${sizeText(connection.received)} received`}
          {!connection && guest.seen !== null && (
            <>
              {" · called "}
              <Since time={guest.seen} />
            </>
          )}
        </p>
      </div>
      <button className="quiet" onClick={onRevoke} aria-label={`Revoke ${guest.name || shortHash(guest.id)}`}>
        Revoke
      </button>
    </li>
  )
}

function Invitation({ ticket, joined, onClose }: { ticket: string; joined: Endpoint["joined"]; onClose(): void }) {
  const copy = useCopy()
  const [before] = useState(joined.length)
  const came = joined.length > before ? joined[0] : undefined
  return (
    <Dialog title={came ? `${came.name || "A leaf"} has joined` : "Invite a leaf"} onClose={onClose}>
      {came ? (
        <>
          <p>It shows the same code, if nobody else used the ticket:</p>
          <p className="code" role="status">
            {came.code}
          </p>
        </>
      ) : (
        <>
          <QrCode text={ticket} label="The ticket as a QR code" />
          <p>Whoever has this ticket gets in, once, within a day. Scan it with the other browser, or copy it. Leave this page open: it is what the other side calls.</p>
          <textarea className="ticket" readOnly rows={3} value={ticket} aria-label="Ticket" onFocus={(event) => event.target.select()} />
        </>
      )}
      <div className="actions">
        {!came && (
          <button className="primary" onClick={() => copy(ticket)}>
            <Icon name="copy" size={18} /> Copy the ticket
          </button>
        )}
        <button onClick={onClose}>Close</button>
      </div>
    </Dialog>
  )
}

function Join({ onClose }: { onClose(): void }) {
  const leaf = useLeaf()
  const { info, refresh } = useSession()
  const { attempt } = useToasts()
  const [ticket, setTicket] = useState("")
  const [isBusy, setBusy] = useState(false)
  const [code, setCode] = useState<string | null>(null)
  const join = async () => {
    setBusy(true)
    await attempt(async () => {
      const joined = await leaf.join(ticket, { name: info?.user ?? "" })
      setCode(joined.code)
      await leaf.sync({ url: joined.url })
      await refresh()
    })
    setBusy(false)
  }
  if (code) {
    return (
      <Dialog title="Joined" onClose={onClose}>
        <p>{isBusy ? "Syncing. " : "Synced. "}The other side shows the same code:</p>
        <p className="code" role="status">
          {code}
        </p>
        <div className="actions">
          <button className="primary" onClick={onClose} disabled={isBusy}>
            Done
          </button>
        </div>
      </Dialog>
    )
  }
  return (
    <FormDialog title="Join by a ticket" action={isBusy ? "Joining" : "Join and sync"} disabled={isBusy || !isTicket(ticket)} onSubmit={() => void join()} onClose={onClose}>
      <p>A ticket of another leaf of this project.</p>
      <TicketField value={ticket} onChange={setTicket} />
    </FormDialog>
  )
}
