// The page that `leaf serve` shows, used as a person uses it, under its own policy.

import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import path from "node:path"
import test from "node:test"
import { browser, fossil, leaf, leafProgram, root, scratch, serve } from "./bed.mjs"
import { clone, commit, edit, open } from "./person.mjs"

const AXE = readFileSync(path.join(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8")
/** All views that a repository has. */
const VIEWS = ["timeline", "files", "files/trunk/notes/first.txt", "edit/trunk/notes/first.txt", "changes", "wiki", "wiki/Home", "branches", "unversioned", "sync", "peers", "storage", "settings", "repositories"]

/** A repository of a few check-ins, made by stock, that anybody may push to. */
function project(folder) {
  const file = path.join(folder, "garden.fossil")
  const stock = (args, input) => fossil(args, { cwd: path.join(folder, "co"), input, stdio: ["pipe", "pipe", "pipe"] })
  mkdirSync(path.join(folder, "co"))
  stock(["init", "--project-name", "Garden", file])
  stock(["open", "--nosync", file])
  mkdirSync(path.join(folder, "co/notes"))
  writeFileSync(path.join(folder, "co/notes/first.txt"), "first line\nsecond line\n")
  writeFileSync(path.join(folder, "co/README.md"), "# Garden\n\nSee [the notes](notes/first.txt).\n\n```js\nconst leaf = 1\n```\n")
  stock(["add", "README.md", "notes"])
  stock(["commit", "--no-warnings", "--nosign", "-m", "Plant the garden"])
  stock(["wiki", "create", "Home", "--mimetype", "text/x-markdown"], "# Welcome\n\nTo the garden.\n")
  stock(["close", "--force"])
  leaf(["user", "caps", "nobody", "gjoriyz", "-R", file])
  return file
}

/** The timeline of the server's own file, by stock. */
const timeline = (file) => fossil(["timeline", "-t", "ci", "-n", "20", "-R", file])

/** What the page complains of; every test expects nothing. */
function complaints(page) {
  const heard = []
  page.on("pageerror", (error) => heard.push(`error: ${error.message}`))
  page.on("console", (message) => {
    // What a browser says when the network is away is no complaint of the page.
    if (message.type() === "error" && !/Failed to load resource|net::ERR/.test(message.text())) heard.push(message.text())
  })
  page.on("dialog", (dialog) => { heard.push(`dialog: ${dialog.message()}`); void dialog.dismiss() })
  return heard
}

async function until(what, probe, ms = 30_000) {
  for (const end = Date.now() + ms; ; ) {
    if (await probe()) return
    if (Date.now() > end) assert.fail(`still not so after ${ms} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

test("a person clones, reads, edits, commits offline, comes back, and stock sees the check-in", async (t) => {
  const file = project(scratch(t))
  const { url } = await serve(t, file)
  const context = await browser(t)
  const page = await context.newPage()
  const heard = complaints(page)
  await clone(page, url)
  await page.getByText("Plant the garden").waitFor()
  await open(page, "#/files")
  await page.getByRole("heading", { name: "Garden", exact: true }).waitFor()
  await edit(page, "notes/first.txt", "typed with a network")
  await commit(page, "Say it with a network")
  await until("the check-in is on the server", () => timeline(file).includes("Say it with a network"))

  await context.setOffline(true)
  await edit(page, "notes/first.txt", "typed without a network")
  await commit(page, "Say it without a network")
  await page.getByRole("button", { name: /unsent|Offline/i }).first().waitFor()
  assert.ok(!timeline(file).includes("Say it without a network"), "it cannot have been sent")

  await page.reload()
  await open(page, "#/timeline")
  await page.getByRole("article").filter({ hasText: "Say it without a network" }).waitFor()
  await context.setOffline(false)
  await until("the check-in made offline is on the server", () => timeline(file).includes("Say it without a network"))
  fossil(["test-integrity", "-R", file])
  const text = execFileSync(leafProgram, ["cat", "trunk", "notes/first.txt", "-R", file], { encoding: "utf8" })
  assert.match(text, /typed with a network\ntyped without a network\n$/)
  assert.deepEqual(heard, [])
})

test("it can be installed, and starts with no server at all", async (t) => {
  const { url, stop } = await serve(t, project(scratch(t)))
  const context = await browser(t)
  const page = await context.newPage()
  await clone(page, url)
  const found = await page.evaluate(async () => {
    const link = document.querySelector("link[rel=manifest]")
    const manifest = await (await fetch(link.href)).json()
    const icons = await Promise.all(manifest.icons.map(async ({ src, sizes, purpose = "any" }) => {
      const image = new Image()
      image.src = new URL(src, link.href).href
      await image.decode()
      return { sizes, purpose, width: image.naturalWidth, height: image.naturalHeight }
    }))
    await navigator.serviceWorker.ready
    return { manifest, icons, viewport: document.querySelector("meta[name=viewport]")?.content, lang: document.documentElement.lang, theme: document.querySelectorAll("meta[name=theme-color]").length }
  })
  assert.equal(found.manifest.display, "standalone")
  for (const member of ["name", "short_name", "start_url", "theme_color", "background_color"]) assert.ok(found.manifest[member], member)
  for (const size of [192, 512]) {
    assert.ok(found.icons.some((icon) => icon.sizes === `${size}x${size}` && icon.width === size && icon.height === size), `an icon of ${size}`)
  }
  assert.ok(found.icons.some(({ purpose }) => purpose.includes("maskable")), "a maskable icon")
  assert.match(found.viewport, /width=device-width/)
  assert.ok(found.lang && found.theme > 0)
  const cdp = await context.newCDPSession(page)
  const { installabilityErrors } = await cdp.send("Page.getInstallabilityErrors")
  // A browser without a window cannot install anything; that is the only thing it may lack.
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito"), [])

  await page.reload()
  await until("the service worker has the page", () => page.evaluate(() => navigator.serviceWorker.controller !== null))
  await stop()
  // Whatever the browser has of the page besides what the service worker keeps.
  await cdp.send("Network.clearBrowserCache")
  const again = await context.newPage()
  const heard = complaints(again)
  await again.goto(url)
  await again.getByText("Plant the garden").waitFor()
  assert.deepEqual(heard, [])
})

test("something is there to see before the engine is", async (t) => {
  const { url } = await serve(t, project(scratch(t)))
  const context = await browser(t)
  let isHeld = true
  await context.route(/\.wasm$/, async (route) => {
    while (isHeld) await new Promise((resolve) => setTimeout(resolve, 50))
    await route.continue()
  })
  const page = await context.newPage()
  await page.goto(url)
  await page.getByText("EdgeSync Leaf").first().waitFor()
  const paints = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint").length)
  assert.equal(paints, 1)
  isHeld = false
})

test("axe finds nothing serious in any view, light or dark, wide or narrow", async (t) => {
  const { url } = await serve(t, project(scratch(t)))
  const context = await browser(t)
  const page = await context.newPage()
  const serious = async (where) => {
    await page.evaluate(AXE)
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }))
    return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${where}: ${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`)
  }
  const found = []
  await page.goto(url)
  await page.getByRole("button", { name: "Clone", exact: true }).waitFor()
  found.push(...await serious("welcome"))
  await clone(page, url)
  const { hash } = await page.evaluate(() => ({ hash: document.querySelector('a[href^="#/checkin/"]').getAttribute("href") }))
  let looked = 0
  for (const [scheme, width] of [["light", 1280], ["dark", 390]]) {
    await page.emulateMedia({ colorScheme: scheme })
    await page.setViewportSize({ width, height: 800 })
    for (const view of [...VIEWS.map((view) => `#/${view}`), hash]) {
      await open(page, view)
      await page.locator("main h1").first().waitFor()
      await page.waitForTimeout(250)
      found.push(...await serious(`${view} ${scheme} ${width}`))
      looked += 1
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      if (overflow > 0) found.push(`${view} ${width}: wider than the window by ${overflow}`)
    }
  }
  assert.equal(looked, 2 * (VIEWS.length + 1))
  assert.deepEqual(found, [])
})

test("hostile names and texts stay texts", async (t) => {
  const folder = scratch(t)
  const file = project(folder)
  const attack = "window.__owned=1"
  const texts = [
    `<script>${attack}</script>`, `<img src=x onerror="${attack}">`, `<svg onload="${attack}"></svg>`,
    `<a href="javascript:${attack}">a</a>`, `[b](javascript:${attack})`, `[c](JaVaScRiPt:${attack})`,
    `[d](data:text/html;base64,PHNjcmlwdD4=)`, `![e](x" onerror="${attack})`, `<iframe srcdoc="<script>parent.${attack}</script>"></iframe>`,
    `<math><mtext><table><mglyph><style><img src=x onerror="${attack}">`, `<form action="javascript:${attack}"><button>f</button></form>`,
    `<a href="&#106;avascript:${attack}">g</a>`, `<style>@import 'http://127.0.0.1:9/x.css'</style>`, `<base href="http://127.0.0.1:9/">`,
    `<object data="javascript:${attack}"></object>`, `<details open ontoggle="${attack}">h</details>`, `<x onclick="${attack}">i</x>`,
    `<div style="background:url(http://127.0.0.1:9/y)">j</div>`, `<https://x" onmouseover="${attack}>`, `<input autofocus onfocus="${attack}">`,
  ]
  const names = ["<img src=x onerror=window.__owned=1>.md", "a&b'c\"d.txt", "javascript:window.__owned=1.md", "x.svg", "page.html"]
  const markdown = texts.join("\n\n")
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload="${attack}"><script>${attack}</script></svg>`
  const co = path.join(folder, "attack")
  mkdirSync(co)
  const stock = (args, input) => fossil(args, { cwd: co, input, stdio: ["pipe", "pipe", "pipe"] })
  stock(["open", "--nosync", file])
  const content = (name) => (name.endsWith("svg") ? svg : name.endsWith("html") ? texts.join("\n") : markdown)
  for (const name of ["README.md", ...names]) writeFileSync(path.join(co, name), content(name))
  stock(["addremove"])
  stock(["commit", "--no-warnings", "--nosign", "-m", `Attack ${texts.slice(0, 4).join(" ")}`])
  stock(["wiki", "commit", "Home", "--mimetype", "text/x-markdown"], markdown)
  stock(["wiki", "create", "Old", "--mimetype", "text/x-fossil-wiki"], markdown)
  stock(["uv", "add", "page.html", "--as", "evil.html"])

  const { url } = await serve(t, file)
  const page = await (await browser(t)).newPage()
  const dialogs = []
  page.on("dialog", (dialog) => { dialogs.push(dialog.message()); void dialog.dismiss() })
  const elsewhere = []
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url())) elsewhere.push(request.url())
  })
  await clone(page, url)
  const hash = await page.evaluate(() => document.querySelector('a[href^="#/checkin/"]').getAttribute("href"))
  const views = ["#/timeline", "#/files", ...names.map((name) => `#/files/trunk/${encodeURIComponent(name)}`), "#/wiki/Home", "#/wiki/Old", "#/unversioned", hash, `#/edit/trunk/${encodeURIComponent(names[0])}`]
  for (const view of views) {
    await open(page, view)
    await page.locator("main h1").first().waitFor()
    await page.waitForTimeout(300)
    const bad = await page.evaluate(() => [...document.querySelectorAll("*")].flatMap((element) => [...element.attributes]
      .filter(({ name, value }) => /^on/i.test(name) || (/^(href|src|action|formaction|xlink:href)$/i.test(name) && /^\s*(javascript|data:text|vbscript)/i.test(value)) || name === "srcdoc")
      .map(({ name, value }) => `<${element.localName} ${name}=${value.slice(0, 60)}>`)
      .concat(["iframe", "object", "embed", "base"].includes(element.localName) ? [`<${element.localName}>`] : [])))
    assert.deepEqual(bad, [], view)
  }
  assert.equal(await page.evaluate(() => window.__owned), undefined)
  assert.deepEqual(dialogs, [])
  assert.deepEqual(elsewhere, [])
})

test("the page shows how its server is connected with the peers that call by key", async (t) => {
  const folder = scratch(t)
  const file = project(folder)
  const [own, theirs] = ["own.key", "their.key"].map((name) => ["--key", path.join(folder, name)])
  const { url } = await serve(t, file, ["--iroh=127.0.0.1:0", ...own])
  const page = await (await browser(t)).newPage()
  const heard = complaints(page)
  await clone(page, url)
  await open(page, "#/peers")
  await page.getByText("No other leaf of this project is there").or(page.getByRole("list", { name: "There now" })).first().waitFor()
  assert.equal(await page.getByRole("list", { name: "By key" }).count(), 0, "nobody was invited")

  const ticket = leaf(["invite", file, "--quiet", ...own]).trim()
  const copy = path.join(folder, "copy.fossil")
  leaf(["join", ticket, copy, "--name", "ann's laptop", ...theirs], { stdio: "pipe" })
  const peer = await serve(t, copy, ["--iroh=127.0.0.1:0", ...theirs])
  const listed = page.getByRole("list", { name: "By key" }).getByRole("listitem")
  await listed.getByText("ann's laptop").waitFor({ timeout: 60_000 })
  await listed.getByText(/ · connected, \d+\.\d ms · .* sent, .* received · as of /).waitFor({ timeout: 60_000 })
  await listed.getByText("direct", { exact: true }).waitFor()
  peer.child.kill("SIGTERM")
  await listed.getByText(/ · not connected · /).waitFor({ timeout: 120_000 })
  assert.deepEqual(heard, [])
})

test("the modules are small enough", () => {
  const sizes = path.join(root, "npm/dist/sizes.json")
  assert.ok(existsSync(sizes), "npm is built")
  const { wasm, iroh, quick } = JSON.parse(readFileSync(sizes, "utf8"))
  // A quick build is for work on the package; what is published is held to the bound.
  if (quick && !process.env.CI) return
  assert.ok(wasm.brotli <= 600_000, `leaf.wasm takes ${wasm.brotli} bytes as brotli`)
  assert.ok(wasm.brotli + iroh.brotli <= 1_300_000, `with iroh.wasm it takes ${wasm.brotli + iroh.brotli}`)
})
