// Where the bytes of the module go: its code by crate, before wasm-opt, which keeps no names.
//
// usage: node bytes.mjs FILE.wasm

import { readFileSync } from "node:fs"

const bytes = readFileSync(process.argv[2])
let at = 8

/** A number in LEB128. */
function number() {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return value
  }
}

function text() {
  const length = number()
  at += length
  return bytes.toString("utf8", at - length, at)
}

/** Skips what an import describes, and says whether it is a function. */
function imported() {
  text()
  text()
  const kind = bytes[at++]
  if (kind === 0) return number(), true
  if (kind === 1 || kind === 3) at += 1
  if (kind !== 3) {
    const flags = number()
    number()
    if (flags & 1) number()
  } else at += 1
  return false
}

/** The crate that a function is of: Rust names it before its hash in brackets, C does not. */
function crateOf(name) {
  return /([a-z_][a-z0-9_]*)\[[0-9a-f]{16}\]/.exec(name)?.[1] ?? "SQLite and libc"
}

const names = new Map()
const sizes = []
let imports = 0
while (at < bytes.length) {
  const section = bytes[at++]
  const end = number() + at
  if (section === 2) for (let left = number(); left > 0; left -= 1) imports += imported() ? 1 : 0
  if (section === 10) {
    for (let left = number(); left > 0; left -= 1) {
      const size = number()
      sizes.push(size)
      at += size
    }
  }
  if (section === 0 && text() === "name") {
    while (at < end) {
      const kind = bytes[at++]
      const stop = number() + at
      if (kind === 1) for (let left = number(); left > 0; left -= 1) names.set(number(), text())
      at = stop
    }
  }
  at = end
}
const crates = new Map()
sizes.forEach((size, index) => {
  const crate = crateOf(names.get(index + imports) ?? "")
  crates.set(crate, (crates.get(crate) ?? 0) + size)
})
const total = sizes.reduce((sum, size) => sum + size, 0)
const largest = [...crates].sort(([, a], [, b]) => b - a)
const shown = largest.slice(0, 9)
shown.push(["others", largest.slice(9).reduce((sum, [, size]) => sum + size, 0)])
console.log(shown.map(([crate, size]) => `${crate} ${((100 * size) / total).toFixed(0)} %`).join(", "))
