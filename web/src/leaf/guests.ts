// Which leaves may call this page's server by key, and how it is connected with them. Only the machine of the server is
// told; elsewhere, and where the server is no leaf, there is nothing to show.

export interface Guest {
  id: string
  name: string
  capabilities: string
  /** How it stood when that was noted last. */
  state: GuestState | null
}

export interface GuestState {
  at: string
  connected: boolean
  path: "direct" | "relayed"
  rtt_us: number
  bytes_sent: number
  bytes_received: number
}

interface Repository {
  project_code: string
  peers: Guest[]
}

export async function guests(projectCode: string): Promise<Guest[]> {
  try {
    const reply = await fetch(new URL("/peers.json", location.origin), { cache: "no-store" })
    if (!reply.ok || !reply.headers.get("content-type")?.startsWith("application/json")) return []
    const all = (await reply.json()) as Repository[]
    return all.filter((repository) => repository.project_code === projectCode).flatMap((repository) => repository.peers)
  } catch {
    return []
  }
}
