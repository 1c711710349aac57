// Runs Rust's tests of wasm32 in a dedicated worker of Chromium: node suite.mjs FILE.wasm...
//
// wasm-bindgen-test-runner serves the tests; it would drive browsers by WebDriver, which we do without: the page says
// how they went, and this reads it.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { createInterface } from "node:readline"
import { launch } from "./bed.mjs"

const PATIENCE_MS = 15 * 60_000

/** Starts the runner. Resolves to the address of its page, and to what stops it. */
async function runner(file) {
  const child = spawn("wasm-bindgen-test-runner", [file], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NO_HEADLESS: "1", WASM_BINDGEN_USE_DEDICATED_WORKER: "1", WASM_BINDGEN_TEST_ADDRESS: "127.0.0.1:0" },
  })
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill("SIGKILL")
    await once(child, "exit")
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const [, port] = line.match(/available at http:\/\/127\.0\.0\.1:(\d+)/) ?? []
    // A name, for a secure context.
    if (port !== undefined) return { address: `http://localhost:${port}/`, stop }
  }
  throw new Error(`wasm-bindgen-test-runner does not serve ${file}`)
}

/** Runs the tests of one file. Returns how many passed; throws when any did not. */
async function suite(file) {
  const profile = mkdtempSync(path.join(tmpdir(), "leaf-suite-"))
  const context = await launch(profile)
  const { address, stop } = await runner(file)
  try {
    const page = await context.newPage()
    const errors = []
    page.on("pageerror", (error) => errors.push(error.message))
    await page.goto(address)
    // What the page says grows; the last line says how it went.
    const end = Date.now() + PATIENCE_MS
    let text = ""
    while (!/^test result: .*$/m.test(text)) {
      if (errors.length > 0) throw new Error(`${path.basename(file)}: ${errors.join("; ")}\n${text}`)
      if (Date.now() > end) throw new Error(`${path.basename(file)}: no result in time\n${text.slice(-4000)}`)
      await page.waitForTimeout(250)
      text = await page.locator("#output").innerText()
    }
    const [, word, passed, failed, ignored, filtered] =
      text.match(/^test result: (\w+)\. (\d+) passed; (\d+) failed; (\d+) ignored; (\d+) filtered out/m) ?? []
    const isGood = word === "ok" && Number(passed) > 0 && [failed, ignored, filtered].every((count) => count === "0")
    if (!isGood) throw new Error(`${path.basename(file)}: ${text.replaceAll(/^(test .* ok|\s+at .*)\n/gm, "").slice(-8000)}`)
    return Number(passed)
  } finally {
    await context.close()
    await stop()
    rmSync(profile, { recursive: true, force: true })
  }
}

const files = process.argv.slice(2)
if (files.length === 0) throw new Error("usage: node suite.mjs FILE.wasm...")
for (const file of files) console.log(`${path.basename(file)}: ${await suite(file)} tests passed in a worker of Chromium`)
