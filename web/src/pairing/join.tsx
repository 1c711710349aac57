// Joins a project by a ticket, and clones it.
import { useState } from "react"
import { Icon } from "../parts/icon.tsx"
import { Failed } from "../parts/states.tsx"
import { go, href } from "../route.ts"
import { useCloneJob } from "../welcome/clone-job.tsx"
import { TicketField, isTicket } from "./ticket-field.tsx"

export function JoinForm() {
  const job = useCloneJob()
  const [ticket, setTicket] = useState("")
  const join = async () => {
    if (await job.start({ ticket: ticket.trim(), user: "", password: "", remembers: false })) go(href("timeline"))
  }
  return (
    <details className="card join">
      <summary>
        <Icon name="ticket" /> Join by a ticket
      </summary>
      <p>Somebody who has the project can invite this browser: by the command <code>leaf invite</code>, or on the page Peers of another browser.</p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void join()
        }}
      >
        <TicketField value={ticket} onChange={setTicket} />
        {job.error && <Failed text={job.error} />}
        <div className="actions start">
          <button className="primary big" disabled={!isTicket(ticket)}>
            <Icon name="download" /> Join and clone
          </button>
        </div>
      </form>
    </details>
  )
}
