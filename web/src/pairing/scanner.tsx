// Reads a ticket off another screen by the camera.
import { useEffect, useRef, useState } from "react"
import { explain } from "../leaf/failure.ts"
import { Dialog } from "../parts/dialog.tsx"
import { Failed } from "../parts/states.tsx"

/** Whether there may be a camera that this page may use. */
export function hasCamera(): boolean {
  return isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia)
}

export function Scanner({ onRead, onClose }: { onRead(text: string): void; onClose(): void }) {
  const video = useRef<HTMLVideoElement>(null)
  const latest = useRef(onRead)
  latest.current = onRead
  const [error, setError] = useState<string | null>(null)

  useEffect(() => {
    let isOver = false
    let stop = () => {}
    const start = async () => {
      const { QRCanvas, frameLoop, rearCamera } = await import("qr/dom.js")
      const player = video.current
      if (!player || isOver) return
      const camera = await rearCamera(player)
      const canvas = new QRCanvas()
      const end = frameLoop(() => void camera.readFrame(canvas).then((read) => typeof read === "string" && !isOver && latest.current(read)).catch(() => undefined), player)
      stop = () => {
        end()
        camera.stop()
      }
      if (isOver) stop()
    }
    start().catch((failure: unknown) => setError(failure instanceof DOMException && failure.name === "NotAllowedError" ? "This page may not use the camera. Allow it, or paste the ticket." : explain(failure)))
    return () => {
      isOver = true
      stop()
    }
  }, [])

  return (
    <Dialog title="Show the QR code to the camera" onClose={onClose}>
      {error ? <Failed text={error} /> : <video className="scanner" ref={video} muted playsInline autoPlay />}
    </Dialog>
  )
}
