// The package in Firefox. There is no driver for it: the page does everything by itself and says what it did.

import assert from "node:assert/strict"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import path from "node:path"
import { test } from "node:test"
import { atEnd, fossil, leaf, leafProgram, packageSite, scratch, serve } from "./bed.mjs"
import { assertSound, comments } from "./judge.mjs"

const FIREFOX = process.env.FIREFOX ?? "firefox-esr"
const PATIENCE_MS = 120_000
const COMMENT = "From Firefox"
const LIVE = "At once, by NATS"

/** No first page, no news, no reports, no update. */
const PREFERENCES = {
  "app.normandy.enabled": false, "app.update.enabled": false, "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false, "browser.startup.homepage_override.mstone": "ignore",
  "browser.startup.page": 0, "datareporting.healthreport.uploadEnabled": false, "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false, "network.captive-portal-service.enabled": false, "network.connectivity-service.enabled": false,
  "toolkit.startup.max_resumed_crashes": -1, "toolkit.telemetry.enabled": false,
}

/** Runs in the page. What it has done before it reads from the address. */
const PAGE = `
import { Leaf } from "/pkg/index.js"

const here = new URL(location)
const step = here.searchParams.get("step")
const say = (what) => fetch(here.searchParams.get("listener"), { method: "POST", mode: "no-cors", body: JSON.stringify({ step, ...what }) })
const comments = async (leaf) => (await leaf.timeline().page()).entries.map((entry) => entry.comment)

const steps = {
  async begin() {
    const leaf = await Leaf.open("project", { user: "alice" })
    const before = leaf.state
    const { verified } = await leaf.clone(here.searchParams.get("server"), { user: "alice", password: "secret", remember: true })
    const { hash } = await leaf.commit({ message: ${JSON.stringify(COMMENT)}, files: { "fox.txt": "red\\n" } })
    await say({ before, after: leaf.state, verified, hash })
    here.searchParams.set("step", "again")
    history.replaceState(null, "", here)
    // Not closed: that is what people do.
    location.reload()
  },
  async again() {
    const leaf = await Leaf.open("project")
    const { unsent } = await leaf.info()
    const { sent } = await leaf.sync()
    const { isSound, faults } = await leaf.verify()
    await say({ state: leaf.state, unsent, sent, isSound, faults, left: leaf.syncStatus.unsent, comments: await comments(leaf) })
  },
  async restarted() {
    const leaf = await Leaf.open("project")
    const text = await leaf.readText("fox.txt")
    const file = await leaf.exportFile()
    const bytes = new Uint8Array(await new Response(file).arrayBuffer())
    const copy = await Leaf.open("copy")
    const { checkins } = await copy.importFile(new Blob([bytes]))
    const refused = await (await Leaf.open("odd")).importFile(new Blob(["no database"])).catch((error) => error.code)
    await leaf.connect({ nats: here.searchParams.get("server") + "nats" })
    const sent = new Promise((resolve) => leaf.on("sync", ({ phase, unsent, lastSync }) => phase === "idle" && unsent === 0 && lastSync && resolve()))
    await leaf.commit({ message: ${JSON.stringify(LIVE)}, files: { "live.txt": "quick\\n" } })
    await sent
    await say({ mesh: leaf.meshStatus.state, text, size: file.size, got: bytes.length, magic: new TextDecoder().decode(bytes.slice(0, 15)), checkins, refused, names: await Leaf.list() })
  },
  async keyed() {
    const [one, two] = [await Leaf.open("one", { user: "alice" }), await Leaf.open("two", { user: "bob" })]
    for (const leaf of [one, two]) await leaf.clone((await leaf.join(here.searchParams.getAll("ticket")[leaf === one ? 0 : 1])).url)
    await one.reach(here.searchParams.get("server"))
    const { ticket } = await one.invite()
    const { url, code } = await two.join(ticket)
    await one.commit({ message: ${JSON.stringify(COMMENT)}, files: { "fox.txt": "red\\n" } })
    const { received } = await two.sync({ url })
    await one.sync()
    const { joined, connections } = await one.endpoint()
    await say({ received, comments: await comments(two), isSame: joined[0].code === code, paths: [...new Set(connections.map(({ path }) => path))], sound: (await two.verify()).isSound })
    await one.close()
    await two.close()
  },
}
addEventListener("unhandledrejection", (event) => say({ failed: String(event.reason) }))
await steps[step]().catch((error) => say({ failed: error.message, code: error.code, stack: error.stack }))
`

/** Firefox at `url`; killed when it is to stop. */
function firefox(t, profile, url) {
  const child = spawn(FIREFOX, ["--headless", "--no-remote", "--profile", profile, url], {
    stdio: "ignore", env: { ...process.env, HOME: profile, MOZ_HEADLESS: "1", MOZ_CRASHREPORTER_DISABLE: "1" }, detached: true,
  })
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    // Its processes are a group of their own.
    process.kill(-child.pid, "SIGKILL")
    await once(child, "exit")
  }
  atEnd(t, kill)
  return kill
}

/** Where the page says what it did: `next()` waits for that. */
async function listen(t) {
  const said = []
  const server = createServer(async (request, response) => {
    let body = ""
    for await (const piece of request) body += piece
    response.end()
    if (request.method === "POST") said.push(JSON.parse(body))
  })
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  atEnd(t, () => { server.closeAllConnections(); server.close() })
  const next = async () => {
    const end = Date.now() + PATIENCE_MS
    while (said.length === 0) {
      assert.ok(Date.now() < end, "Firefox says nothing")
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return said.shift()
  }
  return { url: `http://localhost:${server.address().port}/`, next }
}

/** A profile that asks nothing. */
function profileIn(folder) {
  const profile = path.join(folder, "profile")
  mkdirSync(profile)
  writeFileSync(path.join(profile, "user.js"), Object.entries(PREFERENCES).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join(""))
  return profile
}

const SITE = { "index.html": '<!doctype html><title>Firefox</title><script type="module" src="/page.js"></script>', "page.js": PAGE }

test("Firefox calls by key: a native leaf, and one tab the other, by the leaf's relay", async (t) => {
  const folder = scratch(t)
  const [origin, key] = [path.join(folder, "origin.fossil"), path.join(folder, "server.key")]
  fossil(["new", origin], { cwd: folder })
  fossil(["user", "capabilities", "nobody", "", "-R", origin], { cwd: folder })
  const address = await packageSite(t, folder, { files: SITE })
  const server = await serve(t, origin, ["--allow-origin", address, "--iroh=127.0.0.1:0", "--relay", "--quiet", "--key", key])
  const invite = () => JSON.parse(leaf(["invite", origin, "--json", "--key", key])).ticket
  const listener = await listen(t)
  const query = new URLSearchParams({ step: "keyed", server: server.url, listener: listener.url })
  query.append("ticket", invite())
  query.append("ticket", invite())
  firefox(t, profileIn(folder), `${address}/?${query}`)
  const { received, comments: seen, ...rest } = await listener.next()
  assert.deepEqual(rest, { step: "keyed", isSame: true, paths: ["relayed"], sound: true })
  assert.ok(received > 0)
  assert.ok(seen.includes(COMMENT))
  assert.ok(comments(origin).includes(COMMENT))
  assertSound(origin)
})

test("Firefox clones, commits, reloads, syncs, is killed, has everything, and is in the mesh", async (t) => {
  const folder = scratch(t)
  const origin = path.join(folder, "origin.fossil")
  fossil(["new", origin], { cwd: folder })
  execFileSync(leafProgram, ["user", "add", "alice", "gio", "-R", origin], { input: "secret", stdio: ["pipe", "ignore", "inherit"] })
  const address = await packageSite(t, folder, { files: SITE })
  const server = await serve(t, origin, ["--allow-origin", address])
  const listener = await listen(t)
  const profile = profileIn(folder)
  const at = (step) => `${address}/?${new URLSearchParams({ step, server: server.url, listener: listener.url })}`

  const kill = firefox(t, profile, at("begin"))
  const { hash, verified, ...begun } = await listener.next()
  assert.deepEqual(begun, { step: "begin", before: "empty", after: "ready" })
  assert.equal(verified, 1)
  assert.match(hash, /^[0-9a-f]{64}$/)
  const { unsent, sent, ...again } = await listener.next()
  assert.deepEqual(again, { step: "again", state: "ready", isSound: true, faults: [], left: 0, comments: [COMMENT, "initial empty check-in"] })
  assert.deepEqual([unsent, sent], [2, 2], "a file and a manifest")
  await kill()

  firefox(t, profile, at("restarted"))
  const { size, got, ...restarted } = await listener.next()
  assert.deepEqual(restarted, {
    step: "restarted", mesh: "ready", text: "red\n", magic: "SQLite format 3", checkins: 2, refused: "refused", names: ["copy", "odd", "project"],
  })
  assert.equal(got, size)

  const stock = path.join(folder, "stock.fossil")
  fossil(["clone", "--no-open", server.url.replace("://", "://alice:secret@"), stock], { cwd: folder, stdio: "pipe" })
  assert.match(fossil(["timeline", "-n", "5", "-R", stock], { cwd: folder }), new RegExp(`${hash.slice(0, 10)}.*${COMMENT}`))
  assert.match(fossil(["timeline", "-n", "5", "-R", stock], { cwd: folder }), new RegExp(LIVE))
  assert.equal(fossil(["cat", "-r", "trunk", "-R", stock, "fox.txt"], { cwd: folder }), "red\n")
})
