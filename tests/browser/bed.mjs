// The bed of the browser tests: Chromium, a page on localhost, `leaf serve`, stock Fossil. Nothing here is a mock.

import { execFileSync, spawn } from "node:child_process"
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import path from "node:path"
import { chromium } from "playwright-core"

export const root = path.resolve(import.meta.dirname, "../..")
export const leafProgram = process.env.LEAF ?? path.join(root, "target/debug/leaf")

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium"
export const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]
const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css",
  ".wasm": "application/wasm", ".json": "application/json", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
}

/** What is left to be done when a test has ended. */
const endings = new WeakMap()

/** Does `work` when the test has ended, the latest first: a browser ends before its profile goes. */
export function atEnd(t, work) {
  if (!endings.has(t)) {
    endings.set(t, [])
    t.after(async () => {
      const failures = []
      for (const work of endings.get(t).reverse()) await Promise.resolve().then(work).catch((error) => failures.push(error))
      if (failures.length > 0) throw failures[0]
    })
  }
  endings.get(t).push(work)
}

/** A folder that goes with the test. */
export function scratch(t) {
  const folder = mkdtempSync(path.join(tmpdir(), "leaf-browser-"))
  // A browser's helpers write for a moment after its end.
  atEnd(t, () => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }))
  return folder
}

/** Chromium with a profile that outlives it. */
export function launch(profile, options = {}) {
  return chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, headless: true, args: FLAGS, ...options })
}

/** The same, for the time of a test. */
export async function browser(t, profile = scratch(t), options = {}) {
  const context = await launch(profile, options)
  atEnd(t, () => context.close().catch(() => undefined))
  return context
}

/** Serves files of `folders` (URL prefix to path) on localhost, with the headers a careful site would send. */
export async function site(t, folders, headers = {}) {
  const server = createServer((request, response) => {
    const url = decodeURIComponent(new URL(request.url, "http://localhost").pathname)
    const [prefix, folder] = Object.entries(folders).find(([prefix]) => url.startsWith(prefix)) ?? []
    let file = folder === undefined ? undefined : path.join(folder, url.slice(prefix.length))
    if (file && existsSync(file) && statSync(file).isDirectory()) file = path.join(file, "index.html")
    if (!file || !existsSync(file)) return void response.writeHead(404).end("not found")
    response.writeHead(200, { "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream", "Cache-Control": "no-cache", ...headers })
    createReadStream(file).pipe(response)
  })
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  atEnd(t, () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve) }))
  return `http://localhost:${server.address().port}`
}

/**
 * A site with the package at /pkg/ and an empty page: `files` (name to text) and what else is put into `folder`/site
 * stand beside it or instead. `more` (URL prefix to path) is served, too.
 */
export function packageSite(t, folder, { files = {}, more = {} } = {}) {
  const own = path.join(folder, "site")
  mkdirSync(own)
  const all = { "index.html": "<!doctype html><title>EdgeSync Leaf</title>", ...files }
  for (const [name, text] of Object.entries(all)) writeFileSync(path.join(own, name), text)
  return site(t, { "/pkg/": path.join(root, "npm/dist"), ...more, "/": own })
}

/** Starts `leaf serve` on `file` and waits until it listens. Returns its URL and what stops it. */
export async function serve(t, file, args = [], address = "127.0.0.1:0") {
  const ready = path.join(scratch(t), "ready.json")
  const child = spawn(leafProgram, ["serve", file, "--http", address, "--ready-file", ready, ...args], { stdio: ["ignore", "ignore", "inherit"] })
  const stop = () => new Promise((resolve) => (child.exitCode !== null || child.signalCode !== null) ? resolve() : (child.once("exit", resolve), child.kill("SIGKILL")))
  atEnd(t, stop)
  for (let tries = 0; !existsSync(ready); tries += 1) {
    if (tries > 400 || child.exitCode !== null) throw new Error("leaf serve does not start")
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  const port = readFileSync(ready, "utf8").match(/127\.0\.0\.1:(\d+)/)[1]
  return { url: `http://localhost:${port}/`, port, stop, child, ready }
}

/** Runs stock Fossil. */
export function fossil(args, options = {}) {
  return execFileSync("fossil", args, { encoding: "utf8", env: { ...process.env, USER: "stock", HOME: options.cwd ?? tmpdir() }, ...options })
}

/** Runs the program leaf. */
export function leaf(args, options = {}) {
  return execFileSync(leafProgram, args, { encoding: "utf8", env: { ...process.env, USER: "native" }, ...options })
}
