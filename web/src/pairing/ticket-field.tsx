// A ticket: pasted, or read off another screen.
import { useState } from "react"
import { Icon } from "../parts/icon.tsx"
import { Scanner, hasCamera } from "./scanner.tsx"

/** What a ticket looks like; whether it is one is known where it was made. */
export function isTicket(text: string): boolean {
  return /^leaf1[a-z2-7]{100,}$/i.test(text.trim())
}

export function TicketField({ value, onChange }: { value: string; onChange(ticket: string): void }) {
  const [isScanning, setScanning] = useState(false)
  return (
    <>
      <label className="field">
        Ticket
        <textarea
          required
          rows={3}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          placeholder="leaf1…"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
        />
      </label>
      {hasCamera() && (
        <button type="button" className="quiet" onClick={() => setScanning(true)}>
          <Icon name="image" size={18} /> Scan its QR code
        </button>
      )}
      {isScanning && (
        <Scanner
          onClose={() => setScanning(false)}
          onRead={(text) => {
            if (!isTicket(text)) return
            setScanning(false)
            onChange(text)
          }}
        />
      )}
    </>
  )
}
