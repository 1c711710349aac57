// A text as a QR code. Capitals take half the room, and a ticket may be written in them.
import { encodeQR } from "qr"
import { useMemo } from "react"

export function QrCode({ text, label }: { text: string; label: string }) {
  const { side, path } = useMemo(() => {
    const rows = encodeQR(text.toUpperCase(), "raw", { ecc: "low", border: 2 })
    const dark = rows.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
    return { side: rows.length, path: dark.join("") }
  }, [text])
  return (
    <svg className="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <path className="light" d={`M0 0h${side}v${side}h-${side}z`} />
      <path d={path} />
    </svg>
  )
}
