// Gives a repository to the person as a .fossil file: straight to disk where the browser can, else through memory.
import type { Leaf } from "@edgesync/leaf"
import { download } from "../text/bytes.ts"

interface Picker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>
}

export async function exportRepository(leaf: Leaf, name: string, onWritten: (bytes: number) => void): Promise<void> {
  const { showSaveFilePicker } = window as Picker
  // Asked for first: browsers allow it only right after a press.
  const handle = await showSaveFilePicker?.call(window, { suggestedName: name })
  const stream = counted(await leaf.exportFile(), onWritten)
  if (handle) await stream.pipeTo(await handle.createWritable())
  else download(await new Response(stream).blob(), name)
}

function counted(stream: ReadableStream<Uint8Array>, onWritten: (bytes: number) => void): ReadableStream<Uint8Array<ArrayBuffer>> {
  let written = 0
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
      transform(piece, controller) {
        written += piece.length
        onWritten(written)
        controller.enqueue(piece as Uint8Array<ArrayBuffer>)
      },
    }),
  )
}
