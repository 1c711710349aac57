/**
 * The `.fossil` file as a stream, out and in.
 */

import type { Connection } from "./connection.js"
import { LeafError } from "./error.js"
import type { Info } from "./protocol.js"

/** Bytes of one piece. */
const PIECE = 4 * 2 ** 20
/** How often an import begins anew. */
const IMPORT_TRIES = 5

/** The file as it is now. Who reads it slowly delays nobody; who gives it up cancels the stream. */
export async function exportStream(connection: Connection): Promise<ReadableStream<Uint8Array> & { size: number }> {
  const transfer = crypto.randomUUID()
  const { size } = await connection.ask("exportBegin", { transfer })
  let offset = 0
  const end = (): Promise<unknown> => connection.ask("exportEnd", { transfer })
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (offset >= size) {
        await end()
        controller.close()
        return
      }
      const piece = await connection.ask("exportRead", { transfer, offset, length: PIECE })
      offset += piece.length
      controller.enqueue(piece)
      if (piece.length === 0) offset = size
    },
    async cancel() {
      await end()
    },
  }, { highWaterMark: 1 })
  return Object.assign(stream, { size })
}

/** Takes a file in, piece by piece; from its begin when the tab that held the repository ended meanwhile. */
export async function importBlob(connection: Connection, file: Blob): Promise<Info> {
  for (let tries = 1; ; tries += 1) {
    const { epoch } = connection.standing
    try {
      return await importOnce(connection, file)
    } catch (error) {
      const isCutOff = error instanceof LeafError && error.code === "aborted" && epoch !== connection.standing.epoch
      if (!isCutOff || tries === IMPORT_TRIES) throw error
    }
  }
}

async function importOnce(connection: Connection, file: Blob): Promise<Info> {
  const transfer = crypto.randomUUID()
  await connection.ask("importBegin", { transfer, size: file.size })
  for (let offset = 0; offset < file.size; offset += PIECE) {
    const bytes = new Uint8Array(await file.slice(offset, offset + PIECE).arrayBuffer())
    await connection.ask("importWrite", { transfer, bytes })
  }
  return connection.ask("importEnd", { transfer })
}
