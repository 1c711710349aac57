/**
 * The `.fossil` file as a stream, out and in.
 */

import type { Connection } from "./connection.js"
import type { Info } from "./protocol.js"

/** Bytes of one piece. */
const PIECE = 4 * 2 ** 20

/** The file as it is now. Who reads it slowly delays nobody; who gives it up cancels the stream. */
export async function exportStream(connection: Connection): Promise<ReadableStream<Uint8Array> & { size: number }> {
  const { size } = await connection.ask("exportBegin", {})
  let offset = 0
  const end = (): Promise<unknown> => connection.ask("exportEnd", {})
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (offset >= size) {
        await end()
        controller.close()
        return
      }
      const piece = await connection.ask("exportRead", { offset, length: PIECE })
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

/** Takes a file in, piece by piece. */
export async function importBlob(connection: Connection, file: Blob): Promise<Info> {
  await connection.ask("importBegin", { size: file.size })
  for (let offset = 0; offset < file.size; offset += PIECE) {
    const piece = await file.slice(offset, offset + PIECE).arrayBuffer()
    await connection.ask("importWrite", new Uint8Array(piece))
  }
  return connection.ask("importEnd", {})
}
